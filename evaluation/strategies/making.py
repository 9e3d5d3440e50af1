"""From a name in a file or on the command line to a strategy."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from evaluation.base.strategy import STRATEGIES, EvaluationStrategy
from evaluation.conventions.base import CONVENTIONS
from evaluation.strategies.sql.execution_match import DEFAULT
from sqlassay.errors import UserError, located

if TYPE_CHECKING:
    from evaluation.judging.bench import Bench

ALL = "all"
"""In the place of a convention's name: every registered one."""


def make_strategy(
    name: str, settings: Mapping[str, object] | None = None, *, place: str = "", bench: Bench | None = None
) -> EvaluationStrategy:
    """The strategy that a name stands for.

    Args:
        name: A registered name, or `execution_match:CONVENTION`.
        settings: Its settings.
        place: Where the name was written, for messages.
        bench: Who judges, where it asks a model.

    Raises:
        UnknownName: No such strategy, convention or setting.
        UserError: It needs a judge and has none, or has one and needs none.
    """
    registered, colon, convention = name.partition(":")
    given = {**(settings or {}), **({"convention": convention} if colon else {})}
    made = STRATEGIES.make(registered, given, place=place)
    with located(place):
        _appoint(made, bench)
    return made


def _appoint(strategy: EvaluationStrategy, bench: Bench | None) -> None:
    """Give a strategy its judges, where it needs some."""
    if strategy.needs_model:
        from evaluation.base.llm import LLMEvaluator, no_judge

        if isinstance(strategy, LLMEvaluator):
            if bench is None:
                raise no_judge(strategy.label)
            strategy.appoint(bench)
            return
    if bench is not None and bench.judges:
        raise UserError(f"{strategy.label} asks no judge", remedy="leave out `judges`")


def expand(name: str) -> tuple[str, ...]:
    """The names that a name stands for: `execution_match:all` is one strategy per convention, ours first."""
    registered, _, convention = name.partition(":")
    if convention != ALL:
        return (name,)
    others = sorted(set(CONVENTIONS.names()) - {DEFAULT})
    return tuple(f"{registered}:{convention}" for convention in (DEFAULT, *others))


def make_execution_matches(conventions: Sequence[str]) -> list[EvaluationStrategy]:
    """Execution match under each of these conventions, each once; `all` stands for all that are registered."""
    return make_strategies([f"execution_match:{convention}" for convention in conventions])


BenchOf = Callable[[Sequence[str]], "Bench"]
"""From the names of judges, `ADAPTER:MODEL` each, to those who judge."""
JUDGE = "judge"
"""What names a judge among the settings of a strategy on the command line."""


def make_strategies(specs: Sequence[str], bench: BenchOf | None = None) -> list[EvaluationStrategy]:
    """The strategies that these texts stand for, each once.

    Args:
        specs: A name, and after a colon its convention and settings: `exact_set_match`, `execution_match:bird`,
            `execution_match:relative_tolerance=1e-3`, `execution_match:sqlassay,rounding=accept`. Values are JSON, and
            text where they are not. `judge=ADAPTER:MODEL` names who judges, a JSON list of these a panel.
        bench: Makes the judges; `None` where none can be asked.

    Raises:
        UserError: A part is not of this form, or a setting has a value that it cannot have.
        UnknownName: No such strategy, convention or setting.
    """
    made: dict[str, EvaluationStrategy] = {}
    for spec in specs:
        name, settings = _parsed(spec)
        judges = settings.pop(JUDGE, None)
        if judges is not None and bench is None:
            raise UserError(f"strategy {spec!r}: no judge can be asked here", remedy="`sqlassay score` and `run` can")
        named = [str(judge) for judge in (judges if isinstance(judges, list) else [judges])]
        found = None if judges is None or bench is None else bench(named)
        for one in expand(name):
            made.setdefault(f"{one} {settings} {judges}", make_strategy(one, settings, bench=found))
    return list(made.values())


_SETTING = re.compile(r"\s*([A-Za-z_]\w*)=")


def _parsed(spec: str) -> tuple[str, dict[str, object]]:
    """A name for `make_strategy`, and settings."""
    name, _, rest = spec.partition(":")
    settings: dict[str, object] = {}
    at = 0
    while at < len(rest):
        found = _SETTING.match(rest, at)
        if found is None:
            part, _, _ = rest[at:].partition(",")
            if at or not part.strip():
                raise UserError(
                    f"strategy {spec!r}: {part!r} is no setting",
                    remedy="NAME:CONVENTION,KEY=VALUE,… such as execution_match:sqlassay,rounding=accept",
                )
            name, at = f"{name}:{part.strip()}", len(part) + 1
            continue
        if found[1] in settings:
            raise UserError(f"strategy {spec!r}: the setting {found[1]!r} is there twice", remedy="leave one out")
        settings[found[1]], at = _value(rest, found.end())
    return name, settings


def _value(text: str, start: int) -> tuple[object, int]:
    """The value that begins at `start`, and where the next part begins."""
    try:
        value, end = json.JSONDecoder().raw_decode(text, start)
        if text[end : end + 1] in ("", ","):
            return value, end + 1
    except ValueError:
        pass
    plain, _, _ = text[start:].partition(",")
    return plain, start + len(plain) + 1


def make_asked_for(
    conventions: Sequence[str] | None, specs: Sequence[str] | None, bench: BenchOf | None = None
) -> list[EvaluationStrategy]:
    """What `--convention` and `--strategy` ask for; the default convention where neither is given.

    Args:
        conventions: Names.
        specs: As `make_strategies`.
        bench: As `make_strategies`.

    Raises:
        UserError: As `make_strategies`, or two strategies would have one label.
    """
    wanted = conventions or ([] if specs else [DEFAULT])
    made = [*make_execution_matches(wanted), *make_strategies(specs or [], bench)]
    describe_strategies(made)
    return made


def describe_strategies(strategies: Sequence[EvaluationStrategy]) -> list[dict[str, Any]]:
    """What a run remembers its strategies by.

    Raises:
        UserError: Two strategies would have one label in the record.
    """
    labels = [strategy.label for strategy in strategies]
    for label in labels:
        if labels.count(label) > 1:
            raise UserError(f"the strategy {label!r} is there twice", remedy="leave one out")
    return [
        {"label": strategy.label, "name": strategy.name, "version": strategy.version, **dict(strategy.settings)}
        for strategy in strategies
    ]

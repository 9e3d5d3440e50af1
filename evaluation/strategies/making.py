"""From a name in a file or on the command line to a strategy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from evaluation.base.strategy import STRATEGIES, EvaluationStrategy
from evaluation.conventions.base import CONVENTIONS
from evaluation.strategies.sql.execution_match import DEFAULT
from sqlassay.errors import UserError

ALL = "all"
"""In the place of a convention's name: every registered one."""


def make_strategy(name: str, settings: Mapping[str, object] | None = None, *, place: str = "") -> EvaluationStrategy:
    """The strategy that a name stands for.

    Args:
        name: A registered name, or `execution_match:CONVENTION`.
        settings: Its settings.
        place: Where the name was written, for messages.

    Raises:
        UnknownName: No such strategy, convention or setting.
    """
    registered, colon, convention = name.partition(":")
    given = {**(settings or {}), **({"convention": convention} if colon else {})}
    return STRATEGIES.make(registered, given, place=place)


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


def make_strategies(names: Sequence[str]) -> list[EvaluationStrategy]:
    """The strategies that these names stand for, each once."""
    expanded = [one for name in names for one in expand(name)]
    return [make_strategy(name) for name in dict.fromkeys(expanded)]


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

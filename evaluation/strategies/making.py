"""From a name in a file or on the command line to a strategy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from evaluation.base.strategy import STRATEGIES, EvaluationStrategy
from sqlassay.errors import UserError


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

"""How far the judges of a run are to be believed: no score of theirs is shown without it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from evaluation.verdicts import JUDGES

UNCALIBRATED = "uncalibrated"
"""Of judges whose errors nobody has measured."""


@dataclass(frozen=True)
class Standing:
    """What is known of the judges of one strategy.

    Attributes:
        calibration: Their errors, in words, or that they are not known.
        kin: In words, which of them are relatives of the model under test.
    """

    calibration: str
    kin: tuple[str, ...] = ()


def standings(strategies: Iterable[Mapping[str, Any]], tested: Any) -> dict[str, Standing]:
    """What is known of the judges of a run, by the label of the strategy that asks them.

    Args:
        strategies: What a run remembers its strategies by.
        tested: What a run remembers its model by; `None` where predictions were given.
    """
    models = list(_identities(tested))
    return {
        str(one["label"]): Standing(calibration_of(one), tuple(_kin(one[JUDGES], models)))
        for one in strategies
        if one.get(JUDGES)
    }


def calibration_of(strategy: Mapping[str, Any]) -> str:
    """The errors of a strategy's judges, in words.

    Args:
        strategy: What a run remembers it by: `judges`, each with its `model` and `parameters`, and the digest of
            the `prompt` among it.
    """
    return UNCALIBRATED


def _kin(judges: Sequence[Mapping[str, Any]], models: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    from evaluation.judging.families import kinship

    for judge in judges:
        for words in dict.fromkeys(kinship(judge["model"], model) for model in models):
            if words is not None:
                yield f"judge {judge['name']} {words}"


def _identities(value: Any) -> Iterator[Mapping[str, Any]]:
    """The identities of all models that one is made of."""
    if not isinstance(value, Mapping):
        return
    if isinstance(value.get("model"), str):
        yield value
    for one in value.values():
        yield from _identities(one)

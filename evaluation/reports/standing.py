"""How far the judges of a run are to be believed: no score of theirs is shown without it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from evaluation.calibration.note import CalibrationNote, calibration_notes
from evaluation.verdicts import JUDGES


@dataclass(frozen=True)
class Standing:
    """What is known of the judges of one strategy.

    Attributes:
        calibration: Their errors, or that they are not known.
        kin: In words, which of them are relatives of the model under test.
    """

    calibration: CalibrationNote
    kin: tuple[str, ...] = ()


def standings(
    strategies: Iterable[Mapping[str, Any]],
    tested: Any,
    *,
    run_id: str = "",
    dataset: Mapping[str, Any] | None = None,
) -> dict[str, Standing]:
    """What is known of the judges of a run, by the label of the strategy that asks them.

    Args:
        strategies: What a run remembers its strategies by.
        tested: What a run remembers its model by; `None` where predictions were given.
        run_id: The run; empty where predictions were given.
        dataset: Format and digest of the dataset; `None` where they are not known.
    """
    models = list(_identities(tested))
    entries = {str(one["label"]): one for one in strategies}
    notes = calibration_notes(entries.values(), run_id=run_id, dataset=dataset)
    return {label: Standing(note, tuple(_kin(entries[label].get(JUDGES, ()), models))) for label, note in notes.items()}


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

"""How far the judges of a run are to be believed: no score of theirs is shown without it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from evaluation.calibration.judge import AGAINST
from evaluation.calibration.note import UNCALIBRATED, CalibrationNote, calibration_notes
from evaluation.statistics.interval import Bounded
from evaluation.verdicts import JUDGES, Summary

CORRECTED, NOT_CORRECTED = "corrected", "not corrected"
"""Of a judge: its accuracy without the errors that it is known to make, and where these do not tell it."""
CORRECT_CORRECTED = "correct, corrected"
"""The same where the score above holds partial scores: corrected is the share of correct items, and not the score."""


@dataclass(frozen=True)
class Standing:
    """What is known of the judges of one strategy.

    Attributes:
        note: Their errors, or that they are not known.
        kin: In words, which of them are relatives of the model under test, or of the one that it is compared with.
    """

    note: CalibrationNote
    kin: tuple[str, ...] = ()

    def corrected(self, counts: Summary) -> tuple[str, Bounded | None]:
        """What the row beneath the counts of their verdicts is called, and what is in it where their errors tell it."""
        corrected = self.note.corrected(counts)
        whole = CORRECTED if counts.score_sum == counts.correct else CORRECT_CORRECTED
        return (whole if corrected else NOT_CORRECTED if self.note.calibration else UNCALIBRATED), corrected

    def to_json(self, counts: Summary) -> dict[str, Any]:
        """As JSON types, beside the counts of their verdicts."""
        return {
            "judge": self.note.to_json(counts),
            "kin": list(self.kin),
            "not_asked": dict(counts.not_asked),
            "annotations": dict(counts.annotations),
        }


def standings(
    strategies: Iterable[Mapping[str, Any]], notes: Mapping[str, CalibrationNote], tested: Any
) -> dict[str, Standing]:
    """What is known of the judges of a run, by the label of the strategy that asks them.

    Args:
        strategies: What a run remembers its strategies by.
        notes: How far they are to be believed, by label.
        tested: What a run remembers its model by; `None` where predictions were given.
    """
    models = list(_identities(tested))
    entries = {str(one["label"]): one for one in strategies}
    return {label: Standing(note, tuple(_kin(entries[label], models))) for label, note in notes.items()}


def standing_of(manifest: Mapping[str, Any], label: str) -> Standing | None:
    """What is known of the judges of one strategy of a run; `None` where none are asked, and no errors are known."""
    identity = manifest["identity"]
    strategies = [one for one in identity.get("strategies", ()) if one["label"] == label]
    notes = calibration_notes(strategies, dataset=identity["dataset"])
    return standings(strategies, notes, identity.get("model")).get(label)


def _kin(entry: Mapping[str, Any], models: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    from evaluation.judging.families import kinship

    others = list(_identities(entry.get(AGAINST)))
    for judge in entry.get(JUDGES) or ():
        found = [kinship(judge["model"], model) for model in models]
        found += [kinship(judge["model"], model, "the other system's model") for model in others]
        for words in filter(None, dict.fromkeys(found)):
            yield f"judge {judge['name']} {words}"


def _identities(value: Any) -> Iterator[Mapping[str, Any]]:
    """The identities of all models that one is made of."""
    if not isinstance(value, Mapping):
        return
    if isinstance(value.get("model"), str):
        yield value
    for one in value.values():
        yield from _identities(one)

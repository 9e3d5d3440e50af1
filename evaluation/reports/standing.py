"""How far the judges of a run are to be believed: no score of theirs is shown without it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from evaluation.calibration.judge import AGAINST
from evaluation.calibration.note import UNCALIBRATED, CalibrationNote, calibration_notes
from evaluation.reports.answered import UNKNOWN, Answered, answered_in
from evaluation.run_log import RunFolder
from evaluation.statistics.interval import Bounded
from evaluation.verdicts import JUDGES, Summary

if TYPE_CHECKING:
    from evaluation.compare.arms import Recorded

CORRECTED, NOT_CORRECTED = "corrected", "not corrected"
"""Of a judge: its accuracy without the errors that it is known to make, and where these do not tell it."""
CORRECT_CORRECTED = "correct, corrected"
"""The same where the score above holds partial scores: corrected is the share of correct items, and not the score."""
REMARKS = "llm_judge_on_fail"
"""The strategy whose verdicts are those of execution: no error of a judge is in them."""


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
    strategies: Iterable[Mapping[str, Any]],
    notes: Mapping[str, CalibrationNote],
    tested: Any,
    answered: Answered = UNKNOWN,
) -> dict[str, Standing]:
    """What is known of the judges of a run, by the label of the strategy that asks them.

    Args:
        strategies: What a run remembers its strategies by.
        notes: How far they are to be believed, by label.
        tested: What a run remembers its model by; `None` where predictions were given.
        answered: Who answered to these names.
    """
    models = list(_identities(tested))
    entries = {str(one["label"]): one for one in strategies}
    return {label: Standing(note, tuple(_kin(entries[label], models, answered))) for label, note in notes.items()}


def told_of_judges(of: Iterable[tuple[str, Recorded]], label: str, where: str) -> list[str]:
    """How far judges are to be believed where it is their verdicts that count.

    Args:
        of: Runs, and what they are called.
        label: The strategy that counts; nothing is told of one whose verdicts are those of execution.
        where: In words, what is made of them.
    """
    lines: list[str] = []
    for name, run in of:
        identity = run.manifest["identity"]
        strategies = [
            one for one in identity.get("strategies", ()) if one["label"] == label and one.get("name") != REMARKS
        ]
        answered = answered_in(run, strategies) if isinstance(run, RunFolder) else UNKNOWN
        notes = calibration_notes(strategies, dataset=identity["dataset"], answered_by=answered.judges_of)
        for standing in standings(strategies, notes, identity.get("model"), answered).values():
            lines.append(f"{label}, whose errors are in {where}: {standing.note.errors}")
            lines += [f"{name}: {label}: {words}" for words in standing.kin]
    return list(dict.fromkeys(lines))


def _kin(entry: Mapping[str, Any], models: Sequence[Mapping[str, Any]], answered: Answered) -> Iterator[str]:
    from evaluation.judging.families import kinship

    others = list(_identities(entry.get(AGAINST)))
    for judge in entry.get(JUDGES) or ():
        names = answered.judges.get((str(entry["label"]), str(judge["name"])), ())
        called = [judge["model"], *({"model": name} for name in names)]
        found = [kinship(judge["model"], model) for model in models]
        if not any(found):  # a name may be an alias, such as that of a deployment
            those = [*models, *({"model": name} for name in answered.tested)]
            found = [kinship(one, model) for one in called for model in those]
        found += [kinship(one, model, "the other system's model") for one in called for model in others]
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

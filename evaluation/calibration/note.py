"""What every report says of a judge beside its verdicts: how far they can be believed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from evaluation.calibration.calibration import ONE_SIDED, Calibration, percent
from evaluation.calibration.judge import is_judge
from evaluation.calibration.kept import KeptCalibrations
from evaluation.statistics.bias_correction import corrected_accuracy, with_settled
from evaluation.statistics.interval import Bounded
from evaluation.verdicts import Status, Summary
from sqlassay.errors import UserError

UNCALIBRATED = "uncalibrated"


@dataclass(frozen=True)
class CalibrationNote:
    """A judge as one report has it.

    Attributes:
        calibration: What is known of its errors; `None` where nothing is.
        caution: Why that may not hold for this report, or cannot be read; empty where nothing speaks against it.
        asks: Whether it asks models for its verdicts; a strategy that asks none gives all of them itself.
        sliced: Whether the report is of a slice. Errors that were measured over all items may be others there: easy
            questions are judged better than hard ones.
    """

    calibration: Calibration | None = None
    caution: str = ""
    asks: bool = True
    sliced: bool = False

    @property
    def of_slices(self) -> CalibrationNote:
        """The same for the slices of the report."""
        return replace(self, sliced=True)

    def corrected(self, counts: Summary) -> Bounded | None:
        """The accuracy without the judge's errors; `None` where it cannot be told.

        Only the verdicts that the judge gave are corrected; what was settled before it was asked stands.
        """
        if self.calibration is None or self.sliced or self.calibration.one_sided:
            return None
        correct, judged = self._judged(counts)
        found = corrected_accuracy(correct, judged, self.calibration.confusion)
        if found is None:
            return None
        return with_settled(found, judged, counts.correct - correct, counts.scored - judged)

    def _judged(self, counts: Summary) -> tuple[int, int]:
        """The verdicts of its own: those that say correct, and all."""
        if not self.asks:
            return counts.correct, counts.scored - counts.no_result
        correct = counts.judged.get(Status.CORRECT, 0)
        return correct, correct + counts.judged.get(Status.INCORRECT, 0)

    def words(self, counts: Summary) -> str:
        """One line."""
        if self.calibration is None and counts.annotations and not self.caution:
            return f"{UNCALIBRATED}: how often its remarks are wrong is not known"
        if self.calibration is None:
            return self.errors
        return f"{self.accuracy(counts)}; {self.calibration.words}"

    @property
    def errors(self) -> str:
        """One line of how often it is wrong, whatever it has judged here."""
        if self.calibration is None:
            why = self.caution or "how often this judge is wrong is not known (sqlassay judge calibrate)"
            return f"{UNCALIBRATED}: {why}"
        return self.calibration.words + (f" ({self.caution})" if self.caution else "")

    def accuracy(self, counts: Summary) -> str:
        """The corrected accuracy in words, or why there is none."""
        corrected = self.corrected(counts)
        if corrected is not None:
            partial = f", of correct items ({counts.correct:,} of {counts.scored:,} as judged), partial scores left out"
            return (
                f"corrected accuracy {percent(corrected)}"
                + (partial if counts.score_sum != counts.correct else "")
                + (f" ({self.caution})" if self.caution else "")
            )
        if not self._judged(counts)[1]:
            return "nothing was judged"
        if self.calibration is not None and not self.calibration.against.truth:
            return "no corrected accuracy"
        if self.calibration is not None and self.calibration.one_sided:
            return f"no corrected accuracy: {ONE_SIDED}"
        return "no corrected accuracy: the calibration does not show the judge to be better than chance"

    def to_json(self, counts: Summary) -> dict[str, Any]:
        """As JSON types; `measured` is the calibration itself."""
        corrected = self.corrected(counts)
        return {
            "calibrated": self.calibration is not None,
            "corrected_accuracy": None if corrected is None else corrected.value,
            "interval_95": None if corrected is None else [corrected.low, corrected.high],
            "caution": self.caution or None,
            "measured": None if self.calibration is None else self.calibration.to_json(),
        }


def calibration_notes(
    entries: Iterable[Mapping[str, Any]],
    kept: KeptCalibrations | None = None,
    *,
    run_id: str = "",
    dataset: Mapping[str, Any] | None = None,
    answered_by: Callable[[str], Collection[str]] = lambda label: (),
) -> dict[str, CalibrationNote]:
    """A note for every strategy that asks a model, and for any other that was calibrated, by its label.

    Args:
        entries: Strategies, as a run describes them.
        kept: Where calibrations are kept; the usual folder unless given.
        run_id: The run that the report is of.
        dataset: Format and digest of its dataset; `None` where it is not known.
        answered_by: Which models answered for the judge of a label, as their providers name them.
    """
    kept = kept or KeptCalibrations()
    notes = {}
    for entry in entries:
        try:
            calibration = kept.find(entry)
            caution = ""
            if calibration is not None:
                names = answered_by(str(entry["label"])) if calibration.answered_by else ()
                cautions = _caution(calibration, run_id, dataset), _another_model(calibration, names)
                caution = "; ".join(filter(None, cautions))
        except UserError as error:  # the run is worth its report all the same
            calibration, caution = None, str(error)
        if calibration is not None or caution or is_judge(entry):
            notes[str(entry["label"])] = CalibrationNote(calibration, caution, is_judge(entry))
    return notes


def _another_model(calibration: Calibration, names: Collection[str]) -> str:
    """A name such as that of the newest model stays while what answers to it changes."""
    others = [name for name in names if name not in calibration.answered_by]
    if not others:
        return ""
    return f"answered by {', '.join(others)}, and calibrated as {', '.join(calibration.answered_by)}"


def _caution(calibration: Calibration, run_id: str, dataset: Mapping[str, Any] | None) -> str:
    against = calibration.against
    if run_id in against.runs:
        if calibration.left_out.without_truth:
            return "on a part of this run, so the interval is wider than it need be"
        if len(against.runs) > 1:
            return f"calibrated on this run among {len(against.runs):,}, whose truth is known: it says nothing new"
        return "on this very run, whose truth is known: the correction gives it back and says nothing new"
    if dataset is not None and dataset.get("sha256") != against.dataset.get("sha256"):
        return "on another dataset: its errors may be others here"
    return ""

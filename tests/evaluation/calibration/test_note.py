"""What reports say of a judge."""

from __future__ import annotations

import random
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from evaluation.calibration.calibrating import calibrate
from evaluation.calibration.calibration import LeftOut
from evaluation.calibration.kept import KeptCalibrations
from evaluation.calibration.note import CalibrationNote, calibration_notes
from evaluation.calibration.truth import StrategyTruth
from evaluation.records import AnswerRecord, CallRecord
from evaluation.reports import console
from evaluation.reports.slices import Slices
from evaluation.reports.summary import RunSummary
from evaluation.run_log import RunFolder
from evaluation.runs import summarise
from evaluation.statistics.agreement import Confusion
from evaluation.statistics.bias_correction import corrected_accuracy, with_settled
from evaluation.verdicts import ANNOTATION, JUDGES, NOT_ASKED, Reason, Summary
from tests.evaluation.calibration.judged import (
    DATASET,
    ENTRIES,
    JUDGE,
    TRUTH,
    calibration,
    entry,
    item,
    judged,
    verdict,
    write_run,
)

NOTE = CalibrationNote(calibration())


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> KeptCalibrations:
    monkeypatch.setenv("SQLASSAY_CALIBRATIONS", str(tmp_path / "calibrations"))
    return KeptCalibrations()


def counts(correct: int, incorrect: int, settled_correct: int = 0, settled_incorrect: int = 0) -> Summary:
    return Summary.of(
        one.verdict
        for number, reason, evidence in (
            (correct, Reason.JUDGED_CORRECT, {JUDGES: {"gpt": "correct"}}),
            (incorrect, Reason.JUDGED_WRONG, {JUDGES: {"gpt": "wrong"}}),
            (settled_correct, Reason.MATCH, {NOT_ASKED: "equal"}),
            (settled_incorrect, Reason.NO_SQL, {}),
        )
        for one in [verdict(JUDGE, reason, **evidence)] * number
    )


def test_only_what_was_judged_is_corrected() -> None:
    plain = corrected_accuracy(60, 100, calibration().confusion)
    assert plain is not None
    assert NOTE.corrected(counts(60, 40)) == pytest.approx(plain)
    # Half of the items were settled, 30 of 100 as correct: these stand, and they were sampled, too.
    told = NOTE.corrected(counts(60, 40, 30, 70))
    assert told == with_settled(plain, 100, 30, 100)
    assert told.value == pytest.approx((30 + 100 * plain.value) / 200)
    assert told.low < (30 + 100 * plain.low) / 200
    assert told.high > (30 + 100 * plain.high) / 200
    assert NOTE.corrected(counts(0, 0, 3, 4)) is None
    assert NOTE.words(counts(0, 0, 3, 4)).startswith("nothing was judged; calibrated on 300 items")


def test_in_words() -> None:
    words = NOTE.words(counts(60, 40))
    assert words.startswith("corrected accuracy 57.6 % (45.")
    assert (
        "; calibrated on 300 items of jsonl against execution_match (2026-11-21): lenient 12.0 % (7.7 – 18.2)" in words
    )
    assert ", harsh 4.7 % (2.3 – 9.3), kappa 0.83 (" in words
    assert words.endswith(" at a base rate of 50.0 % (44.4 – 55.6), flips when asked again 13.3 %")


def test_beside_partial_scores_it_is_said_what_is_corrected() -> None:
    partial = replace(counts(60, 40), score_sum=75.0)
    assert NOTE.corrected(partial) == NOTE.corrected(counts(60, 40))
    assert NOTE.accuracy(partial).endswith(", of correct items (60 of 100 as judged), partial scores left out")
    assert "as judged" not in NOTE.accuracy(counts(60, 40))


def test_an_uncalibrated_judge_is_called_so() -> None:
    note = CalibrationNote()
    assert note.words(counts(60, 40)).startswith("uncalibrated: how often this judge is wrong is not known")
    assert note.corrected(counts(60, 40)) is None
    assert note.to_json(counts(60, 40)) == {
        "calibrated": False,
        "corrected_accuracy": None,
        "interval_95": None,
        "caution": None,
        "measured": None,
    }


def test_of_remarks_it_is_said_that_they_may_be_wrong() -> None:
    remarks = Summary.of([verdict(JUDGE, Reason.WRONG_ROWS, **{ANNOTATION: "gold_may_be_wrong"}).verdict])
    assert CalibrationNote().words(remarks) == "uncalibrated: how often its remarks are wrong is not known"
    assert CalibrationNote(caution="broken").words(remarks) == "uncalibrated: broken"


def test_a_judge_no_better_than_chance_corrects_nothing() -> None:
    note = CalibrationNote(calibration(confusion=Confusion(50, 50, 50, 50)))
    assert note.corrected(counts(60, 40)) is None
    assert note.words(counts(60, 40)).startswith("no corrected accuracy: the calibration does not show the judge to be")


def test_execution_is_no_truth_for_a_judge_that_was_asked_where_it_had_proven_nothing() -> None:
    against = replace(calibration().against, identity=entry(TRUTH))
    asked = calibration(entry(when="not_proven"))
    note = CalibrationNote(replace(asked, against=against))
    assert note.corrected(counts(60, 40)) is None
    assert note.accuracy(counts(60, 40)).startswith("no corrected accuracy: the judge was asked only where execution")
    assert "no accuracy can be corrected: the judge was asked only where" in replace(asked, against=against).cautions[0]
    labelled = replace(asked, against=replace(against, truth="labels.csv", identity={"file": "labels.csv"}))
    assert CalibrationNote(labelled).corrected(counts(60, 40)) is not None


def test_every_judge_has_a_note_and_no_other_strategy_unless_it_was_calibrated(kept: KeptCalibrations) -> None:
    assert calibration_notes(ENTRIES) == {JUDGE: CalibrationNote()}
    kept.keep(calibration())
    kept.keep(calibration(entry(TRUTH)))
    assert set(calibration_notes(ENTRIES)) == {JUDGE, TRUTH}


def test_where_a_calibration_may_not_hold_is_said(kept: KeptCalibrations) -> None:
    kept.keep(replace(calibration(), left_out=LeftOut(settled=3)))
    (same,) = calibration_notes([entry()], run_id="one", dataset=DATASET).values()
    assert same.caution.startswith("on this very run")
    several = replace(calibration().against, runs=("one", "three"))
    kept.keep(replace(calibration(), against=several, left_out=LeftOut()))
    (among,) = calibration_notes([entry()], run_id="one", dataset=DATASET).values()
    assert among.caution == "calibrated on this run among 2, whose truth is known: it says nothing new"
    kept.keep(replace(calibration(), left_out=LeftOut(without_truth=9)))
    (part,) = calibration_notes([entry()], run_id="one", dataset=DATASET).values()
    assert part.caution == "on a part of this run, so the interval is wider than it need be"
    (other,) = calibration_notes([entry()], run_id="two", dataset={**DATASET, "sha256": "e"}).values()
    assert other.caution == "on another dataset: its errors may be others here"
    (fine,) = calibration_notes([entry()], run_id="two", dataset=DATASET).values()
    assert fine.caution == ""


@pytest.mark.parametrize("width", [200, 60])
def test_reports_show_the_corrected_accuracy_under_the_judges_own(
    width: int, kept: KeptCalibrations, tmp_path: Path
) -> None:
    items = judged(1_000, 0.5, seed=4)
    folder = write_run(tmp_path, "judged", items)
    before = shown(summarise(folder), width)
    assert "uncalibrated" in before
    assert "corrected" not in before
    first = write_run(tmp_path, "first", judged(300, 0.5, seed=5))
    kept.keep(calibrate([first], entry(), StrategyTruth(entry(TRUTH))))
    summary = summarise(folder)
    told = summary.standings[JUDGE].note.corrected(summary.strategies[JUDGE])
    assert told is not None
    after = shown(summary, width)
    assert f"{100 * told.value:.1f} %" in after
    assert f"{100 * told.low:.1f} – {100 * told.high:.1f}" in after
    assert "uncalibrated" not in after
    assert after.index(JUDGE) < after.index("corrected")
    (note,) = [line for line in console.notes(summary) if line.startswith(f"{JUDGE}: ")]
    assert note.startswith(f"{JUDGE}: corrected accuracy {100 * told.value:.1f} %")
    plain, judge = summary.to_json()["strategies"]
    assert "judge" not in plain
    assert judge["judge"]["corrected_accuracy"] == told.value
    assert judge["judge"]["interval_95"] == [told.low, told.high]
    true = summary.strategies[TRUTH].score
    assert true is not None
    assert told.low <= true <= told.high


def shown(summary: RunSummary, width: int) -> str:
    screen = Console(width=width, file=StringIO())
    with screen.capture() as captured:
        screen.print(console.Results([summary]))
    return captured.get()


def test_a_slice_is_not_corrected(kept: KeptCalibrations, tmp_path: Path) -> None:
    folder = write_run(tmp_path, "judged", judged(100, 0.5, seed=4))
    kept.keep(calibration())
    sliced = Slices("db_id", "sqlite", summarise(folder).standings)
    for record in folder.items():
        sliced.add(record)
    (part,) = sliced.summaries
    assert part.standings[JUDGE].note.corrected(part.strategies[JUDGE]) is None
    assert "not corrected" in shown(part, 200)


def test_a_run_of_an_old_version_without_strategies_in_its_identity_is_readable(
    kept: KeptCalibrations, tmp_path: Path
) -> None:
    folder = write_run(tmp_path, "old", [item(0, True, True)])
    del folder.manifest["identity"]["strategies"]
    assert summarise(folder).standings == {}


def test_simulated_runs_are_covered() -> None:
    chance = random.Random(7)
    covered = 0
    for run in range(300):
        calibrated = [
            (a.verdicts[1].score == 1, a.verdicts[0].score == 1) for a in judged(300, 0.5, chance.randrange(10**9))
        ]
        note = CalibrationNote(calibration(confusion=Confusion.of(calibrated)))
        items = judged(300, 0.6, chance.randrange(10**9))
        told = note.corrected(Summary.of(one.verdicts[1].verdict for one in items))
        assert told is not None, run
        covered += told.low <= 0.6 <= told.high
    assert covered >= 0.93 * 300


def test_a_name_behind_which_another_model_answers_is_said(kept: KeptCalibrations, tmp_path: Path) -> None:
    def run(name: str, model: str) -> RunFolder:
        answer = AnswerRecord("p", finish_reason="stop", model=model)
        calls = (CallRecord(JUDGE, "gpt-judge", "correct", answer),)
        return write_run(tmp_path, name, [replace(one, judging=calls) for one in judged(100, 0.5, seed=1)])

    first = run("first", "gpt-judge-2025-08-07")
    found = calibrate([first], entry(), StrategyTruth(entry(TRUTH)))
    assert found.answered_by == ("gpt-judge-2025-08-07",)
    kept.keep(found)
    for folder, words in (
        (run("same", "gpt-judge-2025-08-07"), ""),
        (run("silent", ""), ""),
        (
            run("newer", "gpt-judge-2026-02-01"),
            "answered by gpt-judge-2026-02-01, and calibrated as gpt-judge-2025-08-07",
        ),
    ):
        assert summarise(folder).standings[JUDGE].note.caution == words
    assert "(answered by gpt-judge-2026-02-01," in summarise(folder).standings[JUDGE].note.accuracy(counts(60, 40))
    kept.keep(replace(found, answered_by=()))  # as older files have it
    assert summarise(folder).standings[JUDGE].note.caution == ""

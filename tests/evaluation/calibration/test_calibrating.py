"""From finished runs to a calibration."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from evaluation.calibration.calibrating import calibrate, judge_in, truth_in
from evaluation.calibration.calibration import LeftOut, Spent
from evaluation.calibration.truth import LabelledTruth, StrategyTruth
from evaluation.records import AnswerRecord, CallRecord, ItemRecord
from evaluation.run_log import RunFolder
from evaluation.statistics.agreement import Confusion
from evaluation.statistics.flips import Flips
from evaluation.verdicts import ANNOTATION, FIGURES, NOT_ASKED, Reason
from sqlassay.errors import UnknownName, UserError
from tests.evaluation.calibration.judged import (
    DATASET,
    ENTRIES,
    HARSH,
    JUDGE,
    LENIENT,
    TRUTH,
    entry,
    item,
    judged,
    write_run,
)

EXECUTION = StrategyTruth(entry(TRUTH))


def calls(record: ItemRecord, *answers: AnswerRecord) -> ItemRecord:
    """The item with what its judge was asked."""
    return replace(record, judging=tuple(CallRecord(JUDGE, "gpt-judge", "correct", answer) for answer in answers))


def labels(folder: Path, text: str, name: str = "labels.csv") -> LabelledTruth:
    path = folder / name
    path.write_text(text)
    return LabelledTruth(path)


def test_every_cell_and_everything_that_is_left_out_is_counted(tmp_path: Path) -> None:
    items = [
        *(item(n, True, True) for n in range(4)),
        *(item(n, True, False) for n in range(4, 7)),
        *(item(n, False, True) for n in range(7, 9)),
        item(9, False, False),
        item(10, Reason.JUDGE_UNREADABLE, True),
        item(11, True, Reason.GOLD_FAILED),
        item(12, True, None),
        item(13, Reason.NO_SQL, Reason.NO_SQL, None),
        item(14, Reason.SYNTAX, Reason.SYNTAX),
        item(15, True, True, **{NOT_ASKED: "execution proves equality"}),
        item(16, None, True),
        item(17, Reason.GOLD_FAILED, Reason.GOLD_FAILED),
        item(18, Reason.RIVAL_MISSING, True),
    ]
    found = calibrate([write_run(tmp_path, "one", items)], entry(), EXECUTION)
    assert found.confusion == Confusion(both_correct=4, lenient=3, harsh=2, both_incorrect=1)
    assert found.left_out == LeftOut(judge_unscored=1, without_truth=2, settled=3, unjudged=2)
    assert found.left_out.words == (
        "1 that the judge left unscored, 2 without a known truth, 3 settled before the judge was asked,"
        " 2 that the judge could not be asked about"
    )
    assert (found.label, found.against.truth, found.against.identity) == (JUDGE, TRUTH, entry(TRUTH))
    assert (found.against.runs, found.against.models, found.against.dataset_name) == (("one",), ("good",), "jsonl")


@pytest.mark.parametrize("accuracy", [0.3, 0.5, 0.8])
def test_the_known_errors_of_a_judge_are_recovered(accuracy: float, tmp_path: Path) -> None:
    found = calibrate([write_run(tmp_path, "one", judged(2_000, accuracy, seed=3))], entry(), EXECUTION)
    lenient, harsh = found.confusion.lenient_rate, found.confusion.harsh_rate
    assert lenient is not None
    assert harsh is not None
    assert lenient.low <= LENIENT <= lenient.high
    assert harsh.low <= HARSH <= harsh.high


def test_repeats_count_once_and_tell_the_flips(tmp_path: Path) -> None:
    first = [item(0, True, True), item(1, False, False), item(2, True, False), item(3, True, True, "SELECT 1")]
    again = [item(0, True, True), item(1, True, False), item(2, True, False), item(3, False, False, "SELECT 2")]
    folders = [write_run(tmp_path, f"run-0{n}", items, group="run") for n, items in enumerate([first, again, again])]
    found = calibrate(folders, entry(), EXECUTION)
    # The last question has two statements: each is an item of its own.
    assert found.confusion == Confusion(both_correct=2, lenient=1, harsh=0, both_incorrect=2)
    assert found.repeats == Flips(items=4, unstable=1, pairs=10, differing=2)
    assert found.swaps == Flips(0, 0, 0, 0)
    assert found.against.runs == ("run-00", "run-01", "run-02")


def test_a_statement_that_the_judge_could_read_only_the_second_time_counts(tmp_path: Path) -> None:
    folders = [
        write_run(tmp_path, "a", [item(0, Reason.PROVIDER_DOWN, True)]),
        write_run(tmp_path, "b", [item(0, False, True)]),
    ]
    found = calibrate(folders, entry(), EXECUTION)
    assert found.confusion == Confusion(0, 0, 1, 0)
    assert found.left_out == LeftOut()


def test_the_same_statement_on_another_engine_is_another_item(tmp_path: Path) -> None:
    folders = [write_run(tmp_path, name, [item(0, True, True)], backend=name) for name in ("sqlite", "duckdb")]
    found = calibrate(folders, entry(), EXECUTION)
    assert found.confusion.total == 2
    assert found.repeats.rate is None


def test_an_answer_from_the_cache_is_no_second_opinion(tmp_path: Path) -> None:
    asked, known = AnswerRecord("p", finish_reason="stop"), AnswerRecord("p", finish_reason="stop", cached=True)
    folders = [
        write_run(tmp_path, "a", [calls(item(0, True, True), asked), calls(item(1, True, True), asked)]),
        write_run(tmp_path, "b", [calls(item(0, True, True), known), calls(item(1, False, True), asked)]),
    ]
    assert calibrate(folders, entry(), EXECUTION).repeats == Flips(items=1, unstable=1, pairs=1, differing=1)


def test_what_the_verdicts_took_is_added_up_and_unknown_is_not_nothing(tmp_path: Path) -> None:
    paid = AnswerRecord("p", input_tokens=100, output_tokens=10, cost=0.25)
    free = AnswerRecord("p")
    known = replace(paid, cached=True, cost=0.0)
    items = [calls(item(0, True, True), paid, paid), calls(item(1, True, False), paid, free), item(2, True, True)]
    items.append(calls(item(3, True, True), known))
    spent = calibrate([write_run(tmp_path, "one", items)], entry(), EXECUTION).spent
    assert spent == Spent(3, 0.5, 300, 30, unknown_cost=2, unknown_tokens=2, from_cache=1)
    assert spent.words == (
        "3 verdicts, 300 tokens in, 30 out (and unknown for 2), cost 0.5000, 0.500000 each and unknown for 2;"
        " 1 more from the cache"
    )


def test_a_verdict_that_is_partly_from_the_cache_took_what_was_asked_anew(tmp_path: Path) -> None:
    paid = AnswerRecord("p", input_tokens=100, output_tokens=10, cost=0.25)
    known = replace(paid, cached=True, cost=0.0)
    items = [calls(item(0, True, True), known, paid, paid), calls(item(1, True, False), known, known)]
    spent = calibrate([write_run(tmp_path, "one", items)], entry(), EXECUTION).spent
    assert spent == Spent(1, 0.5, 200, 20, from_cache=1)


def test_a_pairwise_judge_tells_its_flips_without_a_truth(tmp_path: Path) -> None:
    pairwise = entry(name="llm_judge_pairwise", against={"name": "other", "sha256": "b"})
    entries = [ENTRIES[0], pairwise]
    items = [item(n, True, True, **{FIGURES: {"position flips in %": 100.0 * (n < 3)}}) for n in range(10)]
    folder = write_run(tmp_path, "one", [*items, item(10, True, True)], entries)
    truth = truth_in(folder, None, pairwise)
    assert truth is None
    found = calibrate([folder], pairwise, truth)
    assert found.swaps == Flips(items=10, unstable=3, pairs=10, differing=3)
    assert found.swaps.rate == 0.3
    assert found.confusion.total == 0
    assert found.words.startswith("never held against the truth, asked again on items of jsonl (")
    assert found.words.endswith("), flips when the order is swapped 30.0 %")
    with pytest.raises(UserError, match="compares two systems"):
        truth_in(folder, TRUTH, pairwise)


def test_remarks_on_the_verdicts_of_execution_are_no_verdicts_of_the_judge(tmp_path: Path) -> None:
    items = [item(0, False, False, **{ANNOTATION: "gold may be wrong"}), item(1, Reason.MATCH, True)]
    with pytest.raises(UserError, match="'llm_judge' gives no verdicts, only remarks on those of execution"):
        calibrate([write_run(tmp_path, "one", items)], entry(), EXECUTION)


def test_a_convention_is_held_against_another_as_a_judge_is(tmp_path: Path) -> None:
    entries = [ENTRIES[0], {**ENTRIES[0], "label": JUDGE, "convention": "bird"}]
    items = [item(0, Reason.MATCH, True), item(1, Reason.MATCH, False), item(2, Reason.SYNTAX, Reason.SYNTAX)]
    found = calibrate([write_run(tmp_path, "one", items, entries)], entries[1], EXECUTION)
    assert found.confusion == Confusion(1, 1, 0, 0)
    assert found.left_out == LeftOut(settled=1)


def test_labels_are_a_truth(tmp_path: Path) -> None:
    truth = labels(tmp_path, "id,label\nq0,correct\nq1,incorrect\nq2,Correct\n")
    items = [item(0, True, False), item(1, True, True), item(2, False, None), item(3, True, True)]
    found = calibrate([write_run(tmp_path, "one", items)], entry(), truth)
    assert found.confusion == Confusion(both_correct=1, lenient=1, harsh=1, both_incorrect=0)
    assert found.left_out == LeftOut(without_truth=1)
    assert found.against.truth == "labels.csv"
    assert set(found.against.identity) == {"file", "sha256"}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("l.jsonl", '{"question_id": 0, "label": true}\n{"id": "1", "label": "false"}\n'),
        ("l.json", '[{"id": "0", "label": "correct"}, {"id": 1, "label": "incorrect"}]'),
        ("l.csv", "id,label,who\n0,correct,Ann\n1,FALSE,Bob\n"),
    ],
)
def test_forms_of_labels(name: str, text: str, tmp_path: Path) -> None:
    truth = labels(tmp_path, text, name)
    told = [truth.of(replace(item(0, True, True), id=id_)) for id_ in ("0", "1", "2")]
    assert told == [True, False, None]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("id,label\nq0,correct\nq1,maybe\n", "labels.csv, line 3: unknown label 'maybe'"),
        ("id,label\nq0,correct\nq0,correct\n", "labels.csv, line 3: question 'q0' is labelled twice, first at line 2"),
        ("id,label\nq0,\n", "labels.csv, line 2: has no 'label'"),
        ("name,label\nq0,correct\n", "labels.csv, line 2: has no 'id'"),
        ("id,label\n", "labels.csv: holds no labels"),
    ],
)
def test_labels_that_are_refused(text: str, expected: str, tmp_path: Path) -> None:
    with pytest.raises(UserError) as refused:
        labels(tmp_path, text)
    assert expected in str(refused.value)


def test_a_label_for_no_question_of_the_run_is_refused(tmp_path: Path) -> None:
    truth = labels(tmp_path, "id,label\nq0,correct\nq10,correct\n")
    folder = write_run(tmp_path, "one", [item(0, True, True), item(1, True, True)])
    with pytest.raises(UnknownName, match="line 3: unknown question 'q10'"):
        calibrate([folder], entry(), truth)


def test_a_label_for_another_statement_is_refused(tmp_path: Path) -> None:
    truth = labels(tmp_path, "id,label,sql\nq0,correct,SELECT 2\n")
    with pytest.raises(UserError, match="line 2: the label of question 'q0' is for another statement"):
        calibrate([write_run(tmp_path, "one", [item(0, True, True)])], entry(), truth)
    fitting = labels(tmp_path, 'id,label,sql\nq0,correct," SELECT 1\n"\n')
    assert calibrate([RunFolder(tmp_path / "one")], entry(), fitting).confusion.total == 1


def test_one_label_for_several_statements_is_refused(tmp_path: Path) -> None:
    truth = labels(tmp_path, "id,label\nq0,correct\n")
    folders = [write_run(tmp_path, f"run{n}", [item(0, True, True, f"SELECT {n}")]) for n in range(2)]
    with pytest.raises(UserError, match="has one label, and these runs have several statements"):
        calibrate(folders, entry(), truth)


def test_nothing_to_learn_from(tmp_path: Path) -> None:
    folder = write_run(tmp_path, "one", [item(0, Reason.JUDGE_UNREADABLE, True), item(1, Reason.NO_SQL, Reason.NO_SQL)])
    with pytest.raises(
        UserError, match=r"no verdict of 'llm_judge' to learn from \(1 that the judge left unscored, 1 settled"
    ):
        calibrate([folder], entry(), EXECUTION)


def test_runs_of_several_judges_or_datasets_are_not_mixed(tmp_path: Path) -> None:
    one = write_run(tmp_path, "one", [item(0, True, True)])
    warmer = write_run(tmp_path, "two", [item(0, True, True)], [ENTRIES[0], entry(when="not_proven")])
    other = write_run(tmp_path, "three", [item(0, True, True)], dataset={**DATASET, "sha256": "e" * 64})
    for folder in (warmer, other):
        with pytest.raises(UserError, match="has another judge 'llm_judge' or another dataset than one"):
            calibrate([one, folder], entry(), EXECUTION)


def test_the_only_judge_is_found_and_others_by_name(tmp_path: Path) -> None:
    folder = write_run(tmp_path, "one", [])
    assert judge_in(folder, None) == entry()
    assert judge_in(folder, TRUTH) == entry(TRUTH)
    with pytest.raises(UnknownName, match=r"unknown strategy 'llm_jugde' \(did you mean 'llm_judge'"):
        judge_in(folder, "llm_jugde")
    truth = truth_in(folder, None, entry())
    assert truth is not None
    assert truth.name == TRUTH
    with pytest.raises(UserError, match="'llm_judge' is the judge itself"):
        truth_in(folder, JUDGE, entry())


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        ([ENTRIES[0]], "has no strategy that asks a model"),
        ([ENTRIES[1], entry(label="second")], "has 2 judges (name one with --judge: llm_judge, second)"),
    ],
)
def test_without_one_judge_it_must_be_named(entries: list[dict[str, object]], expected: str, tmp_path: Path) -> None:
    with pytest.raises(UserError) as refused:
        judge_in(write_run(tmp_path, "one", [], entries), None)
    assert expected in str(refused.value)


def test_without_execution_there_is_no_truth_unless_given(tmp_path: Path) -> None:
    folder = write_run(tmp_path, "one", [], [ENTRIES[1]])
    with pytest.raises(UserError, match=r"has no other strategy that executes the statements \(give labels"):
        truth_in(folder, None, entry())


def test_a_truth_that_only_the_second_run_could_tell_counts(tmp_path: Path) -> None:
    folders = [
        write_run(tmp_path, "a", [item(0, False, Reason.BACKEND_DOWN), item(1, True, False)]),
        write_run(tmp_path, "b", [item(0, False, True), item(1, True, False)]),
    ]
    found = calibrate(folders, entry(), EXECUTION)
    assert (found.confusion, found.left_out) == (Confusion(0, 1, 1, 0), LeftOut())

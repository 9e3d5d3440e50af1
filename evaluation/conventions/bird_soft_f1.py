"""BIRD's Soft-F1: how many cells of the rows agree, row by row."""

from __future__ import annotations

from typing import ClassVar

from database_backends.result import Outcome, ResultTable, Row
from evaluation.conventions.base import Convention, Statements
from evaluation.conventions.difference import SCRIPT_ERRORS, differing, plainly_equal, script_error
from evaluation.verdicts import Reason, Status, Verdict


class BirdSoftF1(Convention):
    """A score between 0 and 1: F1 over the cells of rows that stand at the same place.

    Repeated rows are dropped on both sides, then the first row is held against the first, the second against the
    second: row order counts. Within a row a cell counts when it is anywhere in the other row, however often: columns
    have no place. All three counts of a pair are divided by the gold's columns; a row without partner counts 1.
    Cells are compared with Python's equality; a NaN equals nothing. Two empty results score 1.

    The score is the verdict's `score`, and the mean of the scores is the published number. Only a score of 1 is
    *correct*; every other is *incorrect* with the reason that tells how the rows differ. Where the script ends in an
    error (cells that cannot be hashed, a gold without columns) it counts 0, and so does this.

    Source: `calculate_f1_score` and `calculate_row_match` in `evaluation/evaluation_f1.py` of bird-bench/mini_dev.
    """

    name: ClassVar[str] = "bird_soft_f1"
    version: ClassVar[str] = "1"

    def judge_cut(self, gold: ResultTable, predicted: ResultTable) -> Verdict:
        """How many rows there are without repetitions is not known, and so is the score."""
        return Verdict.of(Reason.ROWS_TRUNCATED, rows=len(predicted.rows), side="predicted")

    def compare(
        self, gold: ResultTable, predicted: ResultTable, statements: Statements, further: Outcome | None = None
    ) -> Verdict:
        """Score the rows of two results, place by place."""
        if not gold.rows and not predicted.rows:
            return Verdict.of(Reason.MATCH_VACUOUS)
        if plainly_equal(gold, predicted):
            return Verdict.of(Reason.MATCH)
        try:
            score = _soft_f1(list(dict.fromkeys(gold.rows)), list(dict.fromkeys(predicted.rows)))
        except SCRIPT_ERRORS as error:
            return script_error(error)
        return Verdict.of(Reason.MATCH) if score == 1 else _partly(gold, predicted, score)


def _soft_f1(gold: list[Row], predicted: list[Row]) -> float:
    in_both = in_predicted = in_gold = 0.0
    for expected, found in zip(gold, predicted, strict=False):
        width = len(expected)
        there = sum(_has(expected, cell) for cell in found)
        in_both += there / width
        in_predicted += (len(found) - there) / width
        in_gold += sum(not _has(found, cell) for cell in expected) / width
    in_predicted += max(0, len(predicted) - len(gold))
    in_gold += max(0, len(gold) - len(predicted))
    if in_both == 0:
        return 0.0
    precision, recall = in_both / (in_both + in_predicted), in_both / (in_both + in_gold)
    return 2 * precision * recall / (precision + recall)


def _has(row: Row, cell: object) -> bool:
    return cell in row and cell == cell


def _partly(gold: ResultTable, predicted: ResultTable, score: float) -> Verdict:
    verdict = differing(gold, predicted, Reason.WRONG_ORDER, score)
    assert verdict.reason.status is Status.INCORRECT  # noqa: S101 - a match scores 1
    return verdict

"""BIRD's EX: equal sets of rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from database_backends.result import Outcome, ResultTable, Row
from evaluation.conventions.base import Convention, Statements, show_rows
from evaluation.verdicts import Reason, Verdict


class Bird(Convention):
    """Rows are a set of tuples, compared with Python's equality.

    Row order, duplicate rows and column names do not count; column order does; there is no tolerance for floats, and
    a `Decimal` never equals a float that is not exactly it. Source: `calculate_ex` in `evaluation_ex.py` of
    bird-bench/mini_dev and `execute_sql` in `bird/llm/src/evaluation.py` of AlibabaResearch/DAMO-ConvAI.
    """

    name: ClassVar[str] = "bird"
    version: ClassVar[str] = "1"

    def judge_cut(self, gold: ResultTable, predicted: ResultTable) -> Verdict:
        """Wrong where it has a row that the gold lacks; else all that was cut off may repeat what is there."""
        try:
            extra = not set(gold.rows).issuperset(predicted.rows)
        except TypeError:
            extra = True
        if extra:
            return super().judge_cut(gold, predicted)
        return Verdict.of(Reason.ROWS_TRUNCATED, rows=len(predicted.rows), side="predicted")

    def compare(
        self, gold: ResultTable, predicted: ResultTable, statements: Statements, further: Outcome | None = None
    ) -> Verdict:
        """Compare two results as sets of rows."""
        try:
            expected, found = set(gold.rows), set(predicted.rows)
        except TypeError as error:
            # The official script stops here: a list or a map is no member of a set.
            return Verdict.of(Reason.WRONG_ROWS, error=str(error))
        if expected == found:
            return Verdict.of(Reason.MATCH if expected else Reason.MATCH_VACUOUS)
        missing, extra = expected - found, found - expected
        return Verdict.of(
            _reason(gold, predicted, missing, extra),
            missing=show_rows(_once(gold.rows, missing.__contains__)),
            extra=show_rows(_once(predicted.rows, extra.__contains__)),
            missing_rows=len(missing),
            extra_rows=len(extra),
        )


def _reason(gold: ResultTable, predicted: ResultTable, missing: set[Row], extra: set[Row]) -> Reason:
    if len(predicted.columns) != len(gold.columns):
        more = len(predicted.columns) > len(gold.columns)
        return Reason.EXTRA_COLUMNS if more else Reason.MISSING_COLUMNS
    if not predicted.rows:
        return Reason.EMPTY
    if not missing:
        return Reason.EXTRA_ROWS
    return Reason.WRONG_ROWS if extra else Reason.MISSING_ROWS


def _once(rows: Sequence[Row], wanted: Callable[[Row], bool]) -> dict[Row, int]:
    """The wanted rows in the order of the result, so that evidence does not change from run to run."""
    return {row: 1 for row in rows if wanted(row)}

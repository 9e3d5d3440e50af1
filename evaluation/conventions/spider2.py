"""Spider 2.0's score: every column of the gold is one of the prediction's."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from database_backends.result import Outcome, ResultTable
from evaluation.conventions.base import Convention, Statements
from evaluation.conventions.csv_round_trip import read_back
from evaluation.conventions.difference import SCRIPT_ERRORS, differing, plainly_equal, script_error
from evaluation.conventions.frame import Frame, frames_of, is_missing
from evaluation.verdicts import Reason, Verdict


class Spider2(Convention):
    """Both results go through CSV; each column of the gold must be like some column of the prediction.

    CSV keeps no types: '007' is 7, and NULL, '' and 'NA' are missing, which then counts as 0. Columns are alike when
    they have the same length and, place by place, numbers within 0.01 of each other or other cells that are equal.
    Where order does not count each column is sorted by itself, as text: rows may be scrambled, and 10.001 stands before
    9.9999. One column of the prediction may stand for several of the gold; further columns and all names are free.

    Whether order counts is set by hand for each question of Spider 2.0, and so are the columns to look at
    (`condition_cols`): a gold result has both. A gold statement has neither, so that order counts where its text says
    `order by`, and all of its columns do. `ignore_order` decides for all questions. A result without columns, which
    the script cannot read back, is incorrect.

    Source: `compare_pandas_table` in `spider2-lite/evaluation_suite/evaluate.py` of xlang-ai/Spider2, under pandas 2.3.

    Args:
        ignore_order: Whether row order is free; `None` asks the gold.
        tolerance: How far numbers may be apart.
    """

    name: ClassVar[str] = "spider2"
    version: ClassVar[str] = "1"

    def __init__(self, *, ignore_order: bool | None = None, tolerance: float = 1e-2) -> None:
        self.ignore_order = ignore_order
        self.tolerance = tolerance

    @property
    def settings(self) -> Mapping[str, object]:
        """How order is decided, and the tolerance."""
        return {"ignore_order": self.ignore_order, "tolerance": self.tolerance}

    def compare(
        self, gold: ResultTable, predicted: ResultTable, statements: Statements, further: Outcome | None = None
    ) -> Verdict:
        """Compare two results column by column."""
        if not gold.columns or not predicted.columns:
            return script_error(ValueError("no columns to read back"))
        if plainly_equal(gold, predicted):
            return Verdict.of(Reason.MATCH if gold.rows else Reason.MATCH_VACUOUS)
        free = self._order_is_free(statements)
        try:
            expected, found = (_vectors(frame, sort=free) for frame in frames_of(gold, predicted))
            equal = all(any(self._alike(wanted, vector) for vector in found) for wanted in expected)
        except SCRIPT_ERRORS as error:
            return script_error(error)
        if equal:
            return Verdict.of(Reason.MATCH if gold.rows or predicted.rows else Reason.MATCH_VACUOUS)
        return differing(gold, predicted, Reason.WRONG_ROWS if free else Reason.WRONG_ORDER)

    def _order_is_free(self, statements: Statements) -> bool:
        if self.ignore_order is not None:
            return self.ignore_order
        if statements.result is not None:
            return statements.result.ignore_order
        return "order by" not in statements.gold.lower()

    def _alike(self, gold: Sequence[Any], predicted: Sequence[Any]) -> bool:
        return len(gold) == len(predicted) and all(
            math.isclose(a, b, abs_tol=self.tolerance) if _is_number(a) and _is_number(b) else a == b
            for a, b in zip(gold, predicted, strict=True)
        )


def _vectors(frame: Frame, *, sort: bool) -> list[list[Any]]:
    columns = [[0 if is_missing(cell) else cell for cell in cells] for cells in read_back(frame)]
    return [sorted(cells, key=_sort_key) for cells in columns] if sort else columns


def _sort_key(cell: object) -> tuple[str, bool]:
    return str(cell), _is_number(cell)


def _is_number(cell: object) -> bool:
    return isinstance(cell, int | float)

"""Spider's execution accuracy as its script computes it by default: DISTINCT is removed from both statements."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Hashable, Sequence
from itertools import chain
from operator import itemgetter
from typing import ClassVar, Literal, cast

from database_backends.result import Outcome, ResultTable, Row
from evaluation.comparison.pairing import Columns, Pairing, find_pairing
from evaluation.conventions.base import Convention, Statements
from evaluation.conventions.difference import PLAIN, SCRIPT_ERRORS, differing, plainly_equal, script_error
from evaluation.conventions.remembered import remembered
from evaluation.conventions.spider_text import executed_text
from evaluation.verdicts import Reason, Verdict

_UNDECODED = re.compile("[\udc80-\udcff]+")


class Spider(Convention):
    """Rows are a multiset, or a list where the gold's text says `order by`; some order of the columns makes them equal.

    Cells are compared with Python's equality, but a row in which equal cells print differently (1 and 1.0) may be
    rejected: the script sorts the cells of each row by their print before anything else. Column names do not count;
    two empty results are equal whatever their columns; bytes that are not UTF-8 are left out of text. A NaN equals
    nothing. Where cells cannot be hashed (lists) the script ends in an error; here the prediction is incorrect.

    The script tries k^k orders of k columns; here columns are paired by their content, which gives the same verdict.
    Only if `evaluation.comparison.pairing` gives up (hundreds of columns that look alike and are not) is a prediction
    incorrect that the script, which would not end, might accept.

    Source: `eval_exec_match` and `result_eq` in `exec_eval.py` of taoyds/test-suite-sql-eval, on one database.
    """

    name: ClassVar[str] = "spider"
    version: ClassVar[str] = "1"
    keep_distinct: ClassVar[bool] = False
    """Whether DISTINCT stays in both statements: the script's `--keep_distinct`."""

    def rewrite(self, sql: str, side: Literal["gold", "predicted"], dialect: str) -> str:
        """The statement as the script changes it."""
        return executed_text(sql, side, keep_distinct=self.keep_distinct)

    def compare(
        self, gold: ResultTable, predicted: ResultTable, statements: Statements, further: Outcome | None = None
    ) -> Verdict:
        """Compare two results as multisets or lists of rows."""
        result = statements.result
        ordered = "order by" in statements.gold.lower() if result is None else not result.ignore_order
        if not gold.rows and not predicted.rows:
            return Verdict.of(Reason.MATCH_VACUOUS)
        if plainly_equal(gold, predicted):
            return Verdict.of(Reason.MATCH)
        in_order = True
        if len(gold.rows) == len(predicted.rows) and len(gold.columns) == len(predicted.columns):
            try:
                if _equal(_decoded(gold.rows), _decoded(predicted.rows), ordered):
                    return Verdict.of(Reason.MATCH)
                in_order = not ordered or gold.rows == predicted.rows
            except SCRIPT_ERRORS as error:
                return script_error(error)
        return differing(gold, predicted, Reason.TYPE if in_order else Reason.WRONG_ORDER)


@remembered
def _equal(gold: list[Row], predicted: list[Row], ordered: bool) -> bool:
    """Whether some order of the columns makes two results of one shape equal."""
    if Counter(chain.from_iterable(gold)) != Counter(chain.from_iterable(predicted)):
        return False
    if not _print_tells(gold, predicted) and not _alike_when_sorted(gold, predicted, ordered=ordered):
        return False
    if ordered:
        # Rows are equal in order under some order of the columns exactly when the columns are the same vectors.
        found = Counter(zip(*gold, strict=True)) == Counter(zip(*predicted, strict=True))
    else:
        found = Counter(gold) == Counter(predicted) or _pairing(gold, predicted) is not None
    has_nan = any(cell != cell for row in gold for cell in row)
    return found and not has_nan


def _print_tells(gold: list[Row], predicted: list[Row]) -> bool:
    """Whether all equal cells print alike, so that the script's first look says no more than its second."""
    kinds = {(type(cell), cell) for row in chain(gold, predicted) for cell in row}
    if not {kind for kind, _ in kinds} <= PLAIN or (float, 0.0) in kinds:
        return False
    return len({cell for _, cell in kinds}) == len(kinds)


def _alike_when_sorted(gold: list[Row], predicted: list[Row], *, ordered: bool) -> bool:
    """The script's first look: the rows, the cells of each sorted by print and type, as lists or as sets."""
    if ordered:
        return all(_sorted_cells(left) == _sorted_cells(right) for left, right in zip(gold, predicted, strict=True))
    return set(map(_sorted_cells, gold)) == set(map(_sorted_cells, predicted))


def _sorted_cells(row: Row) -> Row:
    return tuple(sorted(row, key=lambda cell: f"{cell}{type(cell)}"))


def _pairing(gold: list[Row], predicted: list[Row]) -> Pairing | None:
    width = len(gold[0])
    if width < 2:
        return None
    rows = Counter(gold)

    def accept(pairing: Pairing) -> bool:
        return rows == Counter(map(itemgetter(*pairing), predicted))

    kinds: Sequence[Hashable] = ("",) * width
    left, right = (cast(Columns, list(zip(*table, strict=True))) for table in (gold, predicted))
    return find_pairing(left, right, (kinds, kinds), accept)


def _decoded(rows: list[Row]) -> list[Row]:
    """The rows with text as `bytes.decode(errors="ignore")` gives it; the backend keeps such bytes as surrogates."""
    if all(type(cell) is not str or cell.isascii() or not _UNDECODED.search(cell) for row in rows for cell in row):
        return rows
    return [tuple(_UNDECODED.sub("", cell) if isinstance(cell, str) else cell for cell in row) for row in rows]

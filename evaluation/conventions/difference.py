"""How two results differ that a published convention does not take for equal: the reason and the evidence.

The published scripts say yes or no; what is told here changes no verdict.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Set

from database_backends.result import ResultTable, Row
from evaluation.conventions.base import show_rows
from evaluation.conventions.remembered import remembered
from evaluation.verdicts import Reason, Verdict

SCRIPT_ERRORS = (TypeError, ValueError, KeyError, ArithmeticError)
"""What cells of every kind (lists, maps, signalling NaN) raise when they are hashed, compared, sorted or printed."""

PLAIN: frozenset[type] = frozenset({int, str, float, type(None)})
"""Types of cells that, when they are equal and of one type, print alike; but for a float that is 0 or NaN."""


def plainly_equal(gold: ResultTable, predicted: ResultTable, kinds: Set[type] = PLAIN) -> bool:
    """Whether both are the same rows in the same order, have columns, and only cells of these types, each to each.

    A shortcut for the common case: such results are equal under every convention here.
    """
    seen = _kinds_of_same(gold, predicted)
    return seen is not None and seen <= kinds


@remembered
def _kinds_of_same(gold: ResultTable, predicted: ResultTable) -> Set[type] | None:
    """The types of the cells where both are the same, cell by cell; `None` where not, or where a float is 0 or NaN."""
    try:
        same = gold.rows == predicted.rows
    except SCRIPT_ERRORS:
        return None
    if not same or not len(gold.columns) == len(predicted.columns) > 0:
        return None
    types = [type(cell) for row in gold.rows for cell in row]
    if types != [type(cell) for row in predicted.rows for cell in row]:
        return None
    seen = set(types)
    if float in seen and any(type(cell) is float and not abs(cell) > 0 for row in gold.rows for cell in row):
        return None
    return seen


def differing(gold: ResultTable, predicted: ResultTable, same_rows: Reason, score: float = 0.0) -> Verdict:
    """The verdict on a prediction whose result is another one.

    Args:
        gold: The expected result.
        predicted: The result under test.
        same_rows: The reason where the rows are the same, each as often.
        score: What the convention gives for it nevertheless.
    """
    evidence: dict[str, object] = {"gold_rows": len(gold.rows), "predicted_rows": len(predicted.rows)}
    if len(gold.columns) != len(predicted.columns):
        more = len(predicted.columns) > len(gold.columns)
        evidence |= {"gold_columns": list(gold.columns), "predicted_columns": list(predicted.columns)}
        return Verdict(Reason.EXTRA_COLUMNS if more else Reason.MISSING_COLUMNS, score, evidence)
    try:
        shown = _shown_difference(gold, predicted)
    except SCRIPT_ERRORS:
        return Verdict(Reason.WRONG_ROWS, score, evidence)
    evidence |= shown
    missing, extra = shown["missing"], shown["extra"]
    if not missing and not extra:
        return Verdict(same_rows, score, evidence)
    if not predicted.rows:
        return Verdict(Reason.EMPTY, score, evidence)
    if missing and extra:
        return Verdict(Reason.WRONG_ROWS, score, evidence)
    return Verdict(Reason.MISSING_ROWS if missing else Reason.EXTRA_ROWS, score, evidence)


def script_error(error: Exception) -> Verdict:
    """The verdict where the published script ends in an error: incorrect."""
    return Verdict.of(Reason.WRONG_ROWS, error=f"{type(error).__name__}: {error}"[:500])


@remembered
def _shown_difference(gold: ResultTable, predicted: ResultTable) -> Mapping[str, object]:
    missing, extra = _beyond(gold.rows, predicted.rows), _beyond(predicted.rows, gold.rows)
    return {
        "missing": show_rows(missing),
        "extra": show_rows(extra),
        "missing_rows": missing.total(),
        "extra_rows": extra.total(),
    }


def _beyond(rows: list[Row], others: list[Row]) -> Counter[Row]:
    """The rows that are not among the others, in the order of the result."""
    left = Counter(rows)
    left.subtract(Counter(others))
    return +left

"""Why two tables of equal shape differ: one systematic mistake, or simply wrong rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from decimal import Decimal, InvalidOperation

from evaluation.comparison.cells import Cell, is_number
from evaluation.comparison.numbers import as_float, unlabelled
from evaluation.comparison.rows import Row
from evaluation.verdicts import Reason


def cause(missing: list[Row], extra: list[Row]) -> Reason:
    """Which one systematic mistake turns the extra rows into the missing ones; `wrong_rows` when none does.

    Args:
        missing: Rows that the prediction lacks, repeated as often as they are lacking.
        extra: Rows that it has too much.
    """
    differing = _differing(missing, extra) if len(missing) == len(extra) else []
    if not differing:
        return Reason.WRONG_ROWS
    for reason, forms in _CAUSES:
        left = Counter(tuple(forms(cell) for cell in row) for row in missing)
        right = Counter(tuple(forms(cell) for cell in row) for row in extra)
        if left == right:
            return reason
    if all(_is_rounded(one, other) for one, other in differing):
        return Reason.ROUNDING
    for factor in (100.0, 0.01):
        if all(_is_scaled(one, other, factor) for one, other in differing):
            return Reason.SCALE
    return Reason.WRONG_ROWS


def _type_blind(cell: Cell) -> Cell:
    cell = unlabelled(cell)
    if isinstance(cell, bytes):
        cell = cell.decode(errors="replace")
    if isinstance(cell, str):
        try:
            number = Decimal(cell.strip())
        except InvalidOperation:
            return cell.strip()
        return number if number.is_finite() else cell.strip()
    return Decimal(repr(cell)) if isinstance(cell, float) and cell - cell == 0 else cell


def _null_blind(cell: Cell) -> Cell:
    cell = unlabelled(cell)
    return None if cell in (0, "", "None", "NULL", "null", ("nan",)) else cell


_CAUSES = ((Reason.NULL_HANDLING, _null_blind), (Reason.TYPE, _type_blind))


def _sort_key(row: Row) -> tuple[tuple[int, float, str], ...]:
    cells = (unlabelled(cell) for cell in row)
    return tuple((0, as_float(c), "") if is_number(c) else (1, 0.0, repr(c)) for c in cells)  # type: ignore[arg-type]


def rounded(missing: Counter[Row], extra: Counter[Row]) -> bool:
    """Whether every number that differs is the gold's, rounded to the decimals that the prediction shows."""
    if not missing or missing.total() != extra.total():
        return False
    return all(_is_rounding_of(left, right) for left, right in _differing(missing.elements(), extra.elements()))


def _differing(missing: Iterable[Row], extra: Iterable[Row]) -> list[tuple[Cell, Cell]]:
    """The cells that differ between as many rows of both sides, paired in their sorted order."""
    rows = zip(sorted(missing, key=_sort_key), sorted(extra, key=_sort_key), strict=True)
    return [pair for row, other in rows for pair in zip(row, other, strict=True) if pair[0] != pair[1]]


def _is_rounding_of(gold: Cell, predicted: Cell) -> bool:
    if not (is_number(gold) and is_number(predicted)):
        return False
    half = 0.5 * 10.0 ** -_decimals(predicted)
    return abs(as_float(gold) - as_float(predicted)) <= half * (1 + 1e-9)  # type: ignore[arg-type]


def _is_rounded(gold: Cell, predicted: Cell) -> bool:
    """Whether one number is the other, rounded or cut to the decimals that it shows."""
    gold, predicted = unlabelled(gold), unlabelled(predicted)
    if not (is_number(gold) and is_number(predicted)):
        return False
    (digits, shorter), (more, longer) = sorted((_decimals(number), number) for number in (gold, predicted))
    return digits < more and abs(as_float(shorter) - as_float(longer)) < 10.0**-digits  # type: ignore[arg-type]


def _decimals(number: Cell) -> int:
    text = format(Decimal(repr(number)) if isinstance(number, float) else Decimal(number), "f")  # type: ignore[arg-type]
    return len(text.partition(".")[2].rstrip("0"))


def _is_scaled(gold: Cell, predicted: Cell, factor: float) -> bool:
    gold, predicted = unlabelled(gold), unlabelled(predicted)
    if not (is_number(gold) and is_number(predicted)):
        return False
    left, right = as_float(gold), as_float(predicted) * factor  # type: ignore[arg-type]
    return left != 0 and abs(left - right) <= 1e-6 * abs(left)

"""When are two data frames equal, as numpy and as pandas' testing module see it?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import repeat
from operator import eq
from typing import Any

from evaluation.conventions.frame import Column, Frame, is_missing

RELATIVE = 1e-5
ABSOLUTE = 1e-8
"""The tolerances of `assert_series_equal`."""


def values_equal(left: Frame, right: Frame) -> bool:
    """As `(left.values == right.values).all()`, broadcasting included; frames of no common shape are unequal.

    A side with one row (one column) is held against every row (column) of the other, also when there are none: no
    cell then differs. `None` equals `None`, a NaN nothing.
    """
    for there, here in zip(left.shape, right.shape, strict=True):
        if there != here and 1 not in (there, here):
            return False
    if 0 in left.shape or 0 in right.shape:
        return True
    height, width = max(left.height, right.height), max(len(left.columns), len(right.columns))
    a, b = left.values(), right.values()
    if (_is_float(left) and _is_number(right)) or (_is_float(right) and _is_number(left)):
        a, b = ([list(map(float, cells)) for cells in side] for side in (a, b))
    return all(
        all(map(eq, _stretched(mine, height), _stretched(yours, height)))
        for mine, yours in zip(_stretched(a, width), _stretched(b, width), strict=True)
    )


def frames_equal(left: Frame, right: Frame) -> bool:
    """As `assert_frame_equal(left, right, check_dtype=False)`."""
    return left.shape == right.shape and all(
        mine.name == yours.name and columns_equal(mine, yours)
        for mine, yours in zip(left.columns, right.columns, strict=True)
    )


def columns_equal(left: Column, right: Column) -> bool:
    """As `assert_series_equal(left, right, check_dtype=False, check_names=False)`.

    Missing values are equal. Where one side is whole numbers or truth values, cells are exactly equal; else numbers
    are close.
    """
    if len(left.cells) != len(right.cells):
        return False
    exact = not {left.kind, right.kind}.isdisjoint({"int", "bool"})
    if exact and "float" in (left.kind, right.kind):
        return all(float(a) == b if left.kind != "float" else a == float(b) for a, b in _pairs(left, right))
    return all(a == b or _both_missing(a, b) or (not exact and _close(a, b)) for a, b in _pairs(left, right))


def _pairs(left: Column, right: Column) -> Any:
    return zip(left.cells, right.cells, strict=True)


def _both_missing(a: object, b: object) -> bool:
    return is_missing(a) and is_missing(b)


def _close(a: object, b: object) -> bool:
    if not isinstance(a, int | float) or not isinstance(b, int | float):
        return False
    return math.isclose(a, b, rel_tol=RELATIVE, abs_tol=ABSOLUTE)


def _is_number(frame: Frame) -> bool:
    return all(column.kind in ("int", "float") for column in frame.columns)


def _is_float(frame: Frame) -> bool:
    return _is_number(frame) and any(column.kind == "float" for column in frame.columns)


def _stretched(items: Sequence[Any], length: int) -> Any:
    return items if len(items) == length else repeat(items[0], length)

"""When two numbers are the same number."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from evaluation.comparison.cells import Cell, Number, is_number, needs_tolerance

_NEAR = "near"
_NEVER_NEAR = {str, bytes, type(None)}
_PLAIN = {int, float, Decimal, *_NEVER_NEAR}


@dataclass(frozen=True)
class Tolerance:
    """How far two numbers may be apart when a non-integral float is one of them; all others compare exactly.

    Attributes:
        relative: Times the larger magnitude.
        absolute: Whatever the magnitude.
    """

    relative: float = 1e-6
    absolute: float = 1e-9

    def near(self, left: Number, right: Number) -> bool:
        """Whether two numbers count as equal."""
        if left == right:
            return True
        if not (needs_tolerance(left) or needs_tolerance(right)):
            return False
        return self.within(as_float(left), as_float(right))

    def within(self, left: float, right: float) -> bool:
        """Whether two floats are within the tolerance."""
        return math.isclose(left, right, rel_tol=self.relative, abs_tol=self.absolute)


class Clusters:
    """Numbers that tolerance may make equal, gathered so that hashing can find them.

    Tolerance is not transitive, so a cluster may hold numbers that are not equal to each other: equal numbers are
    always in one cluster, and `exact` says whether the reverse holds as well.

    Args:
        cells: All canonical cells of both tables; only numbers count.
        tolerance: When two numbers are near.
    """

    def __init__(self, cells: Iterable[Cell], tolerance: Tolerance) -> None:
        found, rest = set[float](), set[Number]()
        for number in _numbers(cells):
            if needs_tolerance(number):
                found.add(as_float(number))
            else:
                rest.add(number)
        floats = sorted(found)
        self._label: dict[Number, Cell] = {}
        self.exact = True
        if not floats:
            return
        concerned = [*floats, *(number for number in rest if _has_near(number, floats, tolerance))]
        concerned.sort(key=as_float)
        cluster: list[Number] = []
        for number in concerned:
            if cluster and not tolerance.within(as_float(cluster[-1]), as_float(number)):
                self._close(cluster, tolerance)
                cluster = []
            cluster.append(number)
        self._close(cluster, tolerance)

    def _close(self, cluster: list[Number], tolerance: Tolerance) -> None:
        if len(cluster) < 2:
            return
        label = (_NEAR, cluster[0])
        for number in cluster:
            self._label[number] = label
        inner = sum(not needs_tolerance(number) for number in cluster)
        if inner > 1 or not tolerance.near(cluster[0], cluster[-1]):
            self.exact = False

    def __bool__(self) -> bool:
        """Whether there is any cluster of more than one number."""
        return bool(self._label)

    def labels(self, column: Sequence[Cell]) -> Sequence[Cell]:
        """The column with every cell labelled."""
        types = set(map(type, column))
        if types <= _NEVER_NEAR:
            return column
        if types <= _PLAIN:
            return [self._label.get(cell, cell) for cell in column]  # type: ignore[call-overload]
        return list(map(self.label, column))

    def label(self, cell: Cell) -> Cell:
        """The cell, or what stands for all numbers of its cluster, also inside lists and maps."""
        if isinstance(cell, tuple):
            return tuple(self.label(part) for part in cell)
        if isinstance(cell, frozenset):
            return frozenset(self.label(part) for part in cell)
        return self._label.get(cell, cell) if is_number(cell) else cell  # type: ignore[call-overload]

    def row(self, row: tuple[Cell, ...]) -> tuple[Cell, ...]:
        """The row with every cell labelled."""
        return tuple(map(self.label, row)) if self else row


def unlabelled(cell: Cell) -> Cell:
    """A cell with a number of the cluster again in place of its label."""
    return cell[1] if isinstance(cell, tuple) and len(cell) == 2 and cell[0] == _NEAR else cell


def as_float(number: Number) -> float:
    """The nearest float; infinite beyond its range."""
    try:
        return float(number)
    except OverflowError:
        return math.inf if number > 0 else -math.inf


def _numbers(cells: Iterable[Cell]) -> Iterator[Number]:
    for cell in cells:
        if isinstance(cell, (int, float, Decimal)):
            yield cell
        elif isinstance(cell, (tuple, frozenset)):
            yield from _numbers(cell)


def _has_near(number: Number, floats: list[float], tolerance: Tolerance) -> bool:
    value = as_float(number)
    place = bisect_left(floats, value)
    return any(tolerance.within(value, near) for near in floats[max(place - 1, 0) : place + 1])

"""A result table in canonical form, column by column."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from database_backends.result import ResultTable
from evaluation.comparison.cells import Cell, canonical
from evaluation.comparison.temporal import Path, plain_paths, with_moments

Column = Sequence[Cell]
Plain = frozenset[Path]


class Grid:
    """Canonical cells.

    Attributes:
        texts: One list of cells per column, all of the same length, text left as text.
        height: Number of rows.
    """

    def __init__(self, table: ResultTable) -> None:
        columns = zip(*table.rows, strict=True) if table.rows else ((),) * len(table.columns)
        self.texts: tuple[Column, ...] = tuple(map(_canonical_column, columns))
        self.height = len(table.rows)
        self._read: dict[tuple[int, Plain], Column] = {}

    @property
    def width(self) -> int:
        """Number of columns."""
        return len(self.texts)

    @cached_property
    def plain(self) -> tuple[Plain, ...]:
        """Where each column has text that is no date or time."""
        return tuple(map(plain_paths, self.texts))

    def column(self, index: int, plain: Plain) -> Column:
        """A column with its text read as dates and times, but for where it is `plain` here or in another table."""
        known = self._read.get((index, plain))
        if known is None:
            known = self._read[index, plain] = with_moments(self.texts[index], plain)
        return known


_AS_THEY_ARE = {int, str, bytes, type(None)}
"""Types whose values are canonical already."""


def _canonical_column(values: Sequence[object]) -> Column:
    types = set(map(type, values))
    return values if types <= _AS_THEY_ARE else [canonical(value) for value in values]

"""A result table in canonical form, column by column."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from database_backends.result import ResultTable
from evaluation.comparison.cells import Cell, canonical, temporal


@dataclass(frozen=True)
class Grid:
    """Canonical cells.

    Attributes:
        names: Column names without case.
        columns: One list of cells per column, all of the same length.
        height: Number of rows.
    """

    names: tuple[str, ...]
    columns: tuple[Sequence[Cell], ...]
    height: int

    @classmethod
    def of(cls, table: ResultTable) -> Grid:
        """The canonical form of a result."""
        columns = zip(*table.rows, strict=True) if table.rows else ((),) * len(table.columns)
        return cls(
            tuple(name.casefold() for name in table.columns),
            tuple(_canonical_column(column) for column in columns),
            len(table.rows),
        )

    @property
    def width(self) -> int:
        """Number of columns."""
        return len(self.names)

    def rows(self, order: Sequence[int] | None = None) -> list[tuple[Cell, ...]]:
        """The rows, with the columns in the given order."""
        columns = self.columns if order is None else [self.columns[index] for index in order]
        return list(zip(*columns, strict=True)) if columns else [()] * self.height


_AS_THEY_ARE = {int, str, bytes, type(None)}
"""Types whose values are canonical already."""


def _canonical_column(values: Sequence[object]) -> Sequence[Cell]:
    types = set(map(type, values))
    cells: Sequence[Cell] = values if types <= _AS_THEY_ARE else [canonical(value) for value in values]
    if str not in types:
        return cells
    moments = []
    for cell in cells:
        # A column is temporal only when all of its values are.
        if type(cell) is str:
            moment = temporal(cell)
            if moment is None:
                return cells
            moments.append(moment)
        elif cell is None or (type(cell) is tuple and cell[0] in ("timestamp", "instant")):
            moments.append(cell)
        else:
            return cells
    return moments

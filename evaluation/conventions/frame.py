"""A result as a pandas data frame holds it, in plain Python: only what published scripts do with one.

Column types, missing values, sorting and comparison follow pandas 2.3 and numpy 2, by which the scripts were run.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from database_backends.result import ResultTable
from evaluation.conventions.remembered import remembered

Kind = Literal["int", "float", "bool", "object"]
_NUMBERS = frozenset({"int", "float"})


class FrameError(Exception):
    """What pandas refuses to do."""


@dataclass(frozen=True)
class Column:
    """One column. In `float` columns NULL is NaN, in `object` columns it stays `None`.

    Attributes:
        name: Its label; labels may repeat.
        kind: Its dtype, as far as it matters.
        cells: Its values.
    """

    name: str
    kind: Kind
    cells: list[Any]

    @classmethod
    def of(cls, name: str, values: Sequence[object]) -> Column:
        """The column that the `DataFrame` constructor makes of values; decimals are read as floats."""
        types = {type(value) for value in values}
        whole = int in types and all(_is_64_bit(value, values) for value in values if type(value) is int)
        numbers = {int, float, Decimal, type(None)} if whole else {float, Decimal, type(None)}
        if types == {int} and whole:
            return cls(name, "int", list(values))
        if types == {bool}:
            return cls(name, "bool", list(values))
        if types <= numbers and types - {type(None)}:
            return cls(name, "float", [math.nan if value is None else _float(value) for value in values])
        return cls(name, "object", list(values))

    def renamed(self, name: str) -> Column:
        """The same cells under another label."""
        return Column(name, self.kind, self.cells)

    def taken(self, order: Sequence[int]) -> Column:
        """The cells at these places."""
        return Column(self.name, self.kind, [self.cells[index] for index in order])

    def rounded(self, decimals: int) -> Column:
        """As `DataFrame.round`: floats only, half to even on the scaled value."""
        if self.kind != "float":
            return self
        scale = 10.0**decimals
        return Column(self.name, self.kind, [_round(cell, scale) for cell in self.cells])

    def sorted(self) -> Column:
        """As `Series.sort_values`: missing values last.

        Raises:
            TypeError: The cells have no common order.
        """
        present = self.present()
        missing = [cell for cell in self.cells if is_missing(cell)] if len(present) < len(self.cells) else []
        return Column(self.name, self.kind, [*sorted(present), *missing])

    def present(self) -> list[Any]:
        """The cells that are not missing."""
        if self.kind in ("int", "bool"):
            return self.cells
        return [cell for cell in self.cells if not (cell is None or cell != cell)]

    def filled(self, value: object) -> list[Any]:
        """The cells, missing ones replaced."""
        if self.kind in ("int", "bool"):
            return self.cells
        return [value if cell is None or cell != cell else cell for cell in self.cells]


@dataclass(frozen=True)
class Frame:
    """Columns of one length; nothing here is ever changed.

    Attributes:
        columns: The columns.
        height: How many rows.
    """

    columns: tuple[Column, ...]
    height: int

    @classmethod
    def of(cls, table: ResultTable) -> Frame:
        """The frame of a result."""
        values = zip(*table.rows, strict=True) if table.rows else ((),) * len(table.columns)
        return cls(tuple(map(Column.of, table.columns, values)), len(table.rows))

    @property
    def names(self) -> list[str]:
        """The labels."""
        return [column.name for column in self.columns]

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.height, len(self.columns)

    def named(self, name: str) -> Column:
        """The column of this label.

        Raises:
            FrameError: There is none, or more than one.
        """
        found = [column for column in self.columns if column.name == name]
        if len(found) != 1:
            raise FrameError(f"{len(found)} columns are called {name!r}")
        return found[0]

    def without_repeated_rows(self) -> Frame:
        """As `drop_duplicates`: the first of equal rows stays; missing values are equal.

        Raises:
            TypeError: Cells cannot be hashed.
        """
        if not self.columns:
            return self
        first: dict[tuple[object, ...], int] = {}
        for index, row in enumerate(zip(*(column.filled(_MISSING) for column in self.columns), strict=True)):
            first.setdefault(row, index)
        return self if len(first) == self.height else self._taken(list(first.values()))

    def with_columns_by_name(self) -> Frame:
        """As `reindex(sorted(columns), axis=1)`.

        Raises:
            FrameError: Labels repeat and are not in order.
        """
        names = self.names
        ordered = sorted(names)
        if ordered == names:
            return self
        if len(set(names)) < len(names):
            raise FrameError("cannot reindex on an axis with duplicate labels")
        return Frame(tuple(sorted(self.columns, key=lambda column: column.name)), self.height)

    def sorted_by(self, names: Sequence[str], *, ascending: bool = True) -> Frame:
        """As `sort_values(by=names)`; missing values come last in either direction.

        Raises:
            FrameError: A label is not unique.
            TypeError: The cells of a column have no common order.
        """
        if not names:
            return self
        ordered = _ordered if len(names) == 1 else _ordered_mixed
        keys = []
        for name in names:
            column = self.named(name)
            ranks: dict[Any, float] = {_MISSING: math.inf}
            for place, cell in enumerate(ordered(column.present())):
                ranks[cell] = place if ascending else -place
            keys.append([ranks[cell] for cell in column.filled(_MISSING)])
        order = [index for *_, index in sorted(zip(*keys, range(self.height), strict=True))]
        return self._taken(order)

    def with_unique_names(self) -> Frame:
        """Each label that repeats gets its place appended, as `deduplicate_columns` of defog's script does it."""
        counts = Counter(self.names)
        if len(counts) == len(self.columns):
            return self
        renamed = [
            column.renamed(f"{column.name}_{index}") if counts[column.name] > 1 else column
            for index, column in enumerate(self.columns)
        ]
        return Frame(tuple(renamed), self.height)

    def with_missing_as(self, value: object) -> Frame:
        """As `fillna`, which looks anew at the types of columns that hold anything."""
        filled = []
        for column in self.columns:
            cells = column.filled(value)
            again = column.kind == "object" and cells
            filled.append(Column.of(column.name, cells) if again else Column(column.name, column.kind, cells))
        return Frame(tuple(filled), self.height)

    def values(self) -> list[list[Any]]:
        """The columns' cells as `values` gives them: integers beside floats, and nothing else, become floats."""
        kinds = {column.kind for column in self.columns}
        if kinds == _NUMBERS:
            return [
                column.cells if column.kind == "float" else list(map(float, column.cells)) for column in self.columns
            ]
        return [column.cells for column in self.columns]

    def _taken(self, order: Sequence[int]) -> Frame:
        return Frame(tuple(column.taken(order) for column in self.columns), len(order))


_MISSING = object()


@remembered
def frames_of(gold: ResultTable, predicted: ResultTable) -> tuple[Frame, Frame]:
    """The frames of both results."""
    return Frame.of(gold), Frame.of(predicted)


def is_missing(cell: object) -> bool:
    """As `pandas.isna`: `None` and NaN."""
    return cell is None or bool(cell != cell)


def _ordered(cells: list[Any]) -> list[Any]:
    return sorted(set(cells))


def _ordered_mixed(cells: list[Any]) -> list[Any]:
    """The order that pandas uses for several keys: where cells have no common order, text comes after the rest."""
    distinct = set(cells)
    try:
        return sorted(distinct)
    except TypeError:
        texts = {cell for cell in distinct if isinstance(cell, str)}
        return [*sorted(distinct - texts), *sorted(texts)]


def _is_64_bit(value: Any, values: Sequence[object]) -> bool:
    if -(2**63) <= value < 2**63:
        return True
    return 2**63 <= value < 2**64 and all(type(other) is not int or other >= 0 for other in values)


def _float(value: Any) -> float:
    try:
        return float(value)
    except (ValueError, OverflowError):  # a signalling NaN
        return math.nan


def _round(cell: float, scale: float) -> float:
    return round(cell * scale) / scale if math.isfinite(cell * scale) else cell

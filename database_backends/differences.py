"""How a schema differs from an expected one."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, TypeVar

from sqlassay.schema import Column, ForeignKey, Schema, Table

T = TypeVar("T", Table, Column)


@dataclass(frozen=True)
class Difference(ABC):
    """One thing that is not as expected; its text says so in words.

    Attributes:
        table: The table, as it is found; as it is expected where it is missing.
    """

    matters: ClassVar[bool] = True
    """Whether a statement could fail, or give something else, because of it."""

    table: Table

    @abstractmethod
    def __str__(self) -> str:
        """What is found, and what is expected."""


@dataclass(frozen=True)
class MissingTable(Difference):
    """A table or view that is expected."""

    def __str__(self) -> str:
        return f"{_kind(self.table)} {self.table.name} is missing"


@dataclass(frozen=True)
class ExtraTable(Difference):
    """A table or view that is not expected."""

    matters = False

    def __str__(self) -> str:
        return f"{_kind(self.table)} {self.table.name} is not expected"


@dataclass(frozen=True)
class OtherKind(Difference):
    """A view where a table is expected, or the other way round."""

    matters = False

    expected: Table

    def __str__(self) -> str:
        return f"{self.table.name} is a {_kind(self.table)}, and a {_kind(self.expected)} is expected"


@dataclass(frozen=True)
class MissingColumn(Difference):
    """A column that is expected."""

    column: Column

    def __str__(self) -> str:
        return f"column {self.table.name}.{self.column.name} is missing"


@dataclass(frozen=True)
class ExtraColumn(Difference):
    """A column that is not expected."""

    column: Column

    def __str__(self) -> str:
        return f"column {self.table.name}.{self.column.name} is not expected"


@dataclass(frozen=True)
class OtherType(Difference):
    """A column of another type."""

    column: Column
    expected: Column

    def __str__(self) -> str:
        found, wanted = (column.type or "no type" for column in (self.column, self.expected))
        return f"column {self.table.name}.{self.column.name} has {found}, and {wanted} is expected"


@dataclass(frozen=True)
class OtherNullable(Difference):
    """A column that may be NULL and must not be, or the other way round."""

    matters = False

    column: Column
    expected: Column

    def __str__(self) -> str:
        words = "may be NULL, and NOT NULL" if self.column.nullable else "is NOT NULL, and NULL"
        return f"column {self.table.name}.{self.column.name} {words} is expected"


@dataclass(frozen=True)
class OtherPrimaryKey(Difference):
    """Another primary key, or none where one is expected; no columns stand for none."""

    matters = False

    columns: tuple[str, ...]
    expected: tuple[str, ...]

    def __str__(self) -> str:
        found, wanted = (f"({', '.join(names)})" if names else "none" for names in (self.columns, self.expected))
        return f"primary key of {self.table.name} is {found}, and {wanted} is expected"


@dataclass(frozen=True)
class MissingForeignKey(Difference):
    """A foreign key that is expected."""

    matters = False

    key: ForeignKey

    def __str__(self) -> str:
        return f"foreign key {in_words(self.table, self.key)} is missing"


@dataclass(frozen=True)
class ExtraForeignKey(Difference):
    """A foreign key that is not expected."""

    matters = False

    key: ForeignKey

    def __str__(self) -> str:
        return f"foreign key {in_words(self.table, self.key)} is not expected"


def differences(
    found: Schema, expected: Schema, *, types: bool = True, constraints: bool = True
) -> tuple[Difference, ...]:
    """What is missing in a schema, what it has too much, and what is otherwise.

    Names are compared without case, as most engines do; the same case counts first.

    Args:
        found: The schema that there is.
        expected: The schema that there ought to be.
        types: Whether types are compared; those of two engines cannot be.
        constraints: Whether keys and NOT NULL are compared.
    """
    return tuple(_of_schemas(found, expected, types=types, constraints=constraints))


def in_words(table: Table, key: ForeignKey) -> str:
    """A foreign key: `concert (singer_id) to singer (id)`."""
    return f"{table.name} ({', '.join(key.columns)}) to {key.table} ({', '.join(key.references)})"


def primary_key(table: Table) -> tuple[str, ...]:
    """The columns of the primary key of a table; none where it has none."""
    return tuple(column.name for column in table.columns if column.primary_key)


def _of_schemas(found: Schema, expected: Schema, *, types: bool, constraints: bool) -> Iterator[Difference]:
    both, missing, extra = _paired(found.tables, expected.tables)
    yield from map(MissingTable, missing)
    yield from map(ExtraTable, extra)
    for table, wanted in both:
        if table.is_view != wanted.is_view:
            yield OtherKind(table, wanted)
        are_tables = not (table.is_view or wanted.is_view)
        yield from _of_columns(table, wanted, types=types, constraints=constraints and are_tables)
        if constraints and are_tables:
            yield from _of_keys(table, wanted)


def _of_columns(table: Table, wanted: Table, *, types: bool, constraints: bool) -> Iterator[Difference]:
    both, missing, extra = _paired(table.columns, wanted.columns)
    yield from (MissingColumn(table, column) for column in missing)
    yield from (ExtraColumn(table, column) for column in extra)
    for column, expected in both:
        if types and _folded(column.type) != _folded(expected.type):
            yield OtherType(table, column, expected)
        if constraints and column.nullable != expected.nullable:
            yield OtherNullable(table, column, expected)


def _of_keys(table: Table, wanted: Table) -> Iterator[Difference]:
    columns, expected = primary_key(table), primary_key(wanted)
    if {*map(_folded, columns)} != {*map(_folded, expected)}:
        yield OtherPrimaryKey(table, columns, expected)
    here, there = ({_folded_key(key): key for key in one.foreign_keys} for one in (table, wanted))
    yield from (MissingForeignKey(table, key) for folded, key in there.items() if folded not in here)
    yield from (ExtraForeignKey(table, key) for folded, key in here.items() if folded not in there)


def _paired(found: Sequence[T], expected: Sequence[T]) -> tuple[list[tuple[T, T]], list[T], list[T]]:
    """What is in both, what is only expected, and what is only found."""
    both: list[tuple[T, T]] = []
    extra, missing = list(found), list(expected)
    for spelled in (str, _folded):
        there = {spelled(one.name): one for one in reversed(extra)}
        pairs = [(there.pop(spelled(one.name)), one) for one in missing if spelled(one.name) in there]
        taken = {id(one) for pair in pairs for one in pair}
        extra, missing = ([one for one in left if id(one) not in taken] for left in (extra, missing))
        both += pairs
    return both, missing, extra


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())


def _folded_key(key: ForeignKey) -> tuple[str, frozenset[tuple[str, str]]]:
    pairs = zip(key.columns, key.references, strict=False)
    return _folded(key.table), frozenset((_folded(column), _folded(reference)) for column, reference in pairs)


def _kind(table: Table) -> str:
    return "view" if table.is_view else "table"

"""The schema of a database, as an engine reports it and a prompt shows it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Column:
    """One column.

    Attributes:
        name: As the database spells it.
        type: The declared type, in the engine's own words; empty where none was declared.
        nullable: Whether NULL is allowed.
        primary_key: Whether it belongs to the primary key.
        description: What people say about it, in one line.
        values: Some of its values, as literals of one line each.
    """

    name: str
    type: str
    nullable: bool = True
    primary_key: bool = False
    description: str = ""
    values: tuple[str, ...] = ()


@dataclass(frozen=True)
class ForeignKey:
    """A reference from columns of one table to columns of another, in matching order."""

    columns: tuple[str, ...]
    table: str
    references: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """One table or view.

    Attributes:
        name: As the database spells it.
        columns: In the database's own order.
        foreign_keys: Its references to other tables.
        is_view: Whether it is a view.
        rows: Some of its rows: a literal of one line per column.
    """

    name: str
    columns: tuple[Column, ...]
    foreign_keys: tuple[ForeignKey, ...] = ()
    is_view: bool = False
    rows: tuple[tuple[str, ...], ...] = ()

    def only(self, columns: Collection[str]) -> Table:
        """The table with its primary key and these columns, named in lower case; the whole of it if that is nothing."""
        kept = tuple(column for column in self.columns if column.primary_key or column.name.lower() in columns)
        return replace(self, columns=kept or self.columns)


@dataclass(frozen=True)
class Schema:
    """All tables of one database, in the database's own order."""

    tables: tuple[Table, ...]

    def only(self, tables: Mapping[str, Collection[str]]) -> Schema:
        """The schema with these tables and columns, and with what they cannot be read without.

        Primary keys stay, and so do foreign keys between two tables that stay, with the columns at both ends. A table
        of which no column would be left stays whole.

        Args:
            tables: Columns by table, names in any case; names that the schema does not have mean nothing.
        """
        here = {table.name.lower() for table in self.tables}
        wanted: dict[str, set[str]] = {}
        for name, columns in tables.items():
            if name.lower() in here:
                wanted.setdefault(name.lower(), set()).update(column.lower() for column in columns)
        kept = [table for table in self.tables if table.name.lower() in wanted]
        for table in kept:
            for key in table.foreign_keys:
                if key.table.lower() in wanted:
                    wanted[table.name.lower()].update(map(str.lower, key.columns))
                    wanted[key.table.lower()].update(map(str.lower, key.references))
        return Schema(
            tuple(
                replace(
                    table.only(wanted[table.name.lower()]),
                    foreign_keys=tuple(key for key in table.foreign_keys if key.table.lower() in wanted),
                )
                for table in kept
            )
        )

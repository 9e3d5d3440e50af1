"""The schema of a database, as an engine reports it and a prompt shows it."""

from __future__ import annotations

from dataclasses import dataclass


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


@dataclass(frozen=True)
class Schema:
    """All tables of one database, in the database's own order."""

    tables: tuple[Table, ...]

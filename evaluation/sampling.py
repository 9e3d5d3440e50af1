"""Some values and rows of each table, for prompts to show."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from database_backends.base import DatabaseBackend
from database_backends.errors import BackendError
from database_backends.quoting import quoted
from database_backends.result import Limits, Row
from sqlassay.printable import printable
from sqlassay.schema import Schema, Table

LOOKED_AT = 200
"""Rows of a table in which its values are looked for."""
LONGEST = 50
"""Characters of a text that is shown; the rest is cut off."""
_SECONDS = 10.0
_MEGABYTES = 256
_SPACE = re.compile(r"\s")


def with_samples(database: DatabaseBackend, schema: Schema, *, rows: int, values: int) -> Schema:
    """A schema with some of what is in its tables.

    One query per table fetches its first rows by primary key, or by all columns where there is none, so that the same
    content gives the same samples. Where that cannot be sorted, or not in time, they are the first that come. A table
    that cannot be read at all, such as a broken view, has no samples.

    Args:
        database: Where the tables are.
        schema: Its schema.
        rows: Of each table at most.
        values: Different ones of each column at most, from the first `LOOKED_AT` rows; NULL is none.

    Raises:
        BackendError: The connection was lost.
    """
    wanted = max(rows, LOOKED_AT if values else 0)
    if not wanted:
        return schema
    return Schema(tuple(_sampled(table, _first(database, table, wanted), rows, values) for table in schema.tables))


def literal(value: object) -> str:
    """A value in one short line, as SQL would have it; bytes are only counted."""
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, int | float | Decimal):
        return str(value)
    if isinstance(value, bytes | bytearray | memoryview):
        return f"<{len(bytes(value))} bytes>"
    text = value.isoformat(" ") if isinstance(value, datetime) else str(value)
    shown = text if len(text) <= LONGEST else text[:LONGEST] + "…"
    return "'" + printable(_SPACE.sub(" ", shown)).replace("'", "''") + "'"


def _sampled(table: Table, found: list[Row], rows: int, values: int) -> Table:
    return replace(
        table,
        columns=tuple(
            replace(column, values=tuple(_different((row[number] for row in found), values)))
            for number, column in enumerate(table.columns)
        ),
        rows=tuple(tuple(map(literal, row)) for row in found[:rows]),
    )


def _different(values: Iterable[object], most: int) -> list[str]:
    shown = dict.fromkeys(literal(value) for value in values if value is not None)
    return list(shown)[:most]


def _first(database: DatabaseBackend, table: Table, most: int) -> list[Row]:
    for sql in _queries(table, database.dialect, most):
        try:
            return database.execute(sql, Limits(_SECONDS, most, _MEGABYTES)).rows
        except BackendError as error:
            if error.kind.is_instrument:
                raise
    return []


def _queries(table: Table, dialect: str, most: int) -> Iterator[str]:
    """The ways to ask, the best first."""
    key = [number for number, column in enumerate(table.columns, start=1) if column.primary_key]
    order = ", ".join(map(str, key or range(1, len(table.columns) + 1)))
    columns = ", ".join(quoted(column.name, dialect) for column in table.columns)
    # A dot is part of a name, or stands between the schema and the table.
    names = [quoted(table.name, dialect), ".".join(quoted(part, dialect) for part in table.name.split("."))]
    for name in dict.fromkeys(names):
        yield f"SELECT {columns} FROM {name} ORDER BY {order} LIMIT {most}"  # noqa: S608
        yield f"SELECT {columns} FROM {name} LIMIT {most}"  # noqa: S608

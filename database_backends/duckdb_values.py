"""What DuckDB's driver makes of values that Python has no class for, and how they are told all the same."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence

from database_backends.result import Row

_NANOSECONDS = frozenset({"TIMESTAMP_NS", "TIMESTAMPTZ_NS", "TIME_NS"})
_MOMENTS = frozenset({"DATE", "TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP WITH TIME ZONE"})
_ENDS = frozenset({dt.date.min, dt.date.max, dt.datetime.min, dt.datetime.max})
"""What the driver gives for infinite moments, and for the finite ones at the ends of Python's calendar."""
_LOST = re.compile(r"infinity$|\.\d{6}\d*[1-9]\d*")
"""Text of a moment that the driver's value cannot stand for."""
_BIG = "BIGNUM"


def doubtful(types: Sequence[str], rows: Sequence[Row]) -> list[int]:
    """The columns in which the driver may have lost something, so that they are asked for as text as well.

    Args:
        types: Of the columns.
        rows: As the driver gives them.
    """
    return [
        place
        for place, type_ in enumerate(types)
        if (rows and type_ in _NANOSECONDS) or (type_ in _MOMENTS and not _ENDS.isdisjoint(row[place] for row in rows))
    ]


def with_texts(sql: str, width: int, places: Sequence[int]) -> str:
    """A query that gives further columns: the text of some of its own.

    Args:
        sql: One query.
        width: How many columns it has.
        places: Of the columns.
    """
    names = [f"c{place}" for place in range(width)]
    texts = [f"CAST(c{place} AS VARCHAR)" for place in places]
    inside = sql.rstrip().rstrip(";")  # DuckDB keeps the order of a query within
    return f"SELECT {', '.join([*names, *texts])} FROM (\n{inside}\n) AS sqlassay_rows({', '.join(names)})"  # noqa: S608


def restored(row: Row, width: int, places: Sequence[int]) -> Row:
    """A row of such a query, with text where a value has no other form in Python."""
    cells = list(row[:width])
    for place, text in zip(places, row[width:], strict=True):
        if isinstance(text, str) and _LOST.search(text):
            cells[place] = text
    return tuple(cells)


def with_numbers(types: Sequence[str], rows: list[Row]) -> list[Row]:
    """The rows with numbers for those that the driver gives as text."""
    places = [place for place, type_ in enumerate(types) if type_ == _BIG]
    if not places:
        return rows
    return [
        tuple(int(cell) if place in places and isinstance(cell, str) else cell for place, cell in enumerate(row))
        for row in rows
    ]

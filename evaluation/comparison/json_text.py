"""JSON beside text: engines without a type for it give its text, others what it holds."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace

from database_backends.result import ResultTable

_NESTED = (dict, list, tuple)
_OPENING = ("{", "[")


def with_json(tables: Sequence[ResultTable]) -> list[ResultTable]:
    """The tables, with the JSON in their text read, where any of them has columns of lists, structs or maps.

    A text column is read if every text in it is JSON of an object or an array. Where no table has nested values, text
    stays text.
    """
    if any(isinstance(_first(table, place), _NESTED) for table in tables for place in range(len(table.columns))):
        return [_read(table) for table in tables]
    return list(tables)


def _read(table: ResultTable) -> ResultTable:
    places = range(len(table.columns))
    read = {place: values for place in places if (values := _values(table, place)) is not None}
    if not read:
        return table
    columns = [read.get(place) or list(_cells(table, place)) for place in places]
    return replace(table, rows=list(zip(*columns, strict=True)))


def _values(table: ResultTable, place: int) -> list[object] | None:
    """What a column of JSON text holds; `None` for any other column."""
    first = _first(table, place)
    if not (isinstance(first, str) and first.lstrip().startswith(_OPENING)):
        return None
    values: list[object] = []
    for cell in _cells(table, place):
        if not isinstance(cell, str | None):
            return None
        try:
            value = None if cell is None else json.loads(cell)
        except (ValueError, RecursionError):
            return None
        if cell is not None and not isinstance(value, _NESTED):
            return None
        values.append(value)
    return values


def _cells(table: ResultTable, place: int) -> Iterator[object]:
    return (row[place] for row in table.rows)


def _first(table: ResultTable, place: int) -> object:
    return next((cell for cell in _cells(table, place) if cell is not None), None)

"""A result as a file without types gives it back."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from database_backends.result import ResultTable

_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(\.\d*)?([eE][+-]?\d+)?", re.ASCII)
_MOST_DIGITS = 400
_PRINTED = {int, float, str, type(None)}
"""Types whose values a file holds as plain text."""


def untyped(table: ResultTable) -> ResultTable:
    """The table as it is read from a CSV file, which has no types: '7' and 7 are one there, and so are '' and NULL.

    An empty cell is NULL. A column is numbers where each of its cells is written as one: without a sign +, leading
    zeros, thousands separators or spaces. In every other column numbers are text, as Python writes them. Columns with
    values of other types (dates, blobs) keep them.

    It is made of both sides of a comparison, so that a prediction's '2014' from `strftime` is the file's 2014.
    """
    if not table.rows:
        return table
    columns = [_column(cells) for cells in zip(*table.rows, strict=True)]
    return replace(table, rows=list(zip(*columns, strict=True))) if columns else table


def _column(values: Sequence[object]) -> Sequence[object]:
    types = set(map(type, values))
    if str not in types:
        return values
    cells = [None if value == "" else value for value in values]
    if all(not isinstance(cell, str) or _is_number(cell) for cell in cells):
        return [_number(cell) if isinstance(cell, str) else cell for cell in cells]
    if types <= _PRINTED:
        return [cell if cell is None else str(cell) for cell in cells]
    return cells


def _is_number(text: str) -> bool:
    return len(text) <= _MOST_DIGITS and _NUMBER.fullmatch(text) is not None


def _number(text: str) -> int | float:
    return float(text) if any(mark in text for mark in ".eE") else int(text)

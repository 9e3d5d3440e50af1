"""Tables in CSV files: a header, then rows; quoted cells may hold commas and line ends."""

from __future__ import annotations

import csv
from collections.abc import Collection, Iterator
from itertools import chain
from pathlib import Path

from evaluation.datasets.record import Record
from evaluation.datasets.text_file import read_lines
from sqlassay.counted import counted
from sqlassay.errors import UnknownName, UserError

LONGEST_CELL = 2**31 - 1
"""In characters; the most that every platform's `csv` takes."""

_END = "\0"
"""A row after the last, which no text file can hold: without it, a quote that never closes would not be noticed.

Strict parsing would notice it too, but refuse text after a closing quote, as published files have."""


def row_records(
    path: Path, *, required: Collection[str] = (), known: Collection[str] | None = None
) -> Iterator[Record]:
    """The rows of a CSV file, one at a time, under the names in its header; blank lines are skipped.

    Args:
        path: The file.
        required: Columns that must be there.
        known: Columns that may be there; `None` allows any.

    Raises:
        UserError: Not readable, a column that is missing or there twice, a row that does not fit the header.
        UnknownName: A column that is not among `known`.
    """
    header: list[str] | None = None
    for line, cells in table_rows(path):
        if header is None:
            header = cells
            _check_header(header, f"{path}, line {line}", required, known)
        else:
            yield Record(path, "line", line, dict(zip(header, cells, strict=True)))


def table_rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """The header and the rows of a CSV file, each with the number of its first line; blank lines are skipped.

    Raises:
        UserError: Not readable, or a row that does not fit the header.
    """
    width: int | None = None
    for line, cells in _rows(path):
        if width is None:
            width = len(cells)
        elif len(cells) != width:
            raise UserError(
                f"has {counted(len(cells), 'cell')}, the header {width}",
                place=f"{path}, line {line}",
                remedy="put cells that hold commas or line ends in double quotes",
            )
        yield line, cells


def _rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Rows that are not blank, with the number of their first line."""
    # The limit is the module's, for the whole process; the default of 128 KiB refuses long SQL.
    csv.field_size_limit(LONGEST_CELL)
    reader = csv.reader(chain(read_lines(path), [_END]))
    line = 1
    try:
        for cells in reader:
            if cells == [_END]:
                return
            if cells and cells[-1].endswith(_END):
                raise UserError(
                    "a quoted cell is never closed",
                    place=f"{path}, line {line}",
                    remedy="put quotes inside a quoted cell twice",
                )
            if cells:
                yield line, cells
            line = reader.line_num + 1
    except csv.Error:  # the only one that is left: the cell limit is beyond reach, and parsing is not strict
        raise UserError(
            "a carriage return is the end of a line", place=f"{path}, line {line}", remedy="save it with newlines"
        ) from None


def _check_header(header: list[str], place: str, required: Collection[str], known: Collection[str] | None) -> None:
    for column in header:
        if header.count(column) > 1:
            raise UserError(f"two columns are named {column!r}", place=place, remedy="rename one")
        if known is not None and column not in known:
            raise UnknownName("column", column, known, place=place)
    for column in required:
        if column not in header:
            raise UserError(
                f"no column {column!r}", place=place, remedy="the first line must name the columns, with commas"
            )

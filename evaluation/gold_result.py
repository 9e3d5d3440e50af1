"""Results that a dataset has in files, in the place of gold SQL."""

from __future__ import annotations

from itertools import islice

from database_backends.errors import FailureKind
from database_backends.result import ExecutionFailure, Outcome, ResultTable, Row
from evaluation.comparison.untyped import untyped
from evaluation.datasets.base import GoldResult
from evaluation.datasets.csv_file import table_rows
from sqlassay.counted import counted
from sqlassay.errors import UserError


def read_result(result: GoldResult, most_rows: int) -> Outcome:
    """The table of a gold result, with the columns that count; cells are read as `untyped` says.

    Args:
        result: The file and what counts of it.
        most_rows: Rows to read; a longer result comes back cut.

    Returns:
        A failure, with the file and line in its message, when the file cannot be read.
    """
    try:
        return _read(result, most_rows)
    except UserError as error:
        return ExecutionFailure(FailureKind.OTHER, str(error))


def _read(result: GoldResult, most_rows: int) -> ResultTable:
    found = table_rows(result.path)
    _, header = next(found, (0, None))
    if header is None:
        raise UserError("is empty", place=str(result.path), remedy="was it written to the end?")
    places = result.condition_columns or range(len(header))
    if max(places) >= len(header):
        raise UserError(
            f"has {counted(len(header), 'column')}, none at the place {max(places)}",
            place=str(result.path),
            remedy="condition columns count from 0",
        )
    rows: list[Row] = [tuple(cells[place] for place in places) for _, cells in islice(found, most_rows + 1)]
    columns = tuple(header[place] for place in places)
    table = ResultTable(columns, ("",) * len(columns), rows[:most_rows], truncated=len(rows) > most_rows)
    return untyped(table)

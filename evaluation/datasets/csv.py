"""Our own question format as CSV."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from evaluation.datasets.csv_file import row_records
from evaluation.datasets.json_file import parse_json
from evaluation.datasets.native import KEYS, NativeDataset
from evaluation.datasets.record import Record
from sqlassay.errors import UserError

_MOST_DIGITS = 9


class CsvDataset(NativeDataset):
    """One question per row; the columns are the keys of the format, an empty cell is a key that is not there.

    A `gold` or `tags` cell that starts with `[` or `{` is JSON; tags may be separated by `|` as well.
    """

    name = "csv"
    file_patterns = ("*.csv",)

    def records(self) -> Iterator[Record]:
        """The rows, with JSON cells decoded."""
        for row in row_records(self.question_file, required=("question", "db_id"), known=KEYS):
            cells = {key: str(cell) for key, cell in row.fields.items()}
            yield replace(row, fields={key: _value(key, cell, row) for key, cell in cells.items()})


def _value(key: str, cell: str, row: Record) -> object:
    if key == "turn" and cell.isdecimal() and len(cell) <= _MOST_DIGITS:
        return int(cell)
    if key in ("gold", "tags") and cell.startswith(("[", "{")):
        try:
            return parse_json(cell, row.file, line=row.number)
        except UserError as error:
            raise UserError(
                f"{key!r} holds {error.problem}", place=row.place, remedy="mend the JSON or write plain text"
            ) from None
    return cell.split("|") if key == "tags" and cell else cell

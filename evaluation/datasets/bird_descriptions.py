"""`database_description`: what BIRD says about the columns of a database, one CSV file per table."""

from __future__ import annotations

import csv
from io import StringIO
from pathlib import Path

from evaluation.datasets.csv_file import LONGEST_CELL
from evaluation.datasets.text_file import open_file

FOLDER = "database_description"


def read_descriptions(folder: Path) -> dict[str, dict[str, str]]:
    """The descriptions by table, which is the name of the file, and column.

    A column has a name, a longer name, a description and a description of its values; which of them are filled in
    differs from file to file, as does whether a file is UTF-8 or Windows-1252.

    Args:
        folder: That of one database.

    Raises:
        UserError: A file cannot be read.
    """
    return {file.stem: _columns(file) for file in sorted(folder.glob("*.csv"))}


def _columns(file: Path) -> dict[str, str]:
    with open_file(file) as opened:
        raw = opened.read()
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = raw.decode("cp1252", "replace")
    csv.field_size_limit(LONGEST_CELL)
    found = {}
    for row in csv.DictReader(StringIO(text, newline="")):
        cells = {key.strip(): _line(cell) for key, cell in row.items() if key and isinstance(cell, str)}
        name = cells.get("original_column_name", "")
        about = cells.get("column_description", "") or cells.get("column_name", "")
        parts = ["" if _same(about, name) else about, cells.get("value_description", "")]
        if name:
            found[name] = "; ".join(part for part in parts if part)
    return found


def _line(cell: str) -> str:
    return " ".join(cell.split()).removeprefix("commonsense evidence:").strip()


def _same(one: str, other: str) -> bool:
    return one.replace(" ", "").replace("_", "").lower() == other.replace(" ", "").replace("_", "").lower()

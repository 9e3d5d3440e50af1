"""JSON and JSON Lines, with errors that name the line."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from evaluation.datasets.record import Record, kind
from evaluation.datasets.text_file import read_lines, read_text
from sqlassay.errors import UserError

Pairs = Callable[[list[tuple[str, Any]]], object]


def load_json(path: Path, *, pairs: Pairs | None = None) -> object:
    """The value that a JSON file holds.

    Args:
        path: The file.
        pairs: Makes the value of a JSON object from its pairs; `dict` when left out.

    Raises:
        UserError: Not readable, empty, or broken JSON; the line is named.
    """
    return parse_json(read_text(path), path, pairs=pairs)


def parse_json(text: str, path: Path, *, line: int = 1, pairs: Pairs | None = None) -> object:
    """The value of a JSON text that starts at a line of a file.

    Raises:
        UserError: Broken JSON; the line and column are named.
    """
    if not text.strip():
        raise UserError("is empty", place=str(path), remedy="was it written to the end?")
    try:
        return json.loads(text, object_pairs_hook=pairs)
    except json.JSONDecodeError as error:
        several = error.msg == "Extra data" and line == 1
        raise UserError(
            f"broken JSON: {error.msg}",
            place=f"{path}, line {line + error.lineno - 1}, column {error.colno}",
            remedy="if it holds one object per line, name it .jsonl" if several else "",
        ) from None
    except RecursionError:
        raise UserError("JSON that cannot be read: nested too deeply", place=f"{path}, line {line}") from None
    except ValueError as error:  # a number of more digits than Python reads
        raise UserError(f"JSON that cannot be read: {error}", place=f"{path}, line {line}") from None


def array_records(path: Path) -> Iterator[Record]:
    """The objects of a JSON file that holds one array.

    Raises:
        UserError: As `load_json`, or not an array of objects.
    """
    value = load_json(path)
    if not isinstance(value, list):
        raise UserError(
            f"holds {kind(value)}, not a list of questions", place=str(path), remedy="give the question file"
        )
    for number, fields in enumerate(value, start=1):
        if not isinstance(fields, dict):
            raise UserError(f"is {kind(fields)}, not an object", place=f"{path}, entry {number}")
        yield Record(path, "entry", number, fields)


def line_records(path: Path) -> Iterator[Record]:
    """The objects of a JSON Lines file, one at a time; blank lines are skipped.

    Raises:
        UserError: Not readable, a line of broken JSON, or a line that is not an object.
    """
    for number, line in enumerate(read_lines(path), start=1):
        if not line.strip():
            continue
        fields = parse_json(line.rstrip(), path, line=number)
        if not isinstance(fields, dict):
            raise UserError(f"is {kind(fields)}, not an object", place=f"{path}, line {number}")
        yield Record(path, "line", number, fields)


def array_or_line_records(path: Path) -> Iterator[Record]:
    """The objects of a file that holds either one JSON array or one object per line."""
    opening = next((line.lstrip()[0] for line in read_lines(path) if line.strip()), "")
    return line_records(path) if opening == "{" else array_records(path)

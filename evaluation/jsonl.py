"""JSON Lines: one line per value, in text that every JSON reader takes."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from dataclasses import is_dataclass
from pathlib import Path
from typing import Any

from sqlassay.errors import UserError

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


def line_of(value: object) -> bytes:
    r"""One line with its newline.

    Dataclasses become objects, tuples become lists. Lone surrogates, which no strict JSON reader takes, are written as
    `\udc80`: six plain characters.

    Raises:
        ValueError: The value holds NaN or an infinity.
        TypeError: The value is not made of JSON types and dataclasses.
    """
    text = _ENCODER.encode(value)
    try:
        return text.encode() + b"\n"
    except UnicodeEncodeError:
        return _LONE_SURROGATE.sub(lambda found: f"\\\\u{ord(found[0]):04x}", text).encode() + b"\n"


def _fields(value: object) -> dict[str, Any]:
    if is_dataclass(value):
        return vars(value)
    raise TypeError(f"{type(value).__name__} is no JSON type")


_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_fields)


def read_lines(path: Path) -> Iterator[dict[str, Any]]:
    """Every complete line of a file that sqlassay wrote; a torn last line is left out.

    Raises:
        UserError: A line that is not the last is not a JSON object.
    """
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if not line.endswith(b"\n"):
                return  # torn, even where it happens to be JSON: `mend_tail` will cut it off
            try:
                value = json.loads(line)
            except ValueError as error:
                raise UserError(
                    f"not JSON: {error}", place=f"{path}:{number}", remedy="restore the file or delete this line"
                ) from error
            if not isinstance(value, dict):
                raise UserError("not a JSON object", place=f"{path}:{number}")
            yield value


def complete_size(path: Path) -> int:
    """The size of a file in bytes without a last line that is torn."""
    with path.open("rb") as file:
        position = file.seek(0, 2)
        while position > 0:
            step = min(position, 65_536)
            file.seek(position - step)
            newline = file.read(step).rfind(b"\n")
            if newline >= 0:
                return position - step + newline + 1
            position -= step
    return 0


def mend_tail(path: Path) -> None:
    """Cut off a last line that a crash left incomplete, so that the next line starts on its own."""
    size = complete_size(path)
    if size != path.stat().st_size:
        os.truncate(path, size)


def copy_lines(path: Path, target: Path) -> int:
    """Copy a file without a last line that is torn; returns the length of the longest line in bytes."""
    longest = 0
    with path.open("rb") as source, target.open("wb") as copy:
        for line in source:
            if line.endswith(b"\n"):
                copy.write(line)
                longest = max(longest, len(line))
    return longest

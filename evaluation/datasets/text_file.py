"""Text files: UTF-8, with or without a byte order mark; anything else is one line that says what it is."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path

from sqlassay.errors import UserError

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_FOREIGN = (
    (b"\x1f\x8b", "a gzip archive", "unpack it first"),
    (b"PK\x03\x04", "a zip archive", "unpack it first"),
    (b"SQLite format 3\0", "a SQLite database", "give the file of questions or predictions"),
    (b"PAR1", "a Parquet file", "write it as JSON Lines first"),
    (b"\xff\xfe", "UTF-16 text", "save it as UTF-8"),
    (b"\xfe\xff", "UTF-16 text", "save it as UTF-8"),
)


def read_text(path: Path) -> str:
    """The whole text of a file, without its byte order mark.

    Raises:
        UserError: There is no such file, it cannot be read, or it is not UTF-8 text; the line is named.
    """
    with open_file(path) as file:
        raw = file.read()
    return _decode(_after_mark(raw, path), path, line=1)


def read_lines(path: Path) -> Iterator[str]:
    r"""The lines of a file one at a time, each with its line end; only `\n` ends a line.

    Raises:
        UserError: As `read_text`.
    """
    with open_file(path) as file:
        for number, raw in enumerate(file, start=1):
            yield _decode(_after_mark(raw, path) if number == 1 else raw, path, line=number)


def no_such_file(path: Path) -> UserError:
    """The error for a path that leads nowhere; suggests the nearest name in its folder."""
    try:
        siblings = [entry.name for entry in path.parent.iterdir()]
    except OSError:
        siblings = []
    near = difflib.get_close_matches(path.name, siblings, n=1)
    remedy = f"did you mean {str(path.with_name(near[0]))!r}?" if near else "check the path"
    return UserError("no such file or folder", place=str(path), remedy=remedy)


def unreadable(path: Path, error: OSError) -> UserError:
    """The error for a path that the operating system refuses."""
    return UserError(f"cannot be read: {error.strerror}", place=str(path), remedy="check the path and its permissions")


@contextmanager
def open_file(path: Path) -> Iterator[BufferedReader]:
    """A file opened for reading bytes.

    Raises:
        UserError: There is no such file, or it cannot be read.
    """
    try:
        with path.open("rb") as file:
            yield file
    except FileNotFoundError:
        raise no_such_file(path) from None
    except IsADirectoryError:
        raise UserError("is a folder, not a file", place=str(path), remedy="give the file in it") from None
    except OSError as error:
        raise unreadable(path, error) from None


def _after_mark(raw: bytes, path: Path) -> bytes:
    for magic, kind, remedy in _FOREIGN:
        if raw.startswith(magic):
            raise UserError(f"is {kind}, not UTF-8 text", place=str(path), remedy=remedy)
    return raw.removeprefix(_BYTE_ORDER_MARK)


def _decode(raw: bytes, path: Path, *, line: int) -> str:
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise UserError(
            f"byte 0x{raw[error.start]:02x} is not UTF-8 text",
            place=_place(path, line, raw[: error.start]),
            remedy="save the file as UTF-8",
        ) from None
    if "\0" in text:
        raise UserError(
            "holds a zero byte: this is binary, not text",
            place=_place(path, line, raw[: raw.index(0)]),
            remedy="save the file as UTF-8 text",
        )
    return text


def _place(path: Path, first_line: int, before: bytes) -> str:
    lines = before.count(b"\n")
    return f"{path}, line {first_line + lines}"

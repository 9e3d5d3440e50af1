"""A result after it was written as CSV and read back by pandas: what it says, without its types."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any

from evaluation.conventions.frame import Column, Frame, is_missing

_MISSING = frozenset(
    [
        "",
        "#N/A",
        "#N/A N/A",
        "#NA",
        "-1.#IND",
        "-1.#QNAN",
        "-NaN",
        "-nan",
        "1.#IND",
        "1.#QNAN",
        "<NA>",
        "N/A",
        "NA",
        "NULL",
        "NaN",
        "None",
        "n/a",
        "nan",
        "null",
    ]
)
"""The texts that `read_csv` reads as missing."""
_TRUTH = {"TRUE": True, "FALSE": False}
_BLANK = re.compile(r"[ \t]+")
_WHOLE = re.compile(r"[ \t\r\n\v\f]*[+-]?[0-9]+[ \t\r\n\v\f]*", re.ASCII)
_NUMBER = re.compile(
    r"[ \t\r\n\v\f]*[+-]?(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[+-]?[0-9]+)?|(inf|infinity))[ \t\r\n\v\f]*",
    re.ASCII | re.IGNORECASE,
)


def read_back(frame: Frame) -> list[list[Any]]:
    """The columns' cells as `read_csv(to_csv(frame)).transpose().values` gives them.

    `'007'` is 7, and `'NA'`, `''` and NULL are NaN. A column as a whole is whole numbers, numbers, truth values or
    text, and all columns are floats where whole numbers stand beside floats and nothing else. A line of nothing but
    blanks, which only a single column can make, is not read. (A number of more than 17 digits in text may differ in
    its last place from what pandas reads, whose parser is not exact.)
    """
    columns = list(map(_column, frame.columns))
    if len(columns) == 1 and columns[0].kind == "object":
        return [[cell for cell in columns[0].cells if not isinstance(cell, str) or not _BLANK.fullmatch(cell)]]
    return Frame(tuple(columns), frame.height).values()


def _column(column: Column) -> Column:
    """One column; only those that may hold text change."""
    if column.kind != "object" or not column.cells:
        return column
    texts = ["" if is_missing(cell) else str(cell) for cell in column.cells]
    return Column.of(column.name, _whole(texts) or _numbers(texts) or _truths(texts) or _texts(texts))


def _whole(texts: Sequence[str]) -> list[object] | None:
    """Whole numbers of 64 bits, else unsigned ones; a number that is too long for either leaves the column text.

    How the column goes on is settled by the first cell that is no such number, as the parser of pandas has it.
    """
    for text in texts:
        if text in _MISSING:
            continue
        if not _WHOLE.fullmatch(text):
            return None
        if not -(2**63) <= int(text) < 2**63:
            return _unsigned(texts)
    return None if _MISSING.intersection(texts) else [int(text) for text in texts]


def _unsigned(texts: Sequence[str]) -> list[object] | None:
    for text in texts:
        if text in _MISSING:
            continue
        if not _WHOLE.fullmatch(text):
            return None
        if int(text) >= 2**64:
            return _texts(texts)
    plain = all(text not in _MISSING and "-" not in text for text in texts)
    return [int(text) for text in texts] if plain else _texts(texts)


def _numbers(texts: Sequence[str]) -> list[object] | None:
    numbers: list[object] = []
    for text in texts:
        found = None if text in _MISSING else _NUMBER.fullmatch(text)
        number = math.nan if found is None else float(text)
        if (found is None and text not in _MISSING) or (math.isinf(number) and found is not None and not found[1]):
            return None
        numbers.append(number)
    return numbers


def _truths(texts: Sequence[str]) -> list[object] | None:
    if any(text not in _MISSING and text.upper() not in _TRUTH for text in texts):
        return None
    return [_TRUTH.get(text.upper(), math.nan) for text in texts]


def _texts(texts: Sequence[str]) -> list[object]:
    return [math.nan if text in _MISSING else text for text in texts]

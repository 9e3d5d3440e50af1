"""One cell: its canonical form, so that equal cells are equal (and hash equal) in Python."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Callable, Hashable, Iterable
from decimal import Decimal
from uuid import UUID

Cell = Hashable
"""A canonical cell. NULL is `None`; numbers are `int`, `float` or `Decimal`; text is `str`; blobs are `bytes`;
everything else is a tuple that starts with its kind."""

NAN: Cell = ("nan",)
Number = int | float | Decimal

_ISO = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)"
    r"(?:[ T](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?\s?(Z|[+-]\d\d(?::?\d\d)?)?)?",
    re.ASCII,
)


def canonical(value: object) -> Cell:
    """The canonical form of one cell, text left as text.

    Args:
        value: A Python value as a database driver gives it.

    Returns:
        A hashable value. Booleans are 0 and 1, -0.0 is 0.0, NaN equals itself, a DATE is the TIMESTAMP of its
        midnight, a TIMESTAMP WITH TIME ZONE is an instant and never equals one without, TIME and UUID are their
        canonical text, lists keep their order, structs and maps do not.
    """
    kind = type(value)
    if kind is str or kind is int or value is None or kind is bytes:
        return value
    if kind is float:
        return NAN if value != value else value
    convert = _CONVERSIONS.get(kind)
    if convert is not None:
        return convert(value)
    for known, convert in _CONVERSIONS.items():
        if isinstance(value, known):
            return convert(value)
    return ("other", kind.__name__, str(value))


def temporal(text: object) -> Cell | None:
    """The canonical form of an ISO 8601 date or timestamp in text; `None` when it is not one."""
    if type(text) is not str or not 10 <= len(text) <= 40 or text[4] != "-":
        return None
    match = _ISO.fullmatch(text)
    if match is None:
        return None
    year, month, day, hour, minute, second, fraction, zone = match.groups()
    try:
        moment = dt.datetime(int(year), int(month), int(day), int(hour or 0), int(minute or 0), int(second or 0))
        nanoseconds = int((fraction or "").ljust(9, "0"))
        if zone is None:
            return _timestamp(moment, nanoseconds)
        return _instant(moment - _offset(zone), nanoseconds)
    except (ValueError, OverflowError):
        return None


def is_number(cell: Cell) -> bool:
    """Whether a canonical cell is a number (NaN is not one)."""
    return type(cell) in (int, float, Decimal)


def needs_tolerance(cell: Cell) -> bool:
    """Whether a canonical cell is a float that is finite and not integral."""
    return type(cell) is float and math.isfinite(cell) and not cell.is_integer()


def _timestamp(moment: dt.datetime, nanoseconds: int) -> Cell:
    return ("timestamp", moment, nanoseconds)


def _instant(moment: dt.datetime, nanoseconds: int) -> Cell:
    return ("instant", moment, nanoseconds)


def _offset(zone: str) -> dt.timedelta:
    if zone == "Z":
        return dt.timedelta(0)
    digits = zone[1:].replace(":", "").ljust(4, "0")
    offset = dt.timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return -offset if zone[0] == "-" else offset


def _datetime(value: dt.datetime) -> Cell:
    nanoseconds = value.microsecond * 1000
    whole = value.replace(microsecond=0)
    if value.tzinfo is None:
        return _timestamp(whole, nanoseconds)
    try:
        return _instant(whole.astimezone(dt.UTC).replace(tzinfo=None), nanoseconds)
    except OverflowError:
        return ("other", "datetime", str(value))


def _decimal(value: Decimal) -> Cell:
    return NAN if value.is_nan() else value


def _items(values: Iterable[object]) -> tuple[Cell, ...]:
    return tuple(canonical(value) for value in values)


_CONVERSIONS: dict[type, Callable[..., Cell]] = {
    bool: int,
    Decimal: _decimal,
    dt.datetime: _datetime,  # before date, its base class
    dt.date: lambda value: _timestamp(dt.datetime(value.year, value.month, value.day), 0),
    dt.time: str,
    dt.timedelta: lambda value: ("interval", value),
    UUID: str,
    bytearray: bytes,
    memoryview: bytes,
    list: lambda value: ("list", _items(value)),
    tuple: lambda value: ("list", _items(value)),
    dict: lambda value: ("map", frozenset((canonical(key), canonical(item)) for key, item in value.items())),
    # Subclasses that some drivers give.
    str: lambda value: str.__str__(value),
    int: lambda value: int(value),
    float: lambda value: canonical(float(value)),
    bytes: lambda value: bytes(value),
}

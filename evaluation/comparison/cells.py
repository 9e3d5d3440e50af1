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

_FRACTION = re.compile(r"\.(\d*?)0*(?!\d)", re.ASCII)


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


def is_number(cell: Cell) -> bool:
    """Whether a canonical cell is a number (NaN is not one)."""
    return type(cell) in (int, float, Decimal)


def needs_tolerance(cell: Cell) -> bool:
    """Whether a canonical cell is a float that is finite and not integral."""
    return type(cell) is float and math.isfinite(cell) and not cell.is_integer()


def timestamp(moment: dt.datetime, nanoseconds: int) -> Cell:
    """A canonical date or timestamp without a zone."""
    return ("timestamp", moment, nanoseconds)


def instant(moment: dt.datetime, nanoseconds: int) -> Cell:
    """A canonical timestamp with a zone, the moment in UTC."""
    return ("instant", moment, nanoseconds)


def zoned_time(time: dt.timedelta, nanoseconds: int) -> Cell:
    """A canonical time of day with a zone, the time in UTC; it may be on the day before or after."""
    return ("zoned time", time, nanoseconds)


def time_of_day(text: str) -> Cell:
    """A canonical time without a zone: its text, without the zeros that end a fraction of a second."""
    return _FRACTION.sub(lambda fraction: f".{fraction[1]}" if fraction[1] else "", text)


def _datetime(value: dt.datetime) -> Cell:
    nanoseconds = value.microsecond * 1000
    whole = value.replace(microsecond=0)
    if value.tzinfo is None:
        return timestamp(whole, nanoseconds)
    try:
        return instant(whole.astimezone(dt.UTC).replace(tzinfo=None), nanoseconds)
    except OverflowError:
        return ("other", "datetime", str(value))


def _time(value: dt.time) -> Cell:
    offset = value.utcoffset()
    if offset is None:
        return time_of_day(str(value))
    time = dt.timedelta(hours=value.hour, minutes=value.minute, seconds=value.second)
    return zoned_time(time - offset, value.microsecond * 1000)


def _decimal(value: Decimal) -> Cell:
    return NAN if value.is_nan() else value


def _items(values: Iterable[object]) -> tuple[Cell, ...]:
    return tuple(canonical(value) for value in values)


def _pairs(value: dict[object, object]) -> Iterable[tuple[object, object]]:
    """What a dictionary maps; DuckDB gives a MAP whose keys cannot be hashed as a list of keys and one of values."""
    if value.keys() == {"key", "value"}:
        keys, values = value["key"], value["value"]
        if isinstance(keys, list) and isinstance(values, list) and any(isinstance(key, list | dict) for key in keys):
            return zip(keys, values, strict=False)
    return value.items()


_CONVERSIONS: dict[type, Callable[..., Cell]] = {
    bool: int,
    Decimal: _decimal,
    dt.datetime: _datetime,  # before date, its base class
    dt.date: lambda value: timestamp(dt.datetime(value.year, value.month, value.day), 0),
    dt.time: _time,
    dt.timedelta: lambda value: ("interval", value),
    UUID: str,
    bytearray: bytes,
    memoryview: bytes,
    list: lambda value: ("list", _items(value)),
    tuple: lambda value: ("list", _items(value)),
    dict: lambda value: ("map", frozenset((canonical(key), canonical(item)) for key, item in _pairs(value))),
    # Subclasses that some drivers give.
    str: lambda value: str.__str__(value),
    int: lambda value: int(value),
    float: lambda value: canonical(float(value)),
    bytes: lambda value: bytes(value),
}

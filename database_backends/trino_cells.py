"""Cells of a Trino result: from what its protocol writes in JSON to values of Python that say the same, exactly."""

from __future__ import annotations

import json
import re
from base64 import b64decode
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from database_backends.result import Row

Signature = Mapping[str, Any]
"""A type, as the protocol takes it apart."""
Conversion = Callable[[Any], object]

_NO_VALUE = (ArithmeticError, LookupError, RecursionError, TypeError, ValueError)
"""What a conversion raises for what Python has no value for, or only one that says less."""
_DIGITS = 6
"""Digits of a second that Python keeps; Trino has up to twelve."""
_DAY_TIME = re.compile(r"(-?)(\d+) (\d+):(\d+):(\d+)\.(\d{3})")
_OFFSET = re.compile(r"[+-]\d\d:\d\d")
_WHOLE = ("tinyint", "smallint", "integer", "bigint")


def converted(types: Sequence[Signature], rows: list[Row]) -> list[Row]:
    """Rows with Python's values. A column stays as it is written if it has a cell for which there is none.

    Args:
        types: Of the columns.
        rows: As the protocol has them.
    """
    columns: list[Sequence[object]] = list(zip(*rows, strict=True))
    changed = False
    for index, column in enumerate(columns):
        try:
            convert = _conversion(types[index])
            if convert is None:
                continue
            columns[index] = [None if cell is None else convert(cell) for cell in column]
        except _NO_VALUE:
            continue
        changed = True
    return list(zip(*columns, strict=True)) if changed else rows


def _conversion(type_: Signature) -> Conversion | None:
    """How a cell is converted that is not NULL, if at all."""
    inner = [argument["value"] for argument in type_["arguments"]]
    match type_["rawType"]:
        case "array":
            return _list(_conversion(inner[0]))
        case "map":
            return _map(_key(inner[0]), _conversion(inner[1]))
        case "row":
            names = [(field.get("fieldName") or {}).get("name") for field in inner]
            return _row(names, [_conversion(field["typeSignature"]) for field in inner])
        case name:
            return _PLAIN.get(name)


def _list(convert: Conversion | None) -> Conversion | None:
    if convert is None:
        return None
    return lambda cells: [None if cell is None else convert(cell) for cell in cells]


def _map(key: Conversion, convert: Conversion | None) -> Conversion:
    return lambda cells: {
        key(name): cell if cell is None or convert is None else convert(cell) for name, cell in cells.items()
    }


def _key(type_: Signature) -> Conversion:
    """How the key of a map is converted, which in JSON is text whatever its type is."""
    name = type_["rawType"]
    if name == "boolean":
        return {"true": True, "false": False}.__getitem__
    if name in ("array", "map", "row", "json"):
        raise TypeError(f"a dictionary cannot have a key that is of type {name}")
    return int if name in _WHOLE else _PLAIN.get(name, str)


def _row(names: Sequence[str | None], conversions: Sequence[Conversion | None]) -> Conversion:
    """A dictionary where each field has a name of its own, else a tuple."""
    keys = [name for name in names if name is not None]
    is_named = len(set(keys)) == len(names)

    def convert(cells: Sequence[object]) -> object:
        values = tuple(
            cell if cell is None or conversion is None else conversion(cell)
            for cell, conversion in zip(cells, conversions, strict=True)
        )
        return dict(zip(keys, values, strict=True)) if is_named else values

    return convert


def _exact(text: str) -> str:
    """A time with no more digits than Python keeps, if the others are zero."""
    whole, point, fraction = text.partition(".")
    if fraction[_DIGITS:].strip("0"):
        raise ValueError(f"{text} has more digits than Python keeps")
    return whole + point + fraction[:_DIGITS]


def _time(text: str) -> time:
    return time.fromisoformat(_exact(text))


def _time_with_zone(text: str) -> time:
    return time.fromisoformat(_exact(text[:-6]) + text[-6:])


def _timestamp(text: str) -> datetime:
    return datetime.fromisoformat(_exact(text))


def _timestamp_with_zone(text: str) -> datetime:
    local, _, zone = text.rpartition(" ")
    if _OFFSET.fullmatch(zone):
        return datetime.fromisoformat(_exact(local) + zone).astimezone(UTC)
    if zone == "UTC":
        return _timestamp(local).replace(tzinfo=UTC)
    found = _timestamp(local).replace(tzinfo=ZoneInfo(zone))
    if found.utcoffset() != found.replace(fold=1).utcoffset():
        raise ValueError(f"{text} is said of two points in time")
    return found.astimezone(UTC)


def _days(text: str) -> timedelta:
    found = _DAY_TIME.fullmatch(text)
    if not found:
        raise ValueError(text)
    days, hours, minutes, seconds, milliseconds = map(int, found.groups()[1:])
    length = timedelta(days, seconds, 0, milliseconds, minutes, hours)
    return -length if found[1] else length


def _months(text: str) -> timedelta:
    """Months of 30 days, as other engines have them."""
    years, months = map(int, text.removeprefix("-").split("-"))
    length = timedelta(30 * (12 * years + months))
    return -length if text.startswith("-") else length


_PLAIN: dict[str, Conversion] = {
    "real": float,  # NaN and infinities are text
    "double": float,
    "decimal": Decimal,
    "number": Decimal,
    "varbinary": b64decode,
    "json": json.loads,
    "date": date.fromisoformat,
    "time": _time,
    "time with time zone": _time_with_zone,
    "timestamp": _timestamp,
    "timestamp with time zone": _timestamp_with_zone,
    "interval day to second": _days,
    "interval year to month": _months,
    "uuid": UUID,
}

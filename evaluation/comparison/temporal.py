"""Text that is a date, a timestamp or a time of day, and the columns that consist of it."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Hashable, Iterable, Sequence

from evaluation.comparison.cells import Cell, instant, time_of_day, timestamp, zoned_time

Path = tuple[Hashable, ...]
"""Where in a nested cell something is; the empty one is the cell itself."""

_DATE = r"(\d{4})-(\d\d)-(\d\d)"
_FRACTION = r"(?:\.(\d{1,9}))?"
_ZONE = r"(Z|[+-]\d\d(?::?\d\d)?)"
_MOMENT = re.compile(rf"{_DATE}(?:[ T](\d\d):(\d\d)(?::(\d\d){_FRACTION})?\s?{_ZONE}?)?", re.ASCII)
_TIME = re.compile(rf"([01]\d|2[0-3]):([0-5]\d):([0-5]\d){_FRACTION}{_ZONE}?", re.ASCII)
_NESTED = ("list", "map")


def temporal(text: str) -> Cell | None:
    """The canonical form of an ISO 8601 date, timestamp or time of day in text; `None` when it is none of them."""
    if not 8 <= len(text) <= 40:
        return None
    if text[2] == ":":
        return _time(text)
    match = _MOMENT.fullmatch(text) if text[4] == "-" else None
    if match is None:
        return None
    year, month, day, hour, minute, second, fraction, zone = match.groups()
    try:
        moment = dt.datetime(int(year), int(month), int(day), int(hour or 0), int(minute or 0), int(second or 0))
        nanoseconds = int((fraction or "").ljust(9, "0"))
        if zone is None:
            return timestamp(moment, nanoseconds)
        return instant(moment - _offset(zone), nanoseconds)
    except (ValueError, OverflowError):
        return None


def plain_paths(column: Sequence[Cell]) -> frozenset[Path]:
    """Where a column has text that is not temporal: nothing that stands there is read as a moment.

    Args:
        column: Canonical cells.
    """
    found = set[Path]()
    types = set(map(type, column))
    if str in types and any(type(cell) is str and temporal(cell) is None for cell in set(column)):
        found.add(())
    if tuple in types:
        for cell in column:
            _gather(cell, (), found)
    return frozenset(found)


def with_moments(column: Sequence[Cell], plain: frozenset[Path]) -> Sequence[Cell]:
    """The column with its text read as moments, but for the paths where text is plain."""
    types = set(map(type, column))
    if not (str in types and () not in plain) and tuple not in types:
        return column
    read = {cell: _with_moments(cell, (), plain) for cell in set(column) if type(cell) in (str, tuple)}
    return [read.get(cell, cell) for cell in column] if read else column


def _gather(cell: Cell, path: Path, found: set[Path]) -> None:
    if type(cell) is str:
        if path not in found and temporal(cell) is None:
            found.add(path)
    elif type(cell) is tuple and cell[0] in _NESTED:
        for step, part in _parts(cell):
            _gather(part, (*path, step), found)


def _parts(cell: tuple[Cell, ...]) -> Iterable[tuple[Hashable, Cell]]:
    """What a list or a map consists of, each with the step to it: all items of a list are one place, and all keys."""
    kind, inside = cell
    if kind == "list":
        return [("item", item) for item in inside]  # type: ignore[attr-defined]
    return [pair for key, value in inside for pair in (("key", key), (("value", key), value))]  # type: ignore[attr-defined]


def _with_moments(cell: Cell, path: Path, plain: frozenset[Path]) -> Cell:
    if type(cell) is str:
        moment = None if path in plain else temporal(cell)
        return cell if moment is None else moment
    if type(cell) is not tuple or cell[0] not in _NESTED:
        return cell
    kind, inside = cell
    if kind == "list":
        return (kind, tuple(_with_moments(item, (*path, "item"), plain) for item in inside))
    return (
        kind,
        frozenset(
            (_with_moments(key, (*path, "key"), plain), _with_moments(value, (*path, ("value", key)), plain))
            for key, value in inside
        ),
    )


def _time(text: str) -> Cell | None:
    match = _TIME.fullmatch(text)
    if match is None:
        return None
    hour, minute, second, fraction, zone = match.groups()
    if zone is None:
        return time_of_day(text)
    time = dt.timedelta(hours=int(hour), minutes=int(minute), seconds=int(second))
    return zoned_time(time - _offset(zone), int((fraction or "").ljust(9, "0")))


def _offset(zone: str) -> dt.timedelta:
    if zone == "Z":
        return dt.timedelta(0)
    digits = zone[1:].replace(":", "").ljust(4, "0")
    offset = dt.timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return -offset if zone[0] == "-" else offset

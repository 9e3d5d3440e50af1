"""What psycopg makes cells with."""

from __future__ import annotations

import re
from datetime import timedelta

import psycopg
from psycopg import abc
from psycopg.adapt import AdaptersMap, Loader
from psycopg.pq import Format
from psycopg.types.string import TextLoader

_TEXT_TYPES = (
    *("inet", "cidr"),
    *("int4range", "int8range", "numrange", "daterange", "tsrange", "tstzrange"),
    *("int4multirange", "int8multirange", "nummultirange", "datemultirange", "tsmultirange", "tstzmultirange"),
)
"""Types whose values psycopg has classes of its own for; their text says the same."""
_TIME_TYPES = ("date", "time", "timetz", "timestamp", "timestamptz", "interval")

_INTERVAL = re.compile(
    rb"(?:([+-]?\d+) years?\s?)?(?:([+-]?\d+) mons?\s?)?(?:([+-]?\d+) days?\s?)?"
    rb"(?:([+-]?)(\d+):(\d+):(\d+)(?:\.(\d{1,6}))?)?"
)


class IntervalLoader(Loader):
    """Reads a length of time, a month as 30 days, as PostgreSQL has it where it compares two.

    psycopg's own has years of 365 days, so that 12 months are longer than 360 days, and no time in `infinity`.
    """

    def load(self, data: abc.Buffer) -> timedelta:
        """The length.

        Raises:
            psycopg.DataError: It is infinite, or longer than Python has it.
        """
        found = _INTERVAL.fullmatch(data)
        if found is None or not data:
            raise psycopg.DataError(f"no length of time: {bytes(data)!r}")
        years, months, days = (int(part or 0) for part in found.groups()[:3])
        sign, *clock, fraction = found.groups()[3:]
        hours, minutes, seconds = (int(part or 0) for part in clock)
        try:
            time = timedelta(0, seconds, int((fraction or b"").ljust(6, b"0")), 0, minutes, hours)
            return timedelta(30 * (12 * years + months) + days) + (-time if sign == b"-" else time)
        except OverflowError as error:
            raise psycopg.DataError(f"too long for a timedelta: {bytes(data)!r}") from error


ADAPTERS = AdaptersMap(psycopg.adapters)
"""For every result."""
for _name in _TEXT_TYPES:
    ADAPTERS.register_loader(_name, TextLoader)
ADAPTERS.register_loader("interval", IntervalLoader)


class Adapters:
    """A context of psycopg that is no connection."""

    connection = None

    def __init__(self, adapters: AdaptersMap) -> None:
        self.adapters = adapters


def or_text() -> Adapters:
    """The same, with text for times that Python has no value for, such as `infinity`: slower."""
    adapters = AdaptersMap(ADAPTERS)
    for name in _TIME_TYPES:
        oid = adapters.types[name].oid
        usual = adapters.get_loader(oid, Format.TEXT)
        assert usual is not None  # noqa: S101 - psycopg's own
        adapters.register_loader(oid, _or_text(usual))
    return Adapters(adapters)


def _or_text(usual: type[abc.Loader]) -> type[Loader]:

    class OrText(Loader):
        def __init__(self, oid: int, context: abc.AdaptContext | None = None) -> None:
            super().__init__(oid, context)
            self._usual = usual(oid, context)

        def load(self, data: abc.Buffer) -> object:
            try:
                return self._usual.load(data)
            except psycopg.DataError:
                return bytes(data).decode()

    return OrText

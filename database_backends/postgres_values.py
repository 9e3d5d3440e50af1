"""What psycopg makes cells with."""

from __future__ import annotations

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

ADAPTERS = AdaptersMap(psycopg.adapters)
"""For every result."""
for _name in _TEXT_TYPES:
    ADAPTERS.register_loader(_name, TextLoader)


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

"""Probes of functions whose value changes by itself: the clock and randomness."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator

from sqlglot import exp

from evaluation.audit.base import Finding, Needs, Probe, fired, quiet
from evaluation.audit.subject import Subject

_CLOCK_NODES = tuple(
    getattr(exp, name)
    for name in (
        "CurrentDate", "CurrentDatetime", "CurrentTime", "CurrentTimestamp", "CurrentTimestampLTZ", "Localtime",
        "Localtimestamp", "Systimestamp", "UtcDate", "UtcTime", "UtcTimestamp",
    )
    if hasattr(exp, name)
)  # fmt: skip
_CLOCK_FUNCTIONS = frozenset(
    {
        "clock_timestamp", "curdate", "current_date", "current_localtime", "current_localtimestamp", "current_time",
        "current_timestamp", "curtime", "get_current_time", "get_current_timestamp", "getdate", "localtime",
        "localtimestamp", "now", "statement_timestamp", "sysdate", "systimestamp", "timeofday", "today",
        "transaction_timestamp", "utc_date", "utc_time", "utc_timestamp",
    }
)  # fmt: skip
_NOW_WITHOUT_ARGUMENTS = frozenset({"date", "datetime", "julianday", "time", "unixepoch", "unix_timestamp"})
_RANDOM_NODES = tuple(
    getattr(exp, name) for name in ("Rand", "Randn", "Randstr", "TableSample", "Uuid") if hasattr(exp, name)
)
_RANDOM_FUNCTIONS = frozenset(
    {
        "gen_random_uuid", "newid", "nextval", "rand", "random", "random_normal", "randomblob", "setseed", "uuid",
        "uuidv4", "uuidv7",
    }
)  # fmt: skip


class _Volatile(Probe):
    needs = Needs.TREE

    async def examine(self, subject: Subject) -> Finding:
        """Walk through the tree."""
        assert subject.tree is not None  # noqa: S101 - `needs` says so
        for node in subject.tree.walk():
            if self.is_volatile(node):
                return fired(f"it uses {node.sql(dialect=subject.dialect)[:80]}", subject.sql)
        return quiet("it uses nothing of the kind")

    @abstractmethod
    def is_volatile(self, node: exp.Expr) -> bool:
        """Whether the value of a node changes by itself."""


class Clock(_Volatile):
    """The gold depends on when it is executed."""

    name = "clock"
    description = "the gold depends on the clock"

    def is_volatile(self, node: exp.Expr) -> bool:
        """`CURRENT_DATE`, `now()`, `date('now')` and the like."""
        if isinstance(node, _CLOCK_NODES):
            return True
        if isinstance(node, exp.Literal) and node.is_string:
            return node.name.strip().casefold() == "now" and isinstance(node.parent, exp.Func | exp.Cast)
        if not isinstance(node, exp.Func):
            return False
        name, arguments = _name(node), len(list(_arguments(node)))
        return (
            name in _CLOCK_FUNCTIONS
            or (name in _NOW_WITHOUT_ARGUMENTS and arguments == 0)
            or (name == "age" and arguments == 1)
        )


class Randomness(_Volatile):
    """The gold draws lots."""

    name = "randomness"
    description = "the gold depends on randomness"

    def is_volatile(self, node: exp.Expr) -> bool:
        """`random()`, `uuid()`, `TABLESAMPLE` and the like."""
        return isinstance(node, _RANDOM_NODES) or (isinstance(node, exp.Func) and _name(node) in _RANDOM_FUNCTIONS)


def _name(function: exp.Func) -> str:
    return (function.name if isinstance(function, exp.Anonymous) else function.sql_name()).casefold()


def _arguments(function: exp.Func) -> Iterator[object]:
    for name, value in function.args.items():
        if isinstance(function, exp.Anonymous) and name == "this":
            continue
        yield from value if isinstance(value, list) else [value] if value is not None else []

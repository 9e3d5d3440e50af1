"""Gold and prediction of trivial questions on each server, against what its driver alone does with the same pool.

The driver has two turns: it executes the statement and nothing else, and it does around the statement what our session
does on the server. A server spends more on those commands than on a trivial statement: PostgreSQL 18 µs on a `SELECT 1`
and 45 µs with a transaction, a read-back of the settings and a rollback around it, MySQL 21 µs and 129 µs (CPU time of
the session's thread). That is the price of the walls, and no client can avoid it.
"""

from __future__ import annotations

import os
import statistics
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import ExitStack
from typing import Any
from urllib.parse import unquote, urlsplit

from database_backends.result import Limits, ResultTable
from database_backends.runner import Runner, Statement

QUESTIONS = 1_000
POOL = 4
STATEMENTS = [sql for k in range(QUESTIONS) for sql in (f"SELECT {k}", f"SELECT {k} AS answer")]
"""Gold and prediction, in turns."""
TURN = 100
"""Statements after which the other has its turn: what else the machine does then slows both."""
PATIENCE = 60.0
"""After so many seconds a server is not measured once more."""

Execute = Callable[[str], list[Any]]
"""What a driver's own connection gives for a statement."""
Measured = Callable[[Sequence[str]], float]
"""The seconds that statements take."""


def rows(times: int) -> Iterator[tuple[str, str, str]]:
    """What was measured, the figure, and what it is held against."""
    for name, drivers in DRIVERS.items():
        target = os.environ.get(variable := f"SQLASSAY_TEST_{name.upper()}_DSN")
        if not target:
            yield f"{name}: gold and prediction", "not measured", f"{variable} is not set"
            continue
        with ExitStack() as stack:
            runner = stack.enter_context(Runner(POOL, megabytes=Limits().megabytes))
            pools = [stack.enter_context(ThreadPoolExecutor(POOL)) for _ in drivers]
            sides = [_driver(pool, connect, target) for pool, connect in zip(pools, drivers.values(), strict=True)]
            taken = _in_turns([_ours(runner, name, target), *sides], times)
        ours, *others = (len(STATEMENTS) / statistics.median(seconds) for seconds in zip(*taken, strict=True))
        shares = [statistics.median(other / own for own, other in _pairs(taken, k)) for k in range(1, len(taken[0]))]
        yield f"{name}: gold and prediction of {QUESTIONS:,} trivial questions, {POOL} at once", f"{ours:,.0f} /s", ""
        for what, rate, share in zip(drivers, others, shares, strict=True):
            yield f"{name}: the driver {what}", f"{rate:,.0f} /s", f"ours is {share:.0%} of it; target ≥ 90 %"


def _pairs(taken: Sequence[Sequence[float]], other: int) -> Iterator[tuple[float, float]]:
    """What we took and what another side took, in the same rounds."""
    return ((seconds[0], seconds[other]) for seconds in taken)


def _in_turns(sides: Sequence[Measured], times: int) -> list[list[float]]:
    """The seconds that each took, several times."""
    for measured in sides:  # opens the sessions
        measured(STATEMENTS[: 10 * POOL])
    end = time.monotonic() + PATIENCE
    taken: list[list[float]] = []
    while not taken or (len(taken) < times and time.monotonic() < end):
        seconds = [0.0] * len(sides)
        for start in range(0, len(STATEMENTS), TURN):
            for side, measured in enumerate(sides):
                seconds[side] += measured(STATEMENTS[start : start + TURN])
        taken.append(seconds)
    return taken


def _ours(runner: Runner, name: str, target: str) -> Measured:
    limits = Limits()

    def measured(statements: Sequence[str]) -> float:
        began = time.perf_counter()
        done, _ = wait([runner.submit(Statement(name, target, sql, limits)) for sql in statements])
        taken = time.perf_counter() - began
        assert all(isinstance(future.result(), ResultTable) for future in done), next(iter(done)).result()
        return taken

    return measured


def _driver(executor: ThreadPoolExecutor, connect: Callable[[str], Execute], target: str) -> Measured:
    """A connection per thread, every statement executed and fetched; nothing else."""
    here = threading.local()

    def execute(sql: str) -> list[Any]:
        if not hasattr(here, "execute"):
            here.execute = connect(target)
        fetched: list[Any] = here.execute(sql)
        return fetched

    def measured(statements: Sequence[str]) -> float:
        began = time.perf_counter()
        done, _ = wait([executor.submit(execute, sql) for sql in statements])
        taken = time.perf_counter() - began
        assert all(future.result() for future in done)
        return taken

    return measured


def _postgres(target: str) -> Execute:
    import psycopg

    connection = psycopg.connect(target, autocommit=True)
    return lambda sql: connection.execute(sql.encode()).fetchall()


def _postgres_walled(target: str) -> Execute:
    import psycopg

    connection = psycopg.connect(target, autocommit=True, prepare_threshold=0)
    names = ("TimeZone", "DateStyle", "IntervalStyle", "search_path", "role", "transaction_read_only")
    asked = ", ".join(f"current_setting('{name}')" for name in names)

    def execute(sql: str) -> list[Any]:
        with connection.pipeline():
            connection.execute("BEGIN READ ONLY")
            connection.execute(f"SELECT set_config('statement_timeout', '30000', true), {asked}".encode())
            cursor = connection.execute(sql.encode(), prepare=False)
            connection.execute("ROLLBACK")
        return cursor.fetchall()

    return execute


def _mysql(target: str) -> Execute:
    cursor = _mysql_cursor(target)

    def execute(sql: str) -> list[Any]:
        cursor.execute(sql)
        return list(cursor.fetchall())

    return execute


def _mysql_walled(target: str) -> Execute:
    cursor = _mysql_cursor(target)
    names = ("transaction_read_only", "autocommit", "time_zone", "sql_mode", "max_execution_time")
    asked = ", ".join(f"@@SESSION.{name}" for name in names)

    def execute(sql: str) -> list[Any]:
        cursor.execute("ROLLBACK")
        cursor.execute("SET SESSION transaction_read_only = 1, max_execution_time = 30000")
        cursor.execute(f"SELECT {asked}, DATABASE()")
        cursor.execute("PREPARE statement FROM %s", [sql])
        cursor.execute(sql)
        return list(cursor.fetchall())

    return execute


def _mysql_cursor(target: str) -> Any:
    import pymysql

    parts = urlsplit(target)
    return pymysql.connect(
        host=parts.hostname,
        port=parts.port or 3306,
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        database=parts.path.strip("/"),
        autocommit=True,
    ).cursor()


def _trino(target: str) -> Execute:
    from trino import dbapi

    parts = urlsplit(target)
    catalog, schema = parts.path.strip("/").split("/")
    connection = dbapi.connect(
        host=parts.hostname, port=parts.port, user=parts.username, catalog=catalog, schema=schema
    )
    return lambda sql: connection.cursor().execute(sql).fetchall()


_ALONE, _WALLED = "with the statement alone", "with the same walls around the statement"
DRIVERS: Mapping[str, Mapping[str, Callable[[str], Execute]]] = {
    "postgres": {_ALONE: _postgres, _WALLED: _postgres_walled},
    "mysql": {_ALONE: _mysql, _WALLED: _mysql_walled},
    "trino": {_ALONE: _trino},  # its walls are options of the request
}

"""Gold and prediction of trivial questions on each server, against what its driver alone does with the same pool."""

from __future__ import annotations

import os
import statistics
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
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
    for name, connect in DRIVERS.items():
        target = os.environ.get(variable := f"SQLASSAY_TEST_{name.upper()}_DSN")
        if not target:
            yield f"{name}: gold and prediction", "not measured", f"{variable} is not set"
            continue
        with ThreadPoolExecutor(POOL) as executor, Runner(POOL, megabytes=Limits().megabytes) as runner:
            pairs = _in_turns(_driver(executor, connect, target), _ours(runner, name, target), times)
        alone, with_walls = (len(STATEMENTS) / statistics.median(taken) for taken in zip(*pairs, strict=True))
        ratio = statistics.median(one / other for one, other in pairs)
        title = f"{name}: gold and prediction of {QUESTIONS:,} trivial questions, {POOL} at once"
        yield title, f"{with_walls:,.0f} /s", f"{ratio:.0%} of the driver's own {alone:,.0f} /s; target ≥ 90 %"


def _in_turns(one: Measured, other: Measured, times: int) -> list[tuple[float, float]]:
    for measured in (one, other):  # opens the sessions
        measured(STATEMENTS[: 10 * POOL])
    end = time.monotonic() + PATIENCE
    pairs: list[tuple[float, float]] = []
    while not pairs or (len(pairs) < times and time.monotonic() < end):
        seconds = [0.0, 0.0]
        for start in range(0, len(STATEMENTS), TURN):
            for side, measured in enumerate((one, other)):
                seconds[side] += measured(STATEMENTS[start : start + TURN])
        pairs.append((seconds[0], seconds[1]))
    return pairs


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


def _mysql(target: str) -> Execute:
    import pymysql

    parts = urlsplit(target)
    cursor = pymysql.connect(
        host=parts.hostname,
        port=parts.port or 3306,
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        database=parts.path.strip("/"),
        autocommit=True,
    ).cursor()

    def execute(sql: str) -> list[Any]:
        cursor.execute(sql)
        return list(cursor.fetchall())

    return execute


def _trino(target: str) -> Execute:
    from trino import dbapi

    parts = urlsplit(target)
    catalog, schema = parts.path.strip("/").split("/")
    connection = dbapi.connect(
        host=parts.hostname, port=parts.port, user=parts.username, catalog=catalog, schema=schema
    )
    return lambda sql: connection.cursor().execute(sql).fetchall()


DRIVERS: Mapping[str, Callable[[str], Execute]] = {"postgres": _postgres, "mysql": _mysql, "trino": _trino}

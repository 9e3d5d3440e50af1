"""Keeping a pool busy, and what is told of it."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from database_backends.errors import FailureKind
from database_backends.result import Limits
from database_backends.runner import Runner, Statement
from database_backends.throughput import Latency, Throughput, measure, plan

LIMITS = Limits(seconds=5)


@pytest.fixture(scope="module")
def runner() -> Iterator[Runner]:
    with Runner(2, megabytes=LIMITS.megabytes) as runner:
        yield runner


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "a.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE t (a)")
    return str(path)


def test_every_statement_that_has_begun_is_counted(runner: Runner, file: str) -> None:
    texts = ("SELECT 1", "SELECT a FROM t", "SELECT b FROM t")
    began = time.monotonic()
    found = measure(runner, [Statement("sqlite", file, sql, LIMITS) for sql in texts], 0.3)
    assert time.monotonic() - began < 15
    assert found.pool == 2
    assert found.seconds >= 0.3
    assert found.rate == pytest.approx(len(found.latencies) / found.seconds)
    counts = [sum(one.statement == place for one in found.latencies) for place in range(3)]
    assert max(counts) - min(counts) <= 2
    assert set(found.failures) == {FailureKind.UNKNOWN_COLUMN}
    assert found.failures.total() == counts[2]
    assert all(0 < one.seconds <= found.seconds for one in found.latencies)


def test_the_first_statements_are_measured_however_short_the_time(runner: Runner, file: str) -> None:
    assert len(measure(runner, [Statement("sqlite", file, "SELECT 1", LIMITS)], 0.0).latencies) == 2


def test_a_percentile_is_a_latency_that_was_there() -> None:
    found = Throughput(1, 1.0, tuple(Latency(0, float(seconds)) for seconds in (4, 1, 3, 2)))
    assert [found.percentile(percent) for percent in (0, 25, 50, 51, 99, 100)] == [1, 1, 2, 3, 4, 4]


def test_the_slowest_are_those_with_the_largest_median() -> None:
    seconds = {0: (1, 1, 90), 1: (2, 2, 2), 2: (3, 0, 3)}
    found = Throughput(1, 1.0, tuple(Latency(place, float(one)) for place, all_ in seconds.items() for one in all_))
    assert found.slowest(2) == [(2, 3.0), (1, 2.0)]
    assert len(found.slowest(9)) == 3


def test_a_plan_or_why_there_is_none(file: str) -> None:
    assert plan(Statement("sqlite", file, "SELECT a FROM t; -- x", LIMITS)) == "SCAN t"
    assert plan(Statement("sqlite", file, "DROP TABLE t", LIMITS)).startswith("no plan: ")
    assert plan(Statement("sqlite", file + "x", "SELECT 1", LIMITS)).startswith("no plan: the database ")

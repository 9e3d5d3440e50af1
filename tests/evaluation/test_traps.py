"""The traps that no other comparator gets right: all of them on SQLite, and on DuckDB where their SQL is DuckDB's."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from database_backends.runner import Runner
from evaluation.cases import read_traps, settle_trap
from evaluation.strategies.making import make_strategy
from evaluation.verdicts import Status
from sqlassay.errors import UserError

pytestmark = pytest.mark.data


@pytest.fixture(scope="module")
def runner() -> Iterator[Runner]:
    with Runner(1, megabytes=1024) as runner:
        yield runner


@pytest.mark.parametrize(("engine", "usable"), [("sqlite", 46), ("duckdb", 35)])
def test_every_trap(engine: str, usable: int, data: Path, runner: Runner) -> None:
    strategy = make_strategy("execution_match")
    judged = {}
    for trap in read_traps(data / "comparison" / "cases.json"):
        try:
            settled = asyncio.run(settle_trap(runner, replace(trap, engine=engine), [strategy]))
        except UserError:  # columns without a type: only SQLite has them
            continue
        judged[trap.id] = (settled.verdicts[strategy.label].status, trap.expected)
    assert {name: pair for name, pair in judged.items() if pair[0] is not pair[1]} == {}
    assert len(judged) == usable
    assert Status.CORRECT in {found for found, _ in judged.values()}

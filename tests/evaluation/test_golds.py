"""Gold results: each gold runs once per content of its database, and a cache that was tampered with runs no code."""

from __future__ import annotations

import asyncio
import os
import pickle
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import fields, replace
from pathlib import Path

import pytest

from database_backends.errors import FailureKind
from database_backends.result import ExecutionFailure, Limits, Outcome, ResultTable
from database_backends.runner import Runner, Statement
from evaluation import golds as golds_module
from evaluation.databases import Databases
from evaluation.datasets.opening import open_dataset
from evaluation.golds import Gold, GoldStore
from evaluation.store import Store
from tests.evaluation.world import GOLD, World

LIMITS = Limits(seconds=20)


class CountingRunner(Runner):
    """A runner that remembers what it ran."""

    def __init__(self) -> None:
        super().__init__(1, megabytes=512)
        self.ran: list[str] = []

    async def run(self, statement: Statement) -> Outcome:
        self.ran.append(statement.sql)
        return await super().run(statement)


@pytest.fixture(scope="module")
def counting() -> Iterator[CountingRunner]:
    with CountingRunner() as runner:
        yield runner


@pytest.fixture
def runner(counting: CountingRunner) -> CountingRunner:
    counting.ran.clear()
    return counting


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(Store(tmp_path / "store.sqlite")) as store:
        yield store


def golds(
    world: World, runner: Runner, store: Store | None, limits: Limits = LIMITS, backend: str = "sqlite"
) -> GoldStore:
    """A new store of golds, as a new run has it."""
    world.questions(1)
    databases = Databases(open_dataset(f"jsonl:{world.folder / 'questions.jsonl'}"), backend)
    return GoldStore(runner, databases, limits, store)


def ask(known: GoldStore, world: World, *statements: str) -> list[Gold]:
    """Ask for golds, all at once."""

    async def main() -> list[Gold]:
        return await asyncio.gather(*(known.run(sql, str(world.database)) for sql in statements))

    return asyncio.run(main())


def rows(gold: Gold) -> list[tuple[object, ...]]:
    assert isinstance(gold.outcome, ResultTable)
    return gold.outcome.rows


@pytest.mark.parametrize("durable", [True, False])
def test_a_gold_runs_once_however_many_ask(durable: bool, world: World, runner: CountingRunner, store: Store) -> None:
    known = golds(world, runner, store if durable else None)
    together = ask(known, world, *[GOLD] * 20, "SELECT name FROM singer WHERE id = 1")
    later = ask(known, world, GOLD)
    assert sorted(runner.ran) == [GOLD, "SELECT name FROM singer WHERE id = 1"]
    assert [rows(gold) for gold in together] == [[(3,)]] * 20 + [[("Ann",)]]
    assert [gold.cached for gold in (*together, *later)] == [False] * 21 + [True]


def test_the_next_run_knows_it(world: World, runner: CountingRunner, store: Store) -> None:
    ask(golds(world, runner, store), world, GOLD)
    (again,) = ask(golds(world, runner, store), world, GOLD)
    assert (rows(again), again.cached, runner.ran) == ([(3,)], True, [GOLD])


def test_every_type_of_cell_survives_the_store(world: World, runner: CountingRunner, store: Store) -> None:
    sql = "SELECT 1, 1.5, 'é', x'00ff', NULL, 9223372036854775807, 1e999"
    (first,) = ask(golds(world, runner, store), world, sql)
    (again,) = ask(golds(world, runner, store), world, sql)
    assert rows(again) == rows(first) == [(1, 1.5, "é", b"\x00\xff", None, 2**63 - 1, float("inf"))]
    assert again.cached


def test_a_database_that_changed_is_asked_again(world: World, runner: CountingRunner, store: Store) -> None:
    ask(golds(world, runner, store), world, GOLD)
    with closing(sqlite3.connect(world.database)) as connection:
        connection.execute("INSERT INTO singer VALUES (4, 'Dee', 20)")
        connection.commit()
    (again,) = ask(golds(world, runner, store), world, GOLD)
    assert (rows(again), again.cached) == ([(4,)], False)


@pytest.mark.parametrize(
    "changed", [("FORMAT", golds_module.FORMAT + 1), ("version", lambda package: "99")], ids=["format", "version"]
)
def test_results_of_other_code_are_made_again(
    changed: tuple[str, object], world: World, runner: CountingRunner, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask(golds(world, runner, store), world, GOLD)
    monkeypatch.setattr(golds_module, *changed)
    (again,) = ask(golds(world, runner, store), world, GOLD)
    assert not again.cached


def test_a_result_of_another_form_is_another_format() -> None:
    """Whoever changes what a result holds reads here that `FORMAT` changes with it."""
    held = {field.name: field.type for field in fields(ResultTable)}
    assert (golds_module.FORMAT, held) == (
        2,
        {
            "columns": "tuple[str, ...]",
            "types": "tuple[str, ...]",
            "rows": "list[Row]",
            "truncated": "bool",
            "seconds": "float",
        },
    )


def test_a_copy_of_the_database_is_the_same_database(world: World, runner: CountingRunner, store: Store) -> None:
    ask(golds(world, runner, store), world, GOLD)
    content = world.database.read_bytes()
    world.database.unlink()
    world.database.write_bytes(content)
    (again,) = ask(golds(world, runner, store), world, GOLD)
    assert again.cached


def test_another_row_limit_is_another_result(world: World, runner: CountingRunner, store: Store) -> None:
    sql = "SELECT id FROM singer ORDER BY id"
    (cut,) = ask(golds(world, runner, store, replace(LIMITS, rows=2)), world, sql)
    (whole,) = ask(golds(world, runner, store), world, sql)
    assert isinstance(cut.outcome, ResultTable)
    assert cut.outcome.truncated
    assert (rows(cut), rows(whole), whole.cached) == ([(1,), (2,)], [(1,), (2,), (3,)], False)


def test_more_patience_does_not_make_another_result(world: World, runner: CountingRunner, store: Store) -> None:
    ask(golds(world, runner, store), world, GOLD)
    (again,) = ask(golds(world, runner, store, replace(LIMITS, seconds=99, megabytes=99)), world, GOLD)
    assert again.cached


def test_a_failure_is_not_kept(world: World, runner: CountingRunner, store: Store) -> None:
    known = golds(world, runner, store)
    for _ in range(2):
        (gold,) = ask(known, world, "SELECT oops FROM singer")
        assert isinstance(gold.outcome, ExecutionFailure)
        assert (gold.outcome.kind, gold.cached) == (FailureKind.UNKNOWN_COLUMN, False)
    assert len(runner.ran) == 2


def test_a_database_that_cannot_be_read_is_a_failure(world: World, runner: CountingRunner) -> None:
    known = golds(world, runner, None)
    world.database.unlink()
    (gold,) = ask(known, world, GOLD)
    assert isinstance(gold.outcome, ExecutionFailure)
    assert gold.outcome.kind is FailureKind.DATABASE_MISSING
    assert runner.ran == []


def test_one_who_gives_up_does_not_take_the_gold_from_the_others(world: World, runner: CountingRunner) -> None:
    known = golds(world, runner, None)

    async def main() -> Gold:
        hasty = asyncio.create_task(known.run(GOLD, str(world.database)))
        patient = asyncio.create_task(known.run(GOLD, str(world.database)))
        await asyncio.sleep(0)
        hasty.cancel()
        await asyncio.wait([hasty])
        assert hasty.cancelled()
        return await patient

    assert rows(asyncio.run(main())) == [(3,)]
    assert runner.ran == [GOLD]


class Trap:
    """Unpickling it makes a folder."""

    def __init__(self, folder: str) -> None:
        self.folder = folder

    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, (self.folder,)


def tampered(tmp_path: Path) -> dict[str, bytes]:
    folder = str(tmp_path / "owned")
    return {
        "code at the top": pickle.dumps(Trap(folder)),
        "code in a cell": pickle.dumps(ResultTable(("a",), ("",), [(Trap(folder),)])),
        "another value": pickle.dumps([1, 2]),
        "torn": pickle.dumps(ResultTable(("a",), ("",), [(1,)]))[:-5],
        "nothing": b"",
        "noise": bytes(range(256)),
    }


@pytest.mark.parametrize("how", ["code at the top", "code in a cell", "another value", "torn", "nothing", "noise"])
def test_a_tampered_entry_runs_no_code_and_is_made_again(
    how: str, world: World, runner: CountingRunner, store: Store, tmp_path: Path
) -> None:
    entry = tampered(tmp_path)[how]
    ask(golds(world, runner, store), world, GOLD)
    with closing(sqlite3.connect(store.path)) as connection:
        assert connection.execute("UPDATE entry SET value = ?", (entry,)).rowcount == 1
        connection.commit()
    (again,) = ask(golds(world, runner, store), world, GOLD)
    assert (rows(again), again.cached, len(runner.ran)) == ([(3,)], False, 2)
    assert not (tmp_path / "owned").exists()
    (third,) = ask(golds(world, runner, store), world, GOLD)
    assert third.cached


def test_the_trap_would_snap(tmp_path: Path) -> None:
    pickle.loads(tampered(tmp_path)["code in a cell"])
    assert (tmp_path / "owned").is_dir()


def test_memory_holds_the_latest_results_only(
    world: World, runner: CountingRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("evaluation.golds.KEPT_IN_MEMORY", 9)  # two results of three cells, with 1 for each result
    known = golds(world, runner, None)
    names = [f"SELECT id + {n} FROM singer" for n in range(3)]
    for sql in names:
        ask(known, world, sql)
    assert [ask(known, world, sql)[0].cached for sql in reversed(names)] == [True, True, False]


def test_a_huge_result_is_not_kept_on_disk(
    world: World, runner: CountingRunner, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("evaluation.golds.KEPT_ON_DISK", 1000)
    sql = "SELECT hex(zeroblob(2000))"
    ask(golds(world, runner, store), world, sql)
    (again,) = ask(golds(world, runner, store), world, sql)
    assert not again.cached

"""`sqlassay backends bench`: a table, JSON, and mistakes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.evaluation.world import GOLD, World
from tests.servers.worlds import SERVERS, world_of

Capture = pytest.CaptureFixture[str]
SHORT = ("--seconds", "0.05", "--pool", "1,2")


@pytest.fixture
def world(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.chdir(world.folder)
    return world


def report(world: World, capsys: Capture, *arguments: str) -> list[dict[str, Any]]:
    assert world.run("backends", "bench", *arguments, *SHORT, "--json") == 0
    found: list[dict[str, Any]] = json.loads(capsys.readouterr().out)
    return found


def test_the_table_says_what_was_measured(world: World, capsys: Capture) -> None:
    assert world.run("backends", "bench", f"sqlite:{world.database}", *SHORT) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith(f"sqlite:{world.database}: 1 statement, 0.05 s for each size of the pool")
    assert "timed here" in lines[1]
    assert lines[2].split("  ")[0] == "at once"
    assert [line.split()[0] for line in lines[3:5]] == ["1", "2"]
    assert any("SCAN CONSTANT ROW" in line for line in lines)


def test_json(world: World, capsys: Capture) -> None:
    (found,) = report(world, capsys, f"sqlite:{world.database}")
    assert (found["statements"], found["left_out"]) == (1, {})
    for pool, size in zip(found["pools"], (1, 2), strict=True):
        assert pool["pool"] == size
        assert 0 < pool["p50"] <= pool["p90"] <= pool["p99"] <= pool["max"]
        assert pool["per_second"] > 0
        assert (pool["failed"], pool["statements"] >= size) == (0, True)
    assert found["slowest"][0]["sql"] == "SELECT 1"


def test_queries_of_a_file_and_those_that_fail(world: World, capsys: Capture) -> None:
    (world.folder / "queries.sql").write_text(f"{GOLD}\n\nSELECT nowhere FROM singer\nDROP TABLE singer\n")
    (found,) = report(world, capsys, f"sqlite:{world.database}", "--queries", "queries.sql")
    assert found["statements"] == 1
    assert found["left_out"] == {"unknown_column": 1, "write_attempt": 1}
    assert found["slowest"][0]["plan"].startswith("SCAN singer")


def test_golds_of_a_dataset(world: World, capsys: Capture) -> None:
    world.questions([{"id": "a"}, {"id": "b", "db_id": "missing"}, {"id": "c", "gold": "SELECT name FROM singer"}])
    (found,) = report(world, capsys, "sqlite", "--dataset", "jsonl:questions.jsonl", "--slowest", "9")
    assert found["database"] == "sqlite"
    assert found["statements"] == 2
    assert {one["sql"] for one in found["slowest"]} == {GOLD, "SELECT name FROM singer"}
    (found,) = report(world, capsys, "sqlite", "--dataset", "jsonl:questions.jsonl", "--limit", "1")
    assert found["statements"] == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--pool", "1,x"], "--pool '1,x' is not a list of sizes"),
        (["--pool", "0"], "--pool '0' is not a list of sizes"),
        (["--queries", "none.sql"], "no such file"),
        (["--queries", "empty.sql"], "holds no queries"),
        (["--queries", "bad.sql"], "no query runs"),
        (["--queries", "bad.sql", "--dataset", "jsonl:questions.jsonl"], "both say what is asked"),
    ],
)
def test_mistakes_are_one_line(arguments: list[str], words: str, world: World, capsys: Capture) -> None:
    (world.folder / "empty.sql").write_text("\n")
    (world.folder / "bad.sql").write_text("SELECT nowhere FROM singer\n")
    world.questions(1)
    assert world.run("backends", "bench", f"sqlite:{world.database}", *arguments) == 2
    err = capsys.readouterr().err
    assert words in err
    assert err.count("\n") == 1


def test_a_dataset_without_databases(world: World, capsys: Capture) -> None:
    world.questions([{"id": "a", "db_id": "missing"}])
    assert world.run("backends", "bench", "sqlite", "--dataset", "jsonl:questions.jsonl") == 2
    assert "there is nothing to ask" in capsys.readouterr().err


@pytest.mark.parametrize("engine", SERVERS)
def test_a_server(engine: str, request: pytest.FixtureRequest, world: World, capsys: Capture) -> None:
    server = world_of(engine, request)
    try:
        target = server.make(["CREATE TABLE singer (id INTEGER PRIMARY KEY)"])
        (world.folder / "queries.sql").write_text(f"{GOLD}\n")
        (found,) = report(world, capsys, f"{engine}:{target}", "--queries", "queries.sql")
    finally:
        server.close()
    assert found["pools"][0]["failed"] == 0
    assert "singer" in found["slowest"][0]["plan"]
    password = target.partition("://")[2].partition("@")[0].partition(":")[2]
    assert not password or password not in json.dumps(found)

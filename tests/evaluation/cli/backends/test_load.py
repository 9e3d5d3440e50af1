"""`sqlassay backends load`: what is copied, which golds count, and mistakes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.evaluation.world import GOLD, World
from tests.servers.readers import READER
from tests.servers.world import ServerWorld
from tests.servers.worlds import world_of

Capture = pytest.CaptureFixture[str]
QUESTIONS = [
    {"id": "plain", "gold": GOLD},
    {"id": "vacuous", "gold": "SELECT name FROM singer WHERE age > 99"},
    {"id": "repaired", "gold": "SELECT id FROM singer WHERE name LIKE 'ann'"},
    {"id": "excluded", "gold": "SELECT no_such_function(id) FROM singer"},
    {"id": "elsewhere", "db_id": "missing"},
]
COUNTS = {"verified": 2, "repaired": 1, "excluded": 1}
LOADED = [pytest.param(name, marks=pytest.mark.server(name)) for name in ("postgres", "mysql")]


@dataclass(frozen=True)
class Place:
    """Where a dataset goes: a server, and the targets of its owner and its reader."""

    server: ServerWorld
    to: str
    reader: str


@pytest.fixture
def world(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.chdir(world.folder)
    world.questions(QUESTIONS)
    return world


@pytest.fixture
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    server = world_of(request.param, request)
    name = server.new_name()
    server.made += [f"{name}_show"]
    yield Place(server, *(server.target(user, f"{name}_{{db_id}}") for user in (server.owner, server.reader)))
    server.close()


def load(world: World, *arguments: str) -> int:
    return world.run("backends", "load", "jsonl:questions.jsonl", *arguments)


def told(world: World, capsys: Capture, *arguments: str) -> dict[str, Any]:
    assert load(world, *arguments, "--json") == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


@pytest.mark.parametrize("place", LOADED, indirect=True)
class TestServer:
    def test_databases_are_copied_and_golds_that_count_are_counted(
        self, place: Place, world: World, capsys: Capture
    ) -> None:
        found = told(world, capsys, "--to", place.to, "--as", place.reader, "--grant", READER)
        assert [(one["db_id"], one["state"], one["rows"]) for one in found["databases"]] == [
            ("show", "loaded", 3),
            ("missing", "missing", 0),
        ]
        assert (found["golds"], found["vacuous"]) == (COUNTS, {"verified": 1, "repaired": 0})
        (excluded,) = found["excluded"]
        assert (excluded["id"], excluded["db_id"]) == ("excluded", "show")
        assert "no_such_function" in excluded["reason"].lower()
        assert "loader" not in json.dumps(found)

    def test_the_table_counts_vacuous_matches_apart(self, place: Place, world: World, capsys: Capture) -> None:
        assert load(world, "--to", place.to, "--limit", "2", "--verbose") == 0
        out = capsys.readouterr().out
        assert re.search(r"^show +loaded +1 +3 ", out, re.MULTILINE)
        assert re.search(r"^golds +number +of these vacuous$", re.sub(" +$", "", out, flags=re.MULTILINE), re.MULTILINE)
        for line in ("verified +2 +1", "repaired +0 +0", "excluded +0", "all +2 +1"):
            assert re.search(f"^{line} *$", out, re.MULTILINE), (line, out)

    def test_a_verified_dataset_is_run_there(self, place: Place, world: World, capsys: Capture) -> None:
        """What is written is a dataset for the engine; other engines are told what it has golds for."""
        told(world, capsys, "--to", place.to, "--grant", READER, "--golds", "there.jsonl")
        lines = [json.loads(line) for line in (world.folder / "there.jsonl").read_text().splitlines()]
        assert [line["id"] for line in lines] == [question["id"] for question in QUESTIONS]
        assert [line["id"] for line in lines if "gold" in line] == ["plain", "vacuous", "repaired"]
        (world.folder / "predictions.jsonl").write_text(
            "".join(json.dumps({"id": question["id"], "sql": GOLD}) + "\n" for question in QUESTIONS)
        )
        score = ("score", "predictions.jsonl", "--dataset", "jsonl:there.jsonl", "--quiet")
        assert world.run(*score, "--backend", place.reader, "--json") == 0
        (counts,) = json.loads(capsys.readouterr().out)["strategies"]
        assert (counts["correct"], counts["scored"]) == (1, 3)
        assert world.run(*score) == 1
        assert f"4 unscored: gold missing (there are golds for {place.server.engine})" in capsys.readouterr().out

    def test_what_is_there_is_not_copied_again(self, place: Place, world: World, capsys: Capture) -> None:
        states = [
            told(world, capsys, "--to", place.to, "--no-verify", *more)["databases"][0]["state"]
            for more in ([], [], ["--again"])
        ]
        assert states == ["loaded", "unchanged", "loaded"]

    def test_a_wrong_password_fails_each_database(self, place: Place, world: World, capsys: Capture) -> None:
        to = place.to.replace("loader@", "wrong@")
        assert load(world, "--to", to, "--json", "--filter", "db_id=show") == 1
        (one,) = json.loads(capsys.readouterr().out)["databases"]
        assert one["state"] == "failed"
        assert re.search("authentication failed|Access denied", one["message"])


@pytest.mark.server("trino", "postgres")
def test_golds_are_verified_through_trino(request: pytest.FixtureRequest, world: World, capsys: Capture) -> None:
    trino, server = world_of("trino", request), world_of("postgres", request)
    name = server.reserve()
    try:
        to, reader = server.target(server.owner, name), trino.target(trino.reader, name)
        found = told(world, capsys, "--to", to, "--as", reader, "--grant", READER, "--filter", "db_id=show")
    finally:
        server.close()
    assert (found["golds"], found["vacuous"]) == (COUNTS, {"verified": 1, "repaired": 0})


def test_golds_that_were_not_verified_are_not_written(world: World, capsys: Capture) -> None:
    assert load(world, "--to", "postgres://host/{db_id}", "--no-verify", "--golds", "there.jsonl") == 2
    assert "--golds writes what has been verified" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("to", "words"),
    [
        ("sqlite:{db_id}.sqlite", "backend 'sqlite' cannot be loaded (load into postgres or mysql; "),
        ("duckdb:{db_id}.duckdb", "backend 'duckdb' cannot be loaded (load into postgres or mysql; "),
        ("trino://host/a/{db_id}", "backend 'trino' cannot be loaded (load into postgres or mysql; Trino reads either"),
        ("postgres", "--to 'postgres' is not ENGINE:TARGET (such as "),
        ("postgers://host/a", "unknown backend 'postgers' (did you mean 'postgres'?)"),
        ("postgresql://host/a", "2 databases would go to one place (write {db_id} where their names differ)"),
    ],
)
def test_mistakes_are_one_line(to: str, words: str, world: World, capsys: Capture) -> None:
    assert load(world, "--to", to) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert words in err

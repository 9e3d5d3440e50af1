"""`sqlassay backends check`: what the screen says, what programs read, and the exit code."""

from __future__ import annotations

import json
import re
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest

from database_backends.base import BACKENDS
from tests.evaluation.world import World
from tests.servers.worlds import SERVERS, world_of

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def world(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.chdir(world.folder)
    world.questions(2)
    return world


@pytest.fixture
def copy(world: World) -> Path:
    path = world.folder / "copy.sqlite"
    path.write_bytes(world.database.read_bytes())
    return path


def change(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()


def test_one_database_shows_every_check(world: World, capsys: Capture) -> None:
    assert world.run("backends", "check", f"sqlite:{world.database}") == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert lines[0] == [f"sqlite:{world.database}"]
    assert [line[:2] for line in lines[2:6]] == [["ok", "opens"], ["ok", "reads"], ["ok", "refuses"], ["ok", "rows"]]
    assert lines[-1] == ["all", "right,", "0", "warnings"]


def test_differences_show_what_would_mend_them(world: World, copy: Path, capsys: Capture) -> None:
    change(copy, "ALTER TABLE singer DROP COLUMN age", "CREATE TABLE more (a)", "DELETE FROM singer WHERE id = 1")
    expected = f"sqlite:{world.database}"
    assert world.run("backends", "check", f"sqlite:{copy}", "--expect", expected, "--verbose") == 1
    shown = capsys.readouterr().out
    for words in (
        "column singer.age is missing",
        "table more is not expected",
        "singer has 2, and 3 are expected",
        'ALTER TABLE "singer" ADD COLUMN "age" INTEGER;',
        '-- DROP TABLE "more";',
        "nothing was executed",
        "not all right: 2 checks failed, 1 warning",
    ):
        assert words in shown, words


def test_json_has_checks_differences_and_migration(world: World, copy: Path, capsys: Capture) -> None:
    change(copy, "CREATE TABLE more (a)")
    assert world.run("backends", "check", f"sqlite:{copy}", "--expect", f"sqlite:{world.database}", "--json") == 0
    (found,) = json.loads(capsys.readouterr().out)
    assert (found["database"], found["ok"]) == (f"sqlite:{copy}", True)
    schema = next(check for check in found["checks"] if check["name"] == "schema")
    assert (schema["ok"], schema["warning"]) == (True, True)
    assert found["differences"] == [{"what": "table more is not expected", "matters": False}]
    assert found["migration"] == ['-- DROP TABLE "more";']


def test_a_dataset_is_checked_database_by_database(world: World, capsys: Capture) -> None:
    world.questions([{"id": "a"}, {"id": "b", "db_id": "other"}, {"id": "c"}])
    assert world.run("backends", "check", "sqlite", "--dataset", "jsonl:questions.jsonl") == 1
    out, err = capsys.readouterr()
    assert "failed  opens  there is no such file" in out
    assert "sqlite:other" in out
    assert "2 databases: 1 all right, 0 with warnings, 1 failed" in out
    assert "--verbose" in err


def test_what_several_have_in_common_is_said_once(world: World, capsys: Capture) -> None:
    for name in ("one", "two"):
        change(world.folder / f"{name}.sqlite", "CREATE TABLE t (a)")
    world.questions([{"id": "a", "db_id": "one"}, {"id": "b", "db_id": "two"}])
    target = f"sqlite:{world.folder}/{{db_id}}.sqlite"
    assert world.run("backends", "check", target, "--dataset", "jsonl:questions.jsonl") == 0
    out = capsys.readouterr().out
    assert out.count("is this the right database?") == 1
    assert "2 databases: 0 all right, 2 with warnings, 0 failed" in out


def test_an_experiment_names_its_databases(world: World, capsys: Capture) -> None:
    world.answers({})
    backends = ["sqlite", {"backend": "sqlite", "target": str(world.database)}, {"backend": "duckdb", "target": "no"}]
    path = world.experiment(backends=backends)
    assert world.run("backends", "check", path, "--json") == 1
    found = json.loads(capsys.readouterr().out)
    assert [(one["database"], one["ok"]) for one in found] == [
        (f"sqlite:{world.database}", True),
        ("duckdb:no", False),
    ]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nope.sqlite"], "'nope.sqlite' is not ENGINE:TARGET (such as sqlite:shop.sqlite)"),
        (["sqlite"], "'sqlite' names no database"),
        (["sqlite:{db_id}.sqlite"], "{db_id} stands for the databases of a dataset, and there is none"),
        (["sqlte:a"], "unknown backend 'sqlte' (did you mean 'sqlite'?)"),
        (["none.yaml"], "no such experiment file"),
        (["postgres", "--dataset", "jsonl:questions.jsonl"], "is a server and needs a target"),
        (["sqlite:copy.sqlite", "--expect", "sqlite:none.sqlite"], "--expect: the database none.sqlite does not exist"),
        (["sqlite:a", "sqlite:b", "--expect-fingerprint", "x"], "--expect-fingerprint is of one database"),
    ],
)
def test_mistakes_are_one_line(arguments: list[str], words: str, world: World, copy: Path, capsys: Capture) -> None:
    assert world.run("backends", "check", *arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert words in err
    assert err.count("\n") == 1


@pytest.mark.parametrize("engine", ["postgres", "mysql", "trino"])
def test_a_driver_that_is_not_installed_is_named(
    engine: str, world: World, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    for package in ("psycopg", "pymysql", "trino", "requests", "urllib3"):
        monkeypatch.setitem(sys.modules, package, None)
    for module in [name for name in sys.modules if name.startswith("database_backends.") and engine in name]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setattr(BACKENDS, "_loaded", {})
    assert world.run("backends", "check", f"{engine}://user@localhost/shop") == 2
    extra = f"backend {engine!r} needs the extra {engine!r}, which is not installed (pip install 'sqlassay[{engine}]')"
    assert capsys.readouterr().err == f"error: {extra}\n"


@pytest.mark.parametrize("engine", SERVERS)
def test_a_server(engine: str, request: pytest.FixtureRequest, world: World, capsys: Capture) -> None:
    server = world_of(engine, request)
    try:
        target = server.make(["CREATE TABLE singer (id INTEGER PRIMARY KEY, name VARCHAR(9), age INTEGER)"])
        spec = target  # its own scheme names the engine: postgresql://
        assert world.run("backends", "check", spec, "--expect", f"sqlite:{world.database}") == 1
        out = capsys.readouterr().out
        assert "singer has 0, and 3 are expected" in out
        assert re.search("ok +account", out)
        assert world.run("backends", "check", f"{engine}:{server.owners(target)}", "--quick") == 0
        assert re.search("warning +account", capsys.readouterr().out)
        template = spec.replace(server.name_of(target), "{db_id}")
        world.questions([{"id": "a", "db_id": server.name_of(target)}])
        assert world.run("backends", "check", template, "--dataset", "jsonl:questions.jsonl", "--json") == 0
        (found,) = json.loads(capsys.readouterr().out)
    finally:
        server.close()
    assert found["checks"][0]["name"] == "connection string"
    password = target.partition("://")[2].partition("@")[0].partition(":")[2]
    assert not password or password not in json.dumps(found)

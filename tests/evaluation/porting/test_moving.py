"""Databases of a dataset on real servers, and their golds there."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from database_backends.base import BACKENDS
from database_backends.result import Limits
from evaluation.datasets.opening import open_dataset
from evaluation.porting.moving import Moved, Mover
from sqlassay.errors import UserError
from tests.servers.mysql import MySQLWorld
from tests.servers.postgres import PostgresWorld
from tests.servers.readers import READER
from tests.servers.world import ServerWorld

LIMITS = Limits(seconds=20)
SETUP = """
    CREATE TABLE Singer (ID INTEGER PRIMARY KEY, "Full Name" VARCHAR(40) NOT NULL, Age, Big BIGINT, Weight REAL,
        Photo BLOB, "100%" TEXT, Mixed, Nix DATE, UNIQUE ("Full Name"));
    INSERT INTO Singer VALUES
        (1, 'Zoë 😀', 31, 9007199254740993, 61.5, x'00ff', 'tab\tnew\nline', 7, NULL),
        (2, '\\N', NULL, -9223372036854775808, 70, NULL, '', 'seven', NULL),
        (3, 'It''s "q" %s {} \\', 45, 0, NULL, x'', 'trailing  ', 7.5, NULL);
    CREATE TABLE Concert (Singer_ID INTEGER REFERENCES Singer (ID), Year TEXT, Boss INTEGER REFERENCES Singer);
    CREATE INDEX by_year ON Concert (Year, Singer_ID);
    INSERT INTO Concert VALUES (1, '2014', 1), (3, '2015', 99), (NULL, NULL, NULL);
    CREATE TABLE "order" (a, b, PRIMARY KEY (a, b));
    INSERT INTO "order" VALUES (1, NULL), (1, NULL);
    CREATE VIEW adult AS SELECT * FROM Singer;
"""
ROWS = {
    "singer": [
        (1, "Zoë 😀", 31, 9007199254740993, 61.5, b"\x00\xff", "tab\tnew\nline", "7", None),
        (2, "\\N", None, -9223372036854775808, 70.0, None, "", "seven", None),
        (3, 'It\'s "q" %s {} \\', 45, 0, None, b"", "trailing  ", "7.5", None),
    ],
    "concert": [(1, "2014", 1), (3, "2015", 99), (None, None, None)],
    "order": [(1, None), (1, None)],
}


WORLDS: dict[str, type[ServerWorld]] = {"postgres": PostgresWorld, "mysql": MySQLWorld}


@pytest.fixture(params=[pytest.param(name, marks=pytest.mark.server(name)) for name in WORLDS])
def world(request: pytest.FixtureRequest) -> Iterator[ServerWorld]:
    server = request.getfixturevalue(f"{request.param}_server")
    made = WORLDS[request.param](server.owner, server.reader)
    yield made
    made.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A dataset with one database."""
    path = tmp_path / "databases" / "show" / "show.sqlite"
    path.parent.mkdir(parents=True)
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(SETUP)
    questions = [
        {"question": "how many?", "db_id": "show", "gold": "SELECT count(*) FROM Singer"},
        {
            "question": "who is called so?",
            "db_id": "show",
            "gold": 'SELECT id FROM singer WHERE "full name" LIKE "zoë%"',
        },
        {"question": "who is oldest?", "db_id": "show", "gold": 'SELECT "full name", max(age) FROM singer'},
        {"question": "which day?", "db_id": "show", "gold": "SELECT no_such_function(id) FROM singer"},
        {"question": "as of when?", "db_id": "show", "gold": "SELECT printf('%05d', id) FROM singer"},
    ]
    (tmp_path / "questions.jsonl").write_text("".join(json.dumps(question) + "\n" for question in questions))
    return tmp_path


def move(folder: Path, world: ServerWorld, name: str, *, again: bool = False) -> Moved:
    mover = Mover(
        open_dataset(f"jsonl:{folder / 'questions.jsonl'}"),
        world.engine,
        world.target(world.owner, name),
        grant=[READER],
        again=again,
    )
    (moved,) = mover.move(["show"], progress=lambda rows: None)
    return moved


def test_every_value_arrives(folder: Path, world: ServerWorld) -> None:
    name = world.reserve()
    moved = move(folder, world, name)
    assert (moved.state, moved.tables, moved.rows) == ("loaded", 3, 8), moved
    with BACKENDS.get(world.engine)(world.target(world.reader, name)) as database:
        schema = {table.name: table for table in database.schema().tables}
        assert sorted(schema) == sorted(ROWS)
        for table, expected in ROWS.items():
            quoted = f"`{table}`" if world.engine == "mysql" else f'"{table}"'
            found = database.execute(f"SELECT * FROM {quoted}", LIMITS).rows
            assert sorted(found, key=repr) == sorted(expected, key=repr)
    assert [column.name for column in schema["singer"].columns if column.primary_key] == ["id"]
    assert [column.name for column in schema["singer"].columns if not column.nullable] == ["id", "full name"]
    assert [key.columns for key in schema["concert"].foreign_keys] == [("singer_id",)]


def test_keys_that_the_rows_do_not_keep_are_left_out_and_said(folder: Path, world: ServerWorld) -> None:
    moved = move(folder, world, world.reserve())
    assert len(moved.left_out) == 2
    assert "primary key" in moved.left_out[0]
    assert "boss" in moved.left_out[1]


def test_what_is_there_is_not_loaded_again(folder: Path, world: ServerWorld) -> None:
    name = world.reserve()
    assert [move(folder, world, name).state for _ in range(2)] == ["loaded", "unchanged"]
    assert move(folder, world, name, again=True).state == "loaded"
    with closing(sqlite3.connect(folder / "databases" / "show" / "show.sqlite")) as connection:
        connection.execute("DELETE FROM Concert")
        connection.commit()
    moved = move(folder, world, name)
    assert (moved.state, moved.rows) == ("loaded", 5)


def test_what_somebody_else_has_made_is_left_alone(folder: Path, world: ServerWorld) -> None:
    name = world.reserve()
    world.create(name, ["CREATE TABLE mine (a INTEGER)"])
    moved = move(folder, world, name)
    assert (moved.state, "'mine', which sqlassay did not load" in moved.message) == ("failed", True)
    with BACKENDS.get(world.engine)(world.target(world.owner, name)) as database:
        assert [table.name for table in database.schema().tables] == ["mine"]


def test_what_somebody_has_put_beside_it_is_left_alone(folder: Path, world: ServerWorld) -> None:
    name = world.reserve()
    move(folder, world, name)
    with BACKENDS.get(world.engine)(world.target(world.owner, name)) as database:
        before = [table.name for table in database.schema().tables]
    world.rows_in(name, "CREATE TABLE notes (a INTEGER)")
    assert move(folder, world, name, again=True).state == "failed"
    with BACKENDS.get(world.engine)(world.target(world.owner, name)) as database:
        assert sorted(table.name for table in database.schema().tables) == sorted([*before, "notes"])


def test_what_is_gone_is_loaded_again(folder: Path, world: ServerWorld) -> None:
    name = world.reserve()
    move(folder, world, name)
    world.rows_in(name, "DROP TABLE concert")
    assert move(folder, world, name).state == "loaded"


def test_a_load_that_fails_names_the_table_and_is_not_taken_for_done(folder: Path, world: ServerWorld) -> None:
    name = world.reserve()
    path = folder / "databases" / "show" / "show.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE wide (" + ", ".join(f"c{number}" for number in range(1900)) + ")")
        connection.commit()
    moved = move(folder, world, name)
    assert moved.state == "failed"
    assert "wide" in moved.message
    assert move(folder, world, name).state == "failed"


def test_a_server_that_is_not_there_fails_each_database(folder: Path, world: ServerWorld) -> None:
    dataset = open_dataset(f"jsonl:{folder / 'questions.jsonl'}")
    mover = Mover(dataset, world.engine, "//nobody:secret@127.0.0.1:9/x")
    (moved,) = mover.move(["show"], progress=lambda rows: None)
    assert (moved.state, "secret" in moved.message) == ("failed", False)


def test_an_engine_that_cannot_be_filled_is_refused(folder: Path) -> None:
    with pytest.raises(UserError, match="cannot be loaded"):
        Mover(open_dataset(f"jsonl:{folder / 'questions.jsonl'}"), "duckdb", "x.duckdb")


def test_several_databases_need_several_places(folder: Path) -> None:
    mover = Mover(open_dataset(f"jsonl:{folder / 'questions.jsonl'}"), "postgres", "//host/database")
    with pytest.raises(UserError, match="one place"):
        list(mover.move(["one", "two"], progress=lambda rows: None))

"""`CanShuffle`: the same rows in another order, and nothing else is another."""

from __future__ import annotations

from pathlib import Path

import pytest

from database_backends.base import BACKENDS, CanBuild, CanShuffle
from database_backends.errors import BackendError
from database_backends.result import Limits
from database_backends.shuffling import permutation

LIMITS = Limits(seconds=10)
SQLITE = """
CREATE TABLE keyed (id INTEGER PRIMARY KEY, x TEXT);
CREATE TABLE plain (a VARCHAR(9) COLLATE NOCASE, "b c" REAL, g AS (a || '!'), CHECK (a <> ''));
CREATE TABLE worn (k TEXT PRIMARY KEY, v) WITHOUT ROWID;
CREATE TABLE child (id INT REFERENCES keyed (id), rowid TEXT, UNIQUE (id));
CREATE TABLE strict_one (x ANY, n INT) STRICT;
CREATE TABLE "od""d name" ("select" TEXT);
CREATE VIEW seen AS SELECT a, "b c" FROM plain WHERE a >= 'M';
CREATE INDEX by_b ON plain ("b c");
CREATE TRIGGER no AFTER DELETE ON plain BEGIN SELECT raise(ABORT, 'no'); END;
CREATE VIRTUAL TABLE words USING fts5 (word);
INSERT INTO keyed VALUES (1, 'a'), (2, 'b'), (3, 'c');
INSERT INTO plain VALUES ('m', 1.5), ('N', 2), (NULL, NULL), ('m', 1.5);
INSERT INTO worn VALUES ('p', 1), ('q', '2'), ('r', x'ff');
INSERT INTO child VALUES (1, 'x'), (2, 'y'), (3, 'z');
INSERT INTO strict_one VALUES ('01', 1), (2, 2), (3.5, 3);
INSERT INTO "od""d name" VALUES (CAST(x'ff41' AS TEXT)), ('b');
INSERT INTO words VALUES ('hello'), ('world');
ANALYZE;
"""
DUCKDB = """
CREATE SCHEMA other;
CREATE TYPE mood AS ENUM ('calm', 'wild');
CREATE SEQUENCE numbers;
CREATE TABLE b_parent (id INTEGER PRIMARY KEY, x VARCHAR COLLATE NOCASE, g INT GENERATED ALWAYS AS (id * 2), m mood);
CREATE TABLE a_child (id INTEGER DEFAULT nextval('numbers'), parent INTEGER REFERENCES b_parent (id), l INTEGER[]);
CREATE TABLE chain (id INTEGER PRIMARY KEY, above INTEGER REFERENCES chain (id), u INTEGER UNIQUE);
CREATE TABLE other."od""d" (s STRUCT(a INTEGER, b VARCHAR), d DECIMAL(9, 2));
CREATE VIEW seen AS SELECT x FROM b_parent WHERE x > 'A';
CREATE INDEX by_parent ON a_child (parent);
INSERT INTO b_parent (id, x, m) VALUES (1, 'b', 'calm'), (2, 'B', 'wild'), (3, NULL, NULL);
INSERT INTO chain VALUES (1, NULL, 7);
INSERT INTO chain VALUES (2, 1, 8);
INSERT INTO chain VALUES (3, 2, 9);
INSERT INTO a_child (parent, l) VALUES (1, [1, 2]), (2, NULL), (1, []);
INSERT INTO other."od""d" VALUES ({'a': 1, 'b': 'x'}, 1.25), (NULL, 2);
"""
TABLES = {
    "sqlite": ["keyed", "plain", "worn", "child", "strict_one", '"od""d name"', "seen", "words"],
    "duckdb": ["b_parent", "chain", "a_child", 'other."od""d"', "seen"],
}
KEPT_IN_ORDER = ("keyed", "worn", "words")


def build(backend: str, folder: Path) -> str:
    target = str(folder / f"original.{backend}")
    engine = BACKENDS.get(backend)
    assert issubclass(engine, CanBuild)
    engine.build(target, [SQLITE if backend == "sqlite" else DUCKDB])
    return target


def shuffle(backend: str, target: str, copy: Path, seed: int = 0, *, bare: bool = False) -> str:
    engine = BACKENDS.get(backend)
    assert issubclass(engine, CanShuffle)
    engine.shuffled_copy(target, str(copy), seed, bare=bare)
    return str(copy)


def contents(backend: str, target: str) -> dict[str, tuple[tuple[str, ...], list[str]]]:
    with BACKENDS.get(backend)(target) as database:
        found = {name: database.execute(f"SELECT * FROM {name}", LIMITS) for name in TABLES[backend]}
    return {name: (table.columns, [repr(row) for row in table.rows]) for name, table in found.items()}


@pytest.mark.parametrize("bare", [False, True], ids=["kept", "bare"])
@pytest.mark.parametrize("backend", ["sqlite", "duckdb"])
def test_the_same_rows_in_another_order(backend: str, bare: bool, tmp_path: Path) -> None:
    target = build(backend, tmp_path)
    before = Path(target).read_bytes()
    copy = shuffle(backend, target, tmp_path / "copy", bare=bare)
    assert Path(target).read_bytes() == before
    original, copied = contents(backend, target), contents(backend, copy)
    for table, (columns, rows) in original.items():
        assert copied[table][0] == columns
        assert sorted(copied[table][1]) == sorted(rows), table
        stays = table == "words" or (not bare and table in KEPT_IN_ORDER)
        assert (copied[table][1] == rows) is stays, table
    again = shuffle(backend, target, tmp_path / "again", bare=bare)
    assert contents(backend, again) == copied
    other = shuffle(backend, target, tmp_path / "third", seed=6, bare=bare)
    assert contents(backend, other) != copied


@pytest.mark.parametrize("bare", [False, True], ids=["kept", "bare"])
def test_sqlite_keeps_collations_affinities_and_search(bare: bool, tmp_path: Path) -> None:
    copy = shuffle("sqlite", build("sqlite", tmp_path), tmp_path / "copy", bare=bare)
    with BACKENDS.get("sqlite")(copy) as database:

        def value(sql: str) -> object:
            return database.execute(sql, LIMITS).rows[0][0]

        assert value("SELECT count(*) FROM plain WHERE a = 'M'") == 2
        assert value("SELECT count(*) FROM plain WHERE \"b c\" = '2'") == 1
        assert value("SELECT typeof(x) FROM strict_one WHERE n = 1") == "text"
        assert value("SELECT count(*) FROM worn WHERE v = 2") == 0
        assert value("SELECT count(*) FROM words WHERE words MATCH 'hello'") == 1
        indexes = value("SELECT count(*) FROM sqlite_master WHERE type = 'index'")
        keys = value("SELECT count(*) FROM pragma_table_info('keyed') WHERE pk > 0")
        statistics = value("SELECT count(*) FROM sqlite_master WHERE name = 'sqlite_stat1'")
        assert (indexes, keys, statistics) == ((0, 0, 0) if bare else (2, 1, 1))


def test_duckdb_keeps_or_leaves_out_keys(tmp_path: Path) -> None:
    target = build("duckdb", tmp_path)
    for bare in (False, True):
        copy = shuffle("duckdb", target, tmp_path / f"copy{bare}", bare=bare)
        with BACKENDS.get("duckdb")(copy) as database:
            tables = {table.name: table for table in database.schema().tables}
            assert database.execute("SELECT count(*) FROM b_parent WHERE x = 'b'", LIMITS).rows == [(2,)]
            indexes = database.execute("SELECT count(*) FROM duckdb_indexes()", LIMITS).rows
        assert tables["b_parent"].columns[0].primary_key is not bare
        assert indexes == [(0 if bare else 2,)]
        assert tables["seen"].is_view


@pytest.mark.parametrize("backend", ["sqlite", "duckdb"])
def test_what_is_no_database_cannot_be_copied(backend: str, tmp_path: Path) -> None:
    broken = tmp_path / "broken.db"
    broken.write_bytes(b"no database at all" * 100)
    with pytest.raises(BackendError):
        shuffle(backend, str(broken), tmp_path / "copy")
    with pytest.raises(BackendError):
        shuffle(backend, str(tmp_path / "nowhere.db"), tmp_path / "copy2")


def test_no_number_stays_in_its_place() -> None:
    for rows in range(50):
        for seed in range(20):
            numbers = permutation(rows, seed)
            assert sorted(numbers) == list(range(rows))
            assert rows < 2 or all(number != place for place, number in enumerate(numbers))

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest

from database_backends.errors import BackendError, FailureKind
from database_backends.sqlite import SQLiteBackend
from sqlassay.schema import ForeignKey
from tests.conformance.backend import ENDLESS, LIMITS, STATEMENTS, EmbeddedConformance, contents


class TestSQLite(EmbeddedConformance):
    backend = SQLiteBackend
    tells_types = False
    tells_place_of_errors = False
    exact_decimals = False

    typed = (
        ("1 = 1", 1),
        ("date('2020-02-29')", "2020-02-29"),
        ("x'00ff'", b"\x00\xff"),
        ("9223372036854775807 + 1", 9.223372036854775808e18),
        ("1e999", float("inf")),
        ("'a' || char(0) || 'b'", "a\0b"),
        ('"no such column is text"', "no such column is text"),
    )
    memory_bombs = (
        f"{ENDLESS} SELECT x FROM c ORDER BY -x",
        f"{ENDLESS} SELECT zeroblob(1000000) FROM c",
        f"{ENDLESS} SELECT x, hex(x) FROM c",
        f"{ENDLESS} SELECT DISTINCT x FROM c",
        f"{ENDLESS} SELECT group_concat(hex(zeroblob(1000))) FROM (SELECT x FROM c LIMIT 100000)",
        "SELECT zeroblob(900000000)",
        "SELECT zeroblob(60000000), zeroblob(60000000)",
        "SELECT replace(hex(zeroblob(1000000)), '0', hex(zeroblob(1000)))",
    )
    endless = (
        f"{ENDLESS} SELECT count(*) FROM c",
        f"{ENDLESS} SELECT x FROM c WHERE x < 0",
        f"{ENDLESS} SELECT count(*) FROM (SELECT x FROM c LIMIT 3000), (SELECT x FROM c LIMIT 3000000)",
    )
    endless_rows = f"{ENDLESS} SELECT x FROM c"
    writes = (
        "CREATE TABLE t (a)",
        "CREATE TEMP TABLE t (a)",
        "CREATE TABLE t AS SELECT * FROM singer",
        "CREATE VIEW v AS SELECT 1",
        "CREATE INDEX i ON singer (name)",
        "CREATE VIRTUAL TABLE f USING fts5(a)",
        "CREATE TRIGGER r AFTER INSERT ON singer BEGIN SELECT 1; END",
        "INSERT INTO singer VALUES (9, 'x', 1, NULL)",
        "INSERT INTO singer (name) VALUES ('x') RETURNING *",
        "REPLACE INTO singer VALUES (1, 'x', 1, NULL)",
        "UPDATE singer SET age = 0",
        "UPDATE singer SET age = 0 WHERE 1 = 0",
        "DELETE FROM singer",
        "WITH x AS (SELECT 1) DELETE FROM singer",
        "WITH x AS (SELECT 1) INSERT INTO singer SELECT 9, 'x', 1, NULL",
        "DROP TABLE singer",
        "DROP TABLE IF EXISTS nothing",
        "ALTER TABLE singer RENAME TO t",
        "ALTER TABLE singer ADD COLUMN t",
        "VACUUM",
        "VACUUM INTO '{new}'",
        "ATTACH '{new}' AS n",
        "DETACH main",
        "REINDEX",
        "ANALYZE",
        "UPDATE sqlite_master SET sql = NULL",
        "DELETE FROM sqlite_master",
        "PRAGMA journal_mode = WAL",
        "PRAGMA user_version = 7",
        "PRAGMA writable_schema = ON",
        "PRAGMA query_only = OFF",
        "PRAGMA wal_checkpoint",
        "PRAGMA optimize",
        "BEGIN IMMEDIATE",
        "SAVEPOINT s",
    )
    session_changes = (
        "PRAGMA case_sensitive_like = ON",
        "PRAGMA query_only = OFF",
        "PRAGMA trusted_schema = ON",
        "PRAGMA reverse_unordered_selects = ON",
        "PRAGMA full_column_names = ON",
        "PRAGMA short_column_names = OFF",
        "PRAGMA hard_heap_limit = 100000",
        "PRAGMA encoding = 'UTF-16'",
        "CREATE TEMP VIEW singer AS SELECT 'mine' AS name",
        "BEGIN",
        "ATTACH ':memory:' AS m",
        "SELECT CAST(x'ff' AS TEXT)",
    )
    session_probes = (
        "SELECT 'a' LIKE 'A'",
        "SELECT name FROM singer",
        "SELECT name FROM pragma_database_list WHERE name NOT IN ('main', 'temp')",
        "SELECT count(*) FROM sqlite_temp_master",
    )

    def make_database(self, folder: Path, statements: Sequence[str]) -> str:
        file = folder / "database.sqlite"
        SQLiteBackend.build(str(file), statements)
        return str(file)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "database.sqlite"


def build(file: Path, script: str) -> None:
    with closing(sqlite3.connect(file)) as connection:
        connection.executescript(script)
        connection.commit()


def test_text_that_is_not_utf8_is_kept(file: Path) -> None:
    build(file, "CREATE TABLE t (a, b); INSERT INTO t VALUES (CAST(x'636166e9' AS TEXT), 'café'), (x'e9', 1)")
    with SQLiteBackend(str(file)) as database:
        rows = database.execute("SELECT * FROM t", LIMITS).rows
        assert rows == [("caf\udce9", "café"), (b"\xe9", 1)]
        assert database.execute("SELECT b FROM t", LIMITS).rows == [("café",), (1,)]


@pytest.mark.parametrize("sql", ["SELECT name FROM singer WHERE name = 'Joe'", "SELECT age + '1', born FROM singer"])
def test_results_are_those_of_the_standard_library(file: Path, sql: str) -> None:
    build(file, ";".join(STATEMENTS))
    with closing(sqlite3.connect(file)) as plain, SQLiteBackend(str(file)) as database:
        assert database.execute(sql, LIMITS).rows == plain.execute(sql).fetchall()


def test_a_wal_database_is_read_and_no_file_appears(file: Path, tmp_path: Path) -> None:
    build(file, "PRAGMA journal_mode = WAL; CREATE TABLE t (a); INSERT INTO t VALUES (1)")
    before = contents(tmp_path)
    assert list(before) == [str(file)]
    with SQLiteBackend(str(file)) as database:
        assert database.execute("SELECT a FROM t", LIMITS).rows == [(1,)]
        assert contents(tmp_path) == before
    assert contents(tmp_path) == before


def test_what_is_still_in_the_log_is_read_and_is_part_of_the_fingerprint(file: Path) -> None:
    build(file, "PRAGMA journal_mode = WAL; CREATE TABLE t (a)")
    with SQLiteBackend(str(file)) as database:
        before = database.fingerprint()
    with closing(sqlite3.connect(file)) as writer:
        writer.execute("INSERT INTO t VALUES (1)")
        writer.commit()
        with SQLiteBackend(str(file)) as database:
            assert database.execute("SELECT a FROM t", LIMITS).rows == [(1,)]
            assert database.fingerprint() != before


@pytest.mark.parametrize(
    ("sql", "rows"),
    [
        ("SELECT name FROM pragma_table_info('t')", [("a",), ("b",)]),
        ("SELECT value FROM json_each('[1, 2]')", [(1,), (2,)]),
        ("SELECT b FROM words WHERE words MATCH 'hello'", [("hello world",)]),
        ("SELECT id FROM boxes WHERE low > 1", [(1,)]),
        ("SELECT count(*) FROM sqlite_master WHERE name = 't'", [(1,)]),
        ("VALUES (1), (2)", [(1,), (2,)]),
        ("WITH t AS (SELECT 7 AS a) SELECT a FROM t", [(7,)]),
    ],
)
def test_virtual_tables_and_table_functions_can_be_read(file: Path, sql: str, rows: list[tuple[object, ...]]) -> None:
    build(
        file,
        "CREATE TABLE t (a, b); CREATE VIRTUAL TABLE words USING fts5(b); INSERT INTO words VALUES ('hello world');"
        "CREATE VIRTUAL TABLE boxes USING rtree(id, low, high); INSERT INTO boxes VALUES (1, 2, 3)",
    )
    with SQLiteBackend(str(file)) as database:
        assert database.execute(sql, LIMITS).rows == rows
        assert [table.name for table in database.schema().tables] == ["t", "words", "boxes"]


def test_schema_of_keys_generated_columns_and_broken_views(file: Path) -> None:
    build(
        file,
        "CREATE TABLE a (x, y, z GENERATED ALWAYS AS (x + y), PRIMARY KEY (x, y)) WITHOUT ROWID;"
        'CREATE TABLE "b c" (p REFERENCES a, q, r, FOREIGN KEY (q, r) REFERENCES A (x, y));'
        "CREATE TABLE d (i INTEGER PRIMARY KEY AUTOINCREMENT, a REFERENCES d);"
        "CREATE VIEW broken AS SELECT * FROM gone",
    )
    with SQLiteBackend(str(file)) as database:
        a, b, d, broken = database.schema().tables
    assert [(column.name, column.primary_key) for column in a.columns] == [("x", True), ("y", True), ("z", False)]
    assert b.foreign_keys == (ForeignKey(("p",), "a", ("x", "y")), ForeignKey(("q", "r"), "A", ("x", "y")))
    assert d.foreign_keys == (ForeignKey(("a",), "d", ("i",)),)
    assert (broken.name, broken.columns, broken.is_view) == ("broken", (), True)


@pytest.mark.parametrize(
    ("sql", "kind"),
    [
        ("SELECT load_extension('x')", FailureKind.PERMISSION),
        ("SELECT fts3_tokenizer('simple')", FailureKind.PERMISSION),
        ("SELECT * FROM pragma_journal_mode", FailureKind.PERMISSION),
        ("SELECT ?", FailureKind.OTHER),
        ("SELECT :b", FailureKind.OTHER),
        ("SELECT json('{')", FailureKind.OTHER),
        ("SELECT 1, 2 UNION SELECT 3", FailureKind.OTHER),
        ("SELECT \0", FailureKind.SYNTAX),
        ("SELECT #", FailureKind.SYNTAX),
        ("SELECT " + "(" * 5000 + "1" + ")" * 5000, FailureKind.OTHER),
        ("SELECT 1" + " + 1" * 5000, FailureKind.OTHER),
    ],
)
def test_failures(file: Path, sql: str, kind: FailureKind) -> None:
    build(file, "CREATE TABLE t (a)")
    with SQLiteBackend(str(file)) as database, pytest.raises(BackendError) as raised:
        database.execute(sql, LIMITS)
    assert raised.value.kind is kind, raised.value


def test_the_engine_refuses_a_second_statement_by_itself(file: Path) -> None:
    build(file, "CREATE TABLE t (a)")
    with SQLiteBackend(str(file)) as database, pytest.raises(BackendError) as raised:
        database.run("SELECT 1; SELECT 2", LIMITS)
    assert raised.value.kind is FailureKind.MULTIPLE_STATEMENTS


def test_a_file_that_is_damaged_is_the_instruments_fault(file: Path) -> None:
    build(file, ENDLESS.join(["CREATE TABLE t AS ", " SELECT x, hex(randomblob(500)) FROM c LIMIT 100"]))
    content = bytearray(file.read_bytes())
    content[8192:] = b"\xff" * (len(content) - 8192)
    file.write_bytes(content)
    with SQLiteBackend(str(file)) as database, pytest.raises(BackendError) as raised:
        database.execute("SELECT * FROM t", LIMITS)
    assert raised.value.kind.is_instrument


def test_a_locked_database_is_the_instruments_fault(file: Path) -> None:
    build(file, "CREATE TABLE t (a)")
    with closing(sqlite3.connect(file)) as writer:
        writer.execute("BEGIN EXCLUSIVE")
        with pytest.raises(BackendError) as raised:
            SQLiteBackend(str(file))
    assert raised.value.kind is FailureKind.CONNECTION

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from database_backends.sqlite import SQLiteBackend
from tests.conformance.backend import ENDLESS
from tests.security.hostile import (
    DEEP,
    HARMLESS,
    LAVISH,
    LIMITS,
    MEMORY,
    NO_QUERY,
    OTHER,
    PERMISSION,
    SECONDS_TO_KILL,
    SECONDS_TO_STOP,
    SEVERAL,
    STOPPED,
    SYNTAX,
    TABLE,
    TIMEOUT,
    WRITE,
    EmbeddedWorld,
    Hostile,
    HostileStatements,
    WrittenWorld,
    embedded_world,
    ending,
    endless,
    let_through,
)

MADE = (
    "CREATE VIRTUAL TABLE notes USING fts4 (a)",
    "INSERT INTO notes VALUES ('a b a')",
    "CREATE VIRTUAL TABLE boxes USING rtree (id, a, b, c, d)",
    "INSERT INTO boxes VALUES (1, 0, 1, 0, 1)",
    "CREATE TABLE counted (id INTEGER PRIMARY KEY AUTOINCREMENT)",
)
"""What a database may have of its own accord."""

ENDLESS_CHANGES = (
    f"{ENDLESS} INSERT INTO concert SELECT x + 10, 1 FROM c",
    f"CREATE TABLE t AS {ENDLESS} SELECT x FROM c",
    f"UPDATE singer SET age = ({ENDLESS} SELECT count(*) FROM c)",
    f"DELETE FROM singer WHERE age IN ({ENDLESS} SELECT -x FROM c)",
)

DOUBLING = "WITH RECURSIVE c (x) AS (SELECT 'x' UNION ALL SELECT x || x FROM c) SELECT count(*) FROM c"

STATEMENTS: Hostile = [
    # Changing data.
    ("INSERT INTO singer VALUES (9, 'x', 1, NULL)", WRITE),
    ("INSERT INTO singer SELECT 9, 'x', 1, NULL", WRITE),
    ("INSERT OR REPLACE INTO singer VALUES (1, 'x', 1, NULL)", WRITE),
    ("REPLACE INTO singer VALUES (1, 'x', 1, NULL)", WRITE),
    ("UPDATE singer SET name = 'x'", WRITE),
    ("UPDATE singer SET name = name", WRITE),
    ("DELETE FROM singer", WRITE),
    ("DELETE FROM singer WHERE 1 = 0", WRITE),
    ("DELETE FROM singer RETURNING *", WRITE),
    ("WITH a AS (SELECT 1) DELETE FROM singer", WRITE),
    ("WITH a AS (SELECT 1) UPDATE singer SET name = 'x'", WRITE),
    ("WITH a AS (SELECT 9) INSERT INTO singer SELECT 9, 'x', 1, NULL FROM a", WRITE),
    ("/* SELECT */ DELETE FROM singer", WRITE),
    ("-- SELECT 1\nDELETE FROM singer", WRITE),
    ("DELETE FROM singer /* SELECT", WRITE),
    ("\ufeffDELETE FROM singer", WRITE),
    ("(DELETE FROM singer)", WRITE),
    ("SELECT 1; DELETE FROM singer", SEVERAL),
    ("SELECT 1;;DELETE FROM singer;--", SEVERAL),
    ("SELECT 1\n;\nDROP TABLE singer", SEVERAL),
    ("SELECT '1' ; ATTACH '{new}' AS n", SEVERAL),
    ("SELECT 1 WHERE '1' = '1'; UPDATE singer SET age = 0 -- '", SEVERAL),
    ("INSERT INTO singer DEFAULT VALUES", WRITE),
    ("INSERT INTO singer VALUES (1, 'x', 1, NULL) ON CONFLICT DO UPDATE SET name = 'x'", WRITE),
    ("UPDATE OR REPLACE singer SET singer_id = 1", WRITE),
    ("UPDATE singer SET name = 'x' FROM concert RETURNING *", WRITE),
    ("DELETE FROM singer ORDER BY name LIMIT 1", WRITE),
    ("INSERT INTO adult VALUES ('x')", WRITE),
    ("INSERT INTO notes VALUES ('x')", WRITE),
    ("INSERT INTO notes (notes) VALUES ('optimize')", WRITE),
    ("INSERT INTO boxes VALUES (9, 0, 1, 0, 1)", WRITE),
    ("WITH RECURSIVE a (x) AS (SELECT 1) REPLACE INTO singer SELECT x, 'x', 1, NULL FROM a", WRITE),
    ("WITH a AS MATERIALIZED (SELECT 1), b AS NOT MATERIALIZED (SELECT 2) DELETE FROM singer", WRITE),
    ("EXPLAIN QUERY PLAN DELETE FROM singer", NO_QUERY),
    ("SELECT * FROM (DELETE FROM singer RETURNING *)", WRITE),
    ("SELECT (SELECT name FROM singer) FROM (UPDATE singer SET age = 0 RETURNING name)", WRITE),
    ("SELECT 1 /* ' */; DELETE FROM singer /* ' */", SEVERAL),
    ("SELECT [;] FROM singer; DELETE FROM singer", SEVERAL),
    ('SELECT `;`, ";"; DELETE FROM singer', SEVERAL),
    ("SELECT 1 -- ;\n; DELETE FROM singer", SEVERAL),
    ("SELECT $a('); DELETE FROM singer; --')", SEVERAL),
    ("BEGIN; DELETE FROM singer; COMMIT", SEVERAL),
    ("COMMIT; DELETE FROM singer", SEVERAL),
    # Changing the schema.
    ("CREATE TABLE t (a)", WRITE),
    ("CREATE TABLE t AS SELECT * FROM singer", WRITE),
    ("CREATE TEMP TABLE singer (a)", WRITE),
    ("CREATE TEMP VIEW singer AS SELECT 1", WRITE),
    ("CREATE TEMP TRIGGER t AFTER INSERT ON singer BEGIN SELECT 1; END", WRITE),
    ("CREATE VIRTUAL TABLE t USING fts5(a)", WRITE),
    ("CREATE VIRTUAL TABLE t USING csv(filename = '{secret}')", WRITE),
    ("CREATE INDEX i ON singer (name)", WRITE),
    ("DROP TABLE singer", WRITE),
    ("DROP VIEW adult", WRITE),
    ("ALTER TABLE singer RENAME TO t", WRITE),
    ("ALTER TABLE singer DROP COLUMN age", WRITE),
    ("REINDEX", WRITE),
    ("ANALYZE", WRITE),
    ("VACUUM", WRITE),
    ("UPDATE sqlite_schema SET sql = 'x'", WRITE),
    ("DELETE FROM sqlite_master", WRITE),
    ("CREATE TABLE IF NOT EXISTS singer (a)", WRITE),
    ("CREATE TABLE t (a) STRICT, WITHOUT ROWID", WRITE),
    ("CREATE TRIGGER t INSTEAD OF INSERT ON adult BEGIN DELETE FROM singer; END", WRITE),
    ("CREATE TEMP TRIGGER t AFTER SELECT ON singer BEGIN DELETE FROM singer; END", WRITE),
    ("CREATE VIRTUAL TABLE t USING rtree(a, b, c)", WRITE),
    ("CREATE VIRTUAL TABLE temp.t USING fts4(content='singer')", WRITE),
    ("CREATE VIRTUAL TABLE t USING dbstat", WRITE),
    ("CREATE VIRTUAL TABLE t USING zipfile('{secret}')", WRITE),
    ("CREATE UNIQUE INDEX i ON singer (lower(name))", WRITE),
    ("DROP TABLE IF EXISTS nothing", WRITE),
    ("DROP INDEX IF EXISTS i", WRITE),
    ("DROP TRIGGER IF EXISTS t", WRITE),
    ("ALTER TABLE singer RENAME COLUMN age TO x", WRITE),
    ("ALTER TABLE singer ADD COLUMN x DEFAULT (load_extension('{secret}'))", WRITE),
    ("REINDEX singer", WRITE),
    ("ANALYZE sqlite_schema", WRITE),
    ("INSERT INTO sqlite_schema VALUES ('table', 't', 't', 2, 'x')", WRITE),
    ("UPDATE sqlite_sequence SET seq = 0", WRITE),
    ("DELETE FROM sqlite_stat1", WRITE),
    ("SELECT optimize(notes) FROM notes", PERMISSION),
    ("SELECT * FROM pragma_optimize", PERMISSION),
    ("SELECT * FROM pragma_optimize()", PERMISSION),
    (
        "SELECT * FROM notes WHERE notes MATCH 'a* OR ' || replace(hex(zeroblob(100)), '00', ' a* OR ') || 'a*'",
        HARMLESS,
    ),
    ("SELECT * FROM notes WHERE notes MATCH replace(hex(zeroblob(100000)), '0', '(')", OTHER),
    ("SELECT snippet(notes), offsets(notes), matchinfo(notes) FROM notes WHERE notes MATCH 'a'", HARMLESS),
    ("SELECT * FROM boxes WHERE rowid MATCH x'00'", OTHER),
    ("SELECT rtreenode(2, zeroblob(100)), rtreedepth(zeroblob(2))", HARMLESS),
    ("SELECT rtreecheck('main', 'boxes')", PERMISSION),
    # Reaching for files.
    ("VACUUM INTO '{new}'", WRITE),
    ("VACUUM main INTO '{new}'", WRITE),
    ("ATTACH '{new}' AS n", WRITE),
    ("ATTACH DATABASE '{secret}' AS n", WRITE),
    ("ATTACH 'file:{new}?mode=rwc' AS n", WRITE),
    ("ATTACH ':memory:' AS n", WRITE),
    ("DETACH main", WRITE),
    ("SELECT load_extension('{secret}')", PERMISSION),
    ("SELECT load_extension('{secret}', 'entry')", PERMISSION),
    ("SELECT LOAD_EXTENSION('{secret}')", PERMISSION),
    ("SELECT \"load_extension\"('{secret}')", PERMISSION),
    ("SELECT * FROM singer WHERE load_extension('{secret}') IS NULL", PERMISSION),
    ("SELECT fts3_tokenizer('simple')", PERMISSION),
    ("SELECT fts3_tokenizer('simple', x'0000000000000000')", PERMISSION),
    ("SELECT readfile('{secret}')", PERMISSION),
    ("SELECT writefile('{new}', 'x')", PERMISSION),
    ("SELECT edit('x', 'touch {new}')", PERMISSION),
    ("SELECT * FROM fsdir('/')", PERMISSION),
    ("SELECT * FROM csv('{secret}')", TABLE),
    ("SELECT * FROM '{secret}'", TABLE),
    ("SELECT * FROM sqlite_dbpage", TABLE),
    (".read {secret}", NO_QUERY),
    (".shell touch {new}", NO_QUERY),
    ("VACUUM temp INTO '{new}'", WRITE),
    ("VACUUM INTO 'file:{new}?mode=rwc'", WRITE),
    ("ATTACH '' AS n", WRITE),
    ("ATTACH 'file::memory:?cache=shared' AS n", WRITE),
    ("ATTACH DATABASE '{new}' || '2' AS n KEY 'x'", WRITE),
    ("DETACH DATABASE main", WRITE),
    ("SELECT load_extension(name) FROM singer", PERMISSION),
    ("SELECT [load_extension]('{secret}')", PERMISSION),
    ("SELECT load_extension/**/('{secret}')", PERMISSION),
    ("SELECT `load_extension` ('{secret}')", PERMISSION),
    ("SELECT fts3_tokenizer('evil', x'4141414141414141')", PERMISSION),
    ("SELECT * FROM sqlite_dbpage('main')", TABLE),
    ("UPDATE sqlite_dbpage SET data = zeroblob(4096)", WRITE),
    ("SELECT * FROM dbstat", HARMLESS),
    ("SELECT sql FROM sqlite_stmt", HARMLESS),
    ("SELECT * FROM pragma_function_list", HARMLESS),
    ("SELECT * FROM pragma_database_list", HARMLESS),
    ("SELECT * FROM generate_series(1, 1000000000000)", TABLE),
    ("SELECT * FROM fsdir('{secret}', '.')", PERMISSION),
    ("SELECT * FROM zipfile('{secret}')", PERMISSION),
    ("SELECT * FROM vsv(filename = '{secret}')", TABLE),
    ("SELECT * FROM 'file:{secret}'", TABLE),
    ("SELECT sqlite_log(1, 'x')", HARMLESS),
    ("SELECT getenv('SQLASSAY_CANARY')", OTHER),
    ("SELECT system('touch {new}')", OTHER),
    # Changing the session or the engine.
    ("PRAGMA query_only = OFF", WRITE),
    ("PRAGMA writable_schema = ON", WRITE),
    ("PRAGMA writable_schema(ON)", WRITE),
    ("PRAGMA main.journal_mode = WAL", WRITE),
    ("PRAGMA journal_mode(DELETE)", WRITE),
    ("PRAGMA temp_store_directory = '{new}'", WRITE),
    ("PRAGMA data_store_directory = '{new}'", WRITE),
    ("PRAGMA trusted_schema = 1", WRITE),
    ("PRAGMA hard_heap_limit = 1", WRITE),
    ("PRAGMA soft_heap_limit(1)", WRITE),
    ("PRAGMA locking_mode = EXCLUSIVE", WRITE),
    ("PRAGMA wal_checkpoint(TRUNCATE)", WRITE),
    ("PRAGMA optimize", WRITE),
    ("PRAGMA shrink_memory", NO_QUERY),
    ("PRAGMA database_list", NO_QUERY),
    ("SELECT * FROM pragma_journal_mode", PERMISSION),
    ("SELECT * FROM pragma_query_only", PERMISSION),
    ("SELECT * FROM pragma_wal_checkpoint", TABLE),
    ("BEGIN EXCLUSIVE", NO_QUERY),
    ("COMMIT", NO_QUERY),
    ("SAVEPOINT s", NO_QUERY),
    ("EXPLAIN DELETE FROM singer", NO_QUERY),
    ("EXPLAIN QUERY PLAN SELECT 1", NO_QUERY),
    ("PRAGMA user_version = 7", WRITE),
    ("PRAGMA application_id(7)", WRITE),
    ("PRAGMA schema_version = 1", WRITE),
    ("PRAGMA temp_store = FILE", WRITE),
    ("PRAGMA foreign_keys = ON", WRITE),
    ("PRAGMA recursive_triggers(1)", WRITE),
    ("PRAGMA case_sensitive_like = 1", WRITE),
    ("PRAGMA cache_size = 1", WRITE),
    ("PRAGMA mmap_size(1000000000)", WRITE),
    ("PRAGMA max_page_count = 1", WRITE),
    ("PRAGMA threads = 8", WRITE),
    ("PRAGMA busy_timeout = 100000", WRITE),
    ("PRAGMA incremental_vacuum(5)", WRITE),
    ("PRAGMA encoding = 'UTF-16'", WRITE),
    ("PRAGMA key = 'x'", WRITE),
    ("PRAGMA lock_proxy_file = '{new}'", WRITE),
    ("PRAGMA integrity_check", NO_QUERY),
    ("PRAGMA/**/main.query_only/**/=/**/OFF", WRITE),
    ("SELECT * FROM pragma_locking_mode", PERMISSION),
    ("SELECT * FROM pragma_hard_heap_limit", PERMISSION),
    ("SELECT * FROM pragma_temp_store_directory", TABLE),
    ("SELECT * FROM pragma_integrity_check", PERMISSION),
    ("RELEASE s", NO_QUERY),
    ("ROLLBACK TO s", NO_QUERY),
    ("END TRANSACTION", NO_QUERY),
    # Using everything up.
    (f"{ENDLESS} SELECT count(*) FROM c", TIMEOUT),
    (f"{ENDLESS} SELECT max(x) FROM c WHERE x IN (SELECT x FROM c)", TIMEOUT),
    (f"{ENDLESS} SELECT x FROM c", HARMLESS),
    (f"{ENDLESS} SELECT zeroblob(10000000) FROM c", MEMORY),
    ("SELECT zeroblob(1000000000)", MEMORY),
    ("SELECT randomblob(1000000000)", MEMORY),
    ("SELECT hex(zeroblob(100000000))", MEMORY),
    ("SELECT replace(hex(zeroblob(100000)), '0', hex(zeroblob(10000)))", MEMORY),
    ("SELECT group_concat(a.name || b.name) FROM singer a, singer b, singer c, singer d, singer e", HARMLESS),
    ("SELECT " + "(" * 100_000 + "1" + ")" * 100_000, DEEP),
    ("SELECT 1" + " + 1" * 100_000, DEEP),
    ("SELECT 1" + " UNION SELECT 1" * 10_000, DEEP),
    ("SELECT 1" + ", 1" * 100_000, DEEP),
    ("SELECT * FROM singer" + ", singer" * 1_000, DEEP),
    ("SELECT * FROM " + "(SELECT * FROM " * 5_000 + "singer" + ")" * 5_000, DEEP),
    ("SELECT '" + "a" * 2_000_000 + "'", NO_QUERY),
    ("SELECT 'a' LIKE '" + "%a" * 40_000 + "'", DEEP),
    ("SELECT json_extract('" + "[" * 5_000 + "]" * 5_000 + "', '$')", DEEP),
    ("SELECT printf('%2147483647d', 1)", HARMLESS),
    ("SELECT substr('abc', -9223372036854775808, 9223372036854775807)", HARMLESS),
    ("SELECT abs(-9223372036854775808)", OTHER),
    (f"{ENDLESS} SELECT count(*) FROM c AS a JOIN c AS b USING (x)", TIMEOUT),
    (f"{ENDLESS} SELECT * FROM c ORDER BY x", STOPPED),
    (f"{ENDLESS} SELECT x, row_number() OVER (ORDER BY -x) FROM c", STOPPED),
    (f"{ENDLESS} SELECT group_concat(x) FROM c", STOPPED),
    (f"{ENDLESS} SELECT json_group_array(x) FROM c", STOPPED),
    (f"{ENDLESS} SELECT count(DISTINCT x) FROM c", STOPPED),
    (DOUBLING, MEMORY),
    ("WITH RECURSIVE c (x) AS (SELECT 1 UNION SELECT x + 1 FROM c) SELECT max(x) FROM c", STOPPED),
    ("SELECT count(*) FROM " + ", ".join(f"singer AS s{i}" for i in range(30)), TIMEOUT),
    (
        "SELECT count(*) FROM " + ", ".join(f"pragma_function_list AS f{i}" for i in range(4)),
        TIMEOUT,
    ),
    ("SELECT printf('%.*c', 20000000, 'x')", HARMLESS),
    ("SELECT printf('%1000000000s', 'x')", HARMLESS),
    ("SELECT printf('%.1000000f', 1.0)", HARMLESS),
    ("SELECT quote(zeroblob(100000000))", MEMORY),
    ("SELECT replace(printf('%.*c', 10000000, 'x'), 'x', 'yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy')", STOPPED),
    ("SELECT replace(hex(zeroblob(500000)), '00', '0000000000')", HARMLESS),
    ("SELECT char(1114111) || zeroblob(2147483648)", MEMORY),
    ("SELECT length(randomblob(2147483647))", MEMORY),
    ("SELECT substr(zeroblob(120000000), 1) || substr(zeroblob(120000000), 1)", MEMORY),
    ("SELECT replace(hex(zeroblob(30000)), '0', 'a') LIKE replace(hex(zeroblob(3000)), '0', '%a') || 'b'", HARMLESS),
    ("SELECT hex(zeroblob(20000)) GLOB replace(hex(zeroblob(2000)), '0', '*0') || '1'", HARMLESS),
    ("SELECT 'a' REGEXP '(a*)*b'", OTHER),
    ("SELECT json(replace(hex(zeroblob(100000)), '0', '['))", OTHER),
    ("SELECT json_valid(replace(hex(zeroblob(10000000)), '0', '['))", HARMLESS),
    ("SELECT count(*) FROM json_tree('[' || replace(hex(zeroblob(20000)), '0', '[],') || '0]')", HARMLESS),
    ("SELECT json_extract('{\"a\":1}', '$' || replace(hex(zeroblob(100000)), '0', '.a'))", HARMLESS),
    (
        "SELECT json_patch(a, a) FROM (SELECT '{' || replace(hex(zeroblob(99)), '0', '\"a\":1,') || '\"b\":2}' AS a)",
        HARMLESS,
    ),
    ("SELECT strftime(replace(hex(zeroblob(1000000)), '0', '%s'), 'now')", HARMLESS),
    ("SELECT date('now', " + ", ".join(["'+1 day'"] * 100) + ")", HARMLESS),
    ("SELECT " + "CASE WHEN 1 THEN " * 2_000 + "1" + " END" * 2_000, DEEP),
    ("SELECT " + "NOT " * 100_000 + "1", DEEP),
    ("SELECT " + "-" + "~-" * 50_000 + "1", DEEP),
    ("SELECT 1 WHERE 1 IN (" + "SELECT 1 WHERE 1 IN (" * 2_000 + "1" + ")" * 2_001, DEEP),
    (
        "WITH "
        + ", ".join(f"c{i} AS (SELECT * FROM c{i + 1}, c{i + 1} AS b)" for i in range(40))
        + ", c40 AS (SELECT 1) SELECT count(*) FROM c0",
        OTHER,
    ),
    ("WITH a AS (SELECT * FROM b), b AS (SELECT * FROM a) SELECT * FROM a", OTHER),
    ("SELECT max(" + ", ".join(["1"] * 1_000) + ")", DEEP),
    ("SELECT * FROM singer WHERE name IN (" + ", ".join(["'x'"] * 100_000) + ")", HARMLESS),
    ("SELECT 9223372036854775807 + 1, 1 << 99999, 1 / 0, 9e999", HARMLESS),
    ("SELECT sum(9223372036854775807) FROM singer", OTHER),
    # Text that is no text.
    ("SELECT \0", SYNTAX),
    ("SELECT '\0'; DROP TABLE singer", SEVERAL),
    ("SELECT '\udc80'", SYNTAX),
    ("SELECT ﹔ DROP TABLE singer", SYNTAX),
    ("SELECT 1 -- \r; DROP TABLE singer", HARMLESS),
    ('SELECT "\ud800"', SYNTAX),
    ("SELECT 1 \x1a DROP TABLE singer", SYNTAX),
    ("SELECT ；DROP TABLE singer", SYNTAX),
    ("\x00DELETE FROM singer", NO_QUERY),
    ("SELECT '" + "😀" * 400_000 + "'", HARMLESS),
]


ONLY_KILLED = frozenset({DOUBLING})


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedWorld]:
    with embedded_world(tmp_path_factory.mktemp("sqlite"), SQLiteBackend, MADE) as world:
        yield world


@pytest.mark.parametrize(("sql", "kind"), STATEMENTS, ids=[sql[:60] for sql, _ in STATEMENTS])
class TestSQLite(HostileStatements):
    only_killed = ONLY_KILLED


class WritableSQLite(SQLiteBackend):
    """A session that may do everything."""

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, isolation_level=None)
        with suppress(AttributeError):  # a Python that has been built without
            connection.enable_load_extension(True)
        self._length_limit = connection.getlimit(sqlite3.SQLITE_LIMIT_LENGTH)
        return connection


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedWorld]:
    """A world of its own: a wall that does not hold harms nothing else."""
    folder = tmp_path_factory.mktemp("alone")
    with embedded_world(folder, SQLiteBackend, MADE, LAVISH.megabytes, WrittenWorld) as world:
        yield world


def test_the_guard_alone(alone: EmbeddedWorld) -> None:
    """What the guard lets through is run in a session that may do everything."""
    alone.withstands(let_through(alone, STATEMENTS), alone.run_with(WritableSQLite, LAVISH))


def test_the_session_alone(alone: EmbeddedWorld) -> None:
    alone.withstands(ending(STATEMENTS), alone.run_with(SQLiteBackend, LAVISH))


def test_a_file_opened_for_reading_alone_is_not_the_session(alone: EmbeddedWorld) -> None:
    """Hence the session also has an authorizer."""
    new = alone.folder / "new"
    uri = f"{Path(alone.database.target).as_uri()}?mode=ro"
    with closing(sqlite3.connect(uri, uri=True, isolation_level=None)) as connection:
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            connection.execute("DELETE FROM singer")
        connection.execute(f"VACUUM INTO '{new}'")
        assert new.is_file()
        new.unlink()
        connection.execute(f"ATTACH '{new}' AS n")
        connection.execute("CREATE TABLE n.t AS SELECT * FROM singer")
        assert new.is_file()
        new.unlink()


@pytest.mark.parametrize("sql", [*ENDLESS_CHANGES, *endless(STATEMENTS)], ids=lambda sql: sql[:60])
def test_the_limits_alone(alone: EmbeddedWorld, sql: str) -> None:
    """No guard, and a session that may do everything: what is stopped has changed nothing."""
    seconds = SECONDS_TO_KILL if sql in ONLY_KILLED else SECONDS_TO_STOP
    alone.stops(sql, alone.run_with(WritableSQLite, LIMITS), seconds)

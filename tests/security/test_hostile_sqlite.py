from __future__ import annotations

from collections.abc import Iterator

import pytest

from database_backends.sqlite import SQLiteBackend
from tests.conformance.backend import ENDLESS
from tests.security.hostile import (
    HARMLESS,
    MEMORY,
    NO_QUERY,
    OTHER,
    PERMISSION,
    SEVERAL,
    SYNTAX,
    TABLE,
    TIMEOUT,
    WRITE,
    EmbeddedWorld,
    Hostile,
    HostileStatements,
    make_world,
)

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
    ("SELECT readfile('{secret}')", OTHER),
    ("SELECT writefile('{new}', 'x')", OTHER),
    ("SELECT edit('x', 'touch {new}')", OTHER),
    ("SELECT * FROM fsdir('/')", TABLE),
    ("SELECT * FROM csv('{secret}')", TABLE),
    ("SELECT * FROM '{secret}'", TABLE),
    ("SELECT * FROM sqlite_dbpage", TABLE),
    (".read {secret}", NO_QUERY),
    (".shell touch {new}", NO_QUERY),
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
    ("SELECT " + "(" * 100_000 + "1" + ")" * 100_000, OTHER),
    ("SELECT 1" + " + 1" * 100_000, OTHER),
    ("SELECT 1" + " UNION SELECT 1" * 10_000, OTHER),
    ("SELECT 1" + ", 1" * 100_000, OTHER),
    ("SELECT * FROM singer" + ", singer" * 1_000, OTHER),
    ("SELECT * FROM " + "(SELECT * FROM " * 5_000 + "singer" + ")" * 5_000, OTHER),
    ("SELECT '" + "a" * 2_000_000 + "'", NO_QUERY),
    ("SELECT 'a' LIKE '" + "%a" * 40_000 + "'", OTHER),
    ("SELECT json_extract('" + "[" * 5_000 + "]" * 5_000 + "', '$')", OTHER),
    ("SELECT printf('%2147483647d', 1)", HARMLESS),
    ("SELECT substr('abc', -9223372036854775808, 9223372036854775807)", HARMLESS),
    ("SELECT abs(-9223372036854775808)", OTHER),
    # Text that is no text.
    ("SELECT \0", SYNTAX),
    ("SELECT '\0'; DROP TABLE singer", SEVERAL),
    ("SELECT '\udc80'", SYNTAX),
    ("SELECT ﹔ DROP TABLE singer", SYNTAX),
    ("SELECT 1 -- \r; DROP TABLE singer", HARMLESS),
]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedWorld]:
    world = make_world(tmp_path_factory.mktemp("sqlite"), SQLiteBackend)
    with world.database:
        yield world


@pytest.mark.parametrize(("sql", "kind"), STATEMENTS, ids=[sql[:60] for sql, _ in STATEMENTS])
class TestSQLite(HostileStatements):
    pass

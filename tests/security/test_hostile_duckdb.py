from __future__ import annotations

from collections.abc import Iterator
from unittest import mock

import duckdb
import pytest

from database_backends import duckdb as duckdb_backend
from database_backends.duckdb import DuckDBBackend
from database_backends.result import Limits, ResultTable
from tests.conformance.backend import ENDLESS
from tests.security.hostile import (
    COLUMN,
    DEEP,
    HARMLESS,
    LAVISH,
    LIMITS,
    NO_QUERY,
    OTHER,
    PERHAPS,
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

ENDLESS_CHANGES = (
    "INSERT INTO concert SELECT range + 10, 1 FROM range(1000000000000)",
    "CREATE TABLE t AS FROM range(1000000000000)",
    "UPDATE singer SET age = (SELECT count(*) FROM range(1000000000000))",
    "DELETE FROM singer WHERE age IN (SELECT -range FROM range(1000000000000))",
)

MADE = ("CREATE SEQUENCE counter",)
"""What a database may have of its own accord."""

WIDE = "SELECT 1" + ", 1" * 50_000
"""The engine does not interrupt its planning."""

STATEMENTS: Hostile = [
    # Changing data.
    ("INSERT INTO singer VALUES (9, 'x', 1, NULL)", WRITE),
    ("INSERT OR IGNORE INTO singer VALUES (1, 'x', 1, NULL)", WRITE),
    ("INSERT INTO singer BY NAME (SELECT 9 AS singer_id, 'x' AS name)", WRITE),
    ("UPDATE singer SET name = 'x'", WRITE),
    ("DELETE FROM singer USING concert WHERE true", WRITE),
    ("TRUNCATE singer", WRITE),
    ("MERGE INTO singer USING singer AS s ON true WHEN MATCHED THEN DELETE", WRITE),
    ("WITH a AS (SELECT 1) DELETE FROM singer", WRITE),
    ("WITH a AS (INSERT INTO singer VALUES (9, 'x', 1, NULL) RETURNING *) FROM a", WRITE),
    ("WITH a AS (DELETE FROM singer RETURNING *) FROM a", WRITE),
    ("SELECT nextval('counter')", WRITE),
    ("SELECT * FROM singer WHERE nextval('counter') > 0", WRITE),
    ("/* SELECT */ DELETE FROM singer", WRITE),
    ("(DELETE FROM singer)", WRITE),
    ("SELECT 1; DELETE FROM singer", SEVERAL),
    ("SELECT 1; SELECT 2", SEVERAL),
    ("FROM singer; DROP TABLE singer", SEVERAL),
    ("SELECT $$ ; $$; DROP TABLE singer", SEVERAL),
    ("SELECT 1 -- \r; DROP TABLE singer", SEVERAL),
    ("INSERT INTO singer VALUES (9, 'x', 1, NULL) RETURNING *", WRITE),
    ("INSERT INTO singer VALUES (1, 'x', 1, NULL) ON CONFLICT DO UPDATE SET name = 'x'", WRITE),
    ("INSERT INTO singer FROM singer", WRITE),
    ("UPDATE singer SET age = 0 FROM concert RETURNING *", WRITE),
    ("DELETE FROM singer RETURNING *", WRITE),
    ("TRUNCATE TABLE singer", WRITE),
    ("MERGE INTO singer USING concert USING (singer_id) WHEN MATCHED THEN UPDATE SET name = 'x' RETURNING *", WRITE),
    ("WITH a AS (MERGE INTO singer USING concert ON true WHEN MATCHED THEN DELETE RETURNING *) FROM a", WRITE),
    ("WITH a AS MATERIALIZED (UPDATE singer SET age = 0 RETURNING *) FROM a", WRITE),
    ("WITH RECURSIVE a (x) USING KEY (x) AS (SELECT 1) INSERT INTO singer SELECT x, 'x', 1, NULL FROM a", WRITE),
    ("FROM (DELETE FROM singer RETURNING *)", WRITE),
    ("SELECT * FROM (INSERT INTO singer VALUES (9, 'x', 1, NULL) RETURNING *)", WRITE),
    ("SELECT setval('counter', 7)", WRITE),
    ("SELECT \"nextval\"('counter')", WRITE),
    ("SELECT nextval/**/('counter')", WRITE),
    ("SELECT nextval\u00a0('counter')", WRITE),
    ("SELECT 'counter'.nextval()", WRITE),
    ("SELECT currval('counter')", OTHER),
    ("SELECT list_transform([1], lambda x: nextval('counter'))", WRITE),
    ("/* /* */ SELECT 1; */ DELETE FROM singer", WRITE),
    ("-- SELECT 1\rDELETE FROM singer", WRITE),
    ("\ufeffDELETE FROM singer", WRITE),
    ("\u3000DELETE\u00a0FROM\u2003singer", WRITE),
    ("DeLeTe/**/FROM singer", WRITE),
    ("WITH a AS (DELETE\u00a0FROM singer RETURNING *) FROM a", WRITE),
    ("WITH a AS (/* ' */ DELETE FROM singer RETURNING * /* ' */) FROM a", WRITE),
    ("SELECT 5 //* ' */ 1; DELETE FROM singer --'", SEVERAL),
    ("SELECT E'\\''; DELETE FROM singer; --'", SEVERAL),
    ("SELECT '\\'; DELETE FROM singer; --'", SEVERAL),
    ("SELECT E'a'\n'\\'; DELETE FROM singer; --'", SEVERAL),
    ("SELECT $a$ $$ $a$; DELETE FROM singer; SELECT $$", SEVERAL),
    ("SELECT 1 AS \u00e9$a$; DELETE FROM singer; SELECT 1 AS b$a$", SEVERAL),
    ("SELECT 1 AS x\u00a0$a$; DELETE FROM singer; SELECT 1 AS y $a$", PERMISSION),
    ("SELECT `;`; DELETE FROM singer", SEVERAL),
    ("BEGIN; DELETE FROM singer; COMMIT", SEVERAL),
    ("PIVOT singer ON name; DELETE FROM singer", SEVERAL),
    # Changing the schema or the catalog.
    ("CREATE TABLE t (a INT)", WRITE),
    ("CREATE OR REPLACE TABLE singer (a INT)", WRITE),
    ("CREATE TABLE t AS FROM singer", WRITE),
    ("CREATE TEMP TABLE singer (a INT)", WRITE),
    ("CREATE TEMP VIEW singer AS SELECT 1", WRITE),
    ("CREATE TEMP MACRO count(x) AS 7", WRITE),
    ("CREATE SCHEMA s", WRITE),
    ("CREATE SECRET s (TYPE s3, KEY_ID 'x', SECRET 'y')", WRITE),
    ("CREATE PERSISTENT SECRET s (TYPE s3)", WRITE),
    ("DROP TABLE singer", WRITE),
    ("DROP SECRET s", WRITE),
    ("ALTER TABLE singer ADD COLUMN t INT", WRITE),
    ("COMMENT ON TABLE singer IS 'x'", WRITE),
    ("VACUUM", WRITE),
    ("ANALYZE", WRITE),
    ("CHECKPOINT", WRITE),
    ("FORCE CHECKPOINT database", WRITE),
    ("SELECT * FROM checkpoint()", PERMISSION),
    ("SELECT * FROM force_checkpoint('database')", PERMISSION),
    ("CREATE TABLE t (a INT GENERATED ALWAYS AS (1))", WRITE),
    ("CREATE TABLE memory.main.singer AS SELECT 1", WRITE),
    ("CREATE TABLE temp.singer AS SELECT 1", WRITE),
    ("CREATE TABLE system.main.t (a INT)", WRITE),
    ("CREATE OR REPLACE TEMP TABLE singer AS FROM range(5)", WRITE),
    ("CREATE TEMP SEQUENCE s", WRITE),
    ("CREATE TYPE t AS ENUM ('a')", WRITE),
    ("CREATE INDEX i ON singer (name)", WRITE),
    ("CREATE MACRO m(x) AS TABLE DELETE FROM singer", WRITE),
    ("CREATE OR REPLACE TEMP MACRO m(x) AS TABLE FROM read_text('{secret}')", WRITE),
    ("CREATE FUNCTION main.count(x) AS 7", WRITE),
    ("CREATE TRIGGER t AFTER INSERT ON singer FOR EACH ROW DELETE FROM singer", WRITE),
    ("CREATE OR REPLACE VIEW adult AS SELECT 1", WRITE),
    ("CREATE SECRET IN memory (TYPE http, BEARER_TOKEN 'x')", WRITE),
    ("CREATE DATABASE d", WRITE),
    ("ALTER DATABASE database RENAME TO d", WRITE),
    ("ALTER TABLE singer RENAME TO t", WRITE),
    ("ALTER VIEW adult RENAME TO t", WRITE),
    ("ALTER SEQUENCE counter OWNED BY singer", WRITE),
    ("DROP SCHEMA main CASCADE", WRITE),
    ("DROP MACRO IF EXISTS m", WRITE),
    ("DROP TABLE IF EXISTS nothing", WRITE),
    ("COMMENT ON COLUMN singer.name IS 'x'", WRITE),
    ("VACUUM ANALYZE singer", WRITE),
    # Reaching for files.
    ("COPY singer TO '{new}'", WRITE),
    ("COPY (SELECT 1) TO '{new}' (FORMAT csv)", WRITE),
    ("COPY singer FROM '{secret}'", WRITE),
    ("COPY FROM DATABASE database TO memory", WRITE),
    ("EXPORT DATABASE '{new}'", WRITE),
    ("IMPORT DATABASE '{new}'", WRITE),
    ("ATTACH '{new}'", WRITE),
    ("ATTACH '{new}' AS n (READ_ONLY)", WRITE),
    ("ATTACH ':memory:' AS n", WRITE),
    ("ATTACH 'https://example.org/x.duckdb' AS n", WRITE),
    ("ATTACH 'dbname=postgres' AS n (TYPE postgres)", WRITE),
    ("DETACH database", WRITE),
    ("SELECT * FROM read_csv('{secret}')", PERMISSION),
    ("SELECT * FROM read_csv_auto('{secret}')", PERMISSION),
    ("SELECT * FROM read_text('{secret}')", PERMISSION),
    ("SELECT * FROM read_blob('{secret}')", PERMISSION),
    ("SELECT * FROM read_blob('*')", PERMISSION),
    ("SELECT * FROM read_parquet('{secret}')", PERMISSION),
    ("SELECT * FROM read_json('{secret}')", PERMISSION),
    ("SELECT * FROM read_ndjson_objects('{secret}')", PERMISSION),
    ("SELECT * FROM parquet_metadata('{secret}')", PERMISSION),
    ("SELECT * FROM sniff_csv('{secret}')", PERMISSION),
    ("SELECT * FROM glob('/*')", PERMISSION),
    ("SELECT * FROM '{secret}'", PERMISSION),
    ("FROM '{secret}'", PERMISSION),
    ('SELECT * FROM "{secret}"', PERMISSION),
    ("WITH a AS (FROM '{secret}') FROM a", PERMISSION),
    ("SELECT (SELECT content FROM read_text('{secret}'))", PERMISSION),
    ("SELECT * FROM query('FROM ''{secret}''')", PERMISSION),
    ("SELECT * FROM query_table('{secret}')", PERMISSION),
    ("SELECT * FROM 'https://example.org/x.csv'", PERMISSION),
    ("SELECT * FROM read_csv('https://example.org/x.csv')", PERMISSION),
    ("SELECT * FROM read_duckdb('{new}')", PERMISSION),
    ("SELECT * FROM sqlite_scan('{new}', 't')", PERMISSION),
    ("SELECT * FROM duckdb_secrets()", PERMISSION),
    ("SELECT * FROM duckdb_extensions()", PERMISSION),
    ("SELECT getenv('SQLASSAY_CANARY')", PERMISSION),
    ("SELECT current_setting('home_directory')", HARMLESS),
    ("SELECT write_log('{new}')", PERMISSION),
    ("COPY (DELETE FROM singer RETURNING *) TO '{new}'", WRITE),
    ("COPY singer TO '{new}' (FORMAT parquet, PER_THREAD_OUTPUT)", WRITE),
    ("COPY singer TO '{new}' (FORMAT json, PARTITION_BY (name))", WRITE),
    ("COPY (SELECT 1) TO '/dev/stdout'", WRITE),
    ("COPY singer FROM 'https://example.org/x.csv'", WRITE),
    ("COPY FROM DATABASE database TO memory (SCHEMA)", WRITE),
    ("EXPORT DATABASE '{new}' (FORMAT parquet)", WRITE),
    ("ATTACH OR REPLACE '{new}' AS database", WRITE),
    ("ATTACH IF NOT EXISTS ':memory:'", WRITE),
    ("ATTACH 's3://bucket/x.duckdb'", WRITE),
    ("ATTACH '{new}' (TYPE sqlite)", WRITE),
    ("ATTACH 'host=127.0.0.1' AS p (TYPE mysql)", WRITE),
    ("SELECT * FROM '{secret}' LIMIT 1", PERMISSION),
    ("SELECT * FROM '{secret}*'", TABLE),
    ("SELECT * FROM singer, '{secret}'", PERMISSION),
    ("SELECT * FROM singer JOIN '{secret}' ON true", PERMISSION),
    ("SELECT * FROM ['{secret}', '{secret}']", SYNTAX),
    ("SELECT * FROM read_csv(['{secret}'], union_by_name = true)", PERMISSION),
    ("SELECT * FROM read_csv('{secret}', store_rejects = true)", PERMISSION),
    ("SELECT * FROM read_csv(getvariable('x'))", PERMISSION),
    ("SELECT * FROM read_text(['/etc/passwd'])", PERMISSION),
    ("SELECT content FROM read_blob('/proc/self/environ')", PERMISSION),
    ("SELECT * FROM read_json_auto('{secret}')", PERMISSION),
    ("SELECT * FROM read_json_objects('{secret}')", PERMISSION),
    ("SELECT * FROM parquet_scan('{secret}')", PERMISSION),
    ("SELECT * FROM parquet_schema('{secret}')", PERMISSION),
    ("SELECT * FROM parquet_kv_metadata('{secret}')", PERMISSION),
    ("SELECT * FROM parquet_file_metadata('{secret}')", PERMISSION),
    ("SELECT * FROM parquet_bloom_probe('{secret}', 'a', 1)", PERMISSION),
    ("SELECT * FROM glob(['*', '/etc/*'])", PERMISSION),
    ("SELECT unnest(glob('*')) FROM range(1)", OTHER),
    ("SELECT (SELECT count(*) FROM glob('{secret}'))", PERMISSION),
    ("SELECT name FROM singer WHERE EXISTS (FROM '{secret}')", PERMISSION),
    ("PIVOT '{secret}' ON a USING count(*)", PERMISSION),
    ("UNPIVOT '{secret}' ON a, b", PERMISSION),
    ("TABLE '{secret}'", PERMISSION),
    ("SUMMARIZE '{secret}'", NO_QUERY),
    ("DESCRIBE '{secret}'", NO_QUERY),
    ("FROM (DESCRIBE '{secret}')", PERMISSION),
    ("FROM (SUMMARIZE '{secret}')", PERMISSION),
    ("FROM (SHOW TABLES)", HARMLESS),
    ("SELECT * FROM st_read('{secret}')", PERMISSION),
    ("SELECT * FROM postgres_scan('host=127.0.0.1', 'public', 't')", PERMISSION),
    ("SELECT * FROM sqlite_scan('{secret}', 't')", PERMISSION),
    ("SELECT * FROM iceberg_scan('{new}')", PERMISSION),
    ("SELECT * FROM arrow_scan(1, 2, 3)", PERMISSION),
    ("SELECT * FROM arrow_scan_dumb(1::POINTER, 2::POINTER, 3::POINTER)", PERMISSION),
    ("SELECT * FROM pandas_scan(140000000000000::POINTER)", PERMISSION),
    ("SELECT * FROM python_map_function(1)", PERMISSION),
    ("SELECT * FROM seq_scan('singer')", OTHER),
    ("SELECT * FROM query('DELETE FROM singer RETURNING *')", PERMISSION),
    ("SELECT * FROM query('SELECT nextval(''counter'')')", PERMISSION),
    ("SELECT * FROM query_table(['{secret}'])", PERMISSION),
    ("SELECT * FROM json_execute_serialized_sql(json_serialize_sql('FROM ''{secret}'''))", PERMISSION),
    ("SELECT json_deserialize_sql(json_serialize_sql('FROM singer'))", HARMLESS),
    ("SELECT getenv('HOME')", PERMISSION),
    ("SELECT getenv ('SQLASSAY_CANARY')", PERMISSION),
    ("SELECT 'SQLASSAY_CANARY'.getenv()", PERMISSION),
    ("SELECT which_secret('s3://x', 's3')", PERMISSION),
    ("SELECT * FROM duckdb_settings()", HARMLESS),
    ("SELECT * FROM duckdb_logs", HARMLESS),
    ("SELECT * FROM duckdb_temporary_files()", HARMLESS),
    ("SELECT * FROM duckdb_external_file_cache()", HARMLESS),
    ("SELECT * FROM pragma_storage_info('singer')", HARMLESS),
    ("SELECT * FROM register_external_resource('x')", PERMISSION),
    ("SELECT * FROM create_external_resource('x')", PERMISSION),
    ("SELECT * FROM truncate_duckdb_logs()", PERMISSION),
    ("SELECT * FROM sniff_csv('https://example.org/x.csv')", PERMISSION),
    ("SELECT * FROM 'hf://datasets/x/y.csv'", PERMISSION),
    ("SELECT * FROM 's3://bucket/x.parquet'", PERMISSION),
    ("FROM data.csv", PERMISSION),
    ('FROM data."CSV"', PERMISSION),
    ("FROM `{secret}`", PERMISSION),
    ("FROM ('{secret}')", PERMISSION),
    ("FROM s: '{secret}'", PERMISSION),
    ("FROM (singer JOIN '{secret}' ON true)", PERMISSION),
    ("FROM singer JOIN concert ON true, '{secret}'", PERMISSION),
    ("SELECT ARRAY(FROM '{secret}')", PERMISSION),
    ("FROM system.main.read_csv('{secret}')", PERMISSION),
    # Reaching for Python.
    ("SELECT * FROM world", TABLE),
    ("SELECT * FROM os", TABLE),
    ("SELECT * FROM found", TABLE),
    ("SELECT * FROM self", TABLE),
    ("SELECT * FROM cursor", TABLE),
    ('SELECT * FROM "__builtins__"', TABLE),
    # Changing the session or the engine.
    ("INSTALL httpfs", WRITE),
    ("INSTALL spatial FROM community", WRITE),
    ("FORCE INSTALL httpfs", WRITE),
    ("LOAD httpfs", WRITE),
    ("LOAD '{secret}'", WRITE),
    ("UPDATE EXTENSIONS", WRITE),
    ("SET enable_external_access = true", NO_QUERY),
    ("SET GLOBAL enable_external_access = true", NO_QUERY),
    ("SET lock_configuration = false", NO_QUERY),
    ("RESET lock_configuration", NO_QUERY),
    ("SET memory_limit = '100GB'", NO_QUERY),
    ("SET threads = 100", NO_QUERY),
    ("SET temp_directory = '{new}'", NO_QUERY),
    ("SET log_query_path = '{new}'", NO_QUERY),
    ("SET VARIABLE x = 1", NO_QUERY),
    ("PRAGMA enable_profiling = 'json'", WRITE),
    ("PRAGMA profiling_output = '{new}'", WRITE),
    ("PRAGMA database_list", NO_QUERY),
    ("USE memory", NO_QUERY),
    ("BEGIN", NO_QUERY),
    ("PREPARE p AS DELETE FROM singer", NO_QUERY),
    ("EXECUTE p", NO_QUERY),
    ("CALL enable_logging()", NO_QUERY),
    ("CALL enable_profiling()", NO_QUERY),
    ("EXPLAIN ANALYZE DELETE FROM singer", NO_QUERY),
    ("DESCRIBE singer", NO_QUERY),
    ("SHOW TABLES", NO_QUERY),
    ("SUMMARIZE singer", NO_QUERY),
    ("SELECT * FROM enable_logging()", PERMISSION),
    ("SELECT setseed(0.5)", HARMLESS),
    ("INSTALL 'http://example.org/x.duckdb_extension'", WRITE),
    ("INSTALL httpfs FROM 'http://example.org'", WRITE),
    ("LOAD 'https://example.org/x.duckdb_extension'", WRITE),
    ("UNINSTALL httpfs", WRITE),
    ("SET SESSION search_path = 'memory'", NO_QUERY),
    ("SET allow_unsigned_extensions = true", NO_QUERY),
    ("SET extension_directory = '{new}'", NO_QUERY),
    ("SET secret_directory = '{new}'", NO_QUERY),
    ("SET allowed_paths = ['/']", NO_QUERY),
    ("SET TimeZone = 'Asia/Tokyo'", NO_QUERY),
    ("SET default_order = 'DESC'", NO_QUERY),
    ("SET schema = 'memory.main'", NO_QUERY),
    ("SET enable_object_cache = true", NO_QUERY),
    ("SET file_search_path = '/'", NO_QUERY),
    ("SET logging_level = 'trace'", NO_QUERY),
    ("SET profiling_output = '{new}'", NO_QUERY),
    ("SET VARIABLE x = (FROM read_text('{secret}') SELECT content)", NO_QUERY),
    ("RESET ALL", NO_QUERY),
    ("PRAGMA enable_object_cache", NO_QUERY),
    ("PRAGMA disable_checkpoint_on_shutdown", NO_QUERY),
    ("PRAGMA enable_profiling", NO_QUERY),
    ("PRAGMA force_checkpoint", NO_QUERY),
    ("PRAGMA threads = 64", WRITE),
    ("PRAGMA memory_limit = '1TB'", WRITE),
    ("PRAGMA temp_directory = '{new}'", WRITE),
    ("PRAGMA import_database('{new}')", WRITE),
    ("PRAGMA copy_database('database', 'memory')", WRITE),
    ("PRAGMA add_parquet_key('k', '0123456789112345')", WRITE),
    ("PRAGMA json_execute_serialized_sql('x')", WRITE),
    ("CALL checkpoint()", NO_QUERY),
    ("CALL force_checkpoint('database')", NO_QUERY),
    ("CALL truncate_duckdb_logs()", NO_QUERY),
    ("CALL disable_logging()", NO_QUERY),
    ("EXECUTE IMMEDIATE 'DELETE FROM singer'", NO_QUERY),
    ("DEALLOCATE ALL", NO_QUERY),
    ("EXPLAIN (FORMAT json) DELETE FROM singer", NO_QUERY),
    ("FROM (EXPLAIN ANALYZE DELETE FROM singer)", SYNTAX),
    ("ROLLBACK", NO_QUERY),
    ("ABORT", NO_QUERY),
    ("USE system", NO_QUERY),
    ("SELECT * FROM enable_profiling()", PERMISSION),
    ("SELECT * FROM disable_profiling()", PERMISSION),
    ("SELECT write_log('x', level := 'ERROR')", PERMISSION),
    # Using everything up.
    ("SELECT count(*) FROM range(1000000000000)", TIMEOUT),
    ("SELECT count(*) FROM range(10000000) a, range(10000000) b", TIMEOUT),
    (f"{ENDLESS} SELECT count(*) FROM c", TIMEOUT),
    ("SELECT * FROM range(1000000000000)", HARMLESS),
    ("SELECT list(range) FROM range(1000000000000)", STOPPED),
    ("SELECT string_agg(range::VARCHAR) FROM range(1000000000000)", STOPPED),
    ("SELECT " + "(" * 100_000 + "1" + ")" * 100_000, DEEP),
    ("SELECT 1" + " + 1" * 100_000, DEEP),
    ("SELECT " + "[" * 50_000 + "]" * 50_000, DEEP),
    ("SELECT * FROM " + "(SELECT * FROM " * 3_000 + "singer" + ")" * 3_000, DEEP),
    ("SELECT '" + "a" * 2_000_000 + "'", NO_QUERY),
    ("SELECT regexp_matches(repeat('a', 10000), '(a*)*b')", HARMLESS),
    ("SELECT error('x')", OTHER),
    ("SELECT sleep_ms(100000)", TIMEOUT),
    (f"{ENDLESS} SELECT x FROM c ORDER BY x", STOPPED),
    (f"{ENDLESS} SELECT list(x) FROM c", STOPPED),
    ("WITH RECURSIVE c (x) AS (SELECT 'x' UNION ALL SELECT x || x FROM c) SELECT count(*) FROM c", STOPPED),
    ("WITH RECURSIVE c (x, y) USING KEY (x) AS (SELECT 1, 1 UNION SELECT x, y + 1 FROM c) FROM c", TIMEOUT),
    ("SELECT count(*) FROM generate_series(1, 1000000000000)", TIMEOUT),
    ("SELECT count(*) FROM (SELECT unnest(range(1000000000)))", STOPPED),
    ("SELECT range(1000000000)", STOPPED),
    ("SELECT generate_series(1, 1000000000)", STOPPED),
    ("SELECT repeat('x', 1000000000)", STOPPED),
    ("SELECT repeat([1, 2, 3], 1000000000)", STOPPED),
    ("SELECT lpad('x', 2000000000, 'y')", STOPPED),
    ("SELECT * FROM repeat('x', 1000000000000)", HARMLESS),
    ("SELECT count(*) FROM repeat_row(1, 2, num_rows = 1000000000000)", TIMEOUT),
    ("SELECT list_sum(list_transform(range(100000000), lambda x: x * 2))", STOPPED),
    ("SELECT list_reduce(range(10000000), lambda x, y: x + y)", STOPPED),
    ("SELECT list_aggregate(range(100000000), 'histogram')", STOPPED),
    ("SELECT array_agg(a.range ORDER BY b.range) FROM range(1000000) a, range(1000000) b", STOPPED),
    ("SELECT mode(range) FROM range(1000000000000)", STOPPED),
    ("SELECT median(range) FROM range(1000000000000)", STOPPED),
    ("SELECT count(DISTINCT range) FROM range(1000000000000)", STOPPED),
    ("SELECT sum(range) OVER (ORDER BY range) FROM range(1000000000000)", STOPPED),
    ("SELECT * FROM range(100000000) ORDER BY hash(range)", STOPPED),
    ("SELECT count(*) FROM singer a, singer b, range(100000) c, range(100000) d", TIMEOUT),
    ("SELECT string_agg(repeat('x', 1000), '') FROM range(10000000)", STOPPED),
    ("SELECT regexp_replace(repeat('a', 1000000), '(a|aa)+$', 'b', 'g')", HARMLESS),
    ("SELECT repeat('a', 100000) LIKE repeat('%a', 10000) || 'b'", HARMLESS),
    ("SELECT repeat('a', 1000000) SIMILAR TO '(a*)*b'", HARMLESS),
    ("SELECT levenshtein(repeat('a', 100000), repeat('b', 100000))", STOPPED),
    ("SELECT json(repeat('[', 100000))", OTHER),
    ("SELECT json_structure(repeat('[', 1000) || repeat(']', 1000))", OTHER),
    ("SELECT '1' || repeat('0', 100000)::DOUBLE", HARMLESS),
    ("SELECT factorial(100)", OTHER),
    ("SELECT 2 ** 100000, 1 << 63", OTHER),
    ("SELECT bar(1, 0, 1, 1000000000)", OTHER),
    ("SELECT format('{:1000000000}', 1)", STOPPED),
    ("SELECT printf('%1000000000d', 1)", STOPPED),
    ("PIVOT (FROM range(100000)) ON range", DEEP),
    ("SELECT COLUMNS('(a*)*b') FROM singer", HARMLESS),
    ("SELECT " + "CASE WHEN true THEN " * 5_000 + "1" + " END" * 5_000, DEEP),
    ("SELECT " + "NOT " * 100_000 + "true", DEEP),
    ("SELECT 1" + " UNION SELECT 1" * 5_000, DEEP),
    (WIDE, PERHAPS),
    ("SELECT {'a': " * 1 + "{'a': " * 5_000 + "1" + "}" * 5_001, DEEP),
    (
        "WITH c0 AS (SELECT 1), " + ", ".join(f"c{i + 1} AS (FROM c{i}, c{i} AS b)" for i in range(30)) + " FROM c30",
        DEEP,
    ),
    ("FROM " + ", ".join(["singer"] * 60) + " SELECT count(*)", DEEP),
    ("SELECT '" + "a" * 900_000 + "'", HARMLESS),
    # Text that is no text.
    ("SELECT '\udc80'", SYNTAX),
    ("SELECT '\0'; DROP TABLE singer", SEVERAL),
    ("SELECT \0", COLUMN),
    ("SELECT chr(0) || chr(1114111)", HARMLESS),
    ("SELECT decode('\\xFF'::BLOB)", OTHER),
    ("SELECT 1 \u2028 ; DROP TABLE singer", SEVERAL),
    ("\\! touch {new}", NO_QUERY),
    (".shell touch {new}", NO_QUERY),
    ("SELECT $1", OTHER),
    ("SELECT ?", OTHER),
]

HARMLESS_ALONE = frozenset(
    {
        # A log that is in memory, and of which nothing is kept.
        "SELECT * FROM truncate_duckdb_logs()",
        "SELECT write_log('{new}')",
        "SELECT write_log('x', level := 'ERROR')",
        # There is nothing to write.
        "SELECT * FROM checkpoint()",
    }
)


_ONE_CALL = ("format", "levenshtein", "list_aggregate", "list_reduce", "list_sum", "lpad", "printf")
"""Functions in one call of which DuckDB does not ask whether to stop."""
ONLY_KILLED = frozenset(
    sql for sql, _ in STATEMENTS if sql == WIDE or sql.startswith(tuple(f"SELECT {name}(" for name in _ONE_CALL))
)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedWorld]:
    with embedded_world(tmp_path_factory.mktemp("duckdb"), DuckDBBackend, MADE) as world:
        yield world


@pytest.mark.parametrize(("sql", "kind"), STATEMENTS, ids=[sql[:60] for sql, _ in STATEMENTS])
class TestDuckDB(HostileStatements):
    harmless_alone = HARMLESS_ALONE
    only_killed = ONLY_KILLED


class WritableDuckDB(DuckDBBackend):
    """A session that may do everything, but does not fetch extensions."""

    def _connection(self, megabytes: int | None = None) -> duckdb.DuckDBPyConnection:
        if self._opened is None:
            memory = f"{megabytes or LAVISH.megabytes}MiB"
            config = {"memory_limit": memory, "temp_directory": "", "autoinstall_known_extensions": "false"}
            self._opened = 0, duckdb.connect(self.path, config={**config})
        return self._opened[1]

    def run(self, sql: str, limits: Limits) -> ResultTable:
        with mock.patch.object(duckdb_backend, "_only_query", lambda cursor, sql: cursor.extract_statements(sql)[0]):
            return super().run(sql, limits)


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedWorld]:
    """A world of its own: a wall that does not hold harms nothing else."""
    folder = tmp_path_factory.mktemp("alone")
    with embedded_world(folder, DuckDBBackend, MADE, LAVISH.megabytes, WrittenWorld) as world:
        yield world


def test_the_guard_alone(alone: EmbeddedWorld) -> None:
    """What the guard lets through is run in a session that may do everything."""
    alone.withstands(let_through(alone, STATEMENTS), alone.run_with(WritableDuckDB, LAVISH))


def test_the_session_alone(alone: EmbeddedWorld) -> None:
    alone.withstands(ending(STATEMENTS), alone.run_with(DuckDBBackend, LAVISH))


@pytest.mark.parametrize("sql", [*ENDLESS_CHANGES, *endless(STATEMENTS)], ids=lambda sql: sql[:60])
def test_the_limits_alone(alone: EmbeddedWorld, sql: str) -> None:
    """No guard, and a session that may do everything: what is stopped has changed nothing."""
    seconds = SECONDS_TO_KILL if sql in ONLY_KILLED else SECONDS_TO_STOP
    alone.stops(sql, alone.run_with(WritableDuckDB, LIMITS), seconds)

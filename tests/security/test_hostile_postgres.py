from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from functools import partial

import psycopg
import pytest

from database_backends.errors import BackendError
from database_backends.postgres import PostgresBackend
from tests.conformance.backend import ENDLESS
from tests.security.hostile import (
    HARMLESS,
    LAVISH,
    LIMITS,
    MEMORY,
    NO_QUERY,
    OTHER,
    PERHAPS,
    PERMISSION,
    SECONDS_TO_STOP,
    SEVERAL,
    STOPPED,
    SYNTAX,
    TIMEOUT,
    WRITE,
    HostedWorld,
    Hostile,
    HostileStatements,
    asked,
    ending,
    endless,
    host_world,
    let_through,
    shown,
)
from tests.servers.plugin import Server
from tests.servers.postgres import PrivatePostgresWorld

MADE = (
    "CREATE SEQUENCE counter",
    "CREATE MATERIALIZED VIEW frozen AS SELECT name FROM singer",
    "CREATE PROCEDURE empty() LANGUAGE sql BEGIN ATOMIC DELETE FROM singer; END",
    "CREATE PROCEDURE escape() LANGUAGE plpgsql AS 'BEGIN COMMIT; SET TRANSACTION READ WRITE; DELETE FROM singer; END'",
    "CREATE FUNCTION vanish() RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER AS"
    " 'BEGIN DELETE FROM singer; RETURN 1; END'",
    "CREATE FUNCTION rewrite() RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER AS"
    " 'BEGIN SET TRANSACTION READ WRITE; DELETE FROM singer; RETURN 1; END'",
    "CREATE FUNCTION forever() RETURNS bigint LANGUAGE plpgsql AS"
    " 'BEGIN LOOP BEGIN PERFORM pg_sleep(9); EXCEPTION WHEN query_canceled THEN NULL; END; END LOOP; END'",
)
"""What a database may have of its own accord."""

RECOVERED = (
    "SELECT set_config('role', 'none', false), query_to_xml('SELECT pg_read_file(''{secret}'')', true, true, '')"
)
"""A superuser whose session has taken a lesser role may take its own again, and have a text read that role."""

ENDLESS_CHANGES = (
    "INSERT INTO concert SELECT a, 1 FROM generate_series(10, 1000000000000) AS a",
    "CREATE TABLE t AS SELECT a FROM generate_series(1, 1000000000000) AS a",
    "UPDATE singer SET age = (SELECT count(*) FROM generate_series(1, 1000000000000))",
    "DELETE FROM singer WHERE pg_sleep(1000) IS NULL",
    "WITH a AS (UPDATE singer SET age = 0 RETURNING pg_sleep(1000)) SELECT count(*) FROM a",
    "DO $$ BEGIN LOOP UPDATE singer SET age = 0; END LOOP; END $$",
    "SELECT pg_advisory_lock(7), pg_sleep(1000)",
    "SELECT name, pg_sleep(1000) FROM singer FOR UPDATE",
)

STEERED = "SELECT random() IN (0.9851677175347999, 0.2499104186659835)"
"""Whether `setseed(0.5)` still decides what comes next: since PostgreSQL 15, and before."""

PROBES = (
    "SELECT count(*) FROM singer",
    "SELECT name, setting FROM pg_settings WHERE name !~ '^plpgsql' ORDER BY name",  # a library, loaded when needed
    "SELECT current_user, session_user, current_schemas(true), current_setting('hostile.x', true)",
    "SELECT name FROM pg_prepared_statements UNION ALL SELECT name FROM pg_cursors WHERE is_holdable ORDER BY 1",
    "SELECT * FROM pg_listening_channels()",
    "SELECT objid FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()",
    "SELECT relname FROM pg_class WHERE pg_is_other_temp_schema(relnamespace) OR relnamespace = pg_my_temp_schema()",
    STEERED,
)

STATEMENTS: Hostile = [
    # Changing data.
    ("INSERT INTO singer VALUES (9, 'x', 1, NULL)", WRITE),
    ("INSERT INTO singer SELECT 9, 'x', 1, NULL", WRITE),
    ("INSERT INTO singer VALUES (1, 'x', 1, NULL) ON CONFLICT (singer_id) DO UPDATE SET name = 'x'", WRITE),
    ("INSERT INTO singer DEFAULT VALUES RETURNING *", WRITE),
    ("UPDATE singer SET name = 'x'", WRITE),
    ("UPDATE ONLY singer SET age = 0 FROM concert RETURNING singer.*", WRITE),
    ("DELETE FROM singer", WRITE),
    ("DELETE FROM singer WHERE false", WRITE),
    ("DELETE FROM singer USING concert WHERE true RETURNING *", WRITE),
    ("MERGE INTO singer USING concert ON true WHEN MATCHED THEN DELETE", WRITE),
    ("MERGE INTO singer AS s USING concert AS c ON false WHEN NOT MATCHED THEN DO NOTHING RETURNING *", WRITE),
    ("TRUNCATE singer RESTART IDENTITY CASCADE", WRITE),
    ("WITH a AS (SELECT 1) DELETE FROM singer", WRITE),
    ("WITH a AS (INSERT INTO singer VALUES (9, 'x', 1, NULL) RETURNING *) SELECT * FROM a", WRITE),
    ("WITH a AS MATERIALIZED (DELETE FROM singer RETURNING *) SELECT 1", WRITE),
    ("WITH a AS (UPDATE singer SET age = 0) SELECT 1", WRITE),
    ("WITH a AS (MERGE INTO singer USING concert ON true WHEN MATCHED THEN DELETE RETURNING 1) TABLE a", WRITE),
    ("WITH RECURSIVE a (x) AS (SELECT 1) SEARCH DEPTH FIRST BY x SET y DELETE FROM singer", WRITE),
    ("SELECT * FROM (WITH a AS (DELETE FROM singer RETURNING *) SELECT * FROM a) AS b", WRITE),
    ("SELECT nextval('counter')", WRITE),
    ("SELECT setval('counter', 9)", WRITE),
    ("SELECT \"nextval\"('counter')", WRITE),
    ("SELECT currval('counter')", OTHER),
    ("SELECT name FROM singer FOR UPDATE", WRITE),
    ("SELECT name FROM singer FOR NO KEY UPDATE SKIP LOCKED", WRITE),
    ("SELECT name FROM singer FOR SHARE NOWAIT", WRITE),
    ("SELECT * FROM (SELECT name FROM singer FOR KEY SHARE) AS s", WRITE),
    ("SELECT vanish()", WRITE),
    ("SELECT rewrite()", OTHER),
    # Hiding it.
    ("/* SELECT */ DELETE FROM singer", WRITE),
    ("/* /* */ SELECT 1; */ DELETE FROM singer", WRITE),
    ("-- SELECT 1\rDELETE FROM singer", WRITE),
    ("-- SELECT 1\nDELETE FROM singer", WRITE),
    ("(DELETE FROM singer)", WRITE),
    ("((WITH a AS (SELECT 1) DELETE FROM singer))", WRITE),
    ("DELETE/**/FROM/**/singer", WRITE),
    ("dElEtE FrOm singer", WRITE),
    ("\ufeffDELETE FROM singer", WRITE),
    ("WITH a AS (/* ' */ DELETE FROM singer RETURNING * /* ' */) SELECT * FROM a", WRITE),
    ("WITH a AS (-- \rDELETE FROM singer RETURNING *\n) SELECT * FROM a", WRITE),
    ("SELECT $$;$$; DELETE FROM singer", SEVERAL),
    ("SELECT $a$ $b$;$a$; DELETE FROM singer; SELECT $b$", SEVERAL),
    ("SELECT E'\\'; DELETE FROM singer; --'", HARMLESS),
    ("SELECT E'\\\\'; DELETE FROM singer; --'", SEVERAL),
    ("SELECT '\\'; DELETE FROM singer; --'", SEVERAL),
    ("SELECT E'a'\n'\\''; DELETE FROM singer; --'", SEVERAL),
    ("SELECT U&'\\0027'; DELETE FROM singer; --'", SEVERAL),
    ("SELECT 1; DELETE FROM singer", SEVERAL),
    ("SELECT 1;;DROP TABLE singer;--", SEVERAL),
    ("SELECT 1 /* /* */; */; DROP TABLE singer", SEVERAL),
    ("SELECT 1 -- \r; DROP TABLE singer", SEVERAL),
    ("SELECT 1 #-- ' \n 2; DROP TABLE singer --'", SEVERAL),
    ("BEGIN; DELETE FROM singer; COMMIT", SEVERAL),
    ("COMMIT; DELETE FROM singer", SEVERAL),
    ("SELECT U&\"set\\005fconfig\"('role', 'none', false)", PERMISSION),
    ("SELECT U&\"!006eextval\" UESCAPE '!' ('counter')", PERMISSION),
    ("SELECT 'a' ||/* ' */ pg_read_file('{secret}') /* ' */", PERMISSION),
    # Changing the schema and the catalog.
    ("CREATE TABLE t (a int)", WRITE),
    ("CREATE TABLE t AS SELECT * FROM singer", WRITE),
    ("CREATE TEMP TABLE singer (a int)", WRITE),
    ("CREATE TEMP VIEW singer AS SELECT 1", WRITE),
    ("CREATE UNLOGGED TABLE t (a int)", WRITE),
    ("CREATE TABLE pg_temp.singer AS SELECT 1 AS a", WRITE),
    ("SELECT * INTO t FROM singer", WRITE),
    ("SELECT * INTO TEMP t FROM singer", WRITE),
    ("SELECT 1INTO TABLE t", WRITE),
    ("CREATE VIEW v AS SELECT 1", WRITE),
    ("CREATE INDEX CONCURRENTLY i ON singer (name)", WRITE),
    ("CREATE SCHEMA s CREATE TABLE t (a int)", WRITE),
    ("CREATE DATABASE test_hostile", WRITE),
    ("CREATE ROLE test_hostile SUPERUSER LOGIN PASSWORD 'x'", WRITE),
    ("CREATE EXTENSION dblink", WRITE),
    ("CREATE EXTENSION file_fdw", WRITE),
    ("CREATE FUNCTION f() RETURNS int LANGUAGE c AS '/lib/x86_64-linux-gnu/libc.so.6', 'system'", WRITE),
    ("CREATE RULE r AS ON INSERT TO singer DO INSTEAD NOTHING", WRITE),
    ("CREATE TRIGGER t AFTER INSERT ON singer EXECUTE FUNCTION vanish()", WRITE),
    ("CREATE EVENT TRIGGER e ON ddl_command_start EXECUTE FUNCTION vanish()", WRITE),
    ("CREATE STATISTICS s ON name, age FROM singer", WRITE),
    ("CREATE PUBLICATION p FOR ALL TABLES", WRITE),
    ("CREATE SUBSCRIPTION s CONNECTION 'host=127.0.0.1' PUBLICATION p", WRITE),
    ("CREATE SERVER s FOREIGN DATA WRAPPER w", WRITE),
    ("CREATE OR REPLACE FUNCTION count(anyelement) RETURNS int LANGUAGE sql AS 'SELECT 7'", WRITE),
    ("ALTER TABLE singer RENAME TO t", WRITE),
    ("ALTER TABLE singer DISABLE ROW LEVEL SECURITY", WRITE),
    ("ALTER SYSTEM SET work_mem = '1GB'", WRITE),
    ("ALTER ROLE CURRENT_USER SET search_path = pg_catalog", WRITE),
    ("ALTER ROLE CURRENT_USER PASSWORD 'x'", WRITE),
    ("ALTER DATABASE postgres SET statement_timeout = 0", WRITE),
    ("ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO public", WRITE),
    ("DROP TABLE singer CASCADE", WRITE),
    ("DROP TABLE IF EXISTS nothing", WRITE),
    ("DROP OWNED BY CURRENT_USER", WRITE),
    ("DROP DATABASE postgres WITH (FORCE)", WRITE),
    ("REASSIGN OWNED BY CURRENT_USER TO CURRENT_USER", NO_QUERY),
    ("GRANT ALL ON singer TO public", WRITE),
    ("GRANT pg_write_all_data TO CURRENT_USER", WRITE),
    ("REVOKE ALL ON singer FROM public", WRITE),
    ("COMMENT ON TABLE singer IS 'x'", WRITE),
    ("SECURITY LABEL ON TABLE singer IS 'x'", NO_QUERY),
    ("REFRESH MATERIALIZED VIEW frozen", WRITE),
    ("REINDEX TABLE singer", WRITE),
    ("CLUSTER", NO_QUERY),
    ("VACUUM FULL", WRITE),
    ("VACUUM (ANALYZE) singer", WRITE),
    ("ANALYZE singer", WRITE),
    ("CHECKPOINT", WRITE),
    ("IMPORT FOREIGN SCHEMA s FROM SERVER t INTO u", WRITE),
    ("SELECT pg_clear_relation_stats('public', 'singer')", PERMISSION),
    ("SELECT pg_import_system_collations('pg_catalog')", PERMISSION),
    ("SELECT binary_upgrade_set_next_pg_type_oid(9)", PERMISSION),
    ("SELECT brin_summarize_new_values('singer_pkey')", PERMISSION),
    # Reaching for files, programs and other servers.
    ("COPY singer TO '{new}'", WRITE),
    ("COPY (SELECT 1) TO '{new}' (FORMAT csv)", WRITE),
    ("COPY (SELECT 1) TO PROGRAM 'touch {new}'", WRITE),
    ("COPY singer FROM PROGRAM 'cat {secret}'", WRITE),
    ("COPY singer FROM '{secret}'", WRITE),
    ("COPY singer TO STDOUT", WRITE),
    ("COPY singer FROM STDIN", WRITE),
    ("COPY (DELETE FROM singer RETURNING *) TO STDOUT", WRITE),
    ("SELECT pg_read_file('{secret}')", PERMISSION),
    ("SELECT pg_read_file('postgresql.conf', 0, 9, true)", PERMISSION),
    ("SELECT pg_read_binary_file('{secret}')", PERMISSION),
    ("SELECT PG_READ_FILE /**/ ('{secret}')", PERMISSION),
    ("SELECT pg_catalog.pg_read_file('{secret}')", PERMISSION),
    ("SELECT * FROM pg_ls_dir('/')", PERMISSION),
    ("SELECT * FROM pg_ls_logdir()", PERMISSION),
    ("SELECT * FROM pg_ls_waldir()", PERMISSION),
    ("SELECT * FROM pg_stat_file('{secret}')", PERMISSION),
    ("SELECT pg_current_logfile()", PERMISSION),
    ("SELECT * FROM pg_hba_file_rules", PERMISSION),
    ("SELECT * FROM pg_file_settings", PERMISSION),
    ("SELECT lo_import('{secret}')", PERMISSION),
    ("SELECT lo_export(lo_from_bytea(0, 'x'), '{new}')", PERMISSION),
    ("SELECT lo_from_bytea(0, 'x')", PERMISSION),
    ("SELECT lo_create(0)", PERMISSION),
    ("SELECT lo_creat(-1)", PERMISSION),
    ("SELECT lo_unlink(1)", PERMISSION),
    ("SELECT lo_put(1, 0, 'x')", PERMISSION),
    ("SELECT * FROM dblink('dbname=postgres', 'DELETE FROM singer') AS t (a text)", PERMISSION),
    ("SELECT dblink_connect('dbname=postgres')", PERMISSION),
    ("SELECT dblink_exec('DELETE FROM singer')", PERMISSION),
    ("SELECT xmlparse(DOCUMENT '<!DOCTYPE x [<!ENTITY e SYSTEM \"file://{secret}\">]><x>&e;</x>')", HARMLESS),
    ("SELECT pg_file_write('{new}', 'x', false)", PERMISSION),
    ("SELECT pg_logical_emit_message(false, 'a', 'b')", PERMISSION),
    ("SELECT pg_create_physical_replication_slot('test_hostile')", PERMISSION),
    ("SELECT pg_create_restore_point('x')", PERMISSION),
    ("SELECT pg_switch_wal()", PERMISSION),
    ("SELECT pg_backup_start('x')", PERMISSION),
    ("LOAD '/lib/x86_64-linux-gnu/libc.so.6'", WRITE),
    # Reaching for secrets.
    ("SELECT rolname, rolpassword FROM pg_authid", PERMISSION),
    ("SELECT passwd FROM pg_shadow", PERMISSION),
    ('SELECT * FROM pg_catalog."pg_shadow"', PERMISSION),
    ("TABLE pg_user_mappings", PERMISSION),
    ("SELECT subconninfo FROM pg_subscription", PERMISSION),
    ("SELECT passwd FROM pg_user WHERE passwd <> '********'", HARMLESS),
    ("SELECT rolpassword FROM pg_roles WHERE rolpassword <> '********'", HARMLESS),
    ("SELECT * FROM information_schema.user_mapping_options", PERMISSION),
    ("SELECT current_setting('data_directory')", PERMISSION),
    # Running text.
    ("SELECT query_to_xml('DELETE FROM singer', true, true, '')", PERMISSION),
    ("SELECT query_to_xml('SELECT pg_read_file(''{secret}'')', true, true, '')", PERMISSION),
    (RECOVERED, PERMISSION),
    ("SELECT query_to_xml_and_xmlschema('SELECT nextval(''counter'')', true, true, '')", PERMISSION),
    ("SELECT table_to_xml('pg_authid', true, true, '')", PERMISSION),
    ("SELECT cursor_to_xml('c', 1, true, true, '')", PERMISSION),
    ("SELECT database_to_xml(true, true, '')", PERMISSION),
    ("SELECT * FROM ts_stat('DELETE FROM singer RETURNING to_tsvector(name)')", PERMISSION),
    ("SELECT ts_rewrite('a'::tsquery, 'SELECT ''a''::tsquery, ''b''::tsquery')", PERMISSION),
    ("SELECT * FROM crosstab('DELETE FROM singer') AS c (a text)", PERMISSION),
    ("DO $$ BEGIN DELETE FROM singer; END $$", NO_QUERY),
    ("DO $$ BEGIN COMMIT; SET TRANSACTION READ WRITE; RESET ROLE; DELETE FROM singer; END $$", NO_QUERY),
    ("DO LANGUAGE plpgsql 'BEGIN EXECUTE ''COPY (SELECT 1) TO PROGRAM touch {new}''; END'", NO_QUERY),
    ("CALL empty()", NO_QUERY),
    ("CALL escape()", NO_QUERY),
    ("EXPLAIN ANALYZE DELETE FROM singer", NO_QUERY),
    ("EXPLAIN (ANALYZE, SUMMARY OFF) UPDATE singer SET age = 0", NO_QUERY),
    ("PREPARE p AS DELETE FROM singer", NO_QUERY),
    ("EXECUTE p", NO_QUERY),
    ("DEALLOCATE ALL", NO_QUERY),
    # Changing the session, or other sessions.
    ("SET ROLE postgres", NO_QUERY),
    ("SET SESSION AUTHORIZATION DEFAULT", NO_QUERY),
    ("RESET ROLE", NO_QUERY),
    ("SET default_transaction_read_only = off", NO_QUERY),
    ("SET statement_timeout = 0", NO_QUERY),
    ("SET search_path = pg_temp", NO_QUERY),
    ("RESET ALL", NO_QUERY),
    ("DISCARD ALL", NO_QUERY),
    ("SHOW ALL", NO_QUERY),
    ("SELECT set_config('role', 'none', false)", PERMISSION),
    ("SELECT set_config('transaction_read_only', 'off', true), vanish()", PERMISSION),
    ("SELECT set_config('statement_timeout', '0', false), pg_sleep(100)", PERMISSION),
    ("SELECT set_config('application_name', 'x', false), pg_sleep(100)", PERMISSION),
    ("SELECT set_config('session_authorization', 'postgres', false)", PERMISSION),
    ("UPDATE pg_settings SET setting = '0' WHERE name = 'statement_timeout'", WRITE),
    ("BEGIN READ WRITE", NO_QUERY),
    ("START TRANSACTION ISOLATION LEVEL SERIALIZABLE", NO_QUERY),
    ("COMMIT AND CHAIN", NO_QUERY),
    ("ROLLBACK", NO_QUERY),
    ("SAVEPOINT s", NO_QUERY),
    ("PREPARE TRANSACTION 'x'", NO_QUERY),
    ("DECLARE c CURSOR WITH HOLD FOR SELECT 1", NO_QUERY),
    ("FETCH ALL FROM c", NO_QUERY),
    ("LISTEN hostile", NO_QUERY),
    ("NOTIFY hostile, 'x'", NO_QUERY),
    ("SELECT pg_notify('hostile', 'x')", PERMISSION),
    ("LOCK TABLE singer IN ACCESS EXCLUSIVE MODE", NO_QUERY),
    ("SELECT pg_advisory_lock(7)", PERMISSION),
    ("SELECT pg_try_advisory_lock_shared(7, 8)", PERMISSION),
    ("SELECT pg_advisory_xact_lock(7)", PERMISSION),
    ("SELECT pg_terminate_backend(pg_backend_pid())", PERMISSION),
    ("SELECT pg_cancel_backend(pid) FROM pg_stat_activity", PERMISSION),
    ("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()", PERMISSION),
    ("SELECT pg_reload_conf()", PERMISSION),
    ("SELECT pg_rotate_logfile()", PERMISSION),
    ("SELECT pg_promote()", PERMISSION),
    ("SELECT pg_log_backend_memory_contexts(pg_backend_pid())", PERMISSION),
    ("SELECT pg_stat_reset()", PERMISSION),
    ("SELECT pg_stat_reset_shared('io')", PERMISSION),
    ("SELECT pg_stat_statements_reset()", PERMISSION),
    ("SELECT pg_export_snapshot()", PERMISSION),
    ("SELECT txid_current()", HARMLESS),
    ("SELECT setseed(0.5)", PERMISSION),
    ("SELECT setseed(0.5), random() FROM singer", PERMISSION),
    # Using everything up.
    ("SELECT pg_sleep(1000)", TIMEOUT),
    ("SELECT pg_sleep_until('infinity')", TIMEOUT),
    ("SELECT forever()", TIMEOUT),
    ("SELECT count(*) FROM generate_series(1, 1000000000000)", TIMEOUT),
    ("SELECT count(*) FROM generate_series(1, 1e12)", TIMEOUT),
    ("SELECT * FROM generate_series(now(), 'infinity', '1 s')", TIMEOUT),
    ("SELECT count(*) FROM generate_series(1, 10000000) a, generate_series(1, 10000000) b", TIMEOUT),
    ("SELECT count(*) FROM pg_class, pg_attribute, pg_proc, pg_depend", TIMEOUT),
    (f"{ENDLESS} SELECT count(*) FROM c", TIMEOUT),
    (f"{ENDLESS} SELECT max(x) FROM c WHERE x IN (SELECT x FROM c)", TIMEOUT),
    (f"{ENDLESS} SELECT x FROM c", HARMLESS),
    ("WITH RECURSIVE c (x) AS (SELECT 'x' UNION ALL SELECT x || x FROM c) SELECT count(*) FROM c", STOPPED),
    ("SELECT repeat('x', 1000000000)", STOPPED),
    ("SELECT repeat('x', 2000000000)", MEMORY),
    ("SELECT repeat(repeat('x', 1000000), 1000)", STOPPED),
    ("SELECT string_agg(repeat('x', 1000000), '') FROM generate_series(1, 1000000)", STOPPED),
    ("SELECT array_agg(a) FROM generate_series(1, 1000000000) AS a", STOPPED),
    ("SELECT array_fill(0, ARRAY[100000, 100000])", MEMORY),
    ("SELECT lpad('x', 1000000000)", STOPPED),
    ("SELECT string_to_array(repeat('x,', 50000000), ',')", STOPPED),
    ("SELECT 9::numeric ^ 9999999", OTHER),
    ("SELECT generate_series(1, 1000000000), repeat('x', 10000000)", STOPPED),
    ("SELECT regexp_matches(repeat('a', 5000), '((a*)*)*b')", HARMLESS),
    ("SELECT repeat('a', 301) ~ '^(a*)(a*)(a*)(a*)\\4\\3\\2\\1$'", TIMEOUT),
    ("SELECT count(*) FROM regexp_split_to_table(repeat('a,', 1000000), ',')", PERHAPS),
    ("SELECT 'a' ~ '((((a{255}){255}){255}){255})'", OTHER),
    ("SELECT repeat('ab', 100000) LIKE repeat('%a%b', 1000) || 'c'", HARMLESS),
    ("SELECT repeat('[', 1000000)::json", SYNTAX),
    ("SELECT jsonb_path_query('1', repeat('(', 100000)::jsonpath)", SYNTAX),
    ("SELECT " + "(" * 20_000 + "1" + ")" * 20_000, SYNTAX),
    ("SELECT 1" + " + 1" * 100_000, SYNTAX),
    ("SELECT " + "NOT " * 100_000 + "true", SYNTAX),
    ("SELECT ARRAY" + "[" * 10_000 + "1" + "]" * 10_000, SYNTAX),
    ("SELECT 1" + " UNION SELECT 1" * 20_000, SYNTAX),
    ("SELECT 1" + ", 1" * 20_000, SYNTAX),
    ("SELECT count(*) FROM " + ", ".join(f"singer AS s{i}" for i in range(25)), TIMEOUT),
    ("SELECT * FROM " + "(SELECT * FROM " * 3_000 + "singer" + ") AS s" * 3_000, SYNTAX),
    ("SELECT '" + "a" * 2_000_000 + "'", NO_QUERY),
    ("SELECT '" + "a" * 900_000 + "'", HARMLESS),
    ("SELECT " + ", ".join(f"$1::int AS a{i}" for i in range(9)), OTHER),
    # Text that is no text.
    ("SELECT \0", SYNTAX),
    ("SELECT '\0'; DROP TABLE singer", SEVERAL),
    ("SELECT chr(0)", MEMORY),
    ("SELECT '\udc80'", SYNTAX),
    ("SELECT E'\\xff'", OTHER),
    ("SELECT ﹔ DROP TABLE singer", SYNTAX),
    ("\\! touch {new}", NO_QUERY),
    ("\\copy singer TO '{new}'", NO_QUERY),
]

HARMLESS_ALONE = frozenset(
    {
        # Nothing is written.
        "MERGE INTO singer AS s USING concert AS c ON false WHEN NOT MATCHED THEN DO NOTHING RETURNING *",
        "SELECT database_to_xml(true, true, '')",
        "SELECT ts_rewrite('a'::tsquery, 'SELECT ''a''::tsquery, ''b''::tsquery')",
        "SELECT pg_logical_emit_message(false, 'a', 'b')",
        # The end of the transaction undoes it.
        "SELECT U&\"set\\005fconfig\"('role', 'none', false)",
        "SELECT set_config('role', 'none', false)",
        "SELECT pg_notify('hostile', 'x')",
        "SELECT pg_advisory_xact_lock(7)",
        "SELECT pg_export_snapshot()",
        # The next statement undoes it.
        "SELECT pg_advisory_lock(7)",
        "SELECT pg_try_advisory_lock_shared(7, 8)",
        "SELECT setseed(0.5)",
        "SELECT setseed(0.5), random() FROM singer",
        # An account that may read everything may read these.
        "SELECT rolname, rolpassword FROM pg_authid",
        "SELECT passwd FROM pg_shadow",
        'SELECT * FROM pg_catalog."pg_shadow"',
        "TABLE pg_user_mappings",
        "SELECT subconninfo FROM pg_subscription",
        "SELECT * FROM information_schema.user_mapping_options",
        "SELECT table_to_xml('pg_authid', true, true, '')",
    }
)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, postgres_server: Server) -> Iterator[HostedWorld]:
    server = PrivatePostgresWorld(postgres_server.owner, postgres_server.reader)
    try:
        world = host_world(tmp_path_factory.mktemp("postgres"), PostgresBackend, server, PROBES, MADE)
        with world.database:
            yield world
            world.assert_as_before(None)
    finally:
        server.close()


@pytest.mark.parametrize(("sql", "kind"), STATEMENTS, ids=[sql[:60] for sql, _ in STATEMENTS])
class TestPostgres(HostileStatements):
    harmless_alone = HARMLESS_ALONE


UNKNOWABLE = frozenset({"SELECT vanish()", "SELECT rewrite()"})
# To PostgreSQL they change nothing, and what they find out about a table is not taken back with the transaction.
STATISTICS = ("ANALYZE singer", "REINDEX TABLE singer")
NOT_UNDONE = {"maker": STATISTICS, "owner": (*STATISTICS, RECOVERED)}


def test_the_guard_alone(world: HostedWorld) -> None:
    """What the guard lets through is run by a superuser, each statement a transaction that is committed."""
    assert isinstance(world.server, PrivatePostgresWorld)
    schema = world.server.name_of(world.database.target)

    def run(sql: str) -> object:
        with psycopg.connect(world.server.owner, autocommit=True) as connection:
            connection.execute(f"SET search_path TO {schema}; SET statement_timeout = '{LAVISH.seconds}s'")
            with suppress(psycopg.Error, UnicodeEncodeError):
                return connection.execute(sql.encode()).fetchmany(9)
        return None

    world.withstands(let_through(world, STATEMENTS, UNKNOWABLE), run)


@pytest.mark.parametrize("account", ["reader", "maker", "owner"])
def test_the_session_alone(world: HostedWorld, account: str) -> None:
    """One that may only read, one to whom the database belongs, and a superuser."""
    target = world.server.target(getattr(world.server, account), world.server.name_of(world.database.target))
    statements = [sql for sql in ending(STATEMENTS) if sql not in NOT_UNDONE.get(account, ())]
    with PostgresBackend(target) as database:
        world.withstands(statements, lambda sql: asked(database.run, sql))


@pytest.mark.xfail(strict=True, reason="a superuser can take back what its session has given up")
def test_the_session_alone_keeps_a_superuser_from_files(world: HostedWorld) -> None:
    with PostgresBackend(world.server.owners(world.database.target)) as database, pytest.raises(BackendError):
        database.run(world.fill(RECOVERED), LAVISH)


def test_a_read_only_transaction_alone_is_not_the_session(world: HostedWorld) -> None:
    """Hence each statement stands in a block that is rolled back."""
    assert isinstance(world.server, PrivatePostgresWorld)
    schema = world.server.name_of(world.database.target)
    options = f"-c default_transaction_read_only=on -c search_path={schema}"
    with psycopg.connect(world.server.maker, autocommit=True, options=options) as connection:
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            connection.execute("CREATE TABLE t (a int)")
        connection.execute("DO $$ BEGIN COMMIT; SET TRANSACTION READ WRITE; CREATE TABLE t (a int); END $$")
        connection.execute("DO $$ BEGIN COMMIT; SET TRANSACTION READ WRITE; DROP TABLE t; END $$")


def test_an_ordinary_session_keeps_its_seed(world: HostedWorld) -> None:
    """So the probe can tell."""
    with psycopg.connect(world.server.owner, autocommit=True) as connection:
        connection.execute("SELECT setseed(0.5)")
        assert connection.execute(STEERED).fetchone() == (True,)


class WritablePostgres(PostgresBackend):
    """A session that may write."""

    def _open(self) -> None:
        super()._open()
        connection = self._live()
        connection.execute(
            "SET default_transaction_read_only = off; DEALLOCATE sqlassay_begin; DEALLOCATE sqlassay_ready"
        )
        connection.pgconn.prepare(b"sqlassay_begin", b"BEGIN")
        connection.pgconn.prepare(b"sqlassay_ready", b"SELECT set_config('statement_timeout', $1, true)")


@pytest.mark.parametrize("sql", [*ENDLESS_CHANGES, *endless(STATEMENTS)], ids=lambda sql: sql[:60])
def test_the_limits_alone(world: HostedWorld, sql: str) -> None:
    """No guard, and a session to which the database belongs: what is stopped has changed nothing."""
    assert isinstance(world.server, PrivatePostgresWorld)
    target = world.server.target(world.server.maker, world.server.name_of(world.database.target))
    with WritablePostgres(target) as database:
        world.stops(sql, lambda sql: asked(database.run, sql, LIMITS))


def test_what_the_server_cannot_interrupt_is_not_waited_for(world: HostedWorld) -> None:
    """Some functions of PostgreSQL do not look whether they should stop; a value has 1 GB at most, so they end soon."""
    run = partial(asked, world.database.execute, "SELECT format('%1000000000s', 'x')", LIMITS)
    found = world.in_time(run, LIMITS, SECONDS_TO_STOP)
    assert isinstance(found, BackendError), shown(found)
    assert found.kind is TIMEOUT
    deadline = time.monotonic() + 60
    while world.server.busy():
        assert time.monotonic() < deadline
        time.sleep(0.1)
    world.assert_as_before(found)

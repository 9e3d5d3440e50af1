from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace

import pytest
import trino.exceptions
from trino.exceptions import TrinoQueryError
from trino.transaction import NO_TRANSACTION

from database_backends.errors import BackendError
from database_backends.trino import TrinoBackend
from tests.conformance.backend import ENDLESS
from tests.security.hostile import (
    HARMLESS,
    LIMITS,
    NO_QUERY,
    OTHER,
    OUR_LIMITS,
    PERHAPS,
    PERMISSION,
    SEVERAL,
    STOPPED,
    SYNTAX,
    TABLE,
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
)
from tests.servers.plugin import Server
from tests.servers.trino import TrinoWorld

PATIENT = replace(LIMITS, seconds=2)  # also a small query takes a while, where there are few cores
PROBES = (
    "SELECT current_timezone(), current_catalog, current_schema, current_user, current_path,"
    " (SELECT count(*) FROM singer)",
)

ROWS = "tpch.sf1000.lineitem"
LONG = "rpad('x', 60000, 'y')"
QUERY = "TABLE(postgresql.system.query(query => 'SELECT 1 AS a'))"

LONG_TO_ANALYSE = ("SELECT " + "1, " * 10_000 + "1", "SELECT 1 WHERE 1 IN (" + "1, " * 10_000 + "1)")
"""The engine does not interrupt its analysis."""

STATEMENTS: Hostile = [
    # Changing data.
    ("INSERT INTO singer VALUES (9, 'x', 1, NULL)", WRITE),
    ("INSERT INTO singer SELECT * FROM singer", WRITE),
    ("INSERT INTO singer TABLE singer", WRITE),
    ("INSERT INTO memory.default.t VALUES 1", WRITE),
    ("UPDATE singer SET age = 0", WRITE),
    ("UPDATE singer SET name = name WHERE false", WRITE),
    ("DELETE FROM singer", WRITE),
    ("DELETE FROM singer WHERE 1 = 0", WRITE),
    ("TRUNCATE TABLE singer", WRITE),
    ("MERGE INTO singer USING concert ON singer.singer_id = concert.singer_id WHEN MATCHED THEN DELETE", WRITE),
    (
        "MERGE INTO singer AS s USING singer AS t ON s.singer_id = t.singer_id WHEN MATCHED THEN UPDATE SET age = 0",
        WRITE,
    ),
    ("WITH a AS (SELECT 1) DELETE FROM singer", WRITE),
    ("WITH a AS (SELECT 9) INSERT INTO singer SELECT 9, 'x', 1, NULL FROM a", WRITE),
    ("WITH a AS (DELETE FROM singer) SELECT * FROM a", WRITE),
    ("INSERT INTO singer WITH a AS (SELECT 1) SELECT 9, 'x', 1, NULL FROM a", WRITE),
    ("SELECT * FROM (DELETE FROM singer)", WRITE),
    ("(DELETE FROM singer)", WRITE),
    ("/* SELECT */ DELETE FROM singer", WRITE),
    ("-- SELECT 1\nDELETE FROM singer", WRITE),
    ("-- SELECT 1\rDELETE FROM singer", WRITE),
    ("/* /* */ DELETE FROM singer -- */", WRITE),
    ("/**/DELETE/**/FROM/**/singer", WRITE),
    ("\ufeffDELETE FROM singer", WRITE),
    ("delete from singer", WRITE),
    # Several statements.
    ("SELECT 1; DELETE FROM singer", SEVERAL),
    ("SELECT 1;;DELETE FROM singer;--", SEVERAL),
    ("SELECT 1\n;\nDROP TABLE singer", SEVERAL),
    ("SELECT 1; SELECT 2", SEVERAL),
    ("SELECT ';' ; DROP TABLE singer", SEVERAL),
    ("SELECT 1 /* ; */ ; DROP TABLE singer", SEVERAL),
    ("SELECT 1 /* /* */ ; DROP TABLE singer -- */", SEVERAL),
    ("SELECT 1 -- \r; DROP TABLE singer", SEVERAL),
    ("SELECT '\\' ; DROP TABLE singer -- '", SEVERAL),
    ('SELECT 1 AS "a"";" ; DROP TABLE singer', SEVERAL),
    ("SELECT 1 WHERE '1' = '1'; UPDATE singer SET age = 0 -- '", SEVERAL),
    ("SELECT $$ ; $$; DROP TABLE singer", SEVERAL),
    ("WITH a AS (SELECT 1) SELECT * FROM a; COMMIT", SEVERAL),
    # Changing the schema, or what the server knows.
    ("CREATE TABLE t (a INTEGER)", WRITE),
    ("CREATE TABLE IF NOT EXISTS t (a INTEGER)", WRITE),
    ("CREATE TABLE t AS SELECT * FROM singer", WRITE),
    ("CREATE TABLE t AS TABLE singer WITH NO DATA", WRITE),
    ("CREATE OR REPLACE TABLE t AS SELECT 1 AS a", WRITE),
    ("CREATE TABLE t (LIKE singer)", WRITE),
    ("CREATE TABLE memory.default.t AS SELECT 1 AS a", WRITE),
    ("CREATE TABLE memory.default.t AS SELECT * FROM tpch.sf1000.lineitem", WRITE),
    ("CREATE TABLE mysql.sqlassay.t AS SELECT 1 AS a", WRITE),
    ("CREATE VIEW memory.default.v AS SELECT 1 AS a", WRITE),
    ("CREATE OR REPLACE VIEW memory.default.v SECURITY INVOKER AS SELECT 1 AS a", WRITE),
    ("CREATE MATERIALIZED VIEW memory.default.v AS SELECT 1 AS a", WRITE),
    ("REFRESH MATERIALIZED VIEW memory.default.v", WRITE),
    ("CREATE SCHEMA s", WRITE),
    ("CREATE SCHEMA memory.s", WRITE),
    ("DROP SCHEMA memory.default CASCADE", WRITE),
    ("ALTER SCHEMA memory.default RENAME TO s", WRITE),
    ("ALTER SCHEMA memory.default SET AUTHORIZATION reader", WRITE),
    ("CREATE FUNCTION memory.default.f() RETURNS int RETURN 1", WRITE),
    ("CREATE OR REPLACE FUNCTION memory.default.f() RETURNS int RETURN 1", WRITE),
    ("DROP FUNCTION memory.default.f()", WRITE),
    ("CREATE CATALOG c USING memory", WRITE),
    ("CREATE CATALOG c USING postgresql WITH (\"connection-url\" = 'jdbc:postgresql://example.org/x')", WRITE),
    ("DROP CATALOG memory", WRITE),
    ("CREATE ROLE r", WRITE),
    ("CREATE ROLE r WITH ADMIN USER reader", WRITE),
    ("DROP ROLE r", WRITE),
    ("DROP TABLE singer", WRITE),
    ("DROP TABLE IF EXISTS nothing", WRITE),
    ("DROP VIEW adult", WRITE),
    ("DROP MATERIALIZED VIEW adult", WRITE),
    ("ALTER TABLE singer RENAME TO t", WRITE),
    ("ALTER TABLE singer ADD COLUMN t INTEGER", WRITE),
    ("ALTER TABLE singer DROP COLUMN age", WRITE),
    ("ALTER TABLE singer RENAME COLUMN age TO t", WRITE),
    ("ALTER TABLE singer ALTER COLUMN age SET DATA TYPE bigint", WRITE),
    ("ALTER TABLE singer SET PROPERTIES x = 1", WRITE),
    ("ALTER TABLE singer SET AUTHORIZATION reader", WRITE),
    ("ALTER TABLE singer EXECUTE optimize", WRITE),
    ("ALTER VIEW adult RENAME TO t", WRITE),
    ("COMMENT ON TABLE singer IS 'x'", WRITE),
    ("COMMENT ON COLUMN singer.age IS 'x'", WRITE),
    ("ANALYZE singer", WRITE),
    ("GRANT SELECT ON singer TO USER reader", WRITE),
    ("GRANT ALL PRIVILEGES ON singer TO ROLE PUBLIC WITH GRANT OPTION", WRITE),
    ("GRANT admin TO USER reader", WRITE),
    ("REVOKE SELECT ON singer FROM USER reader", WRITE),
    ("REVOKE admin FROM USER reader", WRITE),
    ("DENY SELECT ON singer TO USER reader", WRITE),
    # Procedures.
    ("CALL postgresql.system.execute('DROP TABLE singer')", NO_QUERY),
    ("CALL postgresql.system.execute(query => 'COPY (SELECT 1) TO PROGRAM ''touch {new}''')", NO_QUERY),
    ("CALL mysql.system.execute('SELECT 1 INTO OUTFILE ''{new}''')", NO_QUERY),
    ("CALL postgresql.system.flush_metadata_cache()", NO_QUERY),
    ("CALL mysql.system.flush_metadata_cache()", NO_QUERY),
    ("CALL system.runtime.kill_query(query_id => '20200101_000000_00000_aaaaa', message => 'x')", NO_QUERY),
    ("call system.runtime.kill_query('20200101_000000_00000_aaaaa', 'x')", NO_QUERY),
    # Text that another database executes.
    (f"SELECT * FROM {QUERY}", PERMISSION),
    (f"SELECT count(*) FROM singer, {QUERY}", PERMISSION),
    (f"WITH a AS (SELECT * FROM {QUERY}) SELECT * FROM a", PERMISSION),
    (f"SELECT 1 WHERE EXISTS (SELECT * FROM {QUERY})", PERMISSION),
    (f"TABLE singer UNION ALL SELECT * FROM {QUERY}", PERMISSION),
    ("SELECT * FROM TABLE(postgresql.system.query('SELECT pg_read_file(''{secret}'')'))", PERMISSION),
    ("SELECT * FROM TABLE(postgresql.system.query(query => 'DELETE FROM singer RETURNING name'))", PERMISSION),
    ("SELECT * FROM TABLE(postgresql.system.query(query => 'SELECT lo_import(''{secret}'')'))", PERMISSION),
    ("SELECT * FROM TABLE(mysql.system.query(query => 'SELECT load_file(''{secret}'')'))", PERMISSION),
    ("SELECT * FROM TABLE(mysql.system.query(query => 'SELECT sleep(1000)'))", PERMISSION),
    ('SELECT * FROM table ("postgresql"."system"."query"(query => \'SELECT 1 AS a\'))', PERMISSION),
    ("SELECT * FROM TABLE(postgresql.system.QUERY (query => 'SELECT 1 AS a'))", PERMISSION),
    ("SELECT * FROM TABLE(postgresql/**/./**/system.query/**/(query => 'SELECT 1 AS a'))", PERMISSION),
    (f"SELECT 1 /* /* */, a.* FROM {QUERY} AS a -- */", PERMISSION),
    (f"SELECT '\\', a.* FROM {QUERY} AS a -- '", PERMISSION),
    (f"SELECT 1 -- \r, a.* FROM {QUERY} AS a", PERMISSION),
    (f"SELECT U&'\\0027', a.* FROM {QUERY} AS a", PERMISSION),
    (f"SELECT `a`, a.* FROM {QUERY} AS a", PERMISSION),
    ("SELECT * FROM TABLE(query(query => 'SELECT 1 AS a'))", PERMISSION),
    # Changing the session.
    ("SET SESSION query_max_run_time = '10h'", NO_QUERY),
    ("SET SESSION query_max_memory = '100GB'", NO_QUERY),
    ("SET SESSION postgresql.domain_compaction_threshold = 1", NO_QUERY),
    ("SET SESSION max_recursion_depth = 1000000", NO_QUERY),
    ("RESET SESSION query_max_run_time", NO_QUERY),
    ("SET SESSION AUTHORIZATION loader", NO_QUERY),
    ("RESET SESSION AUTHORIZATION", NO_QUERY),
    ("WITH SESSION query_max_run_time = '10h' SELECT 1", NO_QUERY),
    ("WITH SESSION max_recursion_depth = 10000 SELECT 1", NO_QUERY),
    (f"WITH SESSION query_max_memory = '1TB', query_max_execution_time = '10h' SELECT count(*) FROM {ROWS}", NO_QUERY),
    ("SET ROLE admin", NO_QUERY),
    ("SET ROLE ALL IN postgresql", NO_QUERY),
    ("SET TIME ZONE 'America/New_York'", NO_QUERY),
    ("SET TIME ZONE LOCAL", NO_QUERY),
    ("SET PATH memory.default", NO_QUERY),
    ("USE tpch.tiny", NO_QUERY),
    ("USE memory.default", NO_QUERY),
    ("PREPARE p FROM DELETE FROM singer", NO_QUERY),
    ("PREPARE p FROM SELECT 1", NO_QUERY),
    ("EXECUTE p", NO_QUERY),
    ("EXECUTE IMMEDIATE 'DELETE FROM singer'", NO_QUERY),
    ("EXECUTE IMMEDIATE 'SELECT * FROM singer WHERE age = ?' USING 52", NO_QUERY),
    ("DEALLOCATE PREPARE p", NO_QUERY),
    ("START TRANSACTION", NO_QUERY),
    ("START TRANSACTION READ WRITE", NO_QUERY),
    ("START TRANSACTION ISOLATION LEVEL SERIALIZABLE, READ WRITE", NO_QUERY),
    ("COMMIT", NO_QUERY),
    ("COMMIT WORK", NO_QUERY),
    ("ROLLBACK", NO_QUERY),
    # What gives a table and is no query.
    ("EXPLAIN SELECT 1", NO_QUERY),
    ("EXPLAIN ANALYZE DELETE FROM singer", NO_QUERY),
    ("EXPLAIN ANALYZE CREATE TABLE t AS SELECT 1 AS a", NO_QUERY),
    ("EXPLAIN (TYPE VALIDATE) DROP TABLE singer", NO_QUERY),
    ("EXPLAIN ANALYZE VERBOSE INSERT INTO singer TABLE singer", NO_QUERY),
    ("SHOW CATALOGS", NO_QUERY),
    ("SHOW SESSION", NO_QUERY),
    ("SHOW CREATE TABLE singer", NO_QUERY),
    ("SHOW STATS FOR singer", NO_QUERY),
    ("SHOW GRANTS", NO_QUERY),
    ("DESCRIBE singer", NO_QUERY),
    ("DESC singer", NO_QUERY),
    ("DESCRIBE INPUT p", NO_QUERY),
    # Secrets.
    ("SELECT query FROM system.runtime.queries WHERE \"user\" = 'loader'", HARMLESS),
    ("SELECT * FROM system.metadata.catalogs", HARMLESS),
    ("SELECT * FROM system.jdbc.tables WHERE table_cat = 'postgresql'", HARMLESS),
    ("SELECT * FROM postgresql.pg_catalog.pg_authid", TABLE),
    ("SELECT * FROM postgresql.pg_catalog.pg_shadow", TABLE),
    ("SELECT * FROM mysql.mysql.user", TABLE),
    ('SELECT * FROM jmx.current."java.lang:type=runtime"', TABLE),
    ('SELECT * FROM file.default."{secret}"', TABLE),
    ("SELECT * FROM '{secret}'", SYNTAX),
    ('SELECT * FROM "{secret}"', TABLE),
    # Functions of one's own.
    ("WITH FUNCTION f() RETURNS int RETURN 1 SELECT f()", HARMLESS),
    ("WITH FUNCTION f(n int) RETURNS int RETURN f(n) SELECT f(1)", OTHER),
    (
        "WITH FUNCTION f() RETURNS int BEGIN DECLARE i int DEFAULT 0;"
        " WHILE i >= 0 DO SET i = 1; END WHILE; RETURN i; END SELECT f()",
        SEVERAL,
    ),
    ("WITH FUNCTION f() RETURNS int BEGIN LOOP END LOOP; END SELECT f()", SEVERAL),
    (
        "WITH FUNCTION f() RETURNS int LANGUAGE PYTHON WITH (handler = 'f') AS $$\ndef f():\n"
        "    return open('{secret}').read()\n$$ SELECT f()",
        PERMISSION,
    ),
    (f"WITH FUNCTION f() RETURNS int LANGUAGE PYTHON AS $$ ' $$ SELECT a.*, ' ' FROM {QUERY} AS a", PERMISSION),
    # Using everything up.
    (f"{ENDLESS} SELECT count(*) FROM c", OTHER),
    (f"SELECT count(*) FROM {ROWS}", TIMEOUT),
    (f"SELECT count(*) FROM {ROWS} AS a, {ROWS} AS b", TIMEOUT),
    (f"SELECT count(DISTINCT a.comment || b.comment) FROM {ROWS} AS a CROSS JOIN {ROWS} AS b", STOPPED),
    (f"SELECT * FROM {ROWS} ORDER BY comment", STOPPED),
    (f"SELECT orderkey FROM {ROWS}", HARMLESS),
    (f"SELECT array_agg(comment) FROM {ROWS}", STOPPED),
    ("SELECT * FROM tpch.sf1000.customer, UNNEST(sequence(1, 10000)) WHERE custkey < 0", TIMEOUT),
    ("SELECT count(*) FROM TABLE(sequence(1, 1000000000000))", TIMEOUT),
    ("SELECT * FROM TABLE(sequence(1, 1000000000000))", HARMLESS),
    ("SELECT sequence(1, 1000000000)", OTHER),
    ("SELECT repeat('x', 1000000000)", OTHER),
    (f"SELECT repeat({LONG}, 10000)", OTHER),
    ("SELECT combinations(sequence(1, 100), 5)", OTHER),
    ("SELECT regexp_like(rpad('a', 60000, 'a'), '(a|aa)+$b')", TIMEOUT),
    (f"SELECT regexp_like({LONG}, '(x*y*)*z')", HARMLESS),
    (f"SELECT levenshtein_distance({LONG}, reverse({LONG}))", TIMEOUT),
    (
        "SELECT reduce(sequence(1, 10000), 0e0, (s, x) -> s + reduce(sequence(1, 10000), 0e0, (t, y) -> t +"
        " reduce(sequence(1, 10000), 0e0, (u, z) -> u + x * y * z, u -> u), t -> t), s -> s)",
        TIMEOUT,
    ),
    ("SELECT " + "(" * 100_000 + "1" + ")" * 100_000, SYNTAX),
    ("SELECT " + "(1=1 AND " * 5_000 + "1=1" + ")" * 5_000, SYNTAX),
    ("SELECT " + "CASE WHEN true THEN " * 20_000, SYNTAX),
    ("SELECT " + "[" * 50_000 + "]" * 50_000, SYNTAX),
    ("SELECT '(', " + "(" * 100_000 + "1" + ")" * 100_000, SYNTAX),
    ("SELECT " + "NOT " * 20_000 + "true", SYNTAX),
    ("SELECT 1" + " + 1" * 20_000, SYNTAX),
    ("SELECT 1" + " UNION SELECT 1" * 10_000, SYNTAX),
    *((sql, PERHAPS) for sql in LONG_TO_ANALYSE),
    ("SELECT * FROM singer" + ", singer" * 300, TIMEOUT),
    ("SELECT * FROM " + "(SELECT * FROM " * 3_000 + "singer" + ")" * 3_000, SYNTAX),
    ("SELECT count(*) FROM singer GROUP BY CUBE (singer_id, name, age, born)", HARMLESS),
    ("SELECT '" + "a" * 2_000_000 + "'", NO_QUERY),
    ("SELECT fail('x')", OTHER),
    ("SELECT 1 / 0", OTHER),
    # Text that is no text.
    ("SELECT '\udc80'", SYNTAX),
    ("SELECT '\0'; DROP TABLE singer", SEVERAL),
    ("SELECT \0", SYNTAX),
    ("SELECT ﹔ DROP TABLE singer", SYNTAX),
    ("SELECT 1 ； DROP TABLE singer", SYNTAX),
    ("ＳＥＬＥＣＴ 1", NO_QUERY),
    ("SELECT\u00a01", SYNTAX),
    ("SELECT 1 \u202e; DROP TABLE singer", SEVERAL),
]

LONGEST = 5_000
"""Characters of what Trino's parser reads soon, however it is nested."""

ENDLESS_CHANGES = (
    f"INSERT INTO singer SELECT CAST(orderkey % 1000000 AS integer), 'x', 1, CAST(NULL AS date) FROM {ROWS}",
)

CHANGES = [sql for sql, kind in STATEMENTS if kind is WRITE or sql.upper().startswith(("CALL ", "EXPLAIN ANALYZE "))]
HANDED_ON = [sql for sql, kind in STATEMENTS if kind is PERMISSION and "query" in sql]


@pytest.fixture(scope="module")
def world(
    trino_server: Server, postgres_server: Server, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[HostedWorld]:
    server = TrinoWorld(trino_server, postgres_server)
    world = host_world(tmp_path_factory.mktemp("trino"), TrinoBackend, server, PROBES, limits=PATIENT)
    with world.database:
        yield world
        world.assert_as_before(None)
    server.close()


@pytest.mark.parametrize(("sql", "kind"), STATEMENTS, ids=[sql[:60] for sql, _ in STATEMENTS])
class TestTrino(HostileStatements):
    only_killed = LONG_TO_ANALYSE


@pytest.fixture
def server(world: HostedWorld) -> TrinoWorld:
    assert isinstance(world.server, TrinoWorld)
    return world.server


def test_the_guard_alone(world: HostedWorld, server: TrinoWorld) -> None:
    """What the guard lets through is run by the owner, in an ordinary session: each statement is committed."""
    target = server.owners(world.database.target)

    def run(sql: str) -> object:
        with suppress(trino.exceptions.Error, UnicodeEncodeError):
            return server.first_rows(target, sql)
        return None

    # What nests deep keeps Trino's parser busy for minutes: that is for the limits.
    world.withstands([sql for sql in let_through(world, STATEMENTS) if len(sql) < LONGEST], run)


@pytest.mark.parametrize("account", ["reader", "owner"])
def test_the_session_alone(world: HostedWorld, server: TrinoWorld, account: str) -> None:
    """A read-only transaction of one who may only read, and of one who may do everything."""
    target = server.target(getattr(server, account), server.name_of(world.database.target))
    # A transaction keeps nobody from handing text to another database: the account does.
    statements = [sql for sql in ending(STATEMENTS) if account == "reader" or sql not in HANDED_ON]
    with TrinoBackend(target) as database:
        world.withstands(statements, lambda sql: asked(database.run, sql))


def test_the_transaction_alone_refuses_changes(world: HostedWorld, server: TrinoWorld) -> None:
    """Neither the guard nor the account: the owner may do all of it."""
    with TrinoBackend(server.owners(world.database.target)) as database:
        for sql in CHANGES:
            with pytest.raises(BackendError):
                database.run(world.fill(sql), OUR_LIMITS)
    world.assert_as_before(None)


def test_the_account_alone_refuses_changes(world: HostedWorld, server: TrinoWorld) -> None:
    """Neither the guard nor the transaction: an ordinary session of the reader."""
    let_through = []
    for sql in (*CHANGES, *HANDED_ON):
        with suppress(TrinoQueryError):
            server.run(world.database.target, world.fill(sql))
            let_through.append(sql)
    assert let_through == ["DROP TABLE IF EXISTS nothing"]  # it has nothing to do
    world.assert_as_before(None)


class WritableTrino(TrinoBackend):
    """A session without a transaction: each statement is committed."""

    def _open(self) -> None:
        super()._open()
        self._end_transaction()
        self._transaction = self._transaction_seen = NO_TRANSACTION


@pytest.mark.parametrize("sql", [*ENDLESS_CHANGES, *endless(STATEMENTS)], ids=lambda sql: sql[:60])
def test_the_limits_alone(world: HostedWorld, server: TrinoWorld, sql: str) -> None:
    """No guard, and a session of the owner's that may write: what is stopped has changed nothing."""
    with WritableTrino(server.owners(world.database.target)) as database:
        world.stops(sql, lambda sql: asked(database.run, sql, world.limits))


@pytest.mark.xfail(strict=True, reason="Trino does not undo the creation of a table: it stays, without rows")
def test_the_limits_alone_undo_a_new_table(world: HostedWorld, server: TrinoWorld) -> None:
    """So the other walls have to keep it out."""
    with WritableTrino(server.owners(world.database.target)) as database:
        try:
            world.stops(f"CREATE TABLE t AS SELECT orderkey FROM {ROWS}", lambda sql: asked(database.run, sql, LIMITS))
        finally:
            server.postgres.rows_in(server.name_of(world.database.target), "DROP TABLE IF EXISTS t")

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing, suppress

import pymysql
import pytest
from pymysql.constants import CLIENT

from database_backends import mysql
from database_backends.errors import BackendError
from database_backends.mysql import MySQLBackend
from database_backends.mysql_session import MySQLSession
from tests.conformance.backend import ENDLESS
from tests.database_backends.test_mysql import MANY, THOUSAND
from tests.security.hostile import (
    COLUMN,
    HARMLESS,
    LIMITS,
    MEMORY,
    NO_QUERY,
    OTHER,
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
from tests.servers.mysql import MySQLWorld
from tests.servers.plugin import Server

OUT = "/var/lib/mysql-files/sqlassay-escaped"
"""Where MySQL would write a file: nowhere else does it."""

MADE = (
    "CREATE PROCEDURE vanish() DELETE FROM singer",
    "CREATE PROCEDURE forever()"
    " BEGIN DECLARE CONTINUE HANDLER FOR SQLEXCEPTION BEGIN END; LOOP DO SLEEP(9); END LOOP; END",
    "CREATE FUNCTION vanished() RETURNS int NO SQL BEGIN DELETE FROM singer; RETURN 1; END",
    "CREATE FUNCTION drifted() RETURNS int NO SQL"
    " BEGIN SET SESSION transaction_read_only = 0, sql_mode = ''; RETURN 1; END",
    "CREATE FUNCTION remembered() RETURNS int NO SQL BEGIN SET @x = 7; RETURN 1; END",
)
"""What a database may have of its own accord."""

PROBES = (
    "SELECT count(*) FROM singer",
    "SELECT * FROM performance_schema.session_variables WHERE variable_name NOT IN"
    " ('timestamp', 'rand_seed1', 'rand_seed2', 'pseudo_thread_id', 'statement_id') ORDER BY 1",
    "SELECT DATABASE(), CURRENT_ROLE(), LAST_INSERT_ID(), @x, @`x y`",
    "SELECT variable_name FROM performance_schema.user_variables_by_thread WHERE thread_id = PS_CURRENT_THREAD_ID()"
    " AND variable_name NOT IN ('x', 'x y')",
    "SELECT object_type, object_name FROM performance_schema.metadata_locks"
    " WHERE owner_thread_id = PS_CURRENT_THREAD_ID() AND object_type IN ('USER LEVEL LOCK', 'GLOBAL', 'BACKUP LOCK')",
    "SELECT COUNT(*) FROM performance_schema.prepared_statements_instances"
    " WHERE owner_thread_id = PS_CURRENT_THREAD_ID()",
    "SELECT resource_group, connection_type FROM performance_schema.threads WHERE thread_id = PS_CURRENT_THREAD_ID()",
)

STATEMENTS: Hostile = [
    # Changing data.
    ("INSERT INTO singer VALUES (9, 'x', 1, NULL)", WRITE),
    ("INSERT singer VALUES (9, 'x', 1, NULL)", WRITE),
    ("INSERT IGNORE INTO singer SELECT 9, 'x', 1, NULL", WRITE),
    ("INSERT INTO singer SET singer_id = 9, name = 'x'", WRITE),
    ("INSERT INTO singer TABLE singer ON DUPLICATE KEY UPDATE age = 0", WRITE),
    ("INSERT DELAYED INTO singer VALUES (9, 'x', 1, NULL)", WRITE),
    ("REPLACE INTO singer VALUES (1, 'x', 1, NULL)", WRITE),
    ("REPLACE singer SET singer_id = 1, name = 'x'", WRITE),
    ("UPDATE singer SET name = 'x'", WRITE),
    ("UPDATE singer, concert SET name = 'x', concert.singer_id = 1", WRITE),
    ("UPDATE LOW_PRIORITY IGNORE singer SET age = 1 ORDER BY age LIMIT 1", WRITE),
    ("DELETE FROM singer", WRITE),
    ("DELETE singer FROM singer JOIN concert USING (singer_id)", WRITE),
    ("DELETE FROM singer, concert USING singer, concert", WRITE),
    ("DELETE QUICK FROM singer WHERE 1 = 0", WRITE),
    ("TRUNCATE singer", WRITE),
    ("TRUNCATE TABLE concert", WRITE),
    ("WITH a AS (SELECT 1) DELETE FROM singer", WRITE),
    ("WITH a AS (SELECT 1) UPDATE singer SET age = 0", WRITE),
    ("WITH RECURSIVE a (x) AS (SELECT 1) DELETE FROM singer USING singer JOIN a", WRITE),
    ("WITH a AS (DELETE FROM singer) SELECT * FROM a", WRITE),
    ("(DELETE FROM singer)", WRITE),
    ("((INSERT INTO singer VALUES (9, 'x', 1, NULL)))", WRITE),
    ("SELECT * FROM (DELETE FROM singer) AS t", WRITE),
    ("SELECT * FROM singer FOR UPDATE", WRITE),
    ("SELECT * FROM singer FOR UPDATE SKIP LOCKED", WRITE),
    ("SELECT * FROM singer FOR SHARE OF singer NOWAIT", WRITE),
    ("SELECT * FROM singer LOCK IN SHARE MODE", WRITE),
    ("(SELECT * FROM singer FOR UPDATE) UNION SELECT * FROM singer", WRITE),
    ("SELECT vanished()", WRITE),
    ("SELECT * FROM singer WHERE vanished() = 1", WRITE),
    ("SELECT drifted()", OTHER),
    ("SELECT remembered(), @x", OTHER),
    # Hidden in comments and strings.
    ("/* SELECT */ DELETE FROM singer", WRITE),
    ("# SELECT 1\nDELETE FROM singer", WRITE),
    ("-- SELECT 1\nDELETE FROM singer", WRITE),
    ("/*! DELETE FROM singer */", NO_QUERY),
    ("/*!50000 DELETE FROM singer */", NO_QUERY),
    ("/*!DELETE*/ FROM singer", NO_QUERY),
    ("/*M! DELETE FROM singer */", NO_QUERY),
    ("SELECT 1 /*! INTO @x */", WRITE),
    ("SELECT 1 /*!80000 INTO OUTFILE '{out}' */", WRITE),
    ("SELECT 1 /*!80000INTO*/ OUTFILE '{out}'", PERMISSION),
    ("SELECT 1 /*!99999 INTO OUTFILE '{out}' */", WRITE),
    ("SELECT /*! SLEEP(100) */", PERMISSION),
    ("SELECT 1 /* /*! */ INTO @x", WRITE),
    ("SELECT 1 -- \\\n INTO @x", WRITE),
    ("SELECT 1 --\u00a0 FROM (SELECT 1 AS `\u00a0`) AS t INTO OUTFILE '{out}'", WRITE),
    ("SELECT 1 --2 INTO OUTFILE '{out}'", WRITE),
    ("SELECT 1 #> ' \n INTO OUTFILE '{out}' # '", WRITE),
    ("SELECT {# x\n d '2020-01-01'} INTO OUTFILE '{out}' #}", WRITE),
    ("SELECT '\\' ', 1 INTO OUTFILE '{out}' # '", WRITE),
    ('SELECT "\\" ", 1 INTO OUTFILE \'{out}\' # "', WRITE),
    ("SELECT 1.5INTO OUTFILE '{out}'", WRITE),
    ("SELECT 1e5INTO OUTFILE '{out}'", WRITE),
    ("SELECT 1 AS `a`INTO OUTFILE '{out}'", WRITE),
    ("SELECT 1 + start execute INTO OUTFILE '{out}' FROM (SELECT 1 AS start) AS t", WRITE),
    # Several statements.
    ("SELECT 1; DELETE FROM singer", SEVERAL),
    ("SELECT 1; SELECT 2", SEVERAL),
    ("SELECT 1;;DROP TABLE singer", SEVERAL),
    ("SELECT 'a\\'; SELECT 1'; DROP TABLE singer", SEVERAL),
    ("SELECT 1 -- ;\n; DROP TABLE singer", SEVERAL),
    ("SELECT 1 # x\n; DROP TABLE singer", SEVERAL),
    ("SELECT 1--1; DROP TABLE singer", SEVERAL),
    ("SELECT `a;`; DROP TABLE singer", SEVERAL),
    ("SELECT $$ ; $$; DROP TABLE singer", SEVERAL),
    ("SELECT 1 /*! ; DROP TABLE singer */", SEVERAL),
    ("DELIMITER //\nSELECT 1 // DROP TABLE singer //", NO_QUERY),
    ("BEGIN; DELETE FROM singer; COMMIT", SEVERAL),
    # Changing tables, users and the server.
    ("CREATE TABLE t (a INT)", WRITE),
    ("CREATE TABLE IF NOT EXISTS singer (a INT)", WRITE),
    ("CREATE TABLE t SELECT * FROM singer", WRITE),
    ("CREATE TABLE t LIKE singer", WRITE),
    ("CREATE TEMPORARY TABLE singer (a INT)", WRITE),
    ("CREATE TEMPORARY TABLE t AS SELECT 1", WRITE),
    ("CREATE OR REPLACE VIEW adult AS SELECT 1", WRITE),
    ("CREATE DEFINER = root@'%' SQL SECURITY DEFINER VIEW v AS SELECT * FROM mysql.user", WRITE),
    ("CREATE INDEX i ON singer (name)", WRITE),
    ("CREATE DATABASE sqlassay_hostile", WRITE),
    ("CREATE FUNCTION f() RETURNS int DETERMINISTIC RETURN 1", WRITE),
    ("CREATE FUNCTION sys_exec RETURNS int SONAME 'lib_mysqludf_sys.so'", WRITE),
    ("CREATE PROCEDURE p() DELETE FROM singer", WRITE),
    ("CREATE TRIGGER t BEFORE INSERT ON singer FOR EACH ROW SET @x = 1", WRITE),
    ("CREATE EVENT e ON SCHEDULE EVERY 1 SECOND DO DELETE FROM singer", WRITE),
    ("CREATE USER hostile IDENTIFIED BY 'x'", WRITE),
    ("CREATE ROLE hostile", WRITE),
    ("CREATE SERVER s FOREIGN DATA WRAPPER mysql OPTIONS (HOST 'localhost')", WRITE),
    ("CREATE RESOURCE GROUP hostile TYPE = USER", WRITE),
    ("CREATE SPATIAL REFERENCE SYSTEM 999999 NAME 'x' DEFINITION ''", WRITE),
    ("ALTER TABLE singer ADD COLUMN t INT", WRITE),
    ("ALTER TABLE singer DISCARD TABLESPACE", WRITE),
    ("ALTER DATABASE CHARACTER SET latin1", WRITE),
    ("ALTER USER USER() IDENTIFIED BY 'x'", WRITE),
    ("ALTER INSTANCE ROTATE INNODB MASTER KEY", WRITE),
    ("ALTER INSTANCE DISABLE INNODB REDO_LOG", WRITE),
    ("DROP TABLE singer", WRITE),
    ("DROP TABLE IF EXISTS nothing", WRITE),
    ("DROP VIEW adult", WRITE),
    ("DROP DATABASE sqlassay", WRITE),
    ("DROP USER root", WRITE),
    ("RENAME TABLE singer TO t", WRITE),
    ("RENAME USER root TO hostile", WRITE),
    ("GRANT ALL ON *.* TO sqlassay_reader", WRITE),
    ("GRANT SUPER ON *.* TO sqlassay_reader WITH GRANT OPTION", WRITE),
    ("REVOKE ALL PRIVILEGES, GRANT OPTION FROM root", WRITE),
    ("SET PASSWORD = 'x'", NO_QUERY),
    ("ANALYZE TABLE singer", WRITE),
    ("ANALYZE TABLE singer UPDATE HISTOGRAM ON age", WRITE),
    ("OPTIMIZE TABLE singer", WRITE),
    ("REPAIR TABLE singer", NO_QUERY),
    ("CHECK TABLE singer FOR UPGRADE", NO_QUERY),
    ("CHECKSUM TABLE singer", NO_QUERY),
    ("CACHE INDEX singer IN hot", NO_QUERY),
    ("LOAD INDEX INTO CACHE singer", WRITE),
    ("IMPORT TABLE FROM '/tmp/x.sdi'", WRITE),
    ("INSTALL PLUGIN p SONAME 'p.so'", WRITE),
    ("INSTALL COMPONENT 'file://component_validate_password'", WRITE),
    ("UNINSTALL PLUGIN p", WRITE),
    ("UNINSTALL COMPONENT 'file://x'", WRITE),
    ("FLUSH TABLES WITH READ LOCK", NO_QUERY),
    ("FLUSH PRIVILEGES", NO_QUERY),
    ("FLUSH STATUS", NO_QUERY),
    ("FLUSH TABLES singer FOR EXPORT", NO_QUERY),
    ("RESET PERSIST", NO_QUERY),
    ("RESET BINARY LOGS AND GTIDS", NO_QUERY),
    ("PURGE BINARY LOGS BEFORE NOW()", NO_QUERY),
    ("CHANGE REPLICATION SOURCE TO SOURCE_HOST = 'localhost'", NO_QUERY),
    ("START REPLICA", NO_QUERY),
    ("START GROUP_REPLICATION", NO_QUERY),
    ("CLONE LOCAL DATA DIRECTORY = '/tmp/x'", NO_QUERY),
    ("BINLOG 'AAAA'", NO_QUERY),
    ("KILL 1", NO_QUERY),
    ("KILL QUERY CONNECTION_ID()", NO_QUERY),
    ("SHUTDOWN", NO_QUERY),
    ("RESTART", NO_QUERY),
    ("LOCK INSTANCE FOR BACKUP", NO_QUERY),
    # Reaching for files, other servers and secrets.
    ("SELECT * FROM singer INTO OUTFILE '{out}'", WRITE),
    ("SELECT * INTO OUTFILE '{out}' FIELDS TERMINATED BY ',' FROM singer", WRITE),
    ("SELECT 'x' INTO DUMPFILE '{out}'", WRITE),
    ("TABLE singer INTO OUTFILE '{out}'", WRITE),
    ("VALUES ROW(1) INTO OUTFILE '{out}'", WRITE),
    ("(SELECT 1) INTO OUTFILE '{out}'", WRITE),
    ("SELECT 1 UNION SELECT 2 INTO OUTFILE '{out}'", WRITE),
    ("SELECT 1 INTO OUTFILE '/root/.my.cnf'", WRITE),
    ("SELECT LOAD_FILE('{secret}')", PERMISSION),
    ("SELECT load_file (0x2f6574632f706173737764)", PERMISSION),
    ("SELECT `LOAD_FILE`('{secret}')", PERMISSION),
    ("SELECT LOAD_FILE/**/('{secret}')", PERMISSION),
    ("SELECT LENGTH(LOAD_FILE(CONCAT('/etc/', 'passwd')))", PERMISSION),
    ("LOAD DATA INFILE '{secret}' INTO TABLE singer", WRITE),
    ("LOAD DATA LOCAL INFILE '{secret}' INTO TABLE singer", WRITE),
    ("LOAD XML LOCAL INFILE '{secret}' INTO TABLE singer", WRITE),
    ("SELECT sys_exec('touch {new}')", PERMISSION),
    ("SELECT sys_eval('id')", PERMISSION),
    ("SELECT http_get('http://localhost')", PERMISSION),
    ("SELECT user, authentication_string FROM mysql.user", PERMISSION),
    ("SELECT * FROM `mysql` . `user`", PERMISSION),
    ("TABLE mysql.global_grants", PERMISSION),
    ("SELECT * FROM information_schema.tables WHERE EXISTS (SELECT 1 FROM/**/mysql./**/db)", PERMISSION),
    ("SELECT * FROM information_schema.user_privileges", HARMLESS),
    ("SELECT * FROM information_schema.processlist", HARMLESS),
    ("SELECT @@datadir, @@version, USER(), CURRENT_USER()", HARMLESS),
    ("SELECT * FROM performance_schema.keyring_keys", HARMLESS),
    ("SELECT keyring_key_fetch('x')", PERMISSION),
    ("SELECT audit_log_read()", PERMISSION),
    ("SELECT EXTRACTVALUE(1, CONCAT('~', (SELECT name FROM singer LIMIT 1)))", OTHER),
    # Changing the session, or other sessions.
    ("SET SESSION TRANSACTION READ WRITE", NO_QUERY),
    ("SET SESSION transaction_read_only = 0", NO_QUERY),
    ("SET autocommit = 0", NO_QUERY),
    ("SET @@SESSION.sql_mode = 'ANSI_QUOTES'", NO_QUERY),
    ("SET max_execution_time = 0", NO_QUERY),
    ("SET GLOBAL read_only = 0", NO_QUERY),
    ("SET GLOBAL general_log_file = '{out}'", NO_QUERY),
    ("SET PERSIST max_connections = 1", NO_QUERY),
    ("SET PERSIST_ONLY local_infile = 1", NO_QUERY),
    ("SET NAMES gbk", NO_QUERY),
    ("SET ROLE ALL", NO_QUERY),
    ("SET DEFAULT ROLE ALL TO root", NO_QUERY),
    ("SET RESOURCE GROUP SYS_default", NO_QUERY),
    ("SET @x = (SELECT MAX(age) FROM singer)", NO_QUERY),
    ("SELECT @x := 7", HARMLESS),
    ("SELECT @x := @x + 1, @`x y` := 2 FROM singer, (SELECT @x := 0) AS r", HARMLESS),
    ("SELECT 7 INTO @x", WRITE),
    ("SELECT name FROM singer LIMIT 1 INTO @x", WRITE),
    ("SELECT @@SESSION.sql_mode := ''", SYNTAX),
    ("SELECT LAST_INSERT_ID(7)", HARMLESS),
    ("SELECT RAND(7), UUID_SHORT()", HARMLESS),
    ("SELECT /*+ SET_VAR(sort_buffer_size = 16M) */ 1", PERMISSION),
    ("SELECT /*+ NO_BNL() set_var(max_execution_time=0) */ 1", PERMISSION),
    ("SELECT /*+ MAX_EXECUTION_TIME(0) */ SLEEP(1000)", TIMEOUT),
    ("SELECT /*+ RESOURCE_GROUP(SYS_default) */ 1", HARMLESS),
    ("USE mysql", NO_QUERY),
    ("BEGIN", NO_QUERY),
    ("START TRANSACTION READ WRITE", NO_QUERY),
    ("START TRANSACTION WITH CONSISTENT SNAPSHOT", NO_QUERY),
    ("COMMIT AND CHAIN", NO_QUERY),
    ("ROLLBACK RELEASE", NO_QUERY),
    ("SAVEPOINT s", NO_QUERY),
    ("XA START 'x'", NO_QUERY),
    ("XA RECOVER", NO_QUERY),
    ("PREPARE p FROM 'DELETE FROM singer'", NO_QUERY),
    ("EXECUTE p", NO_QUERY),
    ("EXECUTE IMMEDIATE 'DELETE FROM singer'", NO_QUERY),
    ("DEALLOCATE PREPARE p", NO_QUERY),
    ("CALL vanish()", NO_QUERY),
    ("CALL forever()", NO_QUERY),
    ("CALL sys.execute_prepared_stmt('DROP TABLE singer')", NO_QUERY),
    ("DO SLEEP(1000)", NO_QUERY),
    ("DO RELEASE_ALL_LOCKS()", NO_QUERY),
    ("HANDLER singer OPEN", NO_QUERY),
    ("HANDLER singer READ FIRST", NO_QUERY),
    ("LOCK TABLES singer WRITE", NO_QUERY),
    ("LOCK TABLE singer READ LOCAL", NO_QUERY),
    ("UNLOCK TABLES", NO_QUERY),
    ("SIGNAL SQLSTATE '45000'", NO_QUERY),
    ("GET DIAGNOSTICS @x = NUMBER", NO_QUERY),
    ("EXPLAIN ANALYZE SELECT * FROM singer", NO_QUERY),
    ("EXPLAIN DELETE FROM singer", NO_QUERY),
    ("EXPLAIN FORMAT=JSON INTO @x SELECT 1", NO_QUERY),
    ("EXPLAIN FORMAT=TREE DELETE FROM singer", NO_QUERY),
    ("DESCRIBE singer", NO_QUERY),
    ("SHOW TABLES", NO_QUERY),
    ("SHOW GRANTS FOR root", NO_QUERY),
    ("HELP 'contents'", NO_QUERY),
    ("SELECT GET_LOCK('sqlassay', 0)", PERMISSION),
    ("SELECT `get_lock`('sqlassay', 100)", PERMISSION),
    ("SELECT IS_USED_LOCK('sqlassay'), RELEASE_LOCK('sqlassay')", PERMISSION),
    ("SELECT RELEASE_ALL_LOCKS()", PERMISSION),
    ("SELECT SOURCE_POS_WAIT('x', 4, 100)", PERMISSION),
    ("SELECT WAIT_FOR_EXECUTED_GTID_SET('3E11FA47-71CA-11E1-9E33-C80AA9429562:1')", PERMISSION),
    ("SELECT group_replication_set_as_primary('x')", PERMISSION),
    # Using everything up.
    ("SELECT SLEEP(1000)", TIMEOUT),
    ("SELECT SLEEP(0.1) FROM information_schema.columns", TIMEOUT),
    ("SELECT name FROM singer WHERE SLEEP(1000) = 0", TIMEOUT),
    ("SELECT BENCHMARK(1000000000000, SHA2('x', 512))", TIMEOUT),
    (f"{ENDLESS} SELECT COUNT(*) FROM c", OTHER),
    (f"{THOUSAND} SELECT COUNT(*) FROM {MANY}", TIMEOUT),
    (f"{THOUSAND} SELECT a.x + b.x + d.x + e.x AS s, COUNT(*) FROM {MANY} GROUP BY s ORDER BY s DESC", TIMEOUT),
    (f"{THOUSAND} SELECT DISTINCT CONCAT(a.x, b.x, d.x) FROM {MANY}", TIMEOUT),
    (f"{THOUSAND} SELECT /*+ NO_BNL() */ a.x FROM {MANY}", HARMLESS),
    (f"{THOUSAND} SELECT GROUP_CONCAT(a.x, b.x, d.x) FROM {MANY}", TIMEOUT),
    (f"{THOUSAND} SELECT JSON_ARRAYAGG(REPEAT('x', 1000)) FROM {MANY}", STOPPED),
    (f"{THOUSAND} SELECT REPEAT('x', 10000000) FROM c", STOPPED),
    (f"{THOUSAND} SELECT SUM(a.x) OVER (ORDER BY b.x, d.x) FROM {MANY}", TIMEOUT),
    (
        "WITH RECURSIVE c (x) AS (SELECT CAST('x' AS CHAR(1000000)) UNION ALL SELECT CONCAT(x, x) FROM c)"
        " SELECT LENGTH(x) FROM c",
        OTHER,
    ),
    (
        "SELECT COUNT(*) FROM information_schema.columns a, information_schema.columns b, information_schema.columns c",
        TIMEOUT,
    ),
    ("SELECT MAX(s0.age + s59.age) FROM " + ", ".join(f"singer AS s{i}" for i in range(60)), TIMEOUT),
    ("SELECT * FROM " + ", ".join(f"singer AS s{i}" for i in range(100)), SYNTAX),
    ("SELECT REPEAT('x', 1000000000)", HARMLESS),
    ("SELECT SPACE(60000000), REPEAT('x', 60000000), REPEAT('y', 60000000)", STOPPED),
    ("SELECT LENGTH(REPEAT(REPEAT('x', 1000), 60000))", HARMLESS),
    ("SELECT REGEXP_LIKE(REPEAT('a', 10000), '(a*)*b')", OTHER),
    ("SELECT REGEXP_REPLACE(REPEAT('ab', 30000), '(a|b)*?c', 'x')", OTHER),
    ("SELECT UNCOMPRESS(COMPRESS(REPEAT('x', 600000))) IS NULL", HARMLESS),
    ("SELECT JSON_DEPTH(CONCAT(REPEAT('[', 200), REPEAT(']', 200)))", OTHER),
    ("SELECT ST_AsText(ST_GeomFromText(CONCAT(REPEAT('GEOMETRYCOLLECTION(', 10000), REPEAT(')', 10000))))", SYNTAX),
    ("SELECT " + "(" * 100_000 + "1" + ")" * 100_000, MEMORY),
    ("SELECT 1" + " + 1" * 100_000, SYNTAX),
    ("SELECT " + "NOT " * 100_000 + "1", MEMORY),
    ("SELECT " + "-" * 100_000 + "1", MEMORY),
    ("SELECT 1" + " UNION SELECT 1" * 2_000, HARMLESS),
    ("SELECT 1" + ", 1" * 5_000, HARMLESS),
    ("SELECT * FROM " + "(SELECT * FROM " * 3_000 + "singer" + ") AS s" * 3_000, SYNTAX),
    ("SELECT 1 WHERE 1 IN (" + "1, " * 10_000 + "1)", HARMLESS),
    ("SELECT '" + "a" * 2_000_000 + "'", NO_QUERY),
    ("SELECT '" + "a" * 900_000 + "'", HARMLESS),
    ("SELECT ?", SYNTAX),
    # Text that is no text.
    ("SELECT \0", SYNTAX),
    ("SELECT '\0'; DROP TABLE singer", SEVERAL),
    ("SELECT 1 -- \0 INTO @x", HARMLESS),
    ("SELECT '\udc80'", SYNTAX),
    ("SELECT _binary'\\0', CHAR(0), x'00'", HARMLESS),
    ("SELECT _utf8mb4 x'ff'", OTHER),
    ("SELECT CONVERT(x'ff' USING utf8mb4)", HARMLESS),
    ("SELECT _gbk x'bf27' '; DROP TABLE singer # '", OTHER),
    ("SELECT 1 \u037e DROP TABLE singer", SYNTAX),
    ("\ufeffDELETE FROM singer", WRITE),
    ("SELECT\u00a01", SYNTAX),
    ("SELECT `a\u2028b` FROM singer", COLUMN),
    ("SELECT * FROM `singer\u200b`", TABLE),
    ("\\! touch {new}", NO_QUERY),
    ("system touch {new}", NO_QUERY),
    ("source {secret}", NO_QUERY),
]
STATEMENTS = [(sql.replace("{out}", OUT), kind) for sql, kind in STATEMENTS]
HARMLESS_ALONE = frozenset(
    {
        # Nothing is written, and the locks end with the statement.
        "SELECT * FROM singer FOR SHARE OF singer NOWAIT",
        "SELECT * FROM singer LOCK IN SHARE MODE",
        f"SELECT 1 /*!99999 INTO OUTFILE '{OUT}' */",  # no server is as new as that
        # The account may not use files.
        "SELECT LOAD_FILE('{secret}')",
        "SELECT load_file (0x2f6574632f706173737764)",
        "SELECT `LOAD_FILE`('{secret}')",
        "SELECT LOAD_FILE/**/('{secret}')",
        "SELECT LENGTH(LOAD_FILE(CONCAT('/etc/', 'passwd')))",
        # It ends with the statement.
        "SELECT /*+ SET_VAR(sort_buffer_size = 16M) */ 1",
        "SELECT /*+ NO_BNL() set_var(max_execution_time=0) */ 1",
        # The next statement undoes it.
        "SELECT GET_LOCK('sqlassay', 0)",
        "SELECT `get_lock`('sqlassay', 100)",
        "SELECT IS_USED_LOCK('sqlassay'), RELEASE_LOCK('sqlassay')",
        "SELECT RELEASE_ALL_LOCKS()",
        "SELECT SOURCE_POS_WAIT('x', 4, 100)",
    }
)
UNKNOWABLE = frozenset(sql for sql, _ in STATEMENTS if re.search(r"\b(?:vanished|drifted|remembered)\(\)", sql))

ENDLESS_CHANGES = (
    f"INSERT INTO singer {THOUSAND} SELECT 1000000 * a.x + 1000 * b.x + d.x, 'x', 1, NULL FROM c AS a, c AS b, c AS d",
    f"CREATE TABLE t AS {THOUSAND} SELECT a.x FROM {MANY}",
    "UPDATE singer SET age = SLEEP(1000)",
    "DELETE FROM singer WHERE SLEEP(1000) + 1 > 0",
    "CALL forever()",
)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, mysql_server: Server) -> Iterator[HostedWorld]:
    server = MySQLWorld(mysql_server.owner, mysql_server.reader)
    try:
        world = host_world(tmp_path_factory.mktemp("mysql"), MySQLBackend, server, PROBES, MADE)
        with world.database:
            yield world
            world.assert_as_before(None)
    finally:
        server.close()


@pytest.fixture(scope="module")
def owners(world: HostedWorld) -> str:
    """The target of an account that may do everything."""
    return world.server.owners(world.database.target)


@pytest.mark.parametrize(("sql", "kind"), STATEMENTS, ids=[sql[:60] for sql, _ in STATEMENTS])
class TestMySQL(HostileStatements):
    harmless_alone = HARMLESS_ALONE


def test_the_guard_alone(world: HostedWorld) -> None:
    """An account that may do everything, in a session that may, and that takes several statements at once."""
    assert isinstance(world.server, MySQLWorld)
    server, name = world.server, world.server.name_of(world.database.target)

    def run(sql: str) -> object:
        connection = server.connect(name, CLIENT.MULTI_STATEMENTS)
        with closing(connection), connection.cursor() as cursor, suppress(pymysql.Error, UnicodeEncodeError):
            cursor.execute(sql)
            return cursor.fetchmany(9)
        return None

    # PyMySQL wants all rows, and those have no end.
    world.withstands([sql for sql in let_through(world, STATEMENTS, UNKNOWABLE) if MANY not in sql], run)


@pytest.mark.parametrize("account", ["reader", "owner"])
def test_the_session_alone(world: HostedWorld, account: str) -> None:
    """One that may only read, and one that may do everything."""
    target = world.server.target(getattr(world.server, account), world.server.name_of(world.database.target))
    with MySQLBackend(target) as database:
        world.withstands(ending(STATEMENTS), lambda sql: asked(database.run, sql))


@pytest.mark.parametrize("sql", [*ENDLESS_CHANGES, *endless(STATEMENTS)], ids=lambda sql: sql[:60])
def test_the_limits_alone(world: HostedWorld, owners: str, sql: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """An account that may do everything, no guard, and a session that may: what is stopped has changed nothing."""
    columns = MySQLSession.columns
    monkeypatch.setattr(MySQLSession, "columns", lambda session: columns(session) or 1)
    monkeypatch.setattr(mysql, "_SESSION", (("transaction_read_only", 0), *mysql._SESSION[1:]))
    with MySQLBackend(owners) as database:
        world.stops(sql, lambda sql: asked(database.run, sql, LIMITS))


@pytest.mark.xfail(strict=True, reason="MySQL asks between rows whether to stop, and not within the call of a function")
def test_one_call_of_a_function_is_stopped(world: HostedWorld) -> None:
    with pytest.raises(BackendError):
        world.database.run("SELECT INSTR(REPEAT('a', 60000), CONCAT(REPEAT('a', 30000), 'b'))", LIMITS)
    assert not world.server.busy()

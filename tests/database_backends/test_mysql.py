from __future__ import annotations

import datetime
import struct
from decimal import Decimal
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest

from database_backends.base import DatabaseBackend
from database_backends.errors import BackendError, FailureKind
from database_backends.mysql import MySQLBackend, powers
from database_backends.server import TlsRefused
from tests.conformance.backend import LIMITS, ServerConformance
from tests.servers.mysql import MySQLWorld
from tests.servers.plugin import Server

THOUSAND = "WITH RECURSIVE c (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 1000)"
"""MySQL ends a recursion after a thousand steps, unless told otherwise."""
MANY = "c AS a, c AS b, c AS d, c AS e, c AS f"


@pytest.fixture
def world(mysql_server: Server) -> MySQLWorld:
    return MySQLWorld(mysql_server.owner, mysql_server.reader)


class TestMySQL(ServerConformance):
    backend = MySQLBackend
    backslash = r"\\"

    typed = (
        ("TRUE", 1),
        ("CAST(1.5 AS DECIMAL(10, 2))", Decimal("1.50")),
        ("18446744073709551615", 18446744073709551615),
        ("CAST(0.1 AS FLOAT)", 0.1),
        ("DATE '2020-02-29'", datetime.date(2020, 2, 29)),
        ("TIME '10:20:30.5'", datetime.time(10, 20, 30, 500_000)),
        ("TIMESTAMP '2020-02-29 10:20:30.123456'", datetime.datetime(2020, 2, 29, 10, 20, 30, 123456)),
        ("TIMEDIFF('2020-03-02 10:00:00', '2020-02-29 00:00:00')", datetime.timedelta(hours=58)),
        ("CAST('-01:00:00' AS TIME)", datetime.timedelta(hours=-1)),
        ("STR_TO_DATE('2020-00-00', '%Y-%m-%d')", None),
        ("CAST(2020 AS YEAR)", 2020),
        ("x'00ff'", b"\x00\xff"),
        ("CAST('a' AS BINARY)", b"a"),
        ("b'101'", b"\x05"),
        ('CAST(\'{"a": [1, null, "ß"]}\' AS JSON)', {"a": [1, None, "ß"]}),
        ("JSON_ARRAY(1, '2')", [1, "2"]),
        ("STRING_TO_VECTOR('[1, 2.5]')", [1.0, 2.5]),
        ("ST_GeomFromText('POINT(1 2)')", bytes.fromhex("000000000101000000000000000000f03f0000000000000040")),
        ('"a\\tb"', "a\tb"),
        ("_latin1 x'e9'", "é"),
    )
    memory_bombs = (
        f"{THOUSAND} SELECT REPEAT('x', 20000000) FROM c",
        f"{THOUSAND} SELECT /*+ NO_BNL() */ a.x, REPEAT('x', 1000) FROM {MANY}",
    )
    endless = (
        f"{THOUSAND} SELECT COUNT(*) FROM {MANY}",
        f"{THOUSAND} SELECT a.x FROM {MANY} WHERE a.x + b.x + d.x + e.x + f.x < 0",
        f"{THOUSAND} SELECT a.x + b.x * d.x FROM {MANY} GROUP BY 1",
        "SELECT SLEEP(1000)",
        "SELECT /*+ MAX_EXECUTION_TIME(0) */ SLEEP(1000)",
        "SELECT BENCHMARK(1000000000000, SHA2('x', 256))",
    )
    endless_rows = f"{THOUSAND} SELECT /*+ NO_BNL() */ a.x FROM {MANY}"
    writes = (
        "CREATE TABLE t (a INTEGER)",
        "CREATE TEMPORARY TABLE t (a INTEGER)",
        "CREATE TABLE t AS SELECT 1",
        "CREATE VIEW v AS SELECT 1",
        "CREATE INDEX i ON singer (name)",
        "CREATE DATABASE d",
        "CREATE FUNCTION f() RETURNS int DETERMINISTIC RETURN 1",
        "CREATE USER u",
        "INSERT INTO singer VALUES (9, 'x', 1, NULL)",
        "INSERT INTO singer SELECT 9, 'x', 1, NULL",
        "REPLACE INTO singer VALUES (1, 'x', 1, NULL)",
        "WITH x AS (SELECT 1) DELETE FROM singer",
        "UPDATE singer SET age = 0",
        "DELETE FROM singer",
        "TRUNCATE singer",
        "DROP TABLE singer",
        "DROP TABLE IF EXISTS nothing",
        "ALTER TABLE singer RENAME TO t",
        "RENAME TABLE singer TO t",
        "GRANT ALL ON *.* TO root",
        "SELECT 1 INTO @x",
        "SELECT 1 INTO OUTFILE '/var/lib/mysql-files/sqlassay-escaped'",
        "SELECT 1 INTO DUMPFILE '/var/lib/mysql-files/sqlassay-escaped'",
        "LOAD DATA INFILE '/etc/passwd' INTO TABLE singer",
        "LOAD DATA LOCAL INFILE '/etc/passwd' INTO TABLE singer",
        "ANALYZE TABLE singer",
        "OPTIMIZE TABLE singer",
        "LOCK TABLES singer WRITE",
        "HANDLER singer OPEN",
        "DO SLEEP(0)",
        "CALL p()",
        "SET @x = 1",
        "SET GLOBAL max_connections = 200",
        "FLUSH STATUS",
        "KILL 999999999",
        "PREPARE p FROM 'DELETE FROM singer'",
        "INSTALL PLUGIN p SONAME 'p.so'",
        "XA START 'x'",
        "BEGIN",
    )
    session_changes = (
        "SET SESSION TRANSACTION READ WRITE",
        "SET SESSION sql_mode = ''",
        "SET time_zone = '-05:00'",
        "SET NAMES latin1",
        "SET autocommit = 0",
        "USE information_schema",
        "START TRANSACTION READ WRITE",
        "SELECT @x := 7",
        "SELECT 7 INTO @x",
        "SELECT GET_LOCK('sqlassay', 0)",
        "SELECT LAST_INSERT_ID(7)",
        "PREPARE p FROM 'SELECT 1'",
        "CREATE TEMPORARY TABLE singer (a INTEGER)",
        "HANDLER singer OPEN",
        "SET ROLE NONE",
    )
    session_probes = (
        "SELECT @@transaction_read_only, @@sql_mode, @@time_zone, @@autocommit, @@character_set_client, DATABASE()",
        "SELECT @x, LAST_INSERT_ID(), IS_USED_LOCK('sqlassay'), CURRENT_ROLE()",
        "SELECT COUNT(*), MAX(name) FROM singer",
    )

    def drift(self, database: DatabaseBackend) -> None:
        assert isinstance(database, MySQLBackend)
        database._live().query("USE information_schema")

    def drift_always(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def open_elsewhere(database: MySQLBackend) -> None:
            open_session(database)
            database._live().query("USE information_schema")

        open_session = MySQLBackend._open
        monkeypatch.setattr(MySQLBackend, "_open", open_elsewhere)

    def test_values_of_columns(self, tmp_path: Path) -> None:
        columns = {
            "TINYINT(1)": ("TRUE", "tinyint", 1),
            "BIT(9)": ("b'101010101'", "bit", 0b101010101),
            "YEAR": ("1999", "year", 1999),
            "DATE": ("'0000-00-00'", "date", "0000-00-00"),
            "DATETIME(6)": ("'2020-02-29 01:02:03.000004'", "datetime", datetime.datetime(2020, 2, 29, 1, 2, 3, 4)),
            "DATETIME": ("'2020-00-00 00:00:00'", "datetime", "2020-00-00 00:00:00"),
            "TIMESTAMP": ("20200229103000", "timestamp", datetime.datetime(2020, 2, 29, 8, 30)),
            "TIME(3)": ("'23:59:59.999'", "time", datetime.time(23, 59, 59, 999_000)),
            "TIME": ("'-838:59:59'", "time", -datetime.timedelta(hours=838, minutes=59, seconds=59)),
            "ENUM('x', 'ß')": ("'ß'", "char", "ß"),
            "SET('p', 'q')": ("'p,q'", "char", "p,q"),
            "BIGINT UNSIGNED": ("18446744073709551615", "bigint", 18446744073709551615),
            "FLOAT": ("0.1", "float", 0.1),
            "DOUBLE": ("1e308", "double", 1e308),
            "DECIMAL(65, 30)": ("0.1", "decimal", Decimal("0.1")),
            "JSON": ("'[1.5, \"é\", {}]'", "json", [1.5, "é", {}]),
            "LONGBLOB": ("x'00ff'", "blob", b"\x00\xff"),
            "LONGTEXT": ("'Zoë 😀'", "text", "Zoë 😀"),
            "BINARY(3)": ("'a'", "binary", b"a\0\0"),
            "VARBINARY(3)": ("'a'", "varbinary", b"a"),
            "CHAR(3) CHARACTER SET latin1": ("'é '", "char", "é"),
            "POINT": ("POINT(1, 2)", "geometry", struct.pack("<IBIdd", 0, 1, 1, 1, 2)),
            "VECTOR(2)": ("STRING_TO_VECTOR('[1, 2.5]')", "vector", [1.0, 2.5]),
        }
        types = ", ".join(f"c{place} {type_}" for place, type_ in enumerate(columns))
        values = ", ".join(value for value, _, _ in columns.values())
        target = self.make_database(
            tmp_path,
            [
                "SET SESSION sql_mode = '', time_zone = '+02:00'",
                f"CREATE TABLE t ({types})",
                f"INSERT INTO t VALUES ({values})",
                "INSERT INTO t (c0) VALUES (NULL)",
            ],
        )
        with self.backend(target) as database:
            table = database.execute("SELECT * FROM t", LIMITS)
        assert list(zip(table.types, table.rows[0], strict=True)) == [expected[1:] for expected in columns.values()]
        assert set(table.rows[1]) == {None}

    @pytest.mark.parametrize(
        ("sql", "place"),
        [
            ("SELECT name\nFROM\n  singers", (3, 3)),
            ("SELECT 1 FROM singer\nWHERE s.`nickname` = 1", (2, 7)),
            ("SELECT nickname FROM singer ORDER BY nickname", (None, None)),
            ("SELECT name,\n name FROM FROM singer", (2, 12)),
            ("SELECT 1 +", (1, 11)),
            ("SELECT (1))", (1, 11)),
        ],
    )
    def test_places_of_errors(self, database: DatabaseBackend, sql: str, place: tuple[int | None, int | None]) -> None:
        with pytest.raises(BackendError) as raised:
            database.execute(sql, LIMITS)
        assert (raised.value.line, raised.value.column) == place, raised.value

    def test_a_plan_is_told_and_nothing_else_is_explained(self, database: DatabaseBackend) -> None:
        assert isinstance(database, MySQLBackend)
        assert "scan on singer" in database.explain("SELECT name FROM singer")
        for sql in ("ANALYZE SELECT 1", "DELETE FROM singer", "FORMAT=TREE SELECT 1", "SET @x = 1"):
            with pytest.raises(BackendError):
                database.explain(sql)

    @pytest.mark.parametrize(
        ("mode", "word"),
        [("disabled", ""), ("preferred", ""), ("required", ""), ("verify_ca", "certificate"), ("none", "ssl-mode")],
    )
    def test_a_connection_is_as_safe_as_is_asked_for(self, target: str, mode: str, word: str) -> None:
        if not word:
            with self.backend(f"{target}?ssl-mode={mode}") as database:
                ciphers = "SELECT variable_value <> '' FROM performance_schema.session_status"
                found = database.execute(f"{ciphers} WHERE variable_name = 'Ssl_cipher'", LIMITS).rows
            assert found == [(int(mode != "disabled"),)]
            return
        with pytest.raises(BackendError, match=word) as raised:
            self.backend(f"{target}?ssl-mode={mode}").execute("SELECT 1", LIMITS)
        assert raised.value.kind is FailureKind.CONNECTION
        assert isinstance(raised.value, TlsRefused) == (mode == "verify_ca")

    def test_all_privileges_on_a_database_are_not_for_the_server(self, target: str) -> None:
        assert isinstance(self.world, MySQLWorld)
        name = self.world.name_of(target)
        user = f"{name}_all"
        self.world.rows(f"CREATE USER {user}@'%' IDENTIFIED BY 'all'")
        try:
            self.world.rows(f"GRANT ALL PRIVILEGES ON {name}.* TO {user}@'%'")
            parts = urlsplit(target)
            with self.backend(
                urlunsplit(parts._replace(netloc=f"{user}:all@{parts.hostname}:{parts.port}"))
            ) as database:
                (*_, check) = database.check().checks
        finally:
            self.world.rows(f"DROP USER {user}@'%'")
        assert check.detail.startswith(f"it may {', '.join(IN_DATABASE)}: ")

    def test_what_a_role_may_do_is_told_although_it_is_not_taken_on(self, target: str) -> None:
        assert isinstance(self.world, MySQLWorld)
        name = self.world.name_of(target)
        user, outer, inner = (f"{name}_{suffix}" for suffix in ("user", "outer", "inner"))
        self.world.rows(f"CREATE USER {user}@'%' IDENTIFIED BY 'a'")
        self.world.rows(f"CREATE ROLE {outer}, {inner}")
        try:
            self.world.rows(f"GRANT SELECT ON {name}.* TO {user}@'%'")
            self.world.rows(f"GRANT DELETE ON {name}.* TO {inner}")
            self.world.rows(f"GRANT {inner} TO {outer}")
            self.world.rows(f"GRANT {outer} TO {user}@'%'")
            parts = urlsplit(target)
            with self.backend(urlunsplit(parts._replace(netloc=f"{user}:a@{parts.hostname}:{parts.port}"))) as database:
                (*_, check) = database.check().checks
        finally:
            self.world.rows(f"DROP USER {user}@'%'")
            self.world.rows(f"DROP ROLE {outer}, {inner}")
        assert check.detail.startswith("it may change rows: ")

    def test_what_an_account_may_do_is_told(self, target: str) -> None:
        with self.backend(self.world.owners(target)) as database:
            (*_, account) = database.check().checks
        for power in ("change rows", "change tables", "run stored code", "use the server's files", "administer"):
            assert power in account.detail


def test_certificates_that_cannot_be_read_are_no_matter_of_the_port() -> None:
    with MySQLBackend("//me@127.0.0.1:9/shop?ssl-mode=verify_ca&ssl-ca=/no/such.pem") as database:
        (*_, connection) = database.check().checks
    assert "/no/such.pem" in connection.detail
    assert connection.remedy == MySQLBackend.tls_remedy


READ_ONLY = "GRANT SELECT, SHOW VIEW ON *.* TO `reader`@`%`"
USAGE = "GRANT USAGE ON *.* TO `a`@`%`"
IN_DATABASE = ["change rows", "change tables", "lock tables", "run stored code", "change stored code"]
GRANTS = {
    "a reader": ([READ_ONLY, "REVOKE SELECT ON `mysql`.* FROM `reader`@`%`"], []),
    "all of a database": (
        ["GRANT USAGE ON *.* TO `a`@`%`", "GRANT ALL PRIVILEGES ON `shop`.* TO `a`@`%`"],
        IN_DATABASE,
    ),
    "all of a table": (["GRANT ALL PRIVILEGES ON `shop`.`t` TO `a`@`%`"], IN_DATABASE),
    "to others": (
        ["GRANT SELECT ON `shop`.* TO `a`@`%` WITH GRANT OPTION"],
        ["hand on what it may"],
    ),
    "columns": (["GRANT SELECT (`a`, `b`), INSERT (`a`) ON `shop`.`t` TO `a`@`%`"], ["change rows"]),
    "a routine": (["GRANT EXECUTE ON PROCEDURE `shop`.`p` TO `a`@`%`"], ["run stored code"]),
    "dynamic ones": (["GRANT SHOW_ROUTINE,BACKUP_ADMIN ON *.* TO `a`@`%`"], ["administer the server"]),
    "a dynamic one that reads": (["GRANT SHOW_ROUTINE ON *.* TO `a`@`%`"], []),
    "files": (["GRANT FILE ON *.* TO `a`@`%`"], ["use the server's files"]),
    "the server": (["GRANT ALL PRIVILEGES ON *.* TO `a`@`%`"], ["do everything (it has all privileges on the server)"]),
}


@pytest.mark.parametrize(("grants", "expected"), GRANTS.values(), ids=GRANTS)
def test_grants_are_read(grants: list[str], expected: list[str]) -> None:
    assert powers(grants) == expected

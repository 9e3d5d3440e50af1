"""Each server answers its own client; its reader reads and cannot write."""

from __future__ import annotations

import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit
from uuid import uuid4

import psycopg
import pymysql
import pytest
import trino
import yaml

from tests.conformance.backend import STATEMENTS
from tests.servers.plugin import KINDS, ROOT, Server
from tests.servers.sqlite_container import ask

COMPOSE = yaml.safe_load((ROOT / "docker-compose.test.yml").read_text("utf-8"))
POSTGRES, MYSQL, TRINO, SQLITE = (
    COMPOSE["services"][KINDS[name].service]["image"].rpartition(":")[2]
    for name in ("postgres", "mysql", "trino", "sqlite-container")
)
QUERY = re.compile(r"\bSELECT .* FROM |/v1/completions$|^CMD ollama list$")


class TestPostgres:
    @pytest.fixture
    def table(self, postgres_server: Server) -> Iterator[str]:
        schema = f"s{uuid4().hex}"
        with psycopg.connect(postgres_server.owner, autocommit=True) as connection:
            connection.execute(
                f"CREATE SCHEMA {schema}; CREATE TABLE {schema}.t (a int); INSERT INTO {schema}.t VALUES (7)"
            )
            yield f"{schema}.t"
            connection.execute(f"DROP SCHEMA {schema} CASCADE")

    @pytest.fixture
    def reader(self, postgres_server: Server) -> Iterator[psycopg.Connection]:
        with psycopg.connect(postgres_server.reader, autocommit=True) as connection:
            yield connection

    def test_its_version_is_the_pinned_one(self, reader: psycopg.Connection) -> None:
        assert reader.info.server_version // 10000 == int(POSTGRES)

    def test_the_reader_reads(self, reader: psycopg.Connection, table: str) -> None:
        assert reader.execute(f"SELECT a FROM {table}").fetchall() == [(7,)]

    @pytest.mark.parametrize(
        "statement",
        [
            "INSERT INTO {} VALUES (8)",
            "DELETE FROM {}",
            "DROP TABLE {}",
            "CREATE TABLE public.t (a int)",
            "CREATE TEMPORARY TABLE t (a int)",
            "CREATE SCHEMA mine",
            "SELECT pg_read_file('/etc/passwd')",
            "COPY (SELECT 1) TO PROGRAM 'true'",
            "SELECT pg_reload_conf()",
            "SET ROLE pg_write_all_data",
        ],
    )
    def test_the_reader_does_nothing_else(self, reader: psycopg.Connection, table: str, statement: str) -> None:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            reader.execute(statement.format(table))


class TestMySQL:
    @staticmethod
    def connect(dsn: str) -> pymysql.Connection[Any]:
        parts = urlsplit(dsn)
        return pymysql.connect(
            host=parts.hostname,
            port=parts.port or 3306,
            user=unquote(parts.username or ""),
            password=unquote(parts.password or ""),
            autocommit=True,
        )

    @pytest.fixture
    def table(self, mysql_server: Server) -> Iterator[str]:
        database = f"s{uuid4().hex}"
        with closing(self.connect(mysql_server.owner)) as connection, connection.cursor() as cursor:
            cursor.execute(f"CREATE DATABASE {database}")
            cursor.execute(f"CREATE TABLE {database}.t (a int)")
            cursor.execute(f"INSERT INTO {database}.t VALUES (7)")
            yield f"{database}.t"
            cursor.execute(f"DROP DATABASE {database}")

    @pytest.fixture
    def reader(self, mysql_server: Server) -> Iterator[pymysql.cursors.Cursor]:
        with closing(self.connect(mysql_server.reader)) as connection, connection.cursor() as cursor:
            yield cursor

    def test_its_version_is_the_pinned_one(self, reader: pymysql.cursors.Cursor) -> None:
        reader.execute("SELECT version()")
        assert str(reader.fetchone()[0]).startswith(f"{MYSQL}.")

    def test_the_reader_reads(self, reader: pymysql.cursors.Cursor, table: str) -> None:
        reader.execute(f"SELECT a FROM {table}")
        assert reader.fetchall() == ((7,),)

    @pytest.mark.parametrize(
        "statement",
        [
            "INSERT INTO {} VALUES (8)",
            "DELETE FROM {}",
            "DROP TABLE {}",
            "CREATE DATABASE mine",
            "SELECT a FROM {} FOR UPDATE",
            "SELECT 1 INTO OUTFILE '/var/lib/mysql-files/mine'",
            "SELECT * FROM mysql.user",
            "SET GLOBAL max_connections = 1",
            "CREATE USER mine",
        ],
    )
    def test_the_reader_does_nothing_else(self, reader: pymysql.cursors.Cursor, table: str, statement: str) -> None:
        with pytest.raises(pymysql.OperationalError, match=r"(?i)denied|Unknown database 'mysql'"):
            reader.execute(statement.format(table))


class TestTrino:
    @staticmethod
    def connect(dsn: str, **options: Any) -> trino.dbapi.Connection:
        parts = urlsplit(dsn)
        return trino.dbapi.connect(host=parts.hostname, port=parts.port, user=parts.username, **options)

    @classmethod
    def run(cls, dsn: str, sql: str, **options: Any) -> list[list[Any]]:
        with closing(cls.connect(dsn, **options)) as connection:
            found: list[list[Any]] = connection.cursor().execute(sql).fetchall()
            return found

    @pytest.fixture
    def table(self, trino_server: Server) -> Iterator[str]:
        schema = f"memory.s{uuid4().hex}"
        self.run(trino_server.owner, f"CREATE SCHEMA {schema}")
        self.run(trino_server.owner, f"CREATE TABLE {schema}.t AS SELECT 7 AS a")
        yield f"{schema}.t"
        self.run(trino_server.owner, f"DROP SCHEMA {schema} CASCADE")

    def test_its_version_is_the_pinned_one(self, trino_server: Server) -> None:
        assert self.run(trino_server.reader, "SELECT node_version FROM system.runtime.nodes") == [[TRINO]]

    def test_the_reader_reads(self, trino_server: Server, table: str) -> None:
        assert self.run(trino_server.reader, f"SELECT a FROM {table}") == [[7]]
        assert self.run(trino_server.reader, "SELECT count(*) FROM tpch.tiny.region") == [[5]]

    @pytest.mark.parametrize(
        "statement",
        [
            "INSERT INTO {} VALUES (8)",
            "DELETE FROM {}",
            "DROP TABLE {}",
            "CREATE TABLE memory.default.mine AS SELECT 1 AS a",
            "CREATE SCHEMA memory.mine",
            "CREATE VIEW memory.default.mine AS SELECT 1 AS a",
            "SELECT * FROM TABLE(postgresql.system.query(query => 'SELECT 1'))",
            "CALL postgresql.system.execute('SELECT 1')",
            "CALL system.runtime.kill_query(query_id => 'x', message => 'y')",
            "SET SESSION query_priority = 9",
            "SET SESSION AUTHORIZATION loader",
        ],
    )
    def test_the_reader_does_nothing_else(self, trino_server: Server, table: str, statement: str) -> None:
        with pytest.raises(trino.exceptions.TrinoUserError, match="Access Denied"):
            self.run(trino_server.reader, statement.format(table))

    def test_the_reader_may_limit_itself(self, trino_server: Server) -> None:
        limits = {"query_max_run_time": "20s", "query_max_memory": "100MB"}
        assert self.run(trino_server.reader, "SELECT 1", session_properties=limits) == [[1]]
        with pytest.raises(trino.exceptions.TrinoUserError, match="Access Denied"):
            self.run(trino_server.reader, "SELECT 1", session_properties={"query_priority": "9"})

    def test_nobody_else_is_let_in(self, trino_server: Server) -> None:
        with pytest.raises(trino.exceptions.TrinoUserError, match="Access Denied"):
            self.run(trino_server.owner.replace("//loader@", "//somebody@"), "SELECT 1")

    @pytest.mark.parametrize("catalog", ["postgresql", "mysql"])
    def test_it_reads_the_other_servers(self, trino_server: Server, catalog: str) -> None:
        schema = f"{catalog}.s{uuid4().hex}"
        self.run(trino_server.owner, f"CREATE SCHEMA {schema}")
        try:
            self.run(trino_server.owner, f"CREATE TABLE {schema}.t AS SELECT 7 AS a")
            assert self.run(trino_server.reader, f"SELECT a FROM {schema}.t") == [[7]]
        finally:
            self.run(trino_server.owner, f"DROP TABLE IF EXISTS {schema}.t")
            self.run(trino_server.owner, f"DROP SCHEMA {schema}")


class TestSQLite:
    @pytest.fixture
    def database(self, sqlite_server: str) -> str:
        name = "singers"
        assert ask(sqlite_server, "build", database=name, statements=STATEMENTS) == {"database": name}
        return name

    def test_its_version_is_the_pinned_one(self, sqlite_server: str, database: str) -> None:
        assert ask(sqlite_server, "query", database=database, sql="SELECT sqlite_version()")["rows"] == [[SQLITE]]
        assert f"apsw=={SQLITE}.0 " in (ROOT / "tests/servers/sqlite/requirements.txt").read_text("utf-8")

    @pytest.mark.parametrize(
        "sql",
        [
            "SELECT name, age FROM singer ORDER BY singer_id DESC",
            "SELECT name FROM adult",
            "SELECT count(*), sum(age), avg(age) FROM singer JOIN concert USING (singer_id)",
            "SELECT 9007199254740993, 9223372036854775807, 1e300, 0.1, NULL, '', 'Zoë 😀'",
            "SELECT name FROM singer WHERE 0",
        ],
    )
    def test_it_gives_what_the_sqlite_beside_the_tests_gives(self, sqlite_server: str, database: str, sql: str) -> None:
        with closing(sqlite3.connect(":memory:")) as here:
            for statement in STATEMENTS:
                here.execute(statement)
            cursor = here.execute(sql)
            columns, rows = [name for name, *_ in cursor.description], [list(row) for row in cursor]
        found = ask(sqlite_server, "query", database=database, sql=sql)
        assert found == {"columns": columns, "rows": rows, "truncated": False}

    @pytest.mark.parametrize(
        "sql",
        [
            "DELETE FROM singer",
            "SELECT 1; DROP TABLE singer",
            "VACUUM INTO '/data/stolen.sqlite'",
            "ATTACH '/data/other.sqlite' AS other",
            "PRAGMA user_version = 7",
            "CREATE TEMP TABLE t (a)",
        ],
    )
    def test_a_query_only_reads(self, sqlite_server: str, database: str, sql: str) -> None:
        assert re.search("auth|readonly", ask(sqlite_server, "query", database=database, sql=sql)["error"])

    def test_a_query_stays_on_the_volume(self, sqlite_server: str) -> None:
        assert "error" in ask(sqlite_server, "query", database="../etc/passwd", sql="SELECT 1")


class TestFile:
    """What the compose file promises."""

    @pytest.mark.parametrize("service", COMPOSE["services"])
    def test_a_port_is_on_the_loopback_and_unusual(self, service: str) -> None:
        (port,) = COMPOSE["services"][service]["ports"]
        host, outer, inner = port.split(":")
        assert host == "127.0.0.1"
        assert 20000 < int(outer) < 32768, "below those that a system hands out"
        assert inner not in outer

    @pytest.mark.parametrize("service", COMPOSE["services"])
    def test_the_image_is_pinned_and_its_health_is_a_query(self, service: str) -> None:
        description = COMPOSE["services"][service]
        assert re.search(r":(server-b)?\d[\d.]*$", description["image"])
        probe = " ".join(description["healthcheck"]["test"])
        if mounted := re.search(r"/(health|server\.py)\b", probe):
            probe = next((ROOT / "tests/servers").rglob(mounted[1])).read_text("utf-8")
        assert QUERY.search(probe)


class TestMissing:
    """Where there is neither a variable nor Docker."""

    @staticmethod
    def run(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
        tests = f"{ROOT / 'tests/servers/test_servers.py'}::TestPostgres::test_its_version_is_the_pinned_one"
        command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *options, tests]
        return subprocess.run(command, cwd=ROOT, env={"PATH": str(folder)}, capture_output=True, text=True)

    def test_a_test_skips_with_the_reason(self, tmp_path: Path) -> None:
        done = self.run(tmp_path)
        assert "1 skipped" in done.stdout
        assert "SQLASSAY_TEST_POSTGRES_DSN is not set, and there is no Docker" in done.stdout
        assert done.returncode == 0

    def test_required_it_fails(self, tmp_path: Path) -> None:
        done = self.run(tmp_path, "--require-backends=mysql,postgres")
        assert "1 error" in done.stdout
        assert "there is no Docker" in done.stdout
        assert done.returncode == 1

    def test_an_unknown_name_is_a_mistake_of_the_user(self, tmp_path: Path) -> None:
        done = self.run(tmp_path, "--require-backends=postgres,oracle")
        assert (
            "no server is called oracle; there are postgres, mysql, trino, sqlite-container, llama, ollama"
            in done.stderr
        )
        assert done.returncode == 4

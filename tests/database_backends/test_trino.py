from __future__ import annotations

import datetime
import socket
import time
import uuid
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest
from trino.exceptions import TrinoQueryError

from database_backends.base import DatabaseBackend
from database_backends.errors import BackendError, FailureKind
from database_backends.trino import TrinoBackend, _failure, _is_too_deep
from tests.conformance.backend import LIMITS, STATEMENTS, ServerConformance, contents
from tests.servers.mysql import MySQLWorld
from tests.servers.plugin import Server
from tests.servers.trino import TrinoWorld

UTC = datetime.UTC
ROWS = "tpch.sf1000.lineitem"  # thousands of millions, made as they are read


@pytest.fixture
def world(trino_server: Server, postgres_server: Server) -> TrinoWorld:
    return TrinoWorld(trino_server, postgres_server)


class TestTrino(ServerConformance):
    backend = TrinoBackend

    tells_views = False  # of PostgreSQL

    typed = (
        ("1 = 1", True),
        ("CAST(1.50 AS decimal(10, 2))", Decimal("1.50")),
        ("DECIMAL '99999999999999999999999999999999999999'", Decimal("9" * 38)),
        ("TINYINT '1'", 1),
        ("REAL '0.1'", 0.1),
        ("infinity()", float("inf")),
        ("DATE '2020-02-29'", datetime.date(2020, 2, 29)),
        ("DATE '20000-01-01'", "+20000-01-01"),
        ("DATE '-0044-03-15'", "-0044-03-15"),
        ("TIME '10:20:30.5'", datetime.time(10, 20, 30, 500_000)),
        ("TIME '10:20:30.123456789'", "10:20:30.123456789"),
        (
            "TIME '10:20:30.5+02:00'",
            datetime.time(10, 20, 30, 500_000, tzinfo=datetime.timezone(datetime.timedelta(hours=2))),
        ),
        ("TIMESTAMP '2020-02-29 10:20:30'", datetime.datetime(2020, 2, 29, 10, 20, 30)),
        ("TIMESTAMP '2020-02-29 10:20:30.123456'", datetime.datetime(2020, 2, 29, 10, 20, 30, 123456)),
        ("TIMESTAMP '2020-02-29 10:20:30.123456000'", datetime.datetime(2020, 2, 29, 10, 20, 30, 123456)),
        ("TIMESTAMP '2020-02-29 10:20:30.123456789012'", "2020-02-29 10:20:30.123456789012"),
        ("TIMESTAMP '2020-02-29 10:20:30 UTC'", datetime.datetime(2020, 2, 29, 10, 20, 30, tzinfo=UTC)),
        ("TIMESTAMP '2020-02-29 10:20:30.5 +02:00'", datetime.datetime(2020, 2, 29, 8, 20, 30, 500_000, tzinfo=UTC)),
        ("TIMESTAMP '2020-07-01 10:20:30 America/New_York'", datetime.datetime(2020, 7, 1, 14, 20, 30, tzinfo=UTC)),
        ("TIMESTAMP '2020-11-01 01:30:00 America/New_York'", "2020-11-01 01:30:00 America/New_York"),  # which of two?
        ("INTERVAL '2' DAY", datetime.timedelta(days=2)),
        ("INTERVAL '-2 10:00:00.123' DAY TO SECOND", -datetime.timedelta(days=2, hours=10, milliseconds=123)),
        ("INTERVAL '-1-2' YEAR TO MONTH", -datetime.timedelta(days=14 * 30)),
        ("UUID '00000000-0000-0000-0000-00000000002a'", uuid.UUID(int=42)),
        ("X'00ff'", b"\x00\xff"),
        ("ARRAY[1, NULL, 3]", [1, None, 3]),
        ("ARRAY[ARRAY[DATE '2020-01-01']]", [[datetime.date(2020, 1, 1)]]),
        ("MAP(ARRAY[1, 2], ARRAY[1.5, NULL])", {1: Decimal("1.5"), 2: None}),
        ("MAP(ARRAY[true], ARRAY[DATE '2020-01-01'])", {True: datetime.date(2020, 1, 1)}),
        ("MAP(ARRAY['a'], ARRAY['b'])", {"a": "b"}),
        ("MAP(ARRAY[ROW(1)], ARRAY[1])", {"[1]": 1}),
        ("CAST(ROW(1, DATE '2020-01-01') AS ROW(x int, y date))", {"x": 1, "y": datetime.date(2020, 1, 1)}),
        ("ROW(1, DATE '2020-01-01')", (1, datetime.date(2020, 1, 1))),
        ("CAST(ROW(1, 2) AS ROW(x int, x int))", (1, 2)),
        ("JSON '{\"a\": [1, null, 9007199254740993]}'", {"a": [1, None, 9007199254740993]}),
        ("CAST('ab' AS char(4))", "ab  "),
        ("IPADDRESS '10.0.0.1'", "10.0.0.1"),
        ("ARRAY[NULL]", [None]),
    )
    memory_bombs = (
        f"SELECT array_agg(comment || comment) FROM {ROWS}",
        f"SELECT rpad('x', 60000, 'y') FROM {ROWS}",
        f"SELECT * FROM {ROWS} ORDER BY comment",
    )
    endless = (
        f"SELECT count(*) FROM {ROWS}",
        f"SELECT count(*) FROM {ROWS} AS a, {ROWS} AS b",
        "SELECT count(*) FROM TABLE(sequence(1, 1000000000000))",
        "SELECT regexp_like(rpad('a', 60000, 'a'), '(a|aa)+$b')",
    )
    endless_rows = f"SELECT orderkey FROM {ROWS}"
    writes = (
        "CREATE TABLE t (a INTEGER)",
        "CREATE TABLE t AS SELECT 1 AS a",
        "CREATE TABLE memory.default.t AS SELECT 1 AS a",
        "CREATE VIEW memory.default.v AS SELECT 1 AS a",
        "CREATE MATERIALIZED VIEW v AS SELECT 1 AS a",
        "CREATE SCHEMA s",
        "CREATE FUNCTION memory.default.f() RETURNS int RETURN 1",
        "CREATE ROLE r",
        "CREATE CATALOG c USING memory",
        "INSERT INTO singer VALUES (9, 'x', 1, NULL)",
        "INSERT INTO singer SELECT * FROM singer",
        "UPDATE singer SET age = 0",
        "DELETE FROM singer",
        "MERGE INTO singer USING concert ON singer.singer_id = concert.singer_id WHEN MATCHED THEN DELETE",
        "TRUNCATE TABLE singer",
        "DROP TABLE singer",
        "DROP TABLE IF EXISTS nothing",
        "DROP SCHEMA test CASCADE",
        "ALTER TABLE singer RENAME TO t",
        "ALTER TABLE singer ADD COLUMN a INTEGER",
        "ALTER TABLE singer EXECUTE optimize",
        "COMMENT ON TABLE singer IS 'x'",
        "GRANT ALL PRIVILEGES ON singer TO USER reader",
        "DENY SELECT ON singer TO USER reader",
        "REFRESH MATERIALIZED VIEW v",
        "ANALYZE singer",
        "EXPLAIN ANALYZE INSERT INTO singer SELECT * FROM singer",
        "EXECUTE IMMEDIATE 'DELETE FROM singer'",
        "CALL postgresql.system.execute('DROP TABLE singer')",
        "CALL system.runtime.kill_query(query_id => 'x', message => 'y')",
        "SET SESSION AUTHORIZATION loader",
        "START TRANSACTION",
        "COMMIT",
    )
    session_changes = (
        "SET SESSION query_max_run_time = '1s'",
        "SET SESSION join_distribution_type = 'BROADCAST'",
        "SET TIME ZONE 'America/New_York'",
        "SET PATH postgresql.pg_catalog",
        "SET ROLE admin",
        "SET SESSION AUTHORIZATION loader",
        "USE tpch.tiny",
        "PREPARE p FROM SELECT 1",
        "COMMIT",
        "ROLLBACK",
        "START TRANSACTION READ WRITE",
    )
    session_probes = (
        "SELECT current_timezone(), current_catalog, current_schema, current_user, current_path",
        "SHOW SESSION",
        "SELECT count(*) FROM singer",
    )

    def contents(self, folder: Path, database: DatabaseBackend) -> object:
        """Asked of PostgreSQL: a fingerprint takes Trino a dozen queries."""
        return contents(folder), self.world.state(self.world.target(self.world.reader, self.world.made[-1]))

    def drift(self, database: DatabaseBackend) -> None:
        assert isinstance(database, TrinoBackend)
        other = TrinoBackend(database.target)
        with pytest.MonkeyPatch.context() as patch:
            self.drift_always(patch)
            other._open()
        database._transaction = other._transaction

    def drift_always(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("database_backends.trino._START", "START TRANSACTION READ WRITE")

    def test_tables_that_are_new_are_seen(self, database: DatabaseBackend) -> None:
        """A transaction keeps what it has looked up."""
        assert len(database.schema().tables) == 3
        before = database.fingerprint()
        self.world.rows(f"CREATE TABLE postgresql.{self.world.made[-1]}.song AS SELECT 1 AS a")
        assert len(database.schema().tables) == 4
        assert database.fingerprint() != before

    @pytest.mark.parametrize("path", ["nowhere/public", "postgresql/nowhere"])
    def test_a_catalog_or_schema_that_is_not_there(self, target: str, path: str) -> None:
        with self.backend(urlunsplit(urlsplit(target)._replace(path=path))) as database:
            error = self.assert_fails(database, "SELECT 1", FailureKind.DATABASE_MISSING)
            assert [check.ok for check in database.check().checks] == [True, False]
        assert "nowhere" in error.message

    def test_somebody_whom_the_server_does_not_know(self, target: str) -> None:
        with self.backend(target.replace("//reader@", "//somebody@")) as database:
            self.assert_fails(database, "SELECT 1", FailureKind.CONNECTION)
            assert [check.ok for check in database.check().checks] == [True, True, False]

    def test_names_of_catalog_and_schema_have_no_case(self, target: str) -> None:
        catalog, schema = urlsplit(target).path.strip("/").split("/")
        shouted = urlunsplit(urlsplit(target)._replace(path=f"{catalog.upper()}/{schema.upper()}"))
        with self.backend(shouted) as database:
            assert len(database.schema().tables) == 3

    def test_what_a_catalog_stands_for_may_be_gone(self) -> None:
        gone = {"errorType": "EXTERNAL", "errorName": "JDBC_ERROR", "message": "Connection to test:5432 refused."}
        failed = {"errorType": "EXTERNAL", "errorName": "JDBC_ERROR", "message": "ERROR: division by zero"}
        assert _failure(TrinoQueryError(gone)).kind is FailureKind.CONNECTION
        assert _failure(TrinoQueryError(failed)).kind is FailureKind.OTHER


def test_it_reads_mysql_too(trino_server: Server, mysql_server: Server) -> None:
    world = MySQLWorld(mysql_server.owner, mysql_server.reader)
    try:
        world.make(STATEMENTS)
        target = urlunsplit(urlsplit(trino_server.reader)._replace(path=f"mysql/{world.made[-1]}"))
        with TrinoBackend(target) as database:
            rows = database.execute("SELECT name, age, born FROM singer ORDER BY singer_id", LIMITS).rows
            assert rows[0] == ("Joe", 52, datetime.date(1970, 5, 17))
            assert [table.name for table in database.schema().tables] == ["adult", "concert", "singer"]
            assert database.check().ok
    finally:
        world.close()


def test_a_server_that_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("database_backends.trino._READY_LIMITS", replace(LIMITS, seconds=0.5))
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        database = TrinoBackend(f"trino://127.0.0.1:{deaf.getsockname()[1]}/a/b")
        started = time.monotonic()
        with pytest.raises(BackendError) as raised:
            database.execute("SELECT 1", LIMITS)
    assert raised.value.kind is FailureKind.CONNECTION
    assert time.monotonic() - started < 15


@pytest.mark.parametrize(
    ("target", "scheme"),
    [
        ("trino://user@host/a/b", "http"),
        ("//user@host/a/b?scheme=https", "https"),
        ("//user:secret@host/a/b", "https"),
        ("//user:secret@host/a/b?scheme=https", "https"),
    ],
)
def test_a_password_is_sent_by_https_only(target: str, scheme: str) -> None:
    assert TrinoBackend(target)._scheme == scheme


@pytest.mark.parametrize("target", ["//user:secret@host/a/b?scheme=http", "//user@host/a/b?scheme=ftp"])
def test_another_scheme_is_refused(target: str) -> None:
    with pytest.raises(BackendError, match="scheme") as raised:
        TrinoBackend(target)
    assert raised.value.kind is FailureKind.CONNECTION
    assert "secret" not in raised.value.message


def test_a_server_that_speaks_no_https_gets_no_password(trino_server: Server) -> None:
    parts = urlsplit(trino_server.owner)
    target = urlunsplit(parts._replace(netloc=f"loader:secret@{parts.netloc.rpartition('@')[2]}"))
    with TrinoBackend(target) as database:
        with pytest.raises(BackendError) as raised:
            database.execute("SELECT 1", LIMITS)
        _, connection = database.check().checks
    shown = f"//loader:***@{parts.hostname}:{parts.port}{parts.path}"
    words = f"cannot connect to {shown}: it does not speak https, and no password is sent without it"
    assert (raised.value.kind, raised.value.message) == (FailureKind.CONNECTION, words)
    assert (connection.ok, connection.detail) == (False, words)
    assert connection.remedy == "name the port at which it speaks https, or leave out the password and scheme=https"


@pytest.mark.parametrize(
    ("text", "too_deep"),
    [
        ("(" * 400 + ")" * 400, False),
        ("(" * 401, True),
        ("[" * 200 + "(" * 201, True),
        ("(a) " * 10_000, False),
        (") " * 1000 + "(" * 400, False),
        ("'" + "(" * 1000 + "'", False),
        ("'" + ")" * 300 + "'" + "(" * 201 + "'" + ")" * 300 + "'" + "(" * 200, True),
        ('"' + "(" * 1000 + '"', False),
        ("/*" + "(" * 1000 + "*/", False),
        ("/* /* */" + "(" * 401 + "*/", True),
        ("/*" + "(" * 1000, True),  # no comment, for it does not end
        ("--" + "(" * 1000 + "\n", False),
        ("-- '\n" + "(" * 401 + " -- '", True),
        ("-- '\r" + "(" * 401 + " -- '", True),
        ("'" + "(" * 401, True),
        ("CASE WHEN a THEN 1 END " * 1000, False),
        ("CASE WHEN " * 401, True),
        ("case when (" * 201, True),
        ("END " * 100 + "CASE " * 401, True),
        ("(END " * 401, True),
        ("/*" * 500_000, False),
        ("/* */" * 200_000 + "(" * 401, True),
        ("'" * 500_000 + "(" * 401, True),
    ],
    ids=lambda value: value[:20] if isinstance(value, str) else None,
)
def test_depth_is_told_soon(text: str, too_deep: bool) -> None:
    started = time.monotonic()
    assert _is_too_deep(text) is too_deep
    assert time.monotonic() - started < 15

from __future__ import annotations

import datetime
import uuid
from decimal import Decimal
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest

from database_backends.base import DatabaseBackend
from database_backends.errors import BackendError, FailureKind
from database_backends.postgres import PostgresBackend
from tests.conformance.backend import ENDLESS, LIMITS, ServerConformance
from tests.servers.plugin import Server
from tests.servers.postgres import PostgresWorld
from tests.servers.readers import READER

UTC = datetime.UTC


@pytest.fixture
def world(postgres_server: Server) -> PostgresWorld:
    return PostgresWorld(postgres_server.owner, postgres_server.reader)


class TestPostgres(ServerConformance):
    backend = PostgresBackend

    typed = (
        ("1 = 1", True),
        ("1.50::decimal(10, 2)", Decimal("1.50")),
        ("0.1::float4", 0.1),
        ("1e400::numeric", Decimal("1e400")),
        ("DATE '2020-02-29'", datetime.date(2020, 2, 29)),
        ("TIME '10:20:30.5'", datetime.time(10, 20, 30, 500_000)),
        ("TIMESTAMP '2020-02-29 10:20:30.123456'", datetime.datetime(2020, 2, 29, 10, 20, 30, 123456)),
        ("TIMESTAMPTZ '2020-02-29 10:20:30+02'", datetime.datetime(2020, 2, 29, 8, 20, 30, tzinfo=UTC)),
        ("INTERVAL '2 days'", datetime.timedelta(days=2)),
        ("'00000000-0000-0000-0000-00000000002a'::uuid", uuid.UUID(int=42)),
        ("'\\x00ff'::bytea", b"\x00\xff"),
        ("ARRAY[1, NULL, 3]", [1, None, 3]),
        ("ARRAY[[1], [2]]", [[1], [2]]),
        ("'{\"a\": [1, null]}'::json", {"a": [1, None]}),
        ("'{\"a\": 1}'::jsonb", {"a": 1}),
        ("'infinity'::date", "infinity"),
        ("ARRAY['infinity', '2020-02-29']::date[]", ["infinity", datetime.date(2020, 2, 29)]),
        ("INTERVAL '1 month'", datetime.timedelta(days=30)),
        ("INTERVAL '1 year'", datetime.timedelta(days=360)),
        ("'20000-01-01'::date", "20000-01-01"),
        ("int4range(1, 3)", "[1,3)"),
        ("'10.0.0.1/8'::inet", "10.0.0.1/8"),
        ("b'101'", "101"),
        ("'a'::\"char\"", "a"),
    )
    memory_bombs = (
        "SELECT repeat('x', 300000000)",
        "SELECT generate_series(1, 1000000000), repeat('x', 1000)",
        "SELECT repeat('x', 2000000000)",
        # Rows enough, and then none for ever: the server does not see that nobody waits for them.
        "SELECT repeat('x', 3000000) FROM generate_series(1, 200)"
        " UNION ALL SELECT count(*)::text FROM generate_series(1, 1000000000000)",
    )
    endless = (
        f"{ENDLESS} SELECT count(*) FROM c",
        "SELECT pg_sleep(1000)",
        "SELECT count(*) FROM generate_series(1, 100000000) AS a, generate_series(1, 100000000) AS b",
        "SELECT a FROM generate_series(1, 1000000000000) AS a WHERE a < 0",
    )
    endless_rows = f"{ENDLESS} SELECT x FROM c"
    writes = (
        "CREATE TABLE t (a INTEGER)",
        "CREATE TEMP TABLE t (a INTEGER)",
        "CREATE TABLE t AS SELECT 1",
        "SELECT 1 AS a INTO t",
        "SELECT 1 AS a INTO TEMP t",
        "CREATE VIEW v AS SELECT 1",
        "CREATE INDEX i ON singer (name)",
        "CREATE SEQUENCE s",
        "CREATE SCHEMA s",
        "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "INSERT INTO singer VALUES (9, 'x', 1, NULL)",
        "INSERT INTO singer VALUES (9, 'x', 1, NULL) RETURNING *",
        "WITH x AS (INSERT INTO singer VALUES (9, 'x', 1, NULL) RETURNING *) SELECT * FROM x",
        "WITH x AS (DELETE FROM singer RETURNING *) SELECT * FROM x",
        "MERGE INTO singer USING concert ON true WHEN MATCHED THEN DELETE",
        "UPDATE singer SET age = 0",
        "DELETE FROM singer",
        "TRUNCATE singer",
        "DROP TABLE singer",
        "DROP TABLE IF EXISTS nothing",
        "ALTER TABLE singer RENAME TO t",
        "COMMENT ON TABLE singer IS 'x'",
        "GRANT ALL ON singer TO public",
        "COPY singer TO '/tmp/sqlassay-escaped'",
        "COPY (SELECT 1) TO PROGRAM 'touch /tmp/sqlassay-escaped'",
        "COPY singer FROM '/etc/passwd'",
        "VACUUM",
        "ANALYZE singer",
        "REINDEX TABLE singer",
        "CLUSTER",
        "REFRESH MATERIALIZED VIEW m",
        "LOCK TABLE singer IN ACCESS EXCLUSIVE MODE",
        "DO $$ BEGIN DELETE FROM singer; END $$",
        "DO $$ BEGIN COMMIT; SET TRANSACTION READ WRITE; RESET ROLE; DELETE FROM singer; END $$",
        "CALL p()",
        "SET ROLE postgres",
        "BEGIN",
    )
    session_changes = (
        "SET default_transaction_read_only = off",
        "SELECT set_config('default_transaction_read_only', 'off', false)",
        "SELECT set_config('transaction_read_only', 'off', false)",
        "SET search_path = pg_catalog",
        "SELECT set_config('search_path', 'pg_catalog', false)",
        "SET TIME ZONE 'America/New_York'",
        "SELECT set_config('TimeZone', 'America/New_York', false)",
        "SELECT set_config('statement_timeout', '0', false)",
        "SELECT set_config('my.variable', 'x', false)",
        "SELECT set_config('enable_seqscan', 'off', false)",
        "BEGIN READ WRITE",
        "PREPARE p AS SELECT 1",
        "LISTEN x",
        "SELECT pg_advisory_lock(7)",
        "DECLARE c CURSOR WITH HOLD FOR SELECT 1",
        "SELECT setseed(0.5)",
    )
    session_probes = (
        "SELECT current_setting('default_transaction_read_only'), current_setting('transaction_read_only')",
        "SELECT current_setting('search_path'), current_setting('TimeZone'), current_setting('statement_timeout')",
        "SELECT current_setting('my.variable', true) IS NULL OR current_setting('my.variable', true) = ''",
        "SELECT current_setting('enable_seqscan'), now() = statement_timestamp()",
        "SELECT name FROM pg_prepared_statements UNION ALL SELECT name FROM pg_cursors WHERE is_holdable",
        "SELECT * FROM pg_listening_channels()",
        "SELECT objid FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()",
        "SELECT random() IN (0.9851677175347999, 0.2499104186659835)",  # what setseed(0.5) decides, and did before 15
    )

    def drift(self, database: DatabaseBackend) -> None:
        assert isinstance(database, PostgresBackend)
        database._live().execute("BEGIN")

    def drift_always(self, monkeypatch: pytest.MonkeyPatch) -> None:
        connect = PostgresBackend.connect
        monkeypatch.setattr(
            PostgresBackend, "connect", lambda self, settings: connect(self, {**settings, "TimeZone": "Asia/Tokyo"})
        )

    @pytest.mark.parametrize(
        ("mode", "remedy"),
        [
            ("prefer", ""),
            ("verify-full", "correct sslmode"),
            ("Require", "correct sslmode"),
        ],
    )
    def test_a_line_is_as_safe_as_is_asked_for(self, target: str, mode: str, remedy: str) -> None:
        with self.backend(f"{target}&sslmode={mode}") as database:
            checks = database.check().checks
        assert [check.ok for check in checks[:2]] == [True, not remedy], checks
        assert checks[1].remedy.startswith(remedy)

    def test_a_schema_that_is_not_there(self, target: str) -> None:
        with self.backend(urlunsplit(urlsplit(target)._replace(query="schema=nowhere"))) as database:
            error = self.assert_fails(database, "SELECT 1", FailureKind.DATABASE_MISSING)
            assert [check.ok for check in database.check().checks] == [True, False]
        assert "there is no schema 'nowhere'" in error.message

    def test_a_mode_that_is_not_there_is_named(self, target: str) -> None:
        with pytest.raises(BackendError, match="its sslmode is 'bogus', and one of disable, allow, prefer, require, "):
            self.backend(f"{target}&sslmode=bogus")

    def test_what_a_replica_has_cancelled_is_tried_again(self, tmp_path: Path) -> None:
        conflict = (
            "CREATE FUNCTION conflict(session int) RETURNS int LANGUAGE plpgsql AS $$ BEGIN"
            " IF pg_backend_pid() = session THEN RAISE EXCEPTION 'with recovery' USING ERRCODE = '40001'; END IF;"
            " RETURN 1; END $$"
        )
        with self.backend(self.make_database(tmp_path, [conflict])) as database:
            ((session,),) = database.execute("SELECT pg_backend_pid()", LIMITS).rows
            assert database.execute(f"SELECT conflict({session})", LIMITS).rows == [(1,)]

    @pytest.mark.parametrize(
        "change",
        [
            "default_transaction_read_only TO off",
            "TimeZone TO 'Asia/Tokyo'",
            "search_path TO pg_catalog",
            "extra_float_digits TO 0",
            "ROLE reader",
        ],
    )
    def test_the_server_leaves_out_a_statement_where_the_session_has_drifted(self, target: str, change: str) -> None:
        probe = "SELECT pg_backend_pid(), current_setting('TimeZone'), current_setting('search_path')"
        with PostgresBackend(self.world.owners(target)) as database:
            ((session, *settings),) = database.execute(probe, LIMITS).rows
            database._live().execute(f"SET {change.replace('reader', READER)}")
            ((other, *again),) = database.execute(probe, LIMITS).rows
        assert session != other
        assert settings == again

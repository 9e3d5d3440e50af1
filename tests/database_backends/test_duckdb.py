from __future__ import annotations

import datetime
import uuid
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from database_backends.duckdb import DuckDBBackend, configuration
from database_backends.errors import BackendError, FailureKind
from database_backends.result import Limits
from sqlassay.schema import ForeignKey
from tests.conformance.backend import ENDLESS, LIMITS, STATEMENTS, EmbeddedConformance, contents

UTC = datetime.UTC


class TestDuckDB(EmbeddedConformance):
    backend = DuckDBBackend
    file_names = (
        "a b.db",
        "50%20.db",
        "x#y.db",
        "größe'\".db",
        "md:x.db",
    )  # DuckDB takes what follows a `?` for options

    typed = (
        ("1 = 1", True),
        ("1.50::DECIMAL(10, 2)", Decimal("1.50")),
        ("(1::HUGEINT << 100) + 1", 2**100 + 1),
        ("18446744073709551615::UBIGINT", 2**64 - 1),
        ("DATE '2020-02-29'", datetime.date(2020, 2, 29)),
        ("TIME '10:20:30.5'", datetime.time(10, 20, 30, 500_000)),
        ("TIMESTAMP '2020-02-29 10:20:30.123456'", datetime.datetime(2020, 2, 29, 10, 20, 30, 123456)),
        ("TIMESTAMP_NS '2020-02-29 10:20:30'", datetime.datetime(2020, 2, 29, 10, 20, 30)),
        ("INTERVAL 2 DAY", datetime.timedelta(days=2)),
        ("'00000000-0000-0000-0000-00000000002a'::UUID", uuid.UUID(int=42)),
        ("'\\x00\\xFF'::BLOB", b"\x00\xff"),
        ("[1, NULL, 3]", [1, None, 3]),
        ("{'a': 1, 'b': [{'c': 'd'}]}", {"a": 1, "b": [{"c": "d"}]}),
        ("MAP {'a': 1}", {"a": 1}),
        ("[1, 2]::INTEGER[2]", (1, 2)),
        ("'b'::ENUM ('a', 'b')", "b"),
        ("'{\"a\": 1}'::JSON", '{"a": 1}'),
        ("'101'::BIT", "101"),
        ("1 / 0", float("inf")),
        ("'infinity'::DATE", "infinity"),
        ("'-infinity'::TIMESTAMPTZ", "-infinity"),
        ("DATE '9999-12-31'", datetime.date(9999, 12, 31)),
        ("TIMESTAMP '0001-01-01'", datetime.datetime(1, 1, 1)),
        ("TIMESTAMP_NS '2020-01-01 00:00:00.123456789'", "2020-01-01 00:00:00.123456789"),
        ("TIMESTAMP_NS '2020-01-01 00:00:00.123456'", datetime.datetime(2020, 1, 1, 0, 0, 0, 123456)),
        ("'10:20:30.000000001'::TIME_NS", "10:20:30.000000001"),
        ("12345678901234567890123456789012345678901234567890::BIGNUM", int("1234567890" * 5)),
    )
    memory_bombs = (
        "SELECT list(range) FROM range(1000000000)",
        "SELECT string_agg(range::VARCHAR) FROM range(1000000000)",
        "SELECT range, repeat('x', 1000) FROM range(1000000000)",
    )
    endless = (
        "SELECT count(*) FROM range(1000000000000)",
        "SELECT sum(a.range * b.range) FROM range(1000000) a, range(1000000) b",
        f"{ENDLESS} SELECT count(*) FROM c",
        "SELECT range FROM range(1000000000000) WHERE range < 0",
    )
    endless_rows = "SELECT range FROM range(1000000000000)"
    writes = (
        "CREATE TABLE t (a INTEGER)",
        "CREATE TEMP TABLE t (a INTEGER)",
        "CREATE OR REPLACE TABLE singer AS SELECT 1",
        "CREATE VIEW v AS SELECT 1",
        "CREATE TEMP VIEW singer AS SELECT 1",
        "CREATE INDEX i ON singer (name)",
        "CREATE SEQUENCE s",
        "CREATE TYPE mood AS ENUM ('a')",
        "CREATE MACRO m(x) AS x",
        "CREATE TEMP MACRO m(x) AS x",
        "CREATE SCHEMA s",
        "CREATE SECRET (TYPE s3)",
        "INSERT INTO singer VALUES (9, 'x', 1, NULL)",
        "INSERT OR REPLACE INTO singer VALUES (1, 'x', 1, NULL)",
        "INSERT INTO singer BY NAME SELECT 9 AS singer_id, 'x' AS name",
        "WITH x AS (SELECT 1) INSERT INTO singer SELECT 9, 'x', 1, NULL",
        "WITH x AS (INSERT INTO singer VALUES (9, 'x', 1, NULL) RETURNING *) SELECT * FROM x",
        "MERGE INTO singer USING singer AS s ON true WHEN MATCHED THEN DELETE",
        "UPDATE singer SET age = 0",
        "DELETE FROM singer",
        "TRUNCATE singer",
        "DROP TABLE singer",
        "DROP TABLE IF EXISTS nothing",
        "ALTER TABLE singer RENAME TO t",
        "COMMENT ON TABLE singer IS 'x'",
        "COPY singer TO '{new}'",
        "COPY (SELECT 1) TO '{new}' (FORMAT parquet)",
        "COPY singer FROM '{new}'",
        "EXPORT DATABASE '{new}'",
        "IMPORT DATABASE '{new}'",
        "COPY FROM DATABASE memory TO database",
        "ATTACH '{new}'",
        "ATTACH '{new}' AS n",
        "ATTACH ':memory:' AS n",
        "DETACH database",
        "INSTALL httpfs",
        "LOAD httpfs",
        "UPDATE EXTENSIONS",
        "VACUUM",
        "VACUUM ANALYZE",
        "ANALYZE",
        "CHECKPOINT",
        "FORCE CHECKPOINT",
        "SET enable_external_access = true",
        "PRAGMA enable_profiling",
        "SET profiling_output = '{new}'",
        "BEGIN",
    )
    session_changes = (
        "SET threads = 4",
        "SET memory_limit = '8GB'",
        "SET TimeZone = 'America/New_York'",
        "SET VARIABLE x = 1",
        "SET default_null_order = 'nulls_first'",
        "SET schema = 'information_schema'",
        "USE information_schema",
        "SET search_path = 'information_schema'",
        "PRAGMA default_collation = 'NOCASE'",
        "RESET lock_configuration",
        "CREATE TEMP TABLE singer AS SELECT 'mine' AS name",
        "CREATE TEMP VIEW singer AS SELECT 'mine' AS name",
        "CREATE TEMP MACRO abs(x) AS 7",
        "ATTACH ':memory:' AS m",
        "PREPARE p AS SELECT 1",
        "BEGIN",
        "PIVOT singer ON name USING sum(age)",
        "SELECT setseed(0.5)",
    )
    session_probes = (
        "SELECT current_setting('threads'), current_setting('memory_limit'), current_setting('TimeZone')",
        "SELECT getvariable('x'), abs(-1), 'a' = 'A', current_schema(), current_setting('lock_configuration')",
        "SELECT name FROM singer ORDER BY age",
        "SELECT database_name FROM duckdb_databases() WHERE NOT internal",
        "SELECT count(*) FROM duckdb_types() WHERE logical_type = 'ENUM'",
    )

    def make_database(self, folder: Path, statements: Sequence[str]) -> str:
        file = folder / "database.duckdb"
        DuckDBBackend.build(str(file), statements)
        return str(file)


@pytest.fixture
def database(tmp_path: Path) -> DuckDBBackend:
    file = str(tmp_path / "database.duckdb")
    DuckDBBackend.build(file, [*STATEMENTS, "CREATE SEQUENCE s", "CREATE SCHEMA other", "CREATE TABLE other.t (a INT)"])
    return DuckDBBackend(file)


def test_types_are_in_the_engines_words(database: DuckDBBackend) -> None:
    table = database.execute("SELECT 1::HUGEINT, 1.5::DECIMAL(10, 3), [DATE '2020-01-01'], {'a': 'b'}", LIMITS)
    assert table.types == ("HUGEINT", "DECIMAL(10,3)", "DATE[]", "STRUCT(a VARCHAR)")


def test_the_time_zone_is_utc(database: DuckDBBackend, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "America/New_York")
    sql = "SELECT TIMESTAMPTZ '2020-01-01 00:00:00', TIMESTAMPTZ '2020-01-01 02:00:00+02', current_setting('TimeZone')"
    with DuckDBBackend(database.target) as other:
        ((first, second, zone),) = other.execute(sql, LIMITS).rows
    assert first == second == datetime.datetime(2020, 1, 1, tzinfo=UTC)
    assert zone == "UTC"


@pytest.mark.parametrize(
    ("sql", "rows"),
    [
        ("FROM singer SELECT count(*)", [(3,)]),
        ("FROM (VALUES (1))", [(1,)]),
        ("VALUES (1), (2)", [(1,), (2,)]),
        ("TABLE concert", [(1, 1), (2, 1), (3, 2)]),
        ("(SELECT 1)", [(1,)]),
        ("SELECT 1 UNION ALL (SELECT 2)", [(1,), (2,)]),
        ("PIVOT concert ON singer_id USING count(*)", None),
        ("PIVOT concert ON singer_id IN (1, 2) USING count(*) GROUP BY concert_id ORDER BY 1 LIMIT 1", [(1, 1, 0)]),
        ("UNPIVOT (SELECT 1 AS a, 2 AS b) ON a, b INTO NAME n VALUE v", [("a", 1), ("b", 2)]),
        ("SELECT * EXCLUDE (born) REPLACE (age + 1 AS age) FROM singer WHERE singer_id = 1", [(1, "Joe", 53)]),
        ("SELECT list_transform([1, 2], lambda x: x + 1)", [([2, 3],)]),
        ("SELECT count(*) FILTER (age > 20) FROM singer", [(1,)]),
        ("WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t WHERE n < 3) SELECT max(n) FROM t", [(3,)]),
        ("SELECT count(*) FROM other.t", [(0,)]),
    ],
)
def test_forms_of_a_query(database: DuckDBBackend, sql: str, rows: list[tuple[object, ...]] | None) -> None:
    found = database.execute(sql, LIMITS).rows
    assert found if rows is None else found == rows


@pytest.mark.parametrize(
    ("sql", "kind"),
    [
        ("SELECT nope.* FROM singer", FailureKind.UNKNOWN_TABLE),
        ("SELECT nope.name FROM singer", FailureKind.UNKNOWN_TABLE),
        ("SELECT * FROM nope.singer", FailureKind.UNKNOWN_TABLE),
        ("SELECT 1 FROM singer JOIN concert USING (nope)", FailureKind.UNKNOWN_COLUMN),
        ("SELECT * EXCLUDE (nope) FROM singer", FailureKind.UNKNOWN_COLUMN),
        ("SELECT name FROM singer ORDER BY nope", FailureKind.UNKNOWN_COLUMN),
        ("SELECT nextval('s')", FailureKind.WRITE_ATTEMPT),
        ("SELECT * FROM read_csv('/etc/passwd')", FailureKind.PERMISSION),
        ("SELECT * FROM 'singer.csv'", FailureKind.PERMISSION),
        ("SELECT 'a'::INTEGER", FailureKind.OTHER),
        ("SELECT name, count(*) FROM singer", FailureKind.OTHER),
        ("SELECT (SELECT name FROM singer)", FailureKind.OTHER),
        ("SELECT ?", FailureKind.OTHER),
        ("SELECT INTERVAL '9999999 years'", FailureKind.OTHER),
        ("SELECT " + "(" * 5000 + "1" + ")" * 5000, FailureKind.SYNTAX),
    ],
)
def test_failures(database: DuckDBBackend, sql: str, kind: FailureKind) -> None:
    with pytest.raises(BackendError) as raised:
        database.execute(sql, LIMITS)
    assert raised.value.kind is kind, raised.value


def test_a_place_in_a_line_that_is_shown_in_part_is_not_told(database: DuckDBBackend) -> None:
    with pytest.raises(BackendError) as raised:
        database.execute("SELECT " + "name, " * 100 + "nope FROM singer", LIMITS)
    assert (raised.value.line, raised.value.column) == (1, None)


def test_python_variables_are_not_tables(database: DuckDBBackend) -> None:
    secret = [1, 2, 3]
    with pytest.raises(BackendError) as raised:
        database.execute("SELECT * FROM secret", LIMITS)
    assert raised.value.kind is FailureKind.UNKNOWN_TABLE
    assert secret


def test_another_memory_limit_opens_the_database_anew(database: DuckDBBackend) -> None:
    for megabytes in (64, 128, 64):
        table = database.execute("SELECT current_setting('memory_limit')", Limits(megabytes=megabytes))
        assert table.rows == [(f"{megabytes}.0 MiB",)]


def test_it_reads_while_others_read_in_the_same_process(database: DuckDBBackend) -> None:
    database.execute("SELECT 1", Limits())
    with DuckDBBackend(database.target) as other:
        assert other.execute("SELECT count(*) FROM singer", Limits()).rows == [(3,)]


def test_a_database_that_is_being_written_is_the_instruments_fault(tmp_path: Path) -> None:
    file = tmp_path / "database.duckdb"
    with duckdb.connect(file) as writer:
        writer.execute("CREATE TABLE t (a INT)")
        with DuckDBBackend(str(file)) as database:
            with pytest.raises(BackendError) as raised:
                database.execute("SELECT 1", LIMITS)
            (check,) = database.check().checks
    assert raised.value.kind is FailureKind.CONNECTION
    assert not check.ok
    assert check.remedy


def test_the_read_only_flag_alone_keeps_writes_out(database: DuckDBBackend, tmp_path: Path) -> None:
    before = contents(tmp_path)
    with duckdb.connect(database.target, read_only=True, config={**configuration(1024)}) as bare:
        for sql in ("CREATE TABLE t (a INT)", "DELETE FROM singer", "DROP TABLE singer", "SELECT nextval('s')"):
            with pytest.raises(duckdb.Error, match="read-only"):
                bare.execute(sql)
    assert contents(tmp_path) == before


def test_schemas_other_than_main_are_named(database: DuckDBBackend) -> None:
    assert [table.name for table in database.schema().tables] == ["singer", "concert", "adult", "other.t"]


def test_schema_of_keys(tmp_path: Path) -> None:
    file = str(tmp_path / "keys.duckdb")
    DuckDBBackend.build(
        file,
        [
            "CREATE TABLE a (x INTEGER, y DECIMAL(8, 2), PRIMARY KEY (x, y))",
            "CREATE TABLE b (p INTEGER, q DECIMAL(8, 2), r TEXT[], FOREIGN KEY (p, q) REFERENCES a)",
        ],
    )
    with DuckDBBackend(file) as database:
        a, b = database.schema().tables
    assert [(column.name, column.type, column.primary_key, column.nullable) for column in a.columns] == [
        ("x", "INTEGER", True, False),
        ("y", "DECIMAL(8,2)", True, False),
    ]
    assert b.foreign_keys == (ForeignKey(("p", "q"), "a", ("x", "y")),)
    assert b.columns[2].type == "VARCHAR[]"


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT i, d FROM t ORDER BY i % 7, i DESC; -- last",
        "FROM t ORDER BY i DESC",
        "WITH x AS (FROM t) SELECT d, d FROM x ORDER BY i LIMIT 3",
        "PIVOT t ON i % 2 USING max(d) GROUP BY i ORDER BY i DESC",
    ],
)
def test_a_second_look_keeps_rows_order_and_names(sql: str, tmp_path: Path) -> None:
    target = str(tmp_path / "t.duckdb")
    days = "CASE WHEN i % 3 = 0 THEN 'infinity'::DATE ELSE DATE '2020-01-01' + i::INTEGER END"
    DuckDBBackend.build(target, [f"CREATE TABLE t AS SELECT i, {days} AS d FROM range(1000) AS r(i)"])
    with duckdb.connect(target) as connection:
        cursor = connection.execute(sql)
        names, rows = [name for name, *_ in cursor.description or ()], cursor.fetchall()
    with DuckDBBackend(target) as database:
        found = database.execute(sql, LIMITS)
        cut = database.execute(sql, Limits(rows=2))
    assert list(found.columns) == names
    read = [tuple(datetime.date.max if cell == "infinity" else cell for cell in row) for row in found.rows]
    assert read == rows
    assert "infinity" in {cell for row in found.rows for cell in row}
    assert (cut.rows, cut.truncated) == (found.rows[:2], True)

"""Rows and values for prompts: which ones, how they are written, and what a table that cannot be read has."""

from __future__ import annotations

import datetime
import sqlite3
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from database_backends import guard
from database_backends.base import CanBuild, DatabaseBackend
from database_backends.duckdb import DuckDBBackend
from database_backends.errors import BackendError, FailureKind
from database_backends.result import Limits, ResultTable
from database_backends.sqlite import SQLiteBackend
from evaluation.sampling import LOOKED_AT, _queries, literal, with_samples
from sqlassay.schema import Column, Schema, Table

SETUP = [
    'CREATE TABLE "a ""table""" (id INTEGER PRIMARY KEY, "the name" VARCHAR(90), born DATE)',
    "INSERT INTO \"a \"\"table\"\"\" VALUES (3, 'Cleo', NULL), (1, 'Ann', '2024-01-31'), (2, 'Ann', '2024-02-01')",
    "CREATE TABLE loose (b VARCHAR(9), a INTEGER)",
    "INSERT INTO loose VALUES ('y', 2), ('x', 2), ('x', 1)",
    "CREATE TABLE bare (a INTEGER)",
    "CREATE VIEW seen AS SELECT a FROM loose",
]
ENGINES = {"sqlite": SQLiteBackend, "duckdb": DuckDBBackend}


def tables(schema: Schema) -> dict[str, Table]:
    return {table.name: table for table in schema.tables}


@pytest.mark.parametrize("name", ENGINES)
def test_rows_and_values(name: str, tmp_path: Path) -> None:
    engine = ENGINES[name]
    assert issubclass(engine, CanBuild)
    engine.build(str(tmp_path / "a.db"), SETUP)
    with engine(str(tmp_path / "a.db")) as database:
        schema = database.schema()
        found = tables(with_samples(database, schema, rows=2, values=2))
        assert with_samples(database, schema, rows=0, values=0) is schema
        only_rows = tables(with_samples(database, schema, rows=1, values=0))
    quoted = found['a "table"']
    assert quoted.rows == (("1", "'Ann'", "'2024-01-31'"), ("2", "'Ann'", "'2024-02-01'"))
    assert [column.values for column in quoted.columns] == [
        ("1", "2"), ("'Ann'", "'Cleo'"), ("'2024-01-31'", "'2024-02-01'")
    ]  # fmt: skip
    assert found["loose"].rows == (("'x'", "1"), ("'x'", "2")), "without a key, in the order of all columns"
    assert (found["bare"].rows, found["bare"].columns[0].values) == ((), ())
    assert found["seen"].columns[0].values == ("1", "2")
    assert only_rows["loose"].rows == (("'x'", "1"),)
    assert only_rows["loose"].columns[0].values == ()


def test_a_table_of_another_schema(tmp_path: Path) -> None:
    DuckDBBackend.build(str(tmp_path / "a.db"), ["CREATE SCHEMA other", "CREATE TABLE other.t AS SELECT 7 AS a"])
    with DuckDBBackend(str(tmp_path / "a.db")) as database:
        (table,) = with_samples(database, database.schema(), rows=1, values=0).tables
    assert (table.name, table.rows) == ("other.t", (("7",),))


def test_values_that_cannot_be_sorted_come_as_they_come(tmp_path: Path) -> None:
    class Unsorted(SQLiteBackend):
        """Sorts nothing, as servers do with some types."""

        def run(self, sql: str, limits: Limits) -> ResultTable:
            if "ORDER BY" in sql:
                raise BackendError(FailureKind.OTHER, "could not identify an ordering operator for type json")
            return super().run(sql, limits)

    SQLiteBackend.build(str(tmp_path / "a.db"), SETUP)
    with Unsorted(str(tmp_path / "a.db")) as database:
        assert tables(with_samples(database, database.schema(), rows=1, values=0))["loose"].rows == (("'y'", "2"),)


def test_a_view_that_is_broken_has_no_samples_and_a_lost_connection_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript("CREATE TABLE t (a); INSERT INTO t VALUES (1); CREATE VIEW v AS SELECT a FROM t;")
    with SQLiteBackend(str(path)) as database:
        schema = database.schema()
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript("DROP TABLE t; CREATE TABLE t (b);")
    with SQLiteBackend(str(path)) as database:
        assert [table.rows for table in with_samples(database, schema, rows=1, values=1).tables] == [(), ()]

    class Lost(SQLiteBackend):
        """Its server went away."""

        def run(self, sql: str, limits: Limits) -> ResultTable:
            raise BackendError(FailureKind.CONNECTION, "gone")

    with Lost(str(path)) as database, pytest.raises(BackendError, match="gone"):
        with_samples(database, schema, rows=1, values=0)


def test_values_are_from_the_first_rows(tmp_path: Path) -> None:
    many = f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i <= {LOOKED_AT})"
    SQLiteBackend.build(
        str(tmp_path / "a.db"),
        ["CREATE TABLE t (i INTEGER PRIMARY KEY, v TEXT)", f"INSERT INTO t {many} SELECT i, i > {LOOKED_AT} FROM n"],
    )
    with SQLiteBackend(str(tmp_path / "a.db")) as database:
        (table,) = with_samples(database, database.schema(), rows=0, values=3).tables
    assert [column.values for column in table.columns] == [("1", "2", "3"), ("'0'",)]
    assert table.rows == ()


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (None, "NULL"),
        (True, "TRUE"),
        (7, "7"),
        (-0.5, "-0.5"),
        (Decimal("1.50"), "1.50"),
        (b"\x00\xff", "<2 bytes>"),
        (memoryview(b"abc"), "<3 bytes>"),
        ("O'Hara", "'O''Hara'"),
        ("", "''"),
        ("a\nb\tc\r\n", "'a b c  '"),
        ("\x1b[2J\x00", "'\\x1b[2J\\x00'"),
        ("x" * 50, "'" + "x" * 50 + "'"),
        ("x" * 51, "'" + "x" * 50 + "…'"),
        ("'" * 60, "'" + "''" * 50 + "…'"),
        (datetime.date(2024, 1, 31), "'2024-01-31'"),
        (datetime.datetime(2024, 1, 31, 5), "'2024-01-31 05:00:00'"),
        (datetime.timedelta(days=1), "'1 day, 0:00:00'"),
        ([1, "a"], "'[1, ''a'']'"),
    ],
)
def test_literals(value: object, written: str) -> None:
    assert literal(value) == written


@given(st.one_of(st.text(), st.binary(), st.floats(), st.dates(), st.lists(st.text())))
def test_a_literal_is_one_short_line(value: object) -> None:
    written = literal(value)
    assert len(written.splitlines()) == 1
    assert len(written) < 250
    written.encode("utf-8")


def test_the_backend_is_asked_through_its_walls(tmp_path: Path) -> None:
    asked: list[tuple[str, Limits]] = []

    class Listening(SQLiteBackend):
        """Tells what it is asked."""

        def execute(self, sql: str, limits: Limits) -> ResultTable:
            asked.append((sql, limits))
            return DatabaseBackend.execute(self, sql, limits)

    SQLiteBackend.build(str(tmp_path / "a.db"), SETUP[:2])
    with Listening(str(tmp_path / "a.db")) as database:
        with_samples(database, database.schema(), rows=2, values=0)
    ((sql, limits),) = asked
    assert sql == 'SELECT "id", "the name", "born" FROM "a ""table""" ORDER BY 1 LIMIT 2'
    assert (limits.rows, limits.seconds) == (2, 10.0)


@pytest.mark.parametrize("dialect", ["sqlite", "duckdb", "postgres", "mysql", "trino"])
def test_what_is_asked_passes_the_guard_of_every_dialect(dialect: str) -> None:
    table = Table('a.b"`c 100%', (Column("Größe", ""), Column("select", "", primary_key=True), Column("a`b", "")))
    queries = list(_queries(table, dialect, 3))
    assert len(queries) == 4
    for sql in queries:
        guard.check(sql, dialect)
    assert "ORDER BY 2 LIMIT 3" in queries[0]

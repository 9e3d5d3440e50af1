"""A copy of a DuckDB database with its rows in another order."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Any

import duckdb

from database_backends.shuffling import permutation

_ORIGINAL = "sqlassay_original"
_CONFIGURATION = {
    "allow_community_extensions": "false",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "python_enable_replacements": "false",
    "threads": "1",
}


def shuffled_copy(target: str, copy: str, seed: int, *, bare: bool) -> None:
    """Copy a database; see `CanShuffle.shuffled_copy`.

    Raises:
        duckdb.Error: It cannot be copied.
    """
    with duckdb.connect(copy, config={**_CONFIGURATION}) as connection:
        connection.execute(f"ATTACH {_text(target)} AS {_ORIGINAL} (READ_ONLY)")
        connection.execute("SET enable_external_access = false")  # the database may hold views of files
        _Copier(connection, seed, bare=bare).all_tables()


@dataclass(frozen=True)
class _Table:
    schema: str
    name: str

    def __str__(self) -> str:
        return f"{_quoted(self.schema)}.{_quoted(self.name)}"


class _Copier:
    """Copies what is attached into the database that is open.

    Foreign keys want parents before children, which a shuffled table that refers to itself cannot offer. They have no
    part in how a statement is executed, nor have checks, and are left out.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, seed: int, *, bare: bool) -> None:
        self._connection = connection
        self._seed = seed
        self._bare = bare
        self._name = _quoted(str(self._rows("SELECT current_database()")[0][0]))

    def all_tables(self) -> None:
        self._run(f"COPY FROM DATABASE {_ORIGINAL} TO {self._name} (SCHEMA)")  # views, types, macros, sequences
        tables = [
            _Table(schema, name)
            for schema, name in self._rows(
                "SELECT schema_name, table_name FROM duckdb_tables()"
                " WHERE database_name = $1 AND NOT internal ORDER BY schema_name, table_name",
                _ORIGINAL,
            )
        ]
        self._drop(tables)
        for number, table in enumerate(tables):
            order = self._order(table, self._seed + number)
            self._run(f"CREATE TABLE {self._name}.{table} AS {self._shuffled(table)}", order)
        if not self._bare:
            self._add_keys()
            self._add_indexes()

    def _drop(self, tables: list[_Table]) -> None:
        """Drop the empty tables; one that others refer to is tried again after them."""
        waiting, failed = deque(tables), 0
        while waiting:
            table = waiting.popleft()
            try:
                self._run(f"DROP TABLE {self._name}.{table}")
                failed = 0
            except duckdb.Error:
                waiting.append(table)
                failed += 1
                if failed > len(waiting):
                    raise

    def _add_keys(self) -> None:
        keys = self._rows(
            "SELECT schema_name, table_name, constraint_type, constraint_column_names FROM duckdb_constraints()"
            " WHERE database_name = $1 AND constraint_type IN ('PRIMARY KEY', 'UNIQUE') ORDER BY constraint_index",
            _ORIGINAL,
        )
        for number, (schema, name, kind, names) in enumerate(keys):
            table, columns = _Table(schema, name), ", ".join(map(_quoted, names))
            if kind == "PRIMARY KEY":
                self._run(f"ALTER TABLE {self._name}.{table} ADD PRIMARY KEY ({columns})")
            else:
                self._run(f"CREATE UNIQUE INDEX sqlassay_unique_{number} ON {self._name}.{table} ({columns})")

    def _add_indexes(self) -> None:
        for (sql,) in self._rows("SELECT sql FROM duckdb_indexes() WHERE database_name = $1", _ORIGINAL):
            if sql:
                self._run(sql)

    def _order(self, table: _Table, seed: int) -> list[int]:
        count = self._rows(f"SELECT count(*) FROM {_ORIGINAL}.{table}")[0][0]  # noqa: S608
        return permutation(count, seed)

    def _shuffled(self, table: _Table) -> str:
        """The query for its rows in the order that is its parameter."""
        chosen = "SELECT unnest($1::BIGINT[]) AS sqlassay_number, unnest(range(len($1::BIGINT[]))) AS sqlassay_place"
        rows = f"SELECT *, row_number() OVER () - 1 AS sqlassay_number FROM {_ORIGINAL}.{table}"  # noqa: S608
        return (
            f"SELECT * EXCLUDE (sqlassay_number, sqlassay_place) FROM ({rows}) JOIN ({chosen})"  # noqa: S608
            " USING (sqlassay_number) ORDER BY sqlassay_place"
        )

    def _run(self, sql: str, *parameters: object) -> None:
        self._connection.execute(sql, list(parameters))

    def _rows(self, sql: str, *parameters: object) -> list[tuple[Any, ...]]:
        return self._connection.execute(sql, list(parameters)).fetchall()


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"

"""A copy of a DuckDB database with its rows in another order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
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
    """Copies what is attached into the database that is open."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, seed: int, *, bare: bool) -> None:
        self._connection = connection
        self._seed = seed
        self._bare = bare
        self._name = _quoted(str(self._rows("SELECT current_database()")[0][0]))

    def all_tables(self) -> None:
        self._run(f"COPY FROM DATABASE {_ORIGINAL} TO {self._name} (SCHEMA)")
        tables = [
            _Table(schema, name)
            for schema, name in self._rows(
                "SELECT schema_name, table_name FROM duckdb_tables()"  # noqa: S608
                f" WHERE database_name = '{_ORIGINAL}' AND NOT internal ORDER BY schema_name, table_name"
            )
        ]
        seeds = {table: self._seed + number for number, table in enumerate(tables)}
        if self._bare:
            self._each_when_it_can(tables, lambda table: self._run(f"DROP TABLE {self._name}.{table}"))
            for table in tables:
                self._create(table, seeds[table])
        else:
            self._each_when_it_can(tables, lambda table: self._insert(table, seeds[table]))

    def _each_when_it_can(self, tables: list[_Table], act: Callable[[_Table], None]) -> None:
        """Foreign keys want an order: a table that fails is tried again after the others."""
        waiting, failed = deque(tables), 0
        while waiting:
            table = waiting.popleft()
            try:
                act(table)
                failed = 0
            except duckdb.Error:
                waiting.append(table)
                failed += 1
                if failed >= len(waiting):
                    raise

    def _create(self, table: _Table, seed: int) -> None:
        self._run(f"CREATE TABLE {self._name}.{table} AS {self._shuffled(table, '*')}", self._order(table, seed))

    def _insert(self, table: _Table, seed: int) -> None:
        found = self._rows(
            "SELECT column_name FROM information_schema.columns WHERE table_catalog = $1 AND table_schema = $2"
            " AND table_name = $3 AND is_generated = 'NEVER' ORDER BY ordinal_position",
            _ORIGINAL,
            table.schema,
            table.name,
        )
        columns = ", ".join(_quoted(name) for (name,) in found)
        shuffled = self._shuffled(table, columns)
        self._run(f"INSERT INTO {self._name}.{table} ({columns}) {shuffled}", self._order(table, seed))

    def _order(self, table: _Table, seed: int) -> list[int]:
        count = self._rows(f"SELECT count(*) FROM {_ORIGINAL}.{table}")[0][0]  # noqa: S608
        return permutation(count, seed)

    def _shuffled(self, table: _Table, columns: str) -> str:
        """The query for its rows in the order that is its parameter."""
        chosen = "SELECT unnest($1::BIGINT[]) AS sqlassay_number, unnest(range(len($1::BIGINT[]))) AS sqlassay_place"
        rows = f"SELECT *, row_number() OVER () - 1 AS sqlassay_number FROM {_ORIGINAL}.{table}"  # noqa: S608
        taken = f"{columns} EXCLUDE (sqlassay_number, sqlassay_place)" if columns == "*" else columns
        return (
            f"SELECT {taken} FROM ({rows}) JOIN ({chosen}) USING (sqlassay_number)"  # noqa: S608
            " ORDER BY sqlassay_place"
        )

    def _run(self, sql: str, *parameters: object) -> None:
        self._connection.execute(sql, list(parameters))

    def _rows(self, sql: str, *parameters: object) -> list[tuple[Any, ...]]:
        return self._connection.execute(sql, list(parameters)).fetchall()


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"

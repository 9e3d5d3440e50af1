"""A copy of a SQLite database with its rows in another order."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from database_backends.errors import BackendError, FailureKind
from database_backends.shuffling import permutation

_SCRATCH = "sqlassay_scratch"
_SETTINGS = (
    "foreign_keys = OFF",
    "ignore_check_constraints = ON",
    "journal_mode = OFF",  # a copy that fails is thrown away
    "legacy_alter_table = ON",  # a renamed table leaves views alone
    "synchronous = OFF",
    "temp_store = MEMORY",
    "trusted_schema = OFF",
)


def shuffled_copy(original: sqlite3.Connection, copy: str, seed: int, *, bare: bool) -> None:
    """Copy an open database; see `CanShuffle.shuffled_copy`.

    Raises:
        BackendError: It cannot be copied.
    """
    try:
        with closing(sqlite3.connect(copy, isolation_level=None)) as connection:
            original.backup(connection)
            for setting in _SETTINGS:
                connection.execute(f"PRAGMA {setting}")
            connection.execute("BEGIN")
            _Shuffler(connection, seed, bare=bare).all_tables()
            connection.execute("COMMIT")
    except sqlite3.Error as error:
        raise BackendError(FailureKind.OTHER, f"cannot be copied: {error}") from error


@dataclass(frozen=True)
class _Table:
    name: str
    has_rowid: bool
    strict: bool


class _Shuffler:
    """Gives the tables of one database another order, in place."""

    def __init__(self, connection: sqlite3.Connection, seed: int, *, bare: bool) -> None:
        self._connection = connection
        self._seed = seed
        self._bare = bare

    def all_tables(self) -> None:
        for (name,) in self._rows("SELECT name FROM sqlite_master WHERE type = 'trigger'"):
            self._run(f"DROP TRIGGER {_quoted(name)}")
        tables = [
            _Table(name, not without_rowid, bool(strict))
            for name, without_rowid, strict in self._rows(
                "SELECT name, wr, strict FROM pragma_table_list"
                " WHERE schema = 'main' AND type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
            )
        ]
        for number, table in enumerate(sorted(tables, key=lambda table: table.name)):
            if self._bare:
                self._rebuild(table, self._seed + number)
            elif table.has_rowid and not self._is_sorted_by_key(table.name):
                self._refill(table.name, self._seed + number)
        if self._bare:
            for (name,) in self._rows("SELECT name FROM sqlite_master WHERE name LIKE 'sqlite\\_stat_' ESCAPE '\\'"):
                self._run(f"DROP TABLE {_quoted(name)}")

    def _refill(self, table: str, seed: int) -> None:
        columns = ", ".join(_quoted(name) for name, _, hidden in self._columns(table) if hidden == 0)
        self._run(f"CREATE TEMP TABLE {_SCRATCH} AS SELECT {columns} FROM main.{_quoted(table)}")  # noqa: S608
        self._run(f"DELETE FROM main.{_quoted(table)}")  # noqa: S608
        self._fill(table, columns, f"temp.{_SCRATCH}", seed)
        self._run(f"DROP TABLE temp.{_SCRATCH}")

    def _rebuild(self, table: _Table, seed: int) -> None:
        """Make the table anew without its constraints; generated columns become plain ones."""
        columns = self._columns(table.name)
        described = ", ".join(
            # In a table that is not STRICT, the type ANY would turn text into numbers.
            f"{_quoted(name)} {'' if table.strict and type_.upper() == 'ANY' else _as_type(type_)}"
            f" COLLATE {self._collation(table.name, name)}"
            for name, type_, _ in columns
        )
        names = ", ".join(_quoted(name) for name, _, _ in columns)
        self._run(f"CREATE TABLE main.{_SCRATCH} ({described})")
        self._fill(_SCRATCH, names, f"main.{_quoted(table.name)}", seed)
        self._run(f"DROP TABLE main.{_quoted(table.name)}")
        self._run(f"ALTER TABLE main.{_SCRATCH} RENAME TO {_quoted(table.name)}")

    def _fill(self, table: str, columns: str, source: str, seed: int) -> None:
        """Insert the rows of the source in another order."""
        count = self._rows(f"SELECT count(*) FROM {source}")[0][0]  # noqa: S608
        order = f"{_SCRATCH}_order"
        self._run(f"CREATE TEMP TABLE {order} (place INTEGER PRIMARY KEY, number INTEGER)")
        self._connection.executemany(
            f"INSERT INTO temp.{order} (number) VALUES (?)",  # noqa: S608
            ((place + 1,) for place in permutation(count, seed)),
        )
        self._run(f"CREATE UNIQUE INDEX temp.{order}_number ON {order} (number)")
        self._run(
            f"INSERT INTO main.{_quoted(table)} ({columns}) SELECT {columns}"  # noqa: S608
            f" FROM (SELECT row_number() OVER () AS {_SCRATCH}, {columns} FROM {source})"
            f" JOIN temp.{order} AS chosen ON chosen.number = {_SCRATCH} ORDER BY chosen.place"
        )
        self._run(f"DROP TABLE temp.{order}")

    def _columns(self, table: str) -> list[tuple[str, str, int]]:
        """Name, type, and whether it is generated."""
        return self._rows("SELECT name, type, hidden FROM pragma_table_xinfo(?) ORDER BY cid", table)

    def _collation(self, table: str, column: str) -> str:
        """An index tells: it takes over the collation of its column."""
        index = f"{_SCRATCH}_index"
        self._run(f"CREATE INDEX main.{index} ON {_quoted(table)} ({_quoted(column)}) WHERE 0")
        collation = str(self._rows("SELECT coll FROM pragma_index_xinfo(?) WHERE seqno = 0", index)[0][0])
        self._run(f"DROP INDEX main.{index}")
        return _quoted(collation)

    def _is_sorted_by_key(self, table: str) -> bool:
        """Whether an INTEGER PRIMARY KEY is another name for the rowid: there is then no index for it."""
        keys = self._rows("SELECT type FROM pragma_table_info(?) WHERE pk > 0", table)
        indexed = self._rows("SELECT 1 FROM pragma_index_list(?) WHERE origin = 'pk'", table)
        return len(keys) == 1 and not indexed

    def _run(self, sql: str) -> None:
        self._connection.execute(sql)

    def _rows(self, sql: str, *parameters: object) -> list[tuple[Any, ...]]:
        return self._connection.execute(sql, parameters).fetchall()


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _as_type(declared: str) -> str:
    """The declared type, as a name whatever it is made of; its affinity goes by its letters."""
    return _quoted(declared) if declared else ""

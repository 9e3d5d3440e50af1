"""Filling a database of a MySQL server."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pymysql
from pymysql.cursors import Cursor

from database_backends.errors import BackendError, FailureKind
from database_backends.loading.base import (
    MARK,
    Kind,
    Loaded,
    Loader,
    Source,
    SourceColumn,
    SourceTable,
    batches,
    common_mark,
    noted,
)
from database_backends.quoting import quoted

_TYPES = {
    Kind.INTEGER: "BIGINT",
    Kind.REAL: "DOUBLE",
    Kind.NUMERIC: "DECIMAL(65, 20)",
    Kind.TEXT: "LONGTEXT",
    Kind.BLOB: "LONGBLOB",
}
_LONGEST_KEY = 768
"""Characters of four bytes that fit into an index of InnoDB."""
_ROWS_AT_ONCE = 1000


class MySQLLoader(Loader):
    """Fills one database. MySQL has no transactions around `CREATE TABLE`, so what is noted is noted last.

    Args:
        connection: Of an account that may create a database.
        database: The database's name.
    """

    def __init__(self, connection: pymysql.Connection[Cursor], database: str) -> None:
        self._connection = connection
        self._database = database

    def mark(self) -> str | None:
        """The comment that all tables have."""
        notes = self._run(
            "SELECT table_name, IF(table_type = 'BASE TABLE', table_comment, '') FROM information_schema.tables"
            " WHERE table_schema = %s",
            self._database,
        )
        return common_mark([(str(name), str(note)) for name, note in notes], f"the database {self._database!r}")

    def load(self, source: Source, mark: str, *, progress: Callable[[int], object]) -> Loaded:
        """Insert many rows at once, then add keys and indexes, then gather statistics."""
        loaded = Loaded()
        name = _quoted(self._database)
        self._run(f"CREATE DATABASE IF NOT EXISTS {name}")
        self._run(f"USE {name}")
        self._drop_loaded()
        tables = source.tables()
        for table in tables:
            self._create(table)
            loaded.rows += self._insert(table, source, progress)
            loaded.tables += 1
        for table in tables:
            self._add_keys(table, loaded)
        for table in tables:
            self._add_foreign_keys(table, loaded)
        for table in tables:
            self._run(f"ANALYZE TABLE {_quoted(table.name)}")
            note = self._connection.escape(noted(mark, len(tables)))
            self._run(f"ALTER TABLE {_quoted(table.name)} COMMENT = {note}")
        return loaded

    def _drop_loaded(self) -> None:
        """Drop the tables that were loaded before."""
        found = self._run(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = %s AND table_comment LIKE %s",
            self._database,
            f"{MARK}%",
        )
        if found:
            self._run("SET foreign_key_checks = OFF")
            self._run(f"DROP TABLE {_list(str(name) for (name,) in found)}")
            self._run("SET foreign_key_checks = ON")

    def _create(self, table: SourceTable) -> None:
        keys = [table.primary_key, *table.unique, *table.indexes, *(key.columns for key in table.foreign_keys)]
        in_key = {name for columns in keys for name in columns}
        columns = ", ".join(
            f"{_quoted(column.name)} {_type(column, in_key)}{'' if column.nullable else ' NOT NULL'}"
            for column in table.columns
        )
        # The order of SQLite, which also tells trailing blanks.
        text = "CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_bin"
        note = f"COMMENT = '{MARK}is being loaded'"
        self._run(f"CREATE TABLE {_quoted(table.name)} ({columns}) {text} {note}", table=table.name)

    def _insert(self, table: SourceTable, source: Source, progress: Callable[[int], object]) -> int:
        rows = 0
        into = f"{_quoted(table.name)} ({_list(column.name for column in table.columns)})".replace("%", "%%")
        statement = f"INSERT INTO {into} VALUES ({', '.join(['%s'] * len(table.columns))})"  # noqa: S608
        try:
            with self._connection.cursor() as cursor:
                for batch in batches(source.rows(table), _ROWS_AT_ONCE):
                    cursor.executemany(statement, batch)
                    rows += len(batch)
                    progress(len(batch))
            self._connection.commit()
        except pymysql.Error as error:
            raise _failure(error, f"table {table.name}") from error
        return rows

    def _add_keys(self, table: SourceTable, loaded: Loaded) -> None:
        keys = [("PRIMARY KEY", table.primary_key)] if table.primary_key else []
        keys += [("UNIQUE", columns) for columns in table.unique]
        keys += [("INDEX", columns) for columns in table.indexes]
        for kind, columns in keys:
            self._add(table.name, f"{kind} ({_list(columns)})", f"{kind.lower()} ({', '.join(columns)})", loaded)

    def _add_foreign_keys(self, table: SourceTable, loaded: Loaded) -> None:
        for key in table.foreign_keys:
            addition = f"FOREIGN KEY ({_list(key.columns)}) REFERENCES {_quoted(key.table)} ({_list(key.references)})"
            self._add(table.name, addition, f"foreign key ({', '.join(key.columns)}) to {key.table}", loaded)

    def _add(self, table: str, addition: str, words: str, loaded: Loaded) -> None:
        """Add a key if the rows keep it."""
        try:
            with self._connection.cursor() as cursor:
                cursor.execute(f"ALTER TABLE {_quoted(table)} ADD {addition}")
        except pymysql.Error as error:
            if not self._connection.open:
                raise _failure(error, table) from error
            loaded.left_out.append(f"{words} of {table}: {error.args[-1]}")

    def grant(self, account: str) -> None:
        """Let an account, `user` or `user@host`, read the database."""
        user, _, host = account.partition("@")
        whom = f"{self._connection.escape(user)}@{self._connection.escape(host or '%')}"
        self._run(f"GRANT SELECT, SHOW VIEW ON {_quoted(self._database)}.* TO {whom}")

    def _run(self, statement: str, *parameters: str, table: str = "") -> list[tuple[object, ...]]:
        try:
            with self._connection.cursor() as cursor:
                cursor.execute(statement, parameters or None)
                return list(cursor.fetchall())
        except pymysql.Error as error:
            raise _failure(error, f"table {table}" if table else f"database {self._database}") from error

    def close(self) -> None:
        """Close the connection."""
        if self._connection.open:
            self._connection.close()


def _type(column: SourceColumn, in_key: set[str]) -> str:
    if column.kind is Kind.TEXT and column.name in in_key and column.longest <= _LONGEST_KEY:
        return f"VARCHAR({max(1, column.longest)})"
    return _TYPES[column.kind]


def _quoted(name: str) -> str:
    return quoted(name, "mysql")


def _list(names: Iterable[str]) -> str:
    return ", ".join(map(_quoted, names))


def _failure(error: pymysql.Error, thing: str) -> BackendError:
    return BackendError(FailureKind.OTHER, f"{thing}: {error.args[-1] if error.args else error}")

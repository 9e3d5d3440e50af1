"""DuckDB: one file, read-only, with the outside world shut off."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from typing import Any

import duckdb

from database_backends import memory
from database_backends.alarm import ALARM
from database_backends.base import CanBuild, CanExplain, CanShuffle
from database_backends.duckdb_values import doubtful, restored, with_numbers, with_texts
from database_backends.embedded import EmbeddedBackend
from database_backends.errors import BackendError, FailureKind
from database_backends.result import Limits, ResultTable, Row
from sqlassay.schema import Column, ForeignKey, Schema, Table

_SETTINGS = (
    "GLOBAL TimeZone = 'UTC'",
    "GLOBAL async_threads = 0",  # DuckDB 2 keeps eight threads per database for remote files, which we do not read
)

_QUERIES = frozenset({"SELECT", "MULTI"})  # PIVOT without IN is several statements inside
_NOT_WRITING = frozenset(
    {
        "CALL",
        "EXECUTE",
        "EXPLAIN",
        "LOGICAL_PLAN",
        "PRAGMA",
        "PREPARE",
        "RELATION",
        "SET",
        "TRANSACTION",
        "VARIABLE_SET",
    }
)

_KIND_OF_CLASS = (
    (duckdb.InterruptException, FailureKind.TIMEOUT),
    (duckdb.OutOfMemoryException, FailureKind.MEMORY),
    (duckdb.ParserException, FailureKind.SYNTAX),
    (duckdb.PermissionException, FailureKind.PERMISSION),
    (duckdb.FatalException, FailureKind.CONNECTION),
    (duckdb.IOException, FailureKind.CONNECTION),
)
_KIND_OF_TEXT = (
    ("in read-only mode", FailureKind.WRITE_ATTEMPT),
    ("configuration has been locked", FailureKind.PERMISSION),
    ("Catalog Error: Table with name", FailureKind.UNKNOWN_TABLE),
    ("Binder Error: Referenced table", FailureKind.UNKNOWN_TABLE),
    ("Binder Error: Referenced column", FailureKind.UNKNOWN_COLUMN),
    ('Binder Error: Column "', FailureKind.UNKNOWN_COLUMN),
    ("does not have a column named", FailureKind.UNKNOWN_COLUMN),
)
_PLACE = re.compile(r"^LINE (?P<line>\d+): (?P<text>.*)\n(?P<indent> *)\^", re.MULTILINE)

_MAGIC = b"DUCK"
_MAGIC_AT = 8
_ROWS_AT_ONCE = 64
_OPENING = threading.Lock()


class DuckDBBackend(EmbeddedBackend, CanBuild, CanExplain, CanShuffle):
    """A DuckDB database file.

    Cells are what DuckDB's driver makes of them: `Decimal`, `date`, `datetime`, `timedelta`, `UUID`, `bytes`, and
    lists and dictionaries of these. Moments that Python has no value for (`infinity`, nanoseconds) are text, but within
    lists and the like. The session's time zone is UTC.
    """

    name = "duckdb"
    title = "DuckDB"
    dialect = "duckdb"
    file_suffixes = (".duckdb", ".db")
    paramstyle = "qmark"
    null_order = "last"
    native_bool = True
    native_dates = True
    max_open = 8

    def __init__(self, target: str) -> None:
        super().__init__(target)
        self._opened: tuple[int, duckdb.DuckDBPyConnection] | None = None
        if self._magic() != _MAGIC:
            raise BackendError(FailureKind.CONNECTION, f"cannot open {target}: it is not a DuckDB database")

    def _magic(self) -> bytes:
        try:
            with self.path.open("rb") as file:
                return file.read(_MAGIC_AT + len(_MAGIC))[_MAGIC_AT:]
        except OSError as error:
            raise BackendError(FailureKind.CONNECTION, f"cannot open {self.target}: {error}") from error

    def _connection(self, megabytes: int | None = None) -> duckdb.DuckDBPyConnection:
        """The open database. The memory limit is fixed when it is opened, so another one opens it anew."""
        if self._opened is not None:
            allowed, connection = self._opened
            if megabytes in (None, allowed):
                return connection
            self.close()
        megabytes = megabytes or Limits().megabytes
        try:
            # Threads of one process share what is open, and its settings can be made only once.
            with _OPENING:
                connection = duckdb.connect(self.path, read_only=True, config={**configuration(megabytes)})
                _lock_settings(connection)
        except duckdb.Error as error:
            raise BackendError(FailureKind.CONNECTION, f"cannot open {self.target}: {error}") from error
        self._opened = megabytes, connection
        return connection

    def run(self, sql: str, limits: Limits) -> ResultTable:
        """Run one statement in a session of its own on the read-only database, within the limits."""
        started = time.monotonic()
        try:
            with (
                closing(self._connection(limits.megabytes).cursor()) as cursor,
                ALARM.after(limits.seconds, cursor.interrupt),
            ):
                columns, types, rows, truncated = _fetch(cursor, sql, limits)
                seconds = time.monotonic() - started
                if places := doubtful(types, rows):
                    rows, truncated = _look_again(cursor, sql, limits, len(types), places) or (rows, truncated)
        except duckdb.Error as error:
            if isinstance(error, duckdb.InternalException | duckdb.FatalException):  # they take the database with them
                self.close()
            raise _failure(error, limits) from error
        except MemoryError as error:
            raise BackendError(FailureKind.MEMORY, "out of memory") from error
        except UnicodeEncodeError as error:
            raise BackendError(FailureKind.SYNTAX, f"the statement is not Unicode text: {error}") from error
        except (ValueError, OverflowError) as error:
            raise BackendError(FailureKind.OTHER, f"a value has no counterpart in Python: {error}") from error
        return ResultTable(
            columns=columns, types=types, rows=with_numbers(types, rows), truncated=truncated, seconds=seconds
        )

    def explain(self, sql: str) -> str:
        """The plan, drawn as DuckDB draws it."""
        limits = Limits(seconds=10)
        try:
            with closing(self._connection().cursor()) as cursor, ALARM.after(limits.seconds, cursor.interrupt):
                cursor.execute(f"EXPLAIN {_only_query(cursor, sql).query}")
                return "\n".join(text.rstrip() for _, text in cursor.fetchall())
        except duckdb.Error as error:
            raise _failure(error, limits) from error

    def schema(self) -> Schema:
        """The tables and views: those of the schema `main`, then those of others as `schema.table`."""
        try:
            return self._schema()
        except duckdb.Error as error:
            raise BackendError(FailureKind.CONNECTION, f"cannot read the schema of {self.target}: {error}") from error

    def _schema(self) -> Schema:
        here = "NOT internal AND database_name = current_database()"
        tables = self._rows(
            f"SELECT schema_name, table_name, table_oid, false FROM duckdb_tables() WHERE {here}"  # noqa: S608
            f" UNION ALL SELECT schema_name, view_name, view_oid, true FROM duckdb_views() WHERE {here}"
            " ORDER BY schema_name <> 'main', schema_name, table_oid"
        )
        columns = self._rows(
            "SELECT schema_name, table_name, column_name, data_type, is_nullable"  # noqa: S608
            f" FROM duckdb_columns() WHERE {here} ORDER BY column_index"
        )
        constraints = self._rows(
            "SELECT schema_name, table_name, constraint_type, constraint_column_names, referenced_table,"
            " referenced_column_names FROM duckdb_constraints() WHERE database_name = current_database()"
            " ORDER BY constraint_index"
        )
        primary = {
            (schema, table, name)
            for schema, table, kind, names, *_ in constraints
            if kind == "PRIMARY KEY"
            for name in names
        }
        return Schema(
            tuple(
                Table(
                    name=table if schema == "main" else f"{schema}.{table}",
                    columns=tuple(
                        Column(name, type_, nullable, (schema, table, name) in primary)
                        for *of, name, type_, nullable in columns
                        if of == [schema, table]
                    ),
                    foreign_keys=tuple(
                        ForeignKey(tuple(names), other, tuple(references))
                        for *of, kind, names, other, references in constraints
                        if of == [schema, table] and kind == "FOREIGN KEY"
                    ),
                    is_view=is_view,
                )
                for schema, table, _, is_view in tables
            )
        )

    def _rows(self, sql: str) -> list[tuple[Any, ...]]:
        with closing(self._connection().cursor()) as cursor:
            return cursor.execute(sql).fetchall()

    def engine_version(self) -> str:
        """The version of the DuckDB library."""
        return duckdb.__version__

    @classmethod
    def build(cls, target: str, statements: Sequence[str]) -> None:
        """Make a database file."""
        try:
            with duckdb.connect(target) as connection:
                for statement in statements:
                    connection.execute(statement)
        except duckdb.Error as error:
            raise BackendError(FailureKind.OTHER, str(error)) from error

    @classmethod
    def shuffled_copy(cls, target: str, copy: str, seed: int, *, bare: bool = False) -> None:
        """Copy a database; foreign keys and checks are left out, generated columns hold their values."""
        from database_backends.duckdb_copy import shuffled_copy

        try:
            shuffled_copy(target, copy, seed, bare=bare)
        except duckdb.Error as error:
            raise BackendError(FailureKind.OTHER, f"cannot be copied: {error}") from error

    def close(self) -> None:
        """Close the connection; the next statement would open another."""
        if self._opened is not None:
            _, connection = self._opened
            self._opened = None
            connection.close()


def _lock_settings(connection: duckdb.DuckDBPyConnection) -> None:
    if connection.execute("SELECT current_setting('lock_configuration')").fetchone() == (True,):
        return
    for setting in _SETTINGS:
        with suppress(duckdb.CatalogException):  # a DuckDB that has no such setting
            connection.execute(f"SET {setting}")
    connection.execute("SET lock_configuration = true")


def configuration(megabytes: int) -> dict[str, str]:
    """What a database is opened with so that its statements reach nothing else and spill nothing to disk."""
    return {
        "allow_community_extensions": "false",
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
        "enable_external_access": "false",
        "temp_directory": "",
        "memory_limit": f"{megabytes}MiB",
        "python_enable_replacements": "false",
        "threads": "1",
    }


def _only_query(cursor: duckdb.DuckDBPyConnection, sql: str) -> duckdb.Statement:
    """What DuckDB's own parser makes of the text, if that is one query.

    A read-only session would still create temporary tables and change its settings.
    """
    sql.encode()  # lone surrogates: DuckDB takes them for a wrong type of argument
    statements = cursor.extract_statements(sql)
    if not statements:
        raise BackendError(FailureKind.NO_SQL, "there is no statement")
    if len(statements) > 1:
        raise BackendError(FailureKind.MULTIPLE_STATEMENTS, f"{len(statements)} statements where one is expected")
    kind = statements[0].type.name
    if kind in _QUERIES:
        return statements[0]
    if kind in _NOT_WRITING:
        raise BackendError(FailureKind.NOT_A_QUERY, f"{kind} is not a query")
    raise BackendError(FailureKind.WRITE_ATTEMPT, f"{kind} is not allowed: the database is only read")


def _fetch(
    cursor: duckdb.DuckDBPyConnection, sql: str, limits: Limits
) -> tuple[tuple[str, ...], tuple[str, ...], list[Row], bool]:
    """The names and types of the columns, the rows, and whether there were more."""
    cursor.execute(_only_query(cursor, sql))
    description = cursor.description or []
    names = tuple(name for name, *_ in description)
    return names, tuple(str(type_) for _, type_, *_ in description), *memory.collect(_stream(cursor), limits)


def _look_again(
    cursor: duckdb.DuckDBPyConnection, sql: str, limits: Limits, width: int, places: Sequence[int]
) -> tuple[list[Row], bool] | None:
    """The rows with text for what the driver loses: only a result that needs it pays for the second look."""
    try:
        *_, rows, truncated = _fetch(cursor, with_texts(sql, width, places), limits)
    except (duckdb.ParserException, duckdb.BinderException):  # a query that cannot be a derived table
        return None
    return [restored(row, width, places) for row in rows], truncated


def _stream(cursor: duckdb.DuckDBPyConnection) -> Iterator[Row]:
    while rows := cursor.fetchmany(_ROWS_AT_ONCE):
        yield from rows


def _failure(error: duckdb.Error, limits: Limits) -> BackendError:
    message = str(error)
    kind = next((kind for class_, kind in _KIND_OF_CLASS if isinstance(error, class_)), None)
    if kind is FailureKind.TIMEOUT:
        return BackendError(FailureKind.TIMEOUT, f"stopped after {limits.seconds:g} s")
    if kind is None:
        kind = next((kind for text, kind in _KIND_OF_TEXT if text in message), FailureKind.OTHER)
    place = _PLACE.search(message)
    if place is None:
        return BackendError(kind, message)
    line = int(place["line"])
    # DuckDB shows a long line in part, between dots, and then the column cannot be told.
    column = len(place["indent"]) - len(f"LINE {line}: ") + 1
    return BackendError(kind, message, line=line, column=None if place["text"].startswith("...") else column)

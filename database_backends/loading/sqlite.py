"""A SQLite database as the source of a move: its tables, with types that its values really have."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from database_backends.errors import BackendError, FailureKind
from database_backends.loading.base import Kind, Source, SourceColumn, SourceKey, SourceTable
from database_backends.quoting import quoted

_LARGEST_EXACT = 2**53
_KIND_OF_DECLARED = (
    ("int", Kind.INTEGER),
    ("char", Kind.TEXT),
    ("clob", Kind.TEXT),
    ("text", Kind.TEXT),
    ("blob", Kind.BLOB),
    ("", Kind.REAL),
)
"""SQLite's own rules of affinity, for columns without values: https://www.sqlite.org/datatype3.html, 3.1."""


class SQLiteSource(Source):
    """A SQLite file; only read.

    A column may hold values of several types in SQLite. One that holds text beside other values is moved as text,
    each value as SQLite writes it. Text that is not UTF-8 is moved with a replacement character for each wrong byte.

    Raises:
        BackendError: The file cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
        except sqlite3.Error as error:
            raise BackendError(FailureKind.CONNECTION, f"cannot open {path}: {error}") from error
        self._connection.text_factory = lambda raw: raw.decode("utf-8", "replace")
        self._spelling: dict[str, str] = {}

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def tables(self) -> list[SourceTable]:
        """Its tables, without SQLite's own and those of virtual tables."""
        names = self._read(
            "SELECT m.name FROM sqlite_master AS m JOIN pragma_table_list AS l ON l.name = m.name AND l.schema = 'main'"
            " WHERE m.type = 'table' AND l.type = 'table' AND m.name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY m.rowid"
        )
        self._spelling = {str(name).lower(): str(name) for (name,) in names}
        return [self._table(str(name)) for (name,) in names]

    def _table(self, name: str) -> SourceTable:
        described = self._read('SELECT name, type, "notnull", pk FROM pragma_table_xinfo(?) WHERE hidden <> 1', name)
        indexes = self._read('SELECT name, "unique", origin, partial FROM pragma_index_list(?) ORDER BY seq DESC', name)
        columns_of = {
            index: tuple(
                str(column).lower()
                for (column,) in self._read("SELECT name FROM pragma_index_info(?) ORDER BY seqno", str(index))
            )
            for index, *_ in indexes
        }
        keys = [
            (bool(unique), columns_of[index])
            for index, unique, origin, partial in indexes
            if origin != "pk" and not partial and "none" not in columns_of[index]
        ]
        primary = sorted((int(str(pk)), str(column).lower()) for column, _, _, pk in described if pk)
        return SourceTable(
            name=name.lower(),
            columns=tuple(
                self._column(name, str(column), str(declared), nullable=not not_null)
                for column, declared, not_null, _ in described
            ),
            primary_key=tuple(column for _, column in primary),
            unique=tuple(dict.fromkeys(columns for unique, columns in keys if unique)),
            indexes=tuple(dict.fromkeys(columns for unique, columns in keys if not unique)),
            foreign_keys=self._foreign_keys(name),
        )

    def _foreign_keys(self, name: str) -> tuple[SourceKey, ...]:
        found: dict[int, list[tuple[str, str, str]]] = {}
        for number, table, column, reference in self._read(
            'SELECT id, "table", "from", "to" FROM pragma_foreign_key_list(?) ORDER BY id DESC, seq', name
        ):
            found.setdefault(int(str(number)), []).append((str(table), str(column), str(reference or "")))
        keys = []
        for parts in found.values():
            table = parts[0][0]
            references = tuple(reference for _, _, reference in parts)
            if not all(references):  # to the primary key
                primary = self._read("SELECT name FROM pragma_table_info(?) WHERE pk ORDER BY pk", table)
                references = tuple(str(column) for (column,) in primary)
            if table.lower() in self._spelling and len(references) == len(parts):
                columns = tuple(column.lower() for _, column, _ in parts)
                keys.append(SourceKey(columns, table.lower(), tuple(name.lower() for name in references)))
        return tuple(keys)

    def _column(self, table: str, name: str, declared: str, *, nullable: bool) -> SourceColumn:
        value = _quoted(name)
        ((has_integer, has_real, has_text, has_blob, largest, longest),) = self._read(
            "SELECT max(t = 'integer'), max(t = 'real'), max(t = 'text'), max(t = 'blob'),"  # noqa: S608
            " max(CASE WHEN t = 'integer' THEN abs(v / 2) END), max(CASE WHEN t <> 'blob' THEN length(v) END)"
            f" FROM (SELECT {value} AS v, typeof({value}) AS t FROM {quoted(table, 'sqlite')})"
        )
        if has_text:
            kind = Kind.TEXT
        elif has_blob:
            kind = Kind.BLOB
        elif has_real:
            kind = Kind.NUMERIC if int(str(largest or 0)) > _LARGEST_EXACT // 2 else Kind.REAL
        elif has_integer:
            kind = Kind.INTEGER
        else:
            kind = next(kind for word, kind in _KIND_OF_DECLARED if word in declared.lower())
        return SourceColumn(name.lower(), kind, int(str(longest or 0)), nullable=nullable)

    def rows(self, table: SourceTable) -> Iterator[tuple[object, ...]]:
        """The rows of a table, in its own order."""
        wanted = ", ".join(
            f"CAST({quoted(column.name, 'sqlite')} AS TEXT)"
            if column.kind is Kind.TEXT
            else f"CAST({quoted(column.name, 'sqlite')} AS BLOB)"
            if column.kind is Kind.BLOB
            else _quoted(column.name)
            for column in table.columns
        )
        with closing(self._connection.execute(f"SELECT {wanted} FROM {quoted(table.name, 'sqlite')}")) as cursor:  # noqa: S608
            yield from cursor

    def _read(self, sql: str, *parameters: str) -> list[tuple[object, ...]]:
        try:
            return self._connection.execute(sql, parameters).fetchall()
        except sqlite3.Error as error:
            raise BackendError(FailureKind.CONNECTION, f"cannot read {self._path}: {error}") from error


def _quoted(name: str) -> str:
    return quoted(name, "sqlite")

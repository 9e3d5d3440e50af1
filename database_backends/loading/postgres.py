"""Filling a schema of a PostgreSQL database."""

from __future__ import annotations

from collections.abc import Callable

import psycopg
from psycopg import sql

from database_backends.errors import BackendError, FailureKind
from database_backends.loading.base import (
    MARK,
    Kind,
    Loaded,
    Loader,
    Source,
    SourceTable,
    batches,
    common_mark,
    noted,
)

_TYPES = {
    Kind.INTEGER: "bigint",
    Kind.REAL: "double precision",
    Kind.NUMERIC: "numeric",
    Kind.TEXT: 'text COLLATE "C"',  # the order of SQLite
    Kind.BLOB: "bytea",
}
_ROWS_BETWEEN_LOOKS = 1000


class PostgresLoader(Loader):
    """Fills one schema in one transaction, so that readers see the old content or the new.

    Args:
        connection: Of an account that may create a schema.
        schema: The schema's name.
    """

    def __init__(self, connection: psycopg.Connection, schema: str) -> None:
        self._connection = connection
        self._name = schema
        self._schema = sql.Identifier(schema)

    def mark(self) -> str | None:
        """The comment that all tables have."""
        rows = self._run(
            sql.SQL(
                "SELECT relname, relkind = 'r', obj_description(oid, 'pg_class') FROM pg_class"
                " WHERE relnamespace = to_regnamespace({}) AND relkind <> 'i' AND relkind <> 't'"
            ).format(sql.Literal('"' + self._name.replace('"', '""') + '"'))
        ).fetchall()
        return common_mark([(name, comment or "" if is_table else "") for name, is_table, comment in rows], self._words)

    @property
    def _words(self) -> str:
        return f"the schema {self._name!r}"

    def load(self, source: Source, mark: str, *, progress: Callable[[int], object]) -> Loaded:
        """COPY the rows, then add keys and indexes, then gather statistics."""
        loaded = Loaded()
        tables = source.tables()
        with self._connection.transaction():
            self._run(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(self._schema))
            self._run(sql.SQL("SET LOCAL search_path TO {}").format(self._schema))
            self._drop_loaded()
            for table in tables:
                self._create(table)
                loaded.rows += self._copy(table, source, progress)
                loaded.tables += 1
            for table in tables:
                self._add_keys(table, loaded)
            for table in tables:
                self._add_foreign_keys(table, loaded)
                self._run(sql.SQL("ANALYZE {}").format(sql.Identifier(table.name)))
            comment = sql.Literal(noted(mark, len(tables)))
            for table in tables:
                self._run(sql.SQL("COMMENT ON TABLE {} IS {}").format(sql.Identifier(table.name), comment))
        return loaded

    def _drop_loaded(self) -> None:
        """Drop the tables that were loaded before; what others have built on them keeps them, and that is said."""
        found = self._run(
            sql.SQL(
                "SELECT relname FROM pg_class WHERE relnamespace = {}::regnamespace AND relkind = 'r'"
                " AND starts_with(obj_description(oid, 'pg_class'), {})"
            ).format(sql.Literal('"' + self._name.replace('"', '""') + '"'), sql.Literal(MARK))
        ).fetchall()
        if found:
            names = sql.SQL(", ").join(sql.Identifier(name) for (name,) in found)
            self._run(sql.SQL("DROP TABLE {}").format(names))

    def _create(self, table: SourceTable) -> None:
        columns = [
            sql.SQL("{} {}{}").format(
                sql.Identifier(column.name),
                sql.SQL(_TYPES[column.kind]),
                sql.SQL("" if column.nullable else " NOT NULL"),
            )
            for column in table.columns
        ]
        create = sql.SQL("CREATE TABLE {} ({})").format(sql.Identifier(table.name), sql.SQL(", ").join(columns))
        self._run(create, table.name)

    def _copy(self, table: SourceTable, source: Source, progress: Callable[[int], object]) -> int:
        rows = 0
        command = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table.name), _names(table))
        try:
            with self._connection.cursor() as cursor, cursor.copy(command) as copy:
                for batch in batches(source.rows(table), _ROWS_BETWEEN_LOOKS):
                    for row in batch:
                        copy.write_row(row)
                    rows += len(batch)
                    progress(len(batch))
        except psycopg.Error as error:
            raise _failure(error, f"table {table.name}") from error
        return rows

    def _add_keys(self, table: SourceTable, loaded: Loaded) -> None:
        name = sql.Identifier(table.name)
        keys = [("PRIMARY KEY", table.primary_key)] if table.primary_key else []
        for kind, columns in [*keys, *(("UNIQUE", columns) for columns in table.unique)]:
            statement = sql.SQL("ALTER TABLE {} ADD {} ({})").format(name, sql.SQL(kind), _list(columns))
            self._add(statement, f"{kind.lower()} of {table.name} ({', '.join(columns)})", loaded)
        for columns in table.indexes:
            statement = sql.SQL("CREATE INDEX ON {} ({})").format(name, _list(columns))
            self._add(statement, f"index of {table.name} ({', '.join(columns)})", loaded)

    def _add_foreign_keys(self, table: SourceTable, loaded: Loaded) -> None:
        for key in table.foreign_keys:
            statement = sql.SQL("ALTER TABLE {} ADD FOREIGN KEY ({}) REFERENCES {} ({})").format(
                sql.Identifier(table.name), _list(key.columns), sql.Identifier(key.table), _list(key.references)
            )
            words = f"foreign key of {table.name} ({', '.join(key.columns)}) to {key.table}"
            self._add(statement, words, loaded)

    def _add(self, statement: sql.Composed, words: str, loaded: Loaded) -> None:
        """Add a key if the rows keep it."""
        try:
            with self._connection.transaction():
                self._connection.execute(statement)
        except (psycopg.IntegrityError, psycopg.ProgrammingError, psycopg.OperationalError) as error:
            if self._connection.closed:
                raise _failure(error, words) from error
            loaded.left_out.append(f"{words}: {error.diag.message_primary}")

    def grant(self, account: str) -> None:
        """Let a role read the schema."""
        role = sql.Identifier(account)
        self._run(sql.SQL("GRANT USAGE ON SCHEMA {} TO {}").format(self._schema, role))
        self._run(sql.SQL("GRANT SELECT ON ALL TABLES IN SCHEMA {} TO {}").format(self._schema, role))

    def _run(self, statement: sql.Composed, table: str = "") -> psycopg.Cursor:
        try:
            return self._connection.execute(statement)
        except psycopg.Error as error:
            raise _failure(error, f"table {table}" if table else f"schema {self._name}") from error

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


def _names(table: SourceTable) -> sql.Composed:
    return _list([column.name for column in table.columns])


def _list(names: list[str] | tuple[str, ...]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, names))


def _failure(error: psycopg.Error, thing: str) -> BackendError:
    message = error.diag.message_primary or " ".join(str(error).split())
    context = error.diag.context
    where = f" ({context})" if context else ""
    return BackendError(FailureKind.OTHER, f"{thing}: {message}{where}", sqlstate=error.sqlstate)

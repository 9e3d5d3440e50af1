"""PostgreSQL: one schema of one database, through psycopg, in read-only transactions."""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Collection, Iterator, Mapping
from contextlib import closing, suppress
from functools import cache
from typing import Any, ClassVar

import psycopg
from psycopg import abc, generators
from psycopg.adapt import Transformer
from psycopg.errors import error_from_result
from psycopg.pq import ExecStatus, TransactionStatus
from psycopg.pq.abc import PGresult

from database_backends import memory
from database_backends.errors import BackendError, FailureKind
from database_backends.loading.base import CanLoad, Loader
from database_backends.postgres_values import ADAPTERS, Adapters, or_text
from database_backends.result import Limits, Row
from database_backends.server import (
    CONNECT_SECONDS,
    AccessDenied,
    Fetched,
    ServerBackend,
    SessionDrifted,
    SessionLost,
    TlsRefused,
    application,
)
from sqlassay.schema import Column, ForeignKey, Schema, Table

_SESSION = {
    "default_transaction_read_only": "on",
    "TimeZone": "UTC",
    "DateStyle": "ISO, MDY",
    "IntervalStyle": "postgres",
    "bytea_output": "hex",
    "standard_conforming_strings": "on",
    "extra_float_digits": "1",  # or floats would come with the digits that the server's owner thinks enough
}
"""The settings of a session, to which every statement comes back."""

_TLS_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")

_KIND_OF_STATE = {
    "08": FailureKind.CONNECTION,
    "25006": FailureKind.WRITE_ATTEMPT,  # read_only_sql_transaction
    "28": FailureKind.CONNECTION,
    "3D000": FailureKind.DATABASE_MISSING,
    "3F000": FailureKind.UNKNOWN_TABLE,
    "40": FailureKind.CONNECTION,  # transaction_rollback: a replica that had to go on; worth another try
    "42501": FailureKind.PERMISSION,
    "42601": FailureKind.SYNTAX,
    "42703": FailureKind.UNKNOWN_COLUMN,
    "42P01": FailureKind.UNKNOWN_TABLE,
    "53": FailureKind.MEMORY,
    "53300": FailureKind.CONNECTION,  # too_many_connections
    "54": FailureKind.SYNTAX,  # statement_too_complex, too_many_columns
    "54000": FailureKind.MEMORY,  # program_limit_exceeded: a value that would be too long
    "57014": FailureKind.TIMEOUT,
    "57P": FailureKind.CONNECTION,
}
"""By SQLSTATE, or the beginning of one; the longest that fits counts."""
_SEVERAL = "cannot insert multiple commands"

_BEGIN, _READY, _END = b"sqlassay_begin", b"sqlassay_ready", b"sqlassay_end"
"""Prepared statements, which cost the server less: what stands before and behind each statement."""
_CHUNKED = psycopg.capabilities.has_stream_chunked()
_ROWS_AT_ONCE = 64
_WITH_ROWS = frozenset({ExecStatus.SINGLE_TUPLE, ExecStatus.TUPLES_CHUNK, ExecStatus.TUPLES_OK})

_READER = "pg_read_all_data"
"""A role that every server has, and that may read all tables and nothing else."""
_OWN_LIMITS = Limits(seconds=600, rows=10_000_000)


class PostgresBackend(ServerBackend, CanLoad):
    """A database of a PostgreSQL server: `//user:password@host:5432/database?schema=public`.

    Cells are what psycopg makes of them: `Decimal`, `date`, `datetime`, `timedelta`, `UUID`, `bytes`, lists, and what
    JSON holds. Ranges and network addresses are text, and so are dates, times and intervals that Python has no value
    for (`infinity`); a month of an interval has 30 days. The session's time zone is UTC.

    The schema, `public` unless named, is all that names are looked up in.
    """

    name = "postgres"
    title = "PostgreSQL"
    dialect = "postgres"
    paramstyle = "format"
    null_order = "last"
    native_bool = True
    native_dates = True

    oldest = (14,)
    schemes = ("postgres", "postgresql")
    default_port = 5432
    path_parts = ("database",)
    dsn_options: ClassVar[Mapping[str, Collection[str]]] = {"schema": (), "sslmode": _TLS_MODES}
    tls_remedy = "correct sslmode in the connection string, or the server's certificate"

    def __init__(self, target: str) -> None:
        super().__init__(target)
        self._connection: psycopg.Connection | None = None
        self._cells: abc.Transformer = Transformer()
        self.schema_name = self.dsn.options.get("schema") or "public"

    def _is_open(self) -> bool:
        return self._connection is not None

    def _open(self) -> None:
        connection = self.connect(self._session())
        try:
            ((superuser, there),) = connection.execute(
                "SELECT rolsuper, to_regnamespace(%s) IS NOT NULL FROM pg_roles WHERE rolname = session_user",
                [_quoted(self.schema_name)],
            ).fetchall()
            if not there:  # PostgreSQL would only miss each table
                connection.close()
                raise BackendError(FailureKind.DATABASE_MISSING, f"{self.dsn}: there is no schema {self.schema_name!r}")
            if superuser:  # not bound by a read-only transaction: it may use files and start programs
                connection.execute(f"SET ROLE {_READER}")
            role = _READER if superuser else "none"
            for name, command in ((_BEGIN, "BEGIN READ ONLY"), (_READY, self._readiness(role)), (_END, "ROLLBACK")):
                result = connection.pgconn.prepare(name, command.encode())
                if result.status != ExecStatus.COMMAND_OK:
                    raise error_from_result(result, encoding="utf-8")
        except psycopg.Error as error:
            connection.close()
            raise BackendError(FailureKind.CONNECTION, f"cannot read {self.dsn}: {_words(error)}") from error
        self._connection = connection
        self._cells = Transformer(connection)

    def connect(self, settings: dict[str, str]) -> psycopg.Connection:
        """A connection of its own to the server, each statement a transaction.

        Args:
            settings: Settings of the session.

        Raises:
            BackendError: `connection` or `database_missing`.
        """
        options = " ".join(f"-c {name}={_escaped(value)}" for name, value in settings.items())
        try:
            return psycopg.connect(
                host=self.dsn.host,
                port=self.dsn.port,
                user=self.dsn.user or None,
                password=self.dsn.password or None,
                dbname=self.dsn.path[0],
                sslmode=self.dsn.options.get("sslmode", "prefer"),
                options=options,
                application_name=application(),
                client_encoding="UTF8",
                connect_timeout=CONNECT_SECONDS,
                autocommit=True,
                prepare_threshold=None,
                context=Adapters(ADAPTERS),
            )
        except psycopg.Error as error:
            message = " ".join(str(error).split())
            raise _refusal(f"cannot connect to {self.dsn}: {message}") from None

    def _session(self) -> dict[str, str]:
        return {**_SESSION, "search_path": _quoted(self.schema_name)}

    def _readiness(self, role: str) -> str:
        """The statement that sets the time limit, for one transaction, and fails where the session has drifted.

        What a query sets goes with its transaction; only advisory locks would stay, and what `setseed` lets `random()`
        give next: nothing takes that back, so there is a new seed. What is no query costs the session.
        """
        expected = {**self._session(), "role": role, "transaction_read_only": "on"}
        is_other = {name: f"current_setting({_literal(name)}) <> {_literal(value)}" for name, value in expected.items()}
        others = ", ".join(f"CASE WHEN {other} THEN {_literal(name)} END" for name, other in is_other.items())
        return (
            "SELECT set_config('statement_timeout', $1, true), pg_advisory_unlock_all(),"
            " setseed(hashtext(gen_random_uuid()::text) / 2147483648.0),"
            f" CASE WHEN {' OR '.join(is_other.values())} THEN concat_ws(', ', {others})::int END"
        )

    def _make_ready(self, limits: Limits) -> None:
        """What is left to look at is looked at in one trip with the statement."""
        if self._live().pgconn.transaction_status != TransactionStatus.IDLE:
            raise SessionLost(FailureKind.CONNECTION, "the session is in the middle of something")

    def _fetch(self, sql: str, limits: Limits) -> Fetched:
        try:
            return self._stream(sql, limits, self._cells)
        except psycopg.DataError as error:
            if error.sqlstate:
                raise self._failure(error, sql) from error
        except psycopg.Error as error:
            raise self._failure(error, sql) from error
        # psycopg could not make a value: only a result that needs it pays for the second look.
        try:
            return self._stream(sql, limits, Transformer(or_text()))
        except psycopg.Error as error:
            raise self._failure(error, sql) from error

    def _stream(self, sql: str, limits: Limits, cells: abc.Transformer) -> Fetched:
        """Send one statement and take its rows in chunks.

        Cursors of psycopg either fetch everything or, streaming, do not tell the columns of an empty result.
        """
        connection = self._live()
        pgconn = connection.pgconn
        self._send(connection, sql, limits)
        if _CHUNKED:
            pgconn.set_chunked_rows_mode(_ROWS_AT_ONCE)
        else:
            pgconn.set_single_row_mode()
        last: list[PGresult] = []

        def rows() -> Iterator[Row]:
            while (result := self._next(connection)) is not None:
                cells.set_pgresult(result, set_loaders=not last)
                last[:] = [result]
                if result.status not in _WITH_ROWS:
                    break
                yield from cells.load_rows(0, result.ntuples, tuple)

        try:
            kept, truncated = memory.collect(rows(), limits)
        except (psycopg.DataError, BackendError, MemoryError):
            self._cancel_rest(connection)  # the server would learn of a closed line only with the next row
            raise
        except BaseException:
            self.close()  # in the middle of a result
            raise
        (result,) = last
        if truncated:
            self._cancel_rest(connection)
        elif result.status == ExecStatus.FATAL_ERROR:
            self._finish(connection)
            raise error_from_result(result, encoding="utf-8")
        elif result.status != ExecStatus.TUPLES_OK:
            self.close()  # what it may have done to the session is gone with it
            tag = (result.command_status or b"").decode()
            raise BackendError(FailureKind.NOT_A_QUERY, f"{tag or 'the statement'} gives no table")
        else:
            self._finish(connection)
        columns = [((result.fname(i) or b"").decode(), _type(result.ftype(i))) for i in range(result.nfields)]
        return columns, kept, truncated

    def _send(self, connection: psycopg.Connection, sql: str, limits: Limits) -> None:
        """Send a statement, in a transaction that is rolled back, all in one trip.

        Within one, no code on the server can commit and begin another that may write (`DO` and procedures could), and
        settings, notifications and most locks end with it. The extended protocol makes the server itself refuse a
        second statement, and leave out what follows one that has failed: in a session that has drifted, the statement.
        """
        pgconn = connection.pgconn
        milliseconds = max(1, round(limits.seconds * 1000))
        try:
            pgconn.enter_pipeline_mode()
            pgconn.send_query_prepared(_BEGIN, None)
            pgconn.send_query_prepared(_READY, [b"%d" % milliseconds])
            pgconn.send_query_params(sql.encode(), None)
            pgconn.send_query_prepared(_END, None)
            pgconn.pipeline_sync()
            if pgconn.flush():
                connection.wait(generators.send(pgconn))
            for _ in _BEGIN, _READY:
                result = self._next(connection)
                if result is not None and result.status == ExecStatus.FATAL_ERROR:
                    raise error_from_result(result, encoding="utf-8")
                pgconn.get_result()  # None, without waiting
        except psycopg.errors.InvalidTextRepresentation as error:
            names = _words(error).rpartition(": ")[2]
            raise SessionDrifted(
                FailureKind.CONNECTION, f"the session has other settings than ours: {names}"
            ) from error
        except psycopg.Error as error:
            raise SessionLost(FailureKind.CONNECTION, _words(error)) from error

    def _next(self, connection: psycopg.Connection) -> PGresult | None:
        """The next result, or `None` between those of two commands."""
        pgconn = connection.pgconn
        return connection.wait(generators.fetch(pgconn)) if pgconn.is_busy() else pgconn.get_result()

    def _finish(self, connection: psycopg.Connection) -> None:
        """Read what is left, up to the end of the transaction."""
        while (result := self._next(connection)) is None or result.status != ExecStatus.PIPELINE_SYNC:
            pass
        connection.pgconn.exit_pipeline_mode()
        if connection.pgconn.transaction_status != TransactionStatus.IDLE:  # the statement has failed
            connection.execute("ROLLBACK")

    def _cancel_rest(self, connection: psycopg.Connection) -> None:
        """Stop a statement of which no more rows are wanted."""
        try:
            connection.cancel_safe(timeout=CONNECT_SECONDS)
            self._finish(connection)
        except psycopg.Error:
            self.close()

    def _failure(self, error: psycopg.Error, sql: str) -> BackendError:
        connection = self._live()
        state = error.sqlstate or ""
        message = _words(error)
        if connection.closed:
            return SessionLost(FailureKind.CONNECTION, message)
        if not state:  # psycopg's own: the statement gives no rows, or copies
            self.close()
            return BackendError(FailureKind.NOT_A_QUERY, message)
        beginnings = (state[:length] for length in range(len(state), 1, -1))
        kind = next((_KIND_OF_STATE[text] for text in beginnings if text in _KIND_OF_STATE), FailureKind.OTHER)
        if kind is FailureKind.CONNECTION:
            return SessionLost(kind, message, sqlstate=state)
        if kind is FailureKind.SYNTAX and _SEVERAL in message:
            kind = FailureKind.MULTIPLE_STATEMENTS
        place = error.diag.statement_position
        before = sql[: int(place) - 1] if place else ""
        return BackendError(
            kind,
            message,
            sqlstate=state,
            line=before.count("\n") + 1 if place else None,
            column=len(before) - (before.rfind("\n") + 1) + 1 if place else None,
        )

    def _cancel(self) -> None:
        self._live().cancel_safe(timeout=CONNECT_SECONDS)

    def _sever(self) -> None:
        pid = self._live().info.backend_pid
        # The thread that waits for the server learns of it at once.
        with socket.socket(fileno=os.dup(self._live().fileno())) as line, suppress(OSError):
            line.shutdown(socket.SHUT_RDWR)
        with closing(self.connect({})) as other:
            other.execute("SELECT pg_terminate_backend(%s)", [pid])

    def schema(self) -> Schema:
        """The tables and views of the schema, in the order in which they were created."""
        tables = self._rows(
            "SELECT oid, relname, relkind IN ('v', 'm') FROM pg_class"
            " WHERE relnamespace = %s::regnamespace AND relkind IN ('r', 'p', 'f', 'v', 'm') AND NOT relispartition"
            " ORDER BY oid"
        )
        columns = self._rows(
            "SELECT attrelid, attname, format_type(atttypid, atttypmod), NOT attnotnull,"
            " attnum = ANY (SELECT unnest(conkey) FROM pg_constraint WHERE conrelid = attrelid AND contype = 'p')"
            " FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid"
            " WHERE relnamespace = %s::regnamespace AND attnum > 0 AND NOT attisdropped ORDER BY attnum"
        )
        keys = self._rows(
            "SELECT conrelid, other.relname,"
            " (SELECT array_agg(attname::text ORDER BY n) FROM unnest(conkey) WITH ORDINALITY AS k (num, n)"
            " JOIN pg_attribute ON attrelid = conrelid AND attnum = num),"
            " (SELECT array_agg(attname::text ORDER BY n) FROM unnest(confkey) WITH ORDINALITY AS k (num, n)"
            " JOIN pg_attribute ON attrelid = confrelid AND attnum = num)"
            " FROM pg_constraint JOIN pg_class AS other ON other.oid = confrelid"
            " WHERE connamespace = %s::regnamespace AND contype = 'f' AND conparentid = 0 ORDER BY pg_constraint.oid"
        )
        return Schema(
            tuple(
                Table(
                    name,
                    tuple(Column(*column) for of, *column in columns if of == oid),
                    tuple(
                        ForeignKey(tuple(names), other, tuple(references))
                        for of, other, names, references in keys
                        if of == oid
                    ),
                    is_view=is_view,
                )
                for oid, name, is_view in tables
            )
        )

    def _contents(self, schema: Schema) -> Iterator[object]:
        """The definitions of the views, and what the rows of each table add up to, whatever their order."""
        yield self._rows("SELECT viewname, definition FROM pg_views WHERE schemaname = %s ORDER BY viewname")
        for table in schema.tables:
            if not table.is_view:
                name = f"{_quoted(self.schema_name)}.{_quoted(table.name)}"
                yield self._rows(f"SELECT count(*), sum(hashtextextended(t::text, 0)::numeric) FROM {name} AS t")  # noqa: S608

    def engine_version(self) -> str:
        """The version of the server."""
        ((version,),) = self._rows("SELECT current_setting('server_version')")
        return str(version)

    def _read(self, table: Table) -> None:
        self._rows(f"SELECT FROM {_quoted(self.schema_name)}.{_quoted(table.name)} LIMIT 0")

    def _powers(self) -> list[str]:
        ((superuser, roles, admin, files, create, write),) = self._rows(
            "SELECT rolsuper, rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls,"
            " (SELECT bool_or(pg_has_role(session_user, oid, 'USAGE')) FROM pg_roles WHERE rolname IN"
            " ('pg_signal_backend', 'pg_maintain', 'pg_checkpoint', 'pg_write_all_data')),"
            " (SELECT bool_or(pg_has_role(session_user, oid, 'USAGE')) FROM pg_roles WHERE rolname IN"
            " ('pg_read_server_files', 'pg_write_server_files', 'pg_execute_server_program')),"
            " has_database_privilege(session_user, current_database(), 'CREATE')"
            " OR (SELECT bool_or(has_schema_privilege(session_user, oid, 'CREATE')) FROM pg_namespace),"
            " (SELECT bool_or(has_table_privilege(session_user, oid, 'INSERT, UPDATE, DELETE, TRUNCATE')) FROM pg_class"
            " WHERE relkind IN ('r', 'p') AND relnamespace <> 'pg_catalog'::regnamespace)"
            " FROM pg_roles WHERE rolname = session_user"
        )
        if superuser:
            return ["do everything (it is a superuser)"]
        powers = {
            "create roles or databases, or pass by row security": roles,
            "administer the server": admin,
            "use the server's files": files,
            "create tables": create,
            "change rows": write,
        }
        return [power for power, has in powers.items() if has]

    def _rows(self, sql: str) -> list[tuple[Any, ...]]:
        """What a statement of our own gives; `%s` in it is the schema's name."""
        name = _quoted(self.schema_name) if "regnamespace" in sql else self.schema_name
        self._take(_OWN_LIMITS)
        try:
            return self.run(sql.replace("%s", _literal(name)), _OWN_LIMITS).rows
        except BackendError as error:
            raise BackendError(FailureKind.CONNECTION, f"cannot read {self.dsn}: {error.message}") from error

    def _live(self) -> psycopg.Connection:
        if self._connection is None:
            raise SessionLost(FailureKind.CONNECTION, "the session is closed")
        return self._connection

    @classmethod
    def loader(cls, target: str) -> Loader:
        """Fills the schema."""
        from database_backends.loading.postgres import PostgresLoader

        database = cls(target)
        return PostgresLoader(database.connect({"TimeZone": "UTC"}), database.schema_name)

    def close(self) -> None:
        """Close the session; the next statement would open another."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


@cache
def _type(oid: int) -> str:
    """The name of a type; the number of one that not every server has."""
    info = psycopg.adapters.types.get(oid)
    if info is None:
        return str(oid)
    return info.name + ("[]" if oid == info.array_oid else "")


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _escaped(value: str) -> str:
    """A value among the options of a connection, where blanks part them."""
    return re.sub(r"([\\ ])", r"\\\1", value)


def _refusal(message: str) -> BackendError:
    """Why a connection was refused; psycopg gives no SQLSTATE for that."""
    for text in ("authentication failed", "no password supplied", "no pg_hba.conf entry"):
        if text in message:
            return AccessDenied(FailureKind.CONNECTION, message)
    if "does not support SSL" in message or "certificate" in message:
        return TlsRefused(FailureKind.CONNECTION, message)
    missing = "database" in message and "does not exist" in message
    return BackendError(FailureKind.DATABASE_MISSING if missing else FailureKind.CONNECTION, message)


def _words(error: psycopg.Error) -> str:
    return error.diag.message_primary or " ".join(str(error).split())

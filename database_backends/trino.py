"""Trino: one schema of one catalog, through the official client, in read-only transactions."""

from __future__ import annotations

import re
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from typing import Any, ClassVar

from requests import Session
from trino.auth import BasicAuthentication
from trino.client import ClientSession, TrinoQuery, TrinoRequest
from trino.exceptions import Error, TrinoQueryError
from trino.transaction import NO_TRANSACTION

from database_backends import memory
from database_backends.errors import BackendError, FailureKind
from database_backends.quoting import quoted
from database_backends.result import Limits
from database_backends.server import (
    AccessDenied,
    Fetched,
    ServerBackend,
    SessionDrifted,
    SessionLost,
    TlsRefused,
    application,
)
from database_backends.trino_cells import converted
from database_backends.trino_line import STOP_SECONDS, TrinoLine
from sqlassay.schema import Column, Schema, Table

_START = "START TRANSACTION READ ONLY"
_SETTINGS = """
    SELECT read_only, current_timezone(), current_catalog, current_schema, current_user
    FROM system.runtime.transactions WHERE transaction_id = '{transaction}'
"""
_SCHEMA = "SELECT 1 FROM information_schema.schemata WHERE schema_name = {}"
_SETTING_NAMES = ("read-only transaction", "time zone", "catalog", "schema", "user")
_OWN_LIMITS = Limits(seconds=600)
_READY_LIMITS = Limits(seconds=20)
_PATIENCE_SECONDS = 0.8
"""How long the server has to say that a statement was stopped: with it, the time limit is kept within a second."""
_TRANSACTION_SECONDS = 60.0
"""How long a transaction is used: in it Trino does not see change what it has looked up, say the columns of a table."""
_USER = "sqlassay"
"""Who asks, where the connection string does not say so: Trino wants a name."""

_KINDS = {
    "ABANDONED_QUERY": FailureKind.TIMEOUT,
    "CATALOG_NOT_AVAILABLE": FailureKind.CONNECTION,
    "CATALOG_NOT_FOUND": FailureKind.UNKNOWN_TABLE,
    "CLUSTER_OUT_OF_MEMORY": FailureKind.MEMORY,
    "COLUMN_NOT_FOUND": FailureKind.UNKNOWN_COLUMN,
    "EXCEEDED_CPU_LIMIT": FailureKind.TIMEOUT,
    "EXCEEDED_TIME_LIMIT": FailureKind.TIMEOUT,
    "NO_NODES_AVAILABLE": FailureKind.CONNECTION,
    "PERMISSION_DENIED": FailureKind.PERMISSION,
    "QUERY_QUEUE_FULL": FailureKind.CONNECTION,
    "QUERY_TEXT_TOO_LARGE": FailureKind.SYNTAX,
    "READ_ONLY_VIOLATION": FailureKind.WRITE_ATTEMPT,
    "SCHEMA_NOT_FOUND": FailureKind.UNKNOWN_TABLE,
    "STACK_OVERFLOW": FailureKind.SYNTAX,
    "SYNTAX_ERROR": FailureKind.SYNTAX,
    "TABLE_NOT_FOUND": FailureKind.UNKNOWN_TABLE,
}
"""By the name of the error, which Trino has in the place of an SQLSTATE."""
_SESSION_LOST = frozenset(
    [
        "ADMINISTRATIVELY_KILLED",
        "ADMINISTRATIVELY_PREEMPTED",
        "REMOTE_HOST_GONE",
        "SERVER_SHUTTING_DOWN",
        "SERVER_STARTING_UP",
        "TRANSACTION_ALREADY_ABORTED",
        "UNKNOWN_TRANSACTION",
        "USER_CANCELED",
    ]
)
_STOPPED = frozenset({"EXCEEDED_TIME_LIMIT", "USER_CANCELED"})
_MEMORY = re.compile(r"EXCEEDED_\w*MEMORY_LIMIT")
_SOURCE_GONE = re.compile(r"\bconnection\b|communications link", re.IGNORECASE)
"""In the words of a driver by which Trino reads another server: not the statement has failed."""

_DEEPEST = 400
"""Trino's own parser gives up a little deeper, after minutes in which nothing can stop it."""
_MARK = re.compile(r"--[^\r\n]*+|/\*|'[^']*+'|\"[^\"]*+\"|[(\[\])]|\b(?:CASE|END)\b", re.IGNORECASE)
_DEEPER = {"(": "bracket", "[": "bracket", "CASE": "case"}
_HIGHER = {")": "bracket", "]": "bracket", "END": "case"}


class TrinoBackend(ServerBackend):
    """A schema of a catalog of a Trino server: `//user:password@host:8080/catalog/schema?scheme=https`.

    Each statement is sent with all that it needs to know, so that none can change what the next one sees; what the
    server keeps is a read-only transaction. With a password the scheme is `https`.

    Cells are `Decimal`, `date`, `datetime` (in UTC, where there is a time zone), `timedelta`, `UUID`, `bytes`, lists,
    dictionaries for MAP and for ROW with names, and what JSON holds. Dates and times for which Python has no value, or
    not so many digits, are text, in columns that hold one.
    """

    name = "trino"
    title = "Trino"
    dialect = "trino"
    paramstyle = "qmark"
    null_order = "last"
    native_bool = True
    native_dates = True
    has_keys = False

    oldest = (476,)
    schemes = ("trino",)
    default_port = 8080
    path_parts = ("catalog", "schema")
    dsn_options: ClassVar[Mapping[str, Collection[str]]] = {"scheme": ("http", "https")}
    tls_remedy = "name the port at which it speaks https, or leave out the password and scheme=https"
    restart_seconds = 60.0

    def __init__(self, target: str) -> None:
        super().__init__(target)
        self.catalog, self.schema_name = (part.lower() for part in self.dsn.path)
        self._user = self.dsn.user or _USER
        self._scheme = self.dsn.options.get("scheme", "https" if self.dsn.password else "http")
        if self.dsn.password and self._scheme != "https":
            raise BackendError(
                FailureKind.CONNECTION,
                f"the connection string for {self.title} is wrong: its scheme is {self._scheme!r}, and 'https' is"
                f" wanted where there is a password, in {self.dsn}",
            )
        self._line = TrinoLine()
        self._http: Session | None = None
        self._query: TrinoQuery | None = None
        self._transaction = ""
        self._transaction_seen = ""
        self._started = 0.0
        self._schema_seen = False

    def _is_open(self) -> bool:
        return bool(self._transaction)

    def _open(self) -> None:
        http = Session()
        http.mount(f"{self._scheme}://", self._line)
        self._http = http
        self._line.limit(_READY_LIMITS.seconds, _READY_LIMITS.megabytes)
        query = self._prepare(_START, _READY_LIMITS, NO_TRANSACTION)
        try:
            query.execute()
        except TrinoQueryError as error:
            denied = _kind(error) is FailureKind.PERMISSION
            raise (AccessDenied if denied else BackendError)(
                FailureKind.CONNECTION, f"cannot connect to {self.dsn}: {_words(error)}"
            ) from error
        except TlsRefused as error:
            why = ", and no password is sent without it" if self.dsn.password else ""
            raise TlsRefused(error.kind, f"cannot connect to {self.dsn}: {error.message}{why}") from error
        except (Error, SessionLost) as error:
            _stop(query)
            words = error.message if isinstance(error, SessionLost) else _words(error)
            raise BackendError(FailureKind.CONNECTION, f"cannot connect to {self.dsn}: {words}") from error
        self._transaction = self._line.transaction
        self._started = time.monotonic()

    def _prepare(self, sql: str, limits: Limits, transaction: str) -> TrinoQuery:
        """A statement, and all that the server is told with it."""
        if self._http is None:
            raise SessionLost(FailureKind.CONNECTION, "the session is closed")
        milliseconds = f"{max(1, round(limits.seconds * 1000))}ms"
        session = ClientSession(
            user=self._user,
            catalog=self.catalog,
            schema=self.schema_name,
            source=application(),
            timezone="UTC",
            transaction_id=transaction,
            properties={
                "query_max_run_time": milliseconds,
                "query_max_execution_time": milliseconds,
                "query_max_planning_time": milliseconds,
                "query_max_memory": f"{limits.megabytes}MB",
                "query_max_total_memory": f"{limits.megabytes}MB",
            },
        )
        request = TrinoRequest(
            self.dsn.host,
            self.dsn.port,
            session,
            self._http,
            self._scheme,
            BasicAuthentication(self._user, self.dsn.password) if self.dsn.password else None,
            max_attempts=1,  # what is tried again, and for how long, is decided here
        )
        return TrinoQuery(request, sql, legacy_primitive_types=True)

    def _make_ready(self, limits: Limits) -> None:
        if time.monotonic() > self._started + _TRANSACTION_SECONDS:
            raise SessionLost(FailureKind.CONNECTION, "its transaction is old")
        if self._transaction_seen != self._transaction:
            self._read_back()
            self._transaction_seen = self._transaction

    def _read_back(self) -> None:
        """Ask the server what it takes our session for, and the first time whether there is the schema.

        Once for each transaction is enough: all else is said with every statement.
        """
        try:
            found = self._ask(_SETTINGS.format(transaction=self._transaction), _READY_LIMITS)
            if not self._schema_seen:
                self._schema_seen = bool(self._ask(_SCHEMA, _READY_LIMITS))
        except BackendError as error:
            if error.kind is FailureKind.UNKNOWN_TABLE:
                raise BackendError(FailureKind.DATABASE_MISSING, f"{self.dsn}: {error.message}") from error
            denied = error.kind is FailureKind.PERMISSION
            raise (AccessDenied if denied else SessionLost)(FailureKind.CONNECTION, error.message) from error
        if not self._schema_seen:
            raise BackendError(FailureKind.DATABASE_MISSING, f"{self.dsn}: there is no schema {self.schema_name!r}")
        expected = (True, "UTC", self.catalog, self.schema_name, self._user)
        row = found[0] if found else [None] * len(expected)
        settings = zip(_SETTING_NAMES, row, expected, strict=True)
        drifted = ", ".join(name for name, value, wanted in settings if value != wanted)
        if drifted:
            raise SessionDrifted(FailureKind.CONNECTION, f"the session has other settings than ours: {drifted}")

    def _fetch(self, sql: str, limits: Limits) -> Fetched:
        if _is_too_deep(sql):
            raise BackendError(FailureKind.SYNTAX, f"parts of the statement are nested more than {_DEEPEST} deep")
        self._line.limit(limits.seconds + _PATIENCE_SECONDS, limits.megabytes)
        query = self._query = self._prepare(sql, limits, self._transaction)
        try:
            rows, truncated = memory.collect(map(tuple, _pages(query)), limits)
        except TrinoQueryError as error:
            if error.error_name in _STOPPED:
                self._transaction = ""  # the time is up; the server ends it by itself
            elif error.error_name != "SYNTAX_ERROR":  # which is found before the transaction is touched
                self._end_transaction()
            raise _failure(error) from error
        except Error as error:
            self._transaction = ""  # nobody is there who could end it
            _stop(query)
            raise SessionLost(FailureKind.CONNECTION, _words(error)) from error
        except ValueError as error:  # an answer that is no JSON, or nested too deep for its reader
            self._abandon(query)
            raise BackendError(FailureKind.OTHER, f"the server's answer cannot be read: {error}") from error
        except BaseException:
            self._abandon(query)
            raise
        if truncated and not query.finished:
            self._abandon(query)
        if query.update_type is not None or query.columns is None:
            self._end_transaction()
            raise BackendError(FailureKind.NOT_A_QUERY, f"{query.update_type or 'the statement'} gives no table")
        columns = [(column["name"], column["type"]) for column in query.columns]
        return columns, converted([column["typeSignature"] for column in query.columns], rows), truncated

    def _abandon(self, query: TrinoQuery) -> None:
        """Stop a statement of which no more is wanted. It takes its transaction with it."""
        _stop(query)
        self._end_transaction()

    def _end_transaction(self) -> None:
        """Let the server forget the transaction; it would by itself, after some minutes."""
        transaction, self._transaction = self._transaction, ""
        if not transaction:
            return
        self._line.limit(STOP_SECONDS, _READY_LIMITS.megabytes)
        query = self._prepare("ROLLBACK", _READY_LIMITS, transaction)
        try:
            query.execute()
        except (Error, BackendError):
            _stop(query)

    def _cancel(self) -> None:
        if self._query is not None:
            self._query.cancel()

    def _sever(self) -> None:
        """Ask once more: it may have been too early. The line ends by itself soon after the time limit."""
        self._cancel()

    def schema(self) -> Schema:
        """The tables and views of the schema, by name. The views of a database that Trino reads are tables to it."""
        self._end_transaction()  # it may not see what is new
        tables = self._rows(
            "SELECT table_name, table_type = 'VIEW' FROM information_schema.tables WHERE table_schema = {} ORDER BY 1"
        )
        columns = self._rows(
            "SELECT table_name, column_name, data_type, is_nullable = 'YES' FROM information_schema.columns"
            " WHERE table_schema = {} ORDER BY table_name, ordinal_position"
        )
        return Schema(
            tuple(
                Table(name, tuple(Column(*column) for of, *column in columns if of == name), is_view=is_view)
                for name, is_view in tables
            )
        )

    def _contents(self, schema: Schema) -> Iterator[object]:
        """The definitions of the views, and what the rows of each table add up to, whatever their order."""
        yield self._rows(
            "SELECT table_name, view_definition FROM information_schema.views WHERE table_schema = {} ORDER BY 1"
        )
        for table in schema.tables:
            if not table.is_view:
                row = ", ".join(quoted(column.name, self.dialect) for column in table.columns)
                yield self._rows(f"SELECT count(*), checksum(ROW({row})) FROM {self._named(table.name)}")  # noqa: S608

    def engine_version(self) -> str:
        """The version of the server."""
        ((version,),) = self._rows("SELECT version()")
        return str(version)

    def _read(self, table: Table) -> None:
        self._rows(f"SELECT 1 FROM {self._named(table.name)} LIMIT 0")  # noqa: S608

    def _powers(self) -> list[str]:
        tables = [self._named(table.name) for table in self.schema().tables if not table.is_view]
        catalogs = [quoted(str(name), self.dialect) for (name,) in self._rows("SHOW CATALOGS")]
        changes = [f"INSERT INTO {name} TABLE {name}" for name in tables]
        changes += [f"DELETE FROM {name}" for name in tables]  # noqa: S608
        powers = {
            "create tables": [f"CREATE TABLE {self._named('sqlassay_check')} AS SELECT 1 AS a"],
            "change rows": changes,
            "hand SQL to databases that Trino reads": [
                f"SELECT * FROM TABLE({catalog}.system.query(query => 'SELECT 1 AS a'))"  # noqa: S608
                for catalog in catalogs
            ],
        }
        return [power for power, statements in powers.items() if any(map(self._would_be_let, statements))]

    def _would_be_let(self, sql: str) -> bool:
        """Whether the server, outside of our transaction, takes a statement for one that the account may run."""
        self._line.limit(_READY_LIMITS.seconds, _READY_LIMITS.megabytes)
        try:
            self._prepare(f"EXPLAIN (TYPE VALIDATE) {sql}", _READY_LIMITS, NO_TRANSACTION).execute()
        except TrinoQueryError:
            return False
        except Error as error:
            raise BackendError(FailureKind.CONNECTION, f"cannot ask {self.dsn}: {_words(error)}") from error
        return True

    def _rows(self, sql: str) -> list[tuple[Any, ...]]:
        """What a statement of our own gives; `{}` in it is the schema's name."""
        self._take(_OWN_LIMITS)
        try:
            return self._ask(sql, _OWN_LIMITS)
        except BackendError as error:
            raise BackendError(FailureKind.CONNECTION, f"cannot read {self.dsn}: {error.message}") from error

    def _ask(self, sql: str, limits: Limits) -> list[tuple[Any, ...]]:
        """As `_rows`, in a session that need not be ready."""
        _, rows, _ = self._fetch(sql.replace("{}", _text(self.schema_name)), limits)
        return rows

    def _named(self, table: str) -> str:
        return ".".join(quoted(part, self.dialect) for part in (self.catalog, self.schema_name, table))

    def close(self) -> None:
        """Close the session; the next statement would open another."""
        self._end_transaction()
        http, self._http = self._http, None
        if http is not None:
            http.close()


def _pages(query: TrinoQuery) -> Iterator[Any]:
    """The rows of a statement, as they come."""
    yield from query.execute().rows
    while not query.finished:
        yield from query.fetch()


def _stop(query: TrinoQuery) -> None:
    """Have the server stop a statement, if it is there to be asked and knows of it."""
    with suppress(Exception):
        query.cancel()


def _is_too_deep(sql: str) -> bool:
    if sql.count("(") + sql.count("[") + sql.upper().count("CASE") <= _DEEPEST:
        return False
    depths = {"bracket": 0, "case": 0}
    last_comment_ends = sql.rfind("*/")
    place = 0
    while found := _MARK.search(sql, place):
        mark, place = found.group().upper(), found.end()
        if mark == "/*" and place <= last_comment_ends:
            place = sql.index("*/", place) + 2
        elif mark in _DEEPER:
            depths[_DEEPER[mark]] += 1
        elif mark in _HIGHER:
            depths[_HIGHER[mark]] = max(0, depths[_HIGHER[mark]] - 1)
        if sum(depths.values()) > _DEEPEST:
            return True
    return False


def _failure(error: TrinoQueryError) -> BackendError:
    if error.error_name in _SESSION_LOST:
        return SessionLost(FailureKind.CONNECTION, _words(error))
    line, column = error.error_location or (None, None)
    return BackendError(_kind(error), _words(error), line=line, column=column)


def _kind(error: TrinoQueryError) -> FailureKind:
    name = error.error_name or ""
    if _MEMORY.fullmatch(name):
        return FailureKind.MEMORY
    if error.error_type == "EXTERNAL" and _SOURCE_GONE.search(error.message):
        return FailureKind.CONNECTION
    return _KINDS.get(name, FailureKind.OTHER)


def _words(error: Error) -> str:
    return " ".join((error.message if isinstance(error, TrinoQueryError) else str(error)).split())


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"

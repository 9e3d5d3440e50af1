"""SQLite: one file, read-only, through the standard library."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from database_backends import memory
from database_backends.base import CanBuild, CanExplain, CanShuffle
from database_backends.embedded import EmbeddedBackend
from database_backends.errors import BackendError, FailureKind
from database_backends.result import Limits, ResultTable
from sqlassay.schema import Column, ForeignKey, Schema, Table

_READING = frozenset({sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE})
_SESSION = frozenset({sqlite3.SQLITE_PRAGMA, sqlite3.SQLITE_TRANSACTION, sqlite3.SQLITE_SAVEPOINT})
_FORBIDDEN_FUNCTIONS = frozenset({"load_extension", "fts3_tokenizer", "readfile", "writefile", "edit"})
_READING_PRAGMAS = frozenset(
    {
        "collation_list",
        "compile_options",
        "data_version",
        "database_list",
        "foreign_key_list",
        "function_list",
        "index_info",
        "index_list",
        "index_xinfo",
        "module_list",
        "page_size",
        "pragma_list",
        "table_info",
        "table_list",
        "table_xinfo",
    }
)

_KIND_OF_CODE = {
    sqlite3.SQLITE_AUTH: FailureKind.PERMISSION,
    sqlite3.SQLITE_BUSY: FailureKind.CONNECTION,
    sqlite3.SQLITE_CANTOPEN: FailureKind.CONNECTION,
    sqlite3.SQLITE_CORRUPT: FailureKind.CONNECTION,
    sqlite3.SQLITE_INTERRUPT: FailureKind.TIMEOUT,
    sqlite3.SQLITE_IOERR: FailureKind.CONNECTION,
    sqlite3.SQLITE_LOCKED: FailureKind.CONNECTION,
    sqlite3.SQLITE_NOMEM: FailureKind.MEMORY,
    sqlite3.SQLITE_NOTADB: FailureKind.CONNECTION,
    sqlite3.SQLITE_PROTOCOL: FailureKind.CONNECTION,
    sqlite3.SQLITE_READONLY: FailureKind.WRITE_ATTEMPT,
    sqlite3.SQLITE_TOOBIG: FailureKind.MEMORY,
}
_KIND_OF_TEXT = (
    ("no such table", FailureKind.UNKNOWN_TABLE),
    ("no such column", FailureKind.UNKNOWN_COLUMN),
    ("syntax error", FailureKind.SYNTAX),
    ("incomplete input", FailureKind.SYNTAX),
    ("unrecognized token", FailureKind.SYNTAX),
    ("null character", FailureKind.SYNTAX),
    ("may not be modified", FailureKind.WRITE_ATTEMPT),
    ("one statement at a time", FailureKind.MULTIPLE_STATEMENTS),
)
_UNDECODABLE = "Could not decode to UTF-8"

_SECONDS_TO_WAIT_FOR_A_LOCK = 1.0
_STEPS_BETWEEN_LOOKS = 2_000
_SECONDS_BETWEEN_MEMORY_LOOKS = 0.01
_PLAN_LIMITS = Limits(seconds=10, rows=1000)
_WAL_FORMAT = b"\x02\x02"


class SQLiteBackend(EmbeddedBackend, CanBuild, CanExplain, CanShuffle):
    """A SQLite database file.

    A query gives what `sqlite3.connect(file).execute(sql).fetchall()` gives, with one difference: text that is not
    UTF-8 is kept, its bytes as surrogates (`surrogateescape`), where the standard library raises.
    """

    name = "sqlite"
    title = "SQLite"
    dialect = "sqlite"
    file_suffixes = (".sqlite", ".db", ".sqlite3")
    paramstyle = "qmark"
    null_order = "first"
    native_bool = False
    native_dates = False

    def __init__(self, target: str) -> None:
        super().__init__(target)
        self._denied: FailureKind | None = None
        self._connection = self._open()

    def _open(self) -> sqlite3.Connection:
        try:
            connection = sqlite3.connect(
                _uri(self.path), uri=True, isolation_level=None, timeout=_SECONDS_TO_WAIT_FOR_A_LOCK
            )
        except sqlite3.Error as error:
            raise BackendError(FailureKind.CONNECTION, f"cannot open {self.target}: {error}") from error
        try:
            for setting in ("query_only = ON", "trusted_schema = OFF", "temp_store = MEMORY"):
                connection.execute(f"PRAGMA {setting}")
            _connect_virtual_tables(connection)
            connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
        except sqlite3.Error as error:
            connection.close()
            raise BackendError(FailureKind.CONNECTION, f"cannot read {self.target}: {error}") from error
        connection.set_authorizer(self._authorize)
        self._length_limit = connection.getlimit(sqlite3.SQLITE_LIMIT_LENGTH)
        return connection

    def _authorize(self, action: int, first: str | None, second: str | None, *_: str | None) -> int:
        """Allow reading and nothing else; called while a statement is compiled."""
        if action in _READING:
            if action != sqlite3.SQLITE_FUNCTION or (second or "").lower() not in _FORBIDDEN_FUNCTIONS:
                return sqlite3.SQLITE_OK
            self._denied = FailureKind.PERMISSION
        elif action == sqlite3.SQLITE_UPDATE and first == "sqlite_master":
            # Asked for whenever a table-valued function is first used; a real update cannot get past `mode=ro`.
            return sqlite3.SQLITE_OK
        elif action in _SESSION:
            if action == sqlite3.SQLITE_PRAGMA and (first or "").lower() in _READING_PRAGMAS:
                return sqlite3.SQLITE_OK
            self._denied = FailureKind.PERMISSION
        else:
            self._denied = FailureKind.WRITE_ATTEMPT
        return sqlite3.SQLITE_DENY

    def run(self, sql: str, limits: Limits) -> ResultTable:
        """Run one statement on the read-only connection, within the limits."""
        started = time.monotonic()
        with self._within(limits, started):
            columns, rows, truncated = self._fetch(sql, limits)
        return ResultTable(columns, ("",) * len(columns), rows, truncated, time.monotonic() - started)

    def run_to_first_row(self, sql: str, limits: Limits) -> None:
        """Run one statement to its first row, which `execute` of the driver finds and does not give out."""
        with self._within(limits, time.monotonic()):
            self._connection.execute(sql).close()

    def explain(self, sql: str) -> str:
        """The plan, a line for each step and further in for what is part of it."""
        depths: dict[object, int] = {0: -1}
        lines = []
        for step, parent, _, words in self.run(f"EXPLAIN QUERY PLAN {sql}", _PLAN_LIMITS).rows:
            depths[step] = depths[parent] + 1
            lines.append(f"{'  ' * depths[step]}{words}")
        return "\n".join(lines)

    @contextmanager
    def _within(self, limits: Limits, started: float) -> Iterator[None]:
        """Keep a statement within its limits, and tell why it fails."""
        watch = _Watch(started, limits)
        self._denied = None
        self._connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, min(self._length_limit, limits.megabytes << 20))
        self._connection.set_progress_handler(watch, _STEPS_BETWEEN_LOOKS)
        try:
            yield
        except (sqlite3.Error, sqlite3.Warning) as error:
            raise self._failure(error, watch) from error
        except MemoryError as error:
            raise BackendError(FailureKind.MEMORY, "out of memory") from error
        except UnicodeError as error:
            raise BackendError(FailureKind.SYNTAX, f"the statement is not Unicode text: {error}") from error
        finally:
            self._connection.set_progress_handler(None, 0)

    def _fetch(self, sql: str, limits: Limits) -> tuple[tuple[str, ...], list[tuple[object, ...]], bool]:
        try:
            return self._fetch_text(sql, limits)
        except sqlite3.OperationalError as error:
            if _UNDECODABLE not in str(error):
                raise
        # Decoding every cell in Python costs five times as much, so only a result that needs it pays.
        self._connection.text_factory = _decode
        try:
            return self._fetch_text(sql, limits)
        finally:
            self._connection.text_factory = str

    def _fetch_text(self, sql: str, limits: Limits) -> tuple[tuple[str, ...], list[tuple[object, ...]], bool]:
        with closing(self._connection.execute(sql)) as cursor:
            if cursor.description is None:
                raise BackendError(FailureKind.NOT_A_QUERY, "the statement gives no table")
            columns = tuple(description[0] for description in cursor.description)
            return columns, *memory.collect(cursor, limits)

    def _failure(self, error: Exception, watch: _Watch) -> BackendError:
        message = str(error)
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        kind = self._denied or _KIND_OF_CODE.get(code)
        if kind is FailureKind.TIMEOUT:
            return watch.failure()
        if kind is None:
            kind = next((kind for text, kind in _KIND_OF_TEXT if text in message), FailureKind.OTHER)
        return BackendError(kind, message)

    def schema(self) -> Schema:
        """The tables and views, in the order in which they were created."""
        try:
            return self._schema()
        except sqlite3.Error as error:
            raise BackendError(FailureKind.CONNECTION, f"cannot read the schema of {self.target}: {error}") from error

    def _schema(self) -> Schema:
        found = self._connection.execute(
            "SELECT name, type = 'view' FROM sqlite_master"
            " WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY rowid"
        ).fetchall()
        shadows = self._shadow_tables()
        found = [(name, is_view) for name, is_view in found if name not in shadows]
        columns = {name: self._columns(name, is_view) for name, is_view in found}
        keys = {name.lower(): tuple(column.name for column in columns[name] if column.primary_key) for name, _ in found}
        return Schema(
            tuple(
                Table(name, columns[name], self._foreign_keys(name, keys), is_view=bool(is_view))
                for name, is_view in found
            )
        )

    def _shadow_tables(self) -> frozenset[str]:
        """The tables in which full-text and R*Tree indexes keep their data."""
        with suppress(sqlite3.OperationalError):  # SQLite before 3.37 cannot tell
            found = self._connection.execute("SELECT name FROM pragma_table_list WHERE type = 'shadow'")
            return frozenset(name for (name,) in found)
        return frozenset()

    def _columns(self, table: str, is_view: int) -> tuple[Column, ...]:
        try:
            found = self._connection.execute(
                'SELECT name, type, "notnull", pk FROM pragma_table_xinfo(?) WHERE hidden <> 1 ORDER BY cid', (table,)
            ).fetchall()
        except sqlite3.OperationalError:
            if is_view:  # of a table that is gone
                return ()
            raise
        return tuple(Column(name, type_, not (required or key), bool(key)) for name, type_, required, key in found)

    def _foreign_keys(self, table: str, primary_keys: dict[str, tuple[str, ...]]) -> tuple[ForeignKey, ...]:
        found = self._connection.execute(
            'SELECT id, "table", "from", "to" FROM pragma_foreign_key_list(?) ORDER BY id DESC, seq', (table,)
        )
        by_id: dict[int, list[tuple[str, str, str | None]]] = {}
        for key, other, column, reference in found:
            by_id.setdefault(key, []).append((other, column, reference))
        keys = []
        for parts in by_id.values():
            other = parts[0][0]
            named = tuple(reference for _, _, reference in parts if reference is not None)
            # `REFERENCES other` without columns means the primary key of the other table.
            references = named or primary_keys.get(other.lower(), ())
            keys.append(ForeignKey(tuple(column for _, column, _ in parts), other, references))
        return tuple(keys)

    def engine_version(self) -> str:
        """The version of the SQLite library."""
        return sqlite3.sqlite_version

    @classmethod
    def build(cls, target: str, statements: Sequence[str]) -> None:
        """Make a database file."""
        with closing(sqlite3.connect(target)) as connection:
            try:
                for statement in statements:
                    connection.executescript(statement)
                connection.commit()
            except sqlite3.Error as error:
                raise BackendError(FailureKind.OTHER, str(error)) from error

    @classmethod
    def shuffled_copy(cls, target: str, copy: str, seed: int, *, bare: bool = False) -> None:
        """Copy a database; triggers are left out, and the tables of virtual tables stay as they are."""
        from database_backends.sqlite_copy import shuffled_copy

        with cls(target) as original:
            shuffled_copy(original._connection, copy, seed, bare=bare)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


def _connect_virtual_tables(connection: sqlite3.Connection) -> None:
    """Prepare them before the authorizer is set: R*Tree compiles its write statements even when only read."""
    for (name,) in connection.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND rootpage = 0"
    ).fetchall():
        quoted = name.replace('"', '""')
        with suppress(sqlite3.OperationalError):  # of a module that this SQLite does not have
            connection.execute(f'SELECT * FROM "{quoted}" LIMIT 0').close()  # noqa: S608


class _Watch:
    """SQLite's progress handler: stops the statement when its time or its memory is used up."""

    def __init__(self, started: float, limits: Limits) -> None:
        self._limits = limits
        self._deadline = started + limits.seconds
        self._next_look = 0.0
        self._before = 0
        self._kind = FailureKind.TIMEOUT

    def __call__(self) -> bool:
        now = time.monotonic()
        if now > self._deadline:
            return True
        if now > self._next_look:
            self._next_look = now + _SECONDS_BETWEEN_MEMORY_LOOKS
            held = memory.resident()
            self._before = self._before or held
            if held - self._before > self._limits.megabytes << 20:
                self._kind = FailureKind.MEMORY
                return True
        return False

    def failure(self) -> BackendError:
        """Why the statement was stopped."""
        if self._kind is FailureKind.MEMORY:
            return BackendError(FailureKind.MEMORY, f"stopped after taking {self._limits.megabytes} MiB")
        return BackendError(FailureKind.TIMEOUT, f"stopped after {self._limits.seconds:g} s")


def _uri(path: Path) -> str:
    """The URI that opens the file for reading and creates none beside it."""
    uri = path.resolve().as_uri() + "?mode=ro"
    with path.open("rb") as file:
        in_wal_mode = file.read(20)[18:20] == _WAL_FORMAT
    log = path.with_name(path.name + "-wal")
    if in_wal_mode and not (log.exists() and log.stat().st_size):
        # Even a read-only connection would create the log and its index; with no log there is nothing to read there.
        uri += "&immutable=1"
    return uri


def _decode(text: bytes) -> str:
    return text.decode("utf-8", "surrogateescape")

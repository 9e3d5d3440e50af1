"""What engines behind a connection string share: a session, made ready for each statement and stopped in time."""

from __future__ import annotations

import hashlib
import os
import re
import threading
import time
from abc import abstractmethod
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import ClassVar

import tenacity

from database_backends.alarm import ALARM
from database_backends.base import CanExplain, DatabaseBackend
from database_backends.dsn import Dsn, DsnError
from database_backends.errors import BackendError, FailureKind
from database_backends.result import Limits, ResultTable, Row
from sqlassay.schema import Schema, Table
from sqlassay.validation import Check, ValidationResult

Fetched = tuple[Sequence[tuple[str, str]], list[Row], bool]
"""The names and types of the columns, the rows, and whether there were more."""

CONNECT_SECONDS = 5
"""How long a server may take to accept a connection."""
_CHECK_LIMITS = Limits(seconds=10, rows=1)
_PLAN_LIMITS = Limits(seconds=10, rows=1000)
_GRACE_SECONDS = 0.4
"""From asking the server to stop a statement until the line is cut: together they stay below a second."""


def application() -> str:
    """What our sessions call themselves in the server's list of processes."""
    return f"sqlassay {os.getpid()}"


class AccessDenied(BackendError):
    """The server answers, and does not take the user or the password."""


class TlsRefused(BackendError):
    """The server answers, and no encrypted line to it comes about that the connection string would have."""


class SessionLost(BackendError):
    """The session is of no use any more."""


class SessionDrifted(SessionLost):
    """Its settings are not ours."""


class ServerBackend(DatabaseBackend, CanExplain):
    """One database of a server.

    An object holds one session. It is opened by the first statement, made ready before every statement (what the one
    before may have left is undone, and the settings are read back), and opened anew when it is dead or its settings
    are not ours. Threads have objects of their own, so the threads of a runner are the pool.

    Args:
        target: A connection string, `//user:password@host:port/…`, with or without a scheme.

    Raises:
        BackendError: `connection` when the connection string is wrong. Whether the server answers shows later.
    """

    embedded = False
    max_open = 4

    oldest: ClassVar[tuple[int, ...]]
    """The oldest version of the server that the conformance suite has passed on, or its makers still mend."""
    schemes: ClassVar[Collection[str]]
    """What may stand before `//`, the usual one first."""
    default_port: ClassVar[int]
    path_parts: ClassVar[Sequence[str]]
    """What the path of a connection string names, in this order."""
    dsn_options: ClassVar[Mapping[str, Collection[str]]] = {}
    """What may follow the question mark of a connection string, with the values that there are; any if empty."""
    tls_remedy: ClassVar[str]
    """What to do where no encrypted line comes about."""
    restart_seconds: ClassVar[float] = 20.0
    """How long a server that has answered before is waited for, when it is gone."""
    explaining: ClassVar[str] = "EXPLAIN"
    """What stands before a query whose plan is wanted."""

    def __init__(self, target: str) -> None:
        super().__init__(target)
        try:
            self.dsn = Dsn.parse(
                target,
                schemes=self.schemes,
                port=self.default_port,
                parts=self.path_parts,
                options=self.dsn_options,
            )
        except DsnError as error:
            raise BackendError(
                FailureKind.CONNECTION, f"the connection string for {self.title} is wrong: {error}"
            ) from None
        self._answered = False

    def __del__(self) -> None:
        """A thread that ends leaves its sessions behind."""
        with suppress(Exception):
            self.close()

    def run(self, sql: str, limits: Limits) -> ResultTable:
        """Run one statement in a session that can only read, within the limits.

        A session that dies meanwhile is opened anew, once: reading twice does no harm.
        """
        if "\0" in sql:  # it would end the statement before its end
            raise BackendError(FailureKind.SYNTAX, "the statement has a NUL character")
        try:
            sql.encode()
        except UnicodeEncodeError as error:
            raise BackendError(FailureKind.SYNTAX, f"the statement is not Unicode text: {error}") from error
        try:
            return self._run_once(sql, limits)
        except SessionLost:
            self.close()
        try:
            return self._run_once(sql, limits)
        except SessionDrifted as error:
            self.close()
            raise BackendError(FailureKind.CONNECTION, f"{self.dsn}: {error.message}") from error
        except SessionLost as error:
            self.close()
            # The server is there, for it let us in again: it is this statement that costs the session.
            raise BackendError(FailureKind.OTHER, f"its session died twice: {error.message}") from error

    def explain(self, sql: str) -> str:
        """The plan, as the server tells it."""
        rows = self.run(f"{self.explaining} {sql}", _PLAN_LIMITS).rows
        return "\n".join(line.rstrip() for row in rows for cell in row for line in str(cell).splitlines()).rstrip()

    def _run_once(self, sql: str, limits: Limits) -> ResultTable:
        self._take(limits)
        started = time.monotonic()
        stopper = _Stopper(self._cancel, self._sever)
        fetched: Fetched | None = None
        try:
            with ALARM.after(limits.seconds, stopper):
                fetched = self._fetch(sql, limits)
        except MemoryError as error:
            self.close()
            raise BackendError(FailureKind.MEMORY, "out of memory") from error
        except BackendError as error:
            if not stopper.rang:
                raise
            raise BackendError(FailureKind.TIMEOUT, f"stopped after {limits.seconds:g} s") from error
        finally:
            if stopper.rang:
                stopper.join()
                self.close()
        if stopper.rang:  # a server may call a statement finished that was stopped: MySQL's SLEEP
            raise BackendError(FailureKind.TIMEOUT, f"stopped after {limits.seconds:g} s")
        columns, rows, truncated = fetched
        names, types = zip(*columns, strict=True) if columns else ((), ())
        return ResultTable(names, types, rows, truncated, time.monotonic() - started)

    def _take(self, limits: Limits) -> None:
        """Have a session that is ready: settings as they should be, nothing left over."""
        if self._is_open():
            try:
                self._make_ready(limits)
            except SessionLost:
                self.close()
            else:
                return
        self._connect()
        try:
            self._make_ready(limits)
        except SessionLost as error:
            self.close()
            raise BackendError(FailureKind.CONNECTION, f"{self.dsn}: {error.message}") from error

    def _connect(self) -> None:
        """Open a session. A server that has answered before may be restarting, and is waited for."""
        if not self._answered:
            self._open()
            self._answered = True
            return
        tenacity.Retrying(
            stop=tenacity.stop_after_delay(self.restart_seconds),
            wait=tenacity.wait_exponential_jitter(0.1, 2.0),
            retry=tenacity.retry_if_exception(
                lambda error: isinstance(error, BackendError) and error.kind is FailureKind.CONNECTION
            ),
            reraise=True,
        )(self._open)

    def fingerprint(self) -> str:
        """A digest of the server's version, the schema and all rows."""
        schema = self.schema()
        digest = hashlib.blake2b(repr((self.engine_version(), schema)).encode(), digest_size=16)
        for content in self._contents(schema):
            digest.update(repr(content).encode())
        return f"blake2b:{digest.hexdigest()}"

    @classmethod
    def not_opened(cls, error: BackendError) -> Check:
        """The connection string is wrong."""
        remedy = f"correct that part of {cls.form()}; special characters in a part are written as %40"
        return Check("connection string", False, error.message, remedy)

    def check(self) -> ValidationResult:
        """Whether the server lets us in, is recent enough, can be read, and who could write to it."""
        return ValidationResult(str(self.dsn), tuple(self._checks()))

    @classmethod
    def form(cls) -> str:
        """How a connection string is written, scheme and all."""
        return f"{cls.name}://user:password@host:{cls.default_port}/{'/'.join(cls.path_parts)}"

    def _checks(self) -> Iterator[Check]:
        yield self._check_connection_string()
        try:
            self._take(_CHECK_LIMITS)
        except AccessDenied as error:
            yield Check("connection", True, f"{self.dsn.host}:{self.dsn.port} answers")
            yield Check("authentication", False, error.message, "correct the user or the password")
            return
        except BackendError as error:
            remedy = "start the server, or correct the host and the port"
            if isinstance(error, TlsRefused):
                remedy = self.tls_remedy
            if error.kind is FailureKind.DATABASE_MISSING:
                remedy = "create the database, or correct its name"
            yield Check("connection", False, error.message, remedy)
            return
        yield Check("connection", True, f"{self.dsn.host}:{self.dsn.port} answers")
        yield Check("authentication", True, f"as {self.dsn.user or 'the default user'}")
        yield self._check_version()
        yield self._check_reads()
        yield self._check_refuses_writes()
        yield self._check_account()

    def _check_connection_string(self) -> Check:
        """How it was understood."""
        dsn = self.dsn
        user = f"user {dsn.user}, {'a' if dsn.password else 'no'} password" if dsn.user else "no user"
        named = [*zip(self.path_parts, dsn.path, strict=True), *dsn.options.items()]
        parts = [f"host {dsn.host}", f"port {dsn.port}", user, *(f"{part} {value}" for part, value in named)]
        return Check("connection string", True, ", ".join(parts))

    def _check_version(self) -> Check:
        found = self.engine_version()
        wanted = ".".join(map(str, self.oldest))
        numbers = tuple(int(digits) for digits in re.findall(r"\d+", found)[: len(self.oldest)])
        remedy = "" if numbers >= self.oldest else f"use {self.title} {wanted} or newer"
        return Check("version", not remedy, f"{self.title} {found}; {wanted} or newer is supported", remedy)

    def _check_reads(self) -> Check:
        try:
            tables = self.schema().tables
        except BackendError as error:
            return Check("reads", False, error.message, "correct the names in the connection string")
        try:
            for table in tables:
                self._read(table)
        except BackendError as error:
            return Check("reads", False, error.message, "grant SELECT to the account")
        return Check("reads", True, f"{len(tables)} tables and views")

    def _check_refuses_writes(self) -> Check:
        try:
            self.run("CREATE TABLE sqlassay_check (a INTEGER)", _CHECK_LIMITS)
        except BackendError as error:
            refused = error.kind in (FailureKind.WRITE_ATTEMPT, FailureKind.PERMISSION)
            return Check("refuses a write", refused, error.message)
        return Check("refuses a write", False, "a table could be created", "report this as a bug of sqlassay")

    def _check_account(self) -> Check:
        powers = self._powers()
        if not powers:
            return Check("account", True, "it may only read")
        return Check(
            "account",
            True,
            f"it may {', '.join(powers)}: only our session stands between a prediction and the data",
            "use an account that may only read",
            warning=True,
        )

    @abstractmethod
    def _read(self, table: Table) -> None:
        """Read no row of a table.

        Raises:
            BackendError: The account may not.
        """

    @abstractmethod
    def _powers(self) -> Sequence[str]:
        """What the account could do besides reading, in an ordinary session."""

    @abstractmethod
    def _is_open(self) -> bool:
        """Whether there is a session, dead or alive."""

    @abstractmethod
    def _open(self) -> None:
        """Open a session that can only read.

        Raises:
            BackendError: `connection` or `database_missing`.
        """

    @abstractmethod
    def _make_ready(self, limits: Limits) -> None:
        """Undo what the last statement may have left, set the limits, and read the settings back.

        An engine may do some of it in the same trip as the statement, if the server does not come to the statement
        where something is not as it should be; `_fetch` raises then what this would.

        Raises:
            SessionLost: It is dead.
            SessionDrifted: Its settings are not ours.
        """

    @abstractmethod
    def _fetch(self, sql: str, limits: Limits) -> Fetched:
        """Run one statement and take its rows up to the limits.

        Raises:
            SessionLost: The session died.
            BackendError: The statement failed.
        """

    @abstractmethod
    def _contents(self, schema: Schema) -> Iterator[object]:
        """What changes when a row, or the definition of a view, does; the order of rows does not count."""

    @abstractmethod
    def _cancel(self) -> None:
        """Ask the server to stop what the session is doing. Called from another thread."""

    @abstractmethod
    def _sever(self) -> None:
        """Make the server end the session, and cut the line. Called from another thread, when asking did not help."""


class _Stopper:
    """Stops a statement: asks the server first, and cuts the line when that does not help.

    Both may wait for the server, so they have threads of their own.
    """

    def __init__(self, cancel: Callable[[], None], sever: Callable[[], None]) -> None:
        self._steps = [sever, cancel]
        self._running: list[threading.Thread] = []
        self._next = 0.0

    @property
    def rang(self) -> bool:
        """Whether the time was up."""
        return bool(self._running)

    def __call__(self) -> None:
        """Called when the time is up, and again and again until the statement has ended."""
        if not self._steps or time.monotonic() < self._next:
            return
        step = self._steps.pop()
        self._next = time.monotonic() + _GRACE_SECONDS
        thread = threading.Thread(target=_quietly, args=(step,), name="sqlassay-stop", daemon=True)
        self._running.append(thread)
        thread.start()

    def join(self) -> None:
        """Wait until nothing is being stopped any more: it must not hit the next statement."""
        for thread in self._running:
            thread.join(2 * CONNECT_SECONDS)


def _quietly(step: Callable[[], None]) -> None:
    with suppress(Exception):  # the statement has ended meanwhile, or the server is gone
        step()

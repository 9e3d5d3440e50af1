"""What every engine must withstand: statements that reach for files, for the engine, or for everything."""

from __future__ import annotations

import os
import time
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import psutil

from database_backends import guard
from database_backends.base import DatabaseBackend
from database_backends.errors import BackendError, FailureKind, StatementRefused
from database_backends.execution import Statement, attempt, opened
from database_backends.result import ExecutionFailure, Limits, Outcome, ResultTable
from database_backends.runner import Runner
from database_backends.task import Task
from database_backends.workers import GRACE_SECONDS
from tests.conformance.backend import STATEMENTS, contents
from tests.servers.world import ServerWorld

CANARY = "canary-5d1c0f"
"""Stands in a file beside the database and in the environment; no statement may get hold of it."""

ESCAPED = "/tmp/sqlassay-escaped"  # on the server
LIMITS = Limits(seconds=0.5, rows=50, megabytes=128)
OUR_LIMITS = Limits(seconds=30, rows=1000)
"""Of the questions that the tests ask besides."""

WRITE = FailureKind.WRITE_ATTEMPT
NO_QUERY = FailureKind.NOT_A_QUERY
SEVERAL = FailureKind.MULTIPLE_STATEMENTS
SYNTAX = FailureKind.SYNTAX
TABLE = FailureKind.UNKNOWN_TABLE
COLUMN = FailureKind.UNKNOWN_COLUMN
PERMISSION = FailureKind.PERMISSION
TIMEOUT = FailureKind.TIMEOUT
MEMORY = FailureKind.MEMORY
OTHER = FailureKind.OTHER
STOPPED = frozenset({TIMEOUT, MEMORY})
"""Which limit is reached first depends on the machine."""
HARMLESS = None
"""The statement gives a result, and it does not matter which."""

PERHAPS = frozenset({*STOPPED, HARMLESS})
"""How far it comes within the limits depends on the machine."""
DEEP = frozenset({SYNTAX, OTHER, *STOPPED})
"""The parser gives up, or is stopped."""

Kinds = FailureKind | frozenset[FailureKind | None] | None
Hostile = Sequence[tuple[str, Kinds]]
"""Statements, each with what comes of it behind all walls."""


@dataclass(frozen=True)
class World(ABC):
    """A database, and what is around it. Once a statement has ended, all of it is as it was."""

    folder: Path
    database: DatabaseBackend

    limits: Limits = field(default=LIMITS, kw_only=True)
    """Of the hostile statement."""

    seconds_to_stop: ClassVar[float]
    """From the time limit until a statement has ended, on a machine that may be busy; a second, where it is not."""

    def outcome(self, sql: str, *, guarded: bool) -> ResultTable | BackendError:
        """What comes of a statement, once it is sure that nothing has changed and nothing has leaked."""
        started = time.monotonic()
        found = self.run(self.fill(sql), guarded=guarded)
        assert time.monotonic() - started < self.limits.seconds + self.seconds_to_stop
        self.assert_as_before(found)
        assert self.database.execute("SELECT count(*) FROM singer", OUR_LIMITS).rows == [(3,)]
        return found

    def run(self, sql: str, *, guarded: bool) -> ResultTable | BackendError:
        """What comes of a statement."""
        try:
            return (self.database.execute if guarded else self.database.run)(sql, self.limits)
        except BackendError as error:
            return error

    @abstractmethod
    def fill(self, sql: str) -> str:
        """The statement with the paths of this world for `{secret}` and `{new}`."""

    @abstractmethod
    def assert_as_before(self, found: object) -> None:
        """Nothing has changed, and what was found holds no secret."""


@dataclass(frozen=True)
class Unguarded(Statement):
    """A statement that the guard is not asked about."""

    def perform(self) -> Outcome:
        """Run it."""
        return attempt(lambda: opened(self.backend, self.target).run(self.sql, self.limits))


@dataclass(frozen=True)
class EmbeddedWorld(World):
    """A folder with a database and a secret, and a worker process that runs statements there.

    `{secret}` and `{new}` in a statement are paths in the folder.
    """

    before: dict[str, bytes]
    runner: Runner

    seconds_to_stop = GRACE_SECONDS + 2.0  # what no interrupt stops is killed

    def run(self, sql: str, *, guarded: bool) -> ResultTable | BackendError:
        """What comes of a statement, in the worker."""
        statement = (Statement if guarded else Unguarded)(self.database.name, self.database.target, sql, self.limits)
        found = self.runner.submit(Inside(str(self.folder / "work"), statement)).result(60)
        return BackendError(found.kind, found.message) if isinstance(found, ExecutionFailure) else found

    def fill(self, sql: str) -> str:
        """The statement with the paths of this world."""
        return sql.replace("{secret}", str(self.folder / "secret.csv")).replace("{new}", str(self.folder / "new"))

    def assert_as_before(self, found: object) -> None:
        """No file is another or new, neither the file nor the environment was read, and nothing is running."""
        assert CANARY not in repr(found)
        assert contents(self.folder) == self.before
        if isinstance(found, BackendError) and found.kind in STOPPED:
            busy = psutil.Process().children(recursive=True)
            before = [_cpu_seconds(process) for process in busy]
            time.sleep(0.1)
            assert sum(map(_cpu_seconds, busy)) - sum(before) < 0.05


def _cpu_seconds(process: psutil.Process) -> float:
    with suppress(psutil.NoSuchProcess):
        times = process.cpu_times()
        return times.user + times.system
    return 0.0


@dataclass(frozen=True)
class Inside(Task[ResultTable]):
    """A statement in a worker that stands in a folder and has the secret in its environment.

    Each tells so anew: the worker of the one before may have been killed.
    """

    folder: str
    statement: Statement

    in_process = True

    @property
    def seconds(self) -> float:
        """As of the statement."""
        return self.statement.seconds

    def perform(self) -> Outcome:
        """Run it there."""
        os.chdir(self.folder)
        os.environ.update(SQLASSAY_CANARY=CANARY, HOME=self.folder)
        return self.statement.perform()


@dataclass(frozen=True)
class HostedWorld(World):
    """A database of a server; `{secret}` is a file that every server has, `{new}` one that none has."""

    server: ServerWorld
    probes: Sequence[str]
    """Queries that tell the settings of a session, and what belongs to it."""
    before: object
    session: object

    seconds_to_stop = 2.0

    def fill(self, sql: str) -> str:
        """The statement with paths on the server."""
        return sql.replace("{secret}", "/etc/passwd").replace("{new}", ESCAPED)

    def assert_as_before(self, found: object) -> None:
        """No row, no file, no setting is another, nothing is running, and the server's file was not read."""
        assert "root:x:0" not in repr(found)
        deadline = time.monotonic() + self.seconds_to_stop
        while (busy := self.server.busy()) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not busy, busy
        assert self.server.state(self.database.target) == self.before
        assert not self.server.has_file(ESCAPED)
        assert [self.database.run(probe, OUR_LIMITS).rows for probe in self.probes] == self.session


def host_world(
    folder: Path,
    backend: type[DatabaseBackend],
    server: ServerWorld,
    probes: Sequence[str],
    statements: Sequence[str] = (),
    limits: Limits = LIMITS,
) -> HostedWorld:
    """Have the server make a database."""
    (folder / "work").mkdir()
    target = server.make([*STATEMENTS, *statements])
    database = backend(target)
    session = [database.run(probe, OUR_LIMITS).rows for probe in probes]
    return HostedWorld(folder, database, server, probes, server.state(target), session, limits=limits)


@contextmanager
def embedded_world(
    folder: Path, backend: type[DatabaseBackend], statements: Sequence[str] = ()
) -> Iterator[EmbeddedWorld]:
    """Lay out the folder, and have a worker for it."""
    target = folder / f"database{backend.file_suffixes[0]}"
    backend.build(str(target), [*STATEMENTS, *statements])  # type: ignore[attr-defined]
    (folder / "secret.csv").write_text(f"a,b\n{CANARY},1\n")
    (folder / "work").mkdir()
    with Runner(1, megabytes=LIMITS.megabytes) as runner, backend(str(target)) as database:
        yield EmbeddedWorld(folder, database, contents(folder), runner)


class HostileStatements:
    """The tests. A subclass has a `world` fixture and is parametrized with its table."""

    harmless_alone: ClassVar[Collection[str]] = ()
    """Statements that only the guard refuses: without it they give a result, and have changed nothing once they end."""

    def test_through_all_walls(self, world: World, sql: str, kind: Kinds) -> None:
        found = world.outcome(sql, guarded=True)
        assert (found.kind if isinstance(found, BackendError) else HARMLESS) in among(kind), shown(found)

    def test_without_the_guard(self, world: World, sql: str, kind: Kinds) -> None:
        found = world.outcome(sql, guarded=False)
        refused = isinstance(found, BackendError)
        assert refused or among(kind) & {HARMLESS, NO_QUERY, SEVERAL} or sql in self.harmless_alone, shown(found)


def let_through(statements: Hostile, dialect: str, unknowable: Collection[str] = ()) -> list[str]:
    """What the guard takes for a query, of what ends by itself; all else of what is not one, it has to refuse.

    Args:
        statements: A table of hostile statements.
        dialect: How the guard is to read them.
        unknowable: What no guard can know of: what a function or a view of the database does.
    """
    passed = []
    for sql, kinds in statements:
        try:
            query = guard.check(sql, dialect)
        except StatementRefused:
            continue
        if sql in unknowable:
            continue
        assert not among(kinds) & {WRITE, NO_QUERY, SEVERAL}, sql
        if not among(kinds) & STOPPED:
            passed.append(query)
    return passed


def ending(statements: Hostile) -> list[str]:
    """The statements that end by themselves."""
    return [sql for sql, kinds in statements if not among(kinds) & STOPPED]


def endless(statements: Hostile) -> list[str]:
    """The statements that have to be stopped."""
    return [sql for sql, kinds in statements if among(kinds) and among(kinds) <= STOPPED]


def among(kinds: Kinds) -> frozenset[FailureKind | None]:
    """What may come of a statement."""
    return kinds if isinstance(kinds, frozenset) else frozenset({kinds})


def shown(found: ResultTable | BackendError) -> str:
    """What came of a statement, in a few words."""
    return repr(found)[:300]

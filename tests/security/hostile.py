"""What every engine must withstand: statements that reach for files, for the engine, or for everything."""

from __future__ import annotations

import os
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import ClassVar

import psutil
import pytest

from database_backends import guard
from database_backends.base import DatabaseBackend
from database_backends.errors import BackendError, FailureKind, StatementRefused
from database_backends.execution import Statement, attempt, opened
from database_backends.result import ExecutionFailure, Limits, Outcome, ResultTable
from database_backends.runner import Runner
from database_backends.task import Task
from tests.conformance.backend import IDLE_SECONDS, STATEMENTS, contents
from tests.servers.world import ServerWorld

CANARY = "canary-5d1c0f"
"""Stands in a file beside the database and in the environment; no statement may get hold of it."""

ESCAPED = "/tmp/sqlassay-escaped"  # on the server
LIMITS = Limits(seconds=0.5, rows=50, megabytes=128)
LAVISH = Limits(seconds=3, rows=100_000, megabytes=1024)
"""Of statements that another wall is to withstand."""
PATIENT_SECONDS = 30.0
"""The time of what ends by itself: on a busy machine it may need it."""
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

SECONDS_TO_STOP = 1.0
"""From the time limit until a statement has ended."""
SECONDS_TO_KILL = 2.0
"""The same, where nothing but the end of the worker process stops it."""
TRIES = 3
"""A busy machine may delay one of them."""
BUNDLE = 20
"""Statements after which it is looked whether all is as before, where each by itself would take too long."""

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
    """Of what has to be stopped."""

    def outcome(
        self, sql: str, *, guarded: bool, limits: Limits, seconds_to_stop: float = SECONDS_TO_STOP
    ) -> ResultTable | BackendError:
        """What comes of a statement, once it is sure that nothing has changed and nothing has leaked."""
        found = self.in_time(lambda: self.run(self.fill(sql), limits, guarded=guarded), limits, seconds_to_stop)
        if self.reached_by(found):
            self.assert_as_before(found)
        return found

    def reached_by(self, found: ResultTable | BackendError) -> bool:
        """Whether a statement of which this came may have done something here."""
        return True

    def withstands(self, statements: Sequence[str], run: Callable[[str], object]) -> None:
        """Whatever comes of statements, nothing changes and nothing leaks."""
        for start in range(0, len(statements), BUNDLE):
            bundle = statements[start : start + BUNDLE]
            self.assert_as_before([run(self.fill(sql)) for sql in bundle])

    def stops(
        self, sql: str, run: Callable[[str], ResultTable | BackendError], seconds_to_stop: float = SECONDS_TO_STOP
    ) -> None:
        """A statement is stopped in time, and has changed nothing."""
        found = self.in_time(lambda: run(self.fill(sql)), self.limits, seconds_to_stop)
        assert isinstance(found, BackendError), shown(found)
        assert found.kind in STOPPED, shown(found)
        self.assert_as_before(found)

    def in_time(
        self, run: Callable[[], ResultTable | BackendError], limits: Limits, seconds_to_stop: float
    ) -> ResultTable | BackendError:
        """What comes of a run that keeps its time limit in one of three tries."""
        late: list[float] = []
        while len(late) < TRIES:
            self.awaken()
            started = time.monotonic()
            found = run()
            late.append(time.monotonic() - started - limits.seconds)
            if late[-1] < seconds_to_stop:
                return found
            time.sleep(len(late))  # whatever keeps the machine busy may be over then
        pytest.fail(f"seconds after the time limit: {late}")

    def run(self, sql: str, limits: Limits, *, guarded: bool) -> ResultTable | BackendError:
        """What comes of a statement."""
        return asked(self.database.execute if guarded else self.database.run, sql, limits)

    @abstractmethod
    def awaken(self) -> None:
        """Start what may have been ended with the statement before."""

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

    before: object
    runner: Runner

    def outcome(
        self, sql: str, *, guarded: bool, limits: Limits, seconds_to_stop: float = SECONDS_TO_STOP
    ) -> ResultTable | BackendError:
        """What comes of a statement; the database answers as before, too."""
        found = super().outcome(sql, guarded=guarded, limits=limits, seconds_to_stop=seconds_to_stop)
        assert self.database.execute("SELECT count(*) FROM singer", OUR_LIMITS).rows == [(3,)]
        return found

    def state(self) -> object:
        """The files."""
        return contents(self.folder)

    def run(self, sql: str, limits: Limits, *, guarded: bool) -> ResultTable | BackendError:
        """What comes of a statement, in the worker."""
        return self.perform(
            (Statement if guarded else Unguarded)(self.database.name, self.database.target, sql, limits)
        )

    def run_with(self, backend: type[DatabaseBackend], limits: Limits) -> Callable[[str], ResultTable | BackendError]:
        """What runs statements in the worker, in sessions of another kind, without the guard."""
        return lambda sql: self.perform(Elsewhere(backend, self.database.target, sql, limits))

    def perform(self, task: Task[ResultTable]) -> ResultTable | BackendError:
        """What comes of a task, in the worker."""
        found = self.runner.submit(Inside(str(self.folder / "work"), task)).result(120)
        return BackendError(found.kind, found.message) if isinstance(found, ExecutionFailure) else found

    def awaken(self) -> None:
        """Have a worker that has imported everything."""
        self.run_with(type(self.database), OUR_LIMITS)("SELECT 1")

    def fill(self, sql: str) -> str:
        """The statement with the paths of this world."""
        return sql.replace("{secret}", str(self.folder / "secret.csv")).replace("{new}", str(self.folder / "new"))

    def assert_as_before(self, found: object) -> None:
        """No file is another or new, neither the file nor the environment was read, and nothing is running."""
        assert CANARY not in repr(found)
        assert self.state() == self.before
        if isinstance(found, BackendError) and found.kind in STOPPED:
            deadline = time.monotonic() + IDLE_SECONDS
            while (spent := _spent()) >= 0.05:  # also a new worker that is about to be ready
                assert time.monotonic() < deadline, f"{spent} s of 0.1 s"


@dataclass(frozen=True)
class WrittenWorld(EmbeddedWorld):
    """One whose sessions may write: what one that was stopped leaves in the file belongs to no table."""

    def state(self) -> object:
        """The other files, and what is in the tables."""
        target = self.database.target
        everything = contents(self.folder)
        files = {path: content for path, content in everything.items() if not path.startswith(target)}
        assert len(files) < len(everything)
        with type(self.database)(target) as database:
            tables = database.schema().tables
            rows = {table.name: database.run(f'SELECT * FROM "{table.name}"', OUR_LIMITS).rows for table in tables}
            return files, repr(tables), rows


def _spent() -> float:
    """Seconds of processor time that the workers take in a tenth of a second."""
    busy = psutil.Process().children(recursive=True)
    before = sum(map(_cpu_seconds, busy))
    time.sleep(0.1)
    return sum(map(_cpu_seconds, busy)) - before


def _cpu_seconds(process: psutil.Process) -> float:
    with suppress(psutil.NoSuchProcess):
        times = process.cpu_times()
        return times.user + times.system
    return 0.0


@dataclass(frozen=True)
class Elsewhere(Task[ResultTable]):
    """A statement that the guard is not asked about, in a session that is opened for it."""

    backend: type[DatabaseBackend]
    target: str
    sql: str
    limits: Limits

    in_process = True

    @property
    def seconds(self) -> float:
        """Its time limit."""
        return self.limits.seconds

    def perform(self) -> Outcome:
        """Run it."""

        def run() -> ResultTable:
            with self.backend(self.target) as database:
                return database.run(self.sql, self.limits)

        return attempt(run)


@dataclass(frozen=True)
class Inside(Task[ResultTable]):
    """A statement in a worker that stands in a folder and has the secret in its environment.

    Each tells so anew: the worker of the one before may have been killed.
    """

    folder: str
    statement: Task[ResultTable]

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

    def awaken(self) -> None:
        """Nothing: whoever looked last has left a session, and another is soon opened."""

    def fill(self, sql: str) -> str:
        """The statement with paths on the server."""
        return sql.replace("{secret}", "/etc/passwd").replace("{new}", ESCAPED)

    def reached_by(self, found: ResultTable | BackendError) -> bool:
        """Not what the guard refused. Were it not so, the next look would show it, and there is one at the end."""
        return not isinstance(found, StatementRefused)

    def assert_as_before(self, found: object) -> None:
        """No row, no file, no setting is another, nothing is running, and the server's file was not read."""
        assert "root:x:0" not in repr(found)
        deadline = time.monotonic() + IDLE_SECONDS
        while (busy := self.server.busy()) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not busy, busy
        state = self.server.state(self.database.target)
        assert state == self.before, changes(self.before, state)
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
    folder: Path,
    backend: type[DatabaseBackend],
    statements: Sequence[str] = (),
    megabytes: int = LIMITS.megabytes,
    kind: type[EmbeddedWorld] = EmbeddedWorld,
) -> Iterator[EmbeddedWorld]:
    """Lay out the folder, and have a worker for it."""
    target = folder / f"database{backend.file_suffixes[0]}"
    backend.build(str(target), [*STATEMENTS, *statements])  # type: ignore[attr-defined]
    (folder / "secret.csv").write_text(f"a,b\n{CANARY},1\n")
    (folder / "work").mkdir()
    with Runner(1, megabytes=megabytes) as runner, backend(str(target)) as database:
        yield kind(folder, database, kind(folder, database, None, runner).state(), runner)


class HostileStatements:
    """The tests. A subclass has a `world` fixture and is parametrized with its table."""

    harmless_alone: ClassVar[Collection[str]] = ()
    """Statements that only the guard refuses: without it they give a result, and have changed nothing once they end."""
    only_killed: ClassVar[Collection[str]] = ()
    """Statements that the engine itself does not interrupt."""

    def test_through_all_walls(self, world: World, sql: str, kind: Kinds) -> None:
        limits = world.limits if TIMEOUT in among(kind) else replace(world.limits, seconds=PATIENT_SECONDS)
        found = world.outcome(
            sql, guarded=True, limits=limits, seconds_to_stop=seconds_to_stop(sql, kind, self.only_killed)
        )
        assert (found.kind if isinstance(found, BackendError) else HARMLESS) in among(kind), shown(found)

    def test_without_the_guard(self, world: World, sql: str, kind: Kinds) -> None:
        found = world.outcome(
            sql, guarded=False, limits=world.limits, seconds_to_stop=seconds_to_stop(sql, kind, self.only_killed)
        )
        if isinstance(found, BackendError):
            assert not found.kind.is_instrument or found.kind in among(kind), shown(found)
        else:
            assert among(kind) & {HARMLESS, NO_QUERY, SEVERAL} or sql in self.harmless_alone, shown(found)


def seconds_to_stop(sql: str, kinds: Kinds, only_killed: Collection[str]) -> float:
    """From its time limit until a statement has ended: no engine interrupts its parser."""
    return SECONDS_TO_KILL if kinds == DEEP or sql in only_killed else SECONDS_TO_STOP


def asked(run: Callable[[str, Limits], ResultTable], sql: str, limits: Limits = LAVISH) -> ResultTable | BackendError:
    """What comes of a statement."""
    try:
        return run(sql, limits)
    except BackendError as error:
        return error


def let_through(world: World, statements: Hostile, unknowable: Collection[str] = ()) -> list[str]:
    """What the guard takes for a query, of what ends by itself; all else of what is not one, it has to refuse.

    Args:
        world: Where they are to be run.
        statements: A table of hostile statements.
        unknowable: What no guard can know of: what a function or a view of the database does.
    """
    passed = []
    for sql, kinds in statements:
        try:
            query = guard.check(world.fill(sql), world.database.dialect)
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


def changes(before: object, after: object) -> list[tuple[object, object]]:
    """The parts of a state that are others than before."""
    if isinstance(before, list | tuple) and isinstance(after, list | tuple) and len(before) == len(after):
        return [change for pair in zip(before, after, strict=True) for change in changes(*pair)]
    return [] if before == after else [(before, after)]


def shown(found: ResultTable | BackendError) -> str:
    """What came of a statement, in a few words."""
    return repr(found)[:300]

"""One statement, here and now: an outcome whatever happens."""

from __future__ import annotations

import os
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from database_backends.base import BACKENDS, DatabaseBackend
from database_backends.errors import BackendError, FailureKind
from database_backends.result import ExecutionFailure, Limits, Outcome, ResultTable
from database_backends.task import Task
from sqlassay.errors import SqlAssayError

T = TypeVar("T")


@dataclass(frozen=True)
class Statement(Task[ResultTable]):
    """One statement and where it runs.

    Attributes:
        backend: The registered name of the engine.
        target: The database: a file for embedded engines, a connection string for servers.
        sql: The statement. It is hostile input.
        limits: When to stop it.
    """

    backend: str
    target: str
    sql: str
    limits: Limits

    @property
    def in_process(self) -> bool:
        """As of the engine."""
        return BACKENDS.get(self.backend).embedded

    @property
    def seconds(self) -> float:
        """Its time limit."""
        return self.limits.seconds

    def perform(self) -> Outcome:
        """Run it."""
        return execute(self)


def execute(statement: Statement) -> Outcome:
    """Run one statement in this thread, through all three walls. Never raises an `Exception`."""

    def run() -> ResultTable:
        try:
            return opened(statement.backend, statement.target).execute(statement.sql, statement.limits)
        except BackendError as error:
            if error.kind.is_instrument:
                _forget(statement)
            raise

    outcome = attempt(run)
    if isinstance(outcome, ExecutionFailure) and outcome.kind is FailureKind.MEMORY and _close_others(statement):
        # What other databases hold in their caches must not decide how this statement ends.
        return attempt(run)
    return outcome


def attempt(work: Callable[[], T]) -> T | ExecutionFailure:
    """What a piece of work gives, or why it gives nothing."""
    started = time.monotonic()
    try:
        return work()
    except BackendError as error:
        return ExecutionFailure.of(error, time.monotonic() - started)
    except MemoryError:
        kind, message = FailureKind.MEMORY, "out of memory"
    except SqlAssayError as error:  # no such backend, or its driver is not installed
        kind, message = FailureKind.CONNECTION, str(error)
    except Exception as error:  # noqa: BLE001  # whatever an engine or a driver comes up with costs one item
        kind, message = FailureKind.OTHER, f"{type(error).__name__}: {error}"
    return ExecutionFailure(kind, message, seconds=time.monotonic() - started)


class _Opened(threading.local):
    """The databases that this thread has open, by backend, the most recently used last."""

    def __init__(self) -> None:
        self.by_backend: dict[str, OrderedDict[tuple[object, ...], DatabaseBackend]] = {}


_OPENED = _Opened()


def opened(name: str, target: str) -> DatabaseBackend:
    """The database, which this thread keeps open for the next statement.

    Raises:
        BackendError: It cannot be opened.
        SqlAssayError: There is no such backend, or its driver is not installed.
    """
    backends = _OPENED.by_backend.setdefault(name, OrderedDict())
    key = _key(name, target)
    if key in backends:
        backends.move_to_end(key)
        return backends[key]
    backend = BACKENDS.get(name)(target)
    backends[key] = backend
    if len(backends) > backend.max_open:
        _, oldest = backends.popitem(last=False)
        oldest.close()
    return backend


def _forget(statement: Statement) -> None:
    backend = _OPENED.by_backend.get(statement.backend, OrderedDict()).pop(
        _key(statement.backend, statement.target), None
    )
    if backend is not None:
        backend.close()


def _close_others(statement: Statement) -> bool:
    """Whether there were any."""
    this = _key(statement.backend, statement.target)
    others = [(backends, key) for backends in _OPENED.by_backend.values() for key in backends if key != this]
    for backends, key in others:
        backends.pop(key).close()
    return bool(others)


def _key(backend: str, target: str) -> tuple[object, ...]:
    """What an open database is found by: a file that has changed or been replaced since is opened anew."""
    if not BACKENDS.get(backend).embedded:
        return backend, target
    try:
        stat = os.stat(target)  # noqa: PTH116  # a Path would cost more than the look-up
    except (OSError, ValueError):  # not a file
        return backend, target
    return backend, target, stat.st_ino, stat.st_size, stat.st_mtime_ns

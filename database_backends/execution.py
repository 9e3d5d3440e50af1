"""One statement, here and now: an outcome whatever happens."""

from __future__ import annotations

import os
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass

from database_backends.base import BACKENDS, DatabaseBackend
from database_backends.errors import BackendError, FailureKind
from database_backends.result import ExecutionFailure, Limits, Outcome
from sqlassay.errors import SqlAssayError


@dataclass(frozen=True)
class Statement:
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


def execute(statement: Statement) -> Outcome:
    """Run one statement in this thread, through all three walls. Never raises an `Exception`."""
    outcome = _attempt(statement)
    if isinstance(outcome, ExecutionFailure) and outcome.kind is FailureKind.MEMORY and _close_others(statement):
        # What other databases hold in their caches must not decide how this statement ends.
        return _attempt(statement)
    return outcome


def _attempt(statement: Statement) -> Outcome:
    started = time.monotonic()
    try:
        return _opened(statement).execute(statement.sql, statement.limits)
    except BackendError as error:
        if error.kind.is_instrument:
            _forget(statement)
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


def _opened(statement: Statement) -> DatabaseBackend:
    backends = _OPENED.by_backend.setdefault(statement.backend, OrderedDict())
    key = _key(statement)
    if key in backends:
        backends.move_to_end(key)
        return backends[key]
    backend = BACKENDS.get(statement.backend)(statement.target)
    backends[key] = backend
    if len(backends) > backend.max_open:
        _, oldest = backends.popitem(last=False)
        oldest.close()
    return backend


def _forget(statement: Statement) -> None:
    backend = _OPENED.by_backend.get(statement.backend, OrderedDict()).pop(_key(statement), None)
    if backend is not None:
        backend.close()


def _close_others(statement: Statement) -> bool:
    """Whether there were any."""
    this = _key(statement)
    others = [(backends, key) for backends in _OPENED.by_backend.values() for key in backends if key != this]
    for backends, key in others:
        backends.pop(key).close()
    return bool(others)


def _key(statement: Statement) -> tuple[object, ...]:
    """What an open database is found by: a file that has changed or been replaced since is opened anew."""
    try:
        stat = os.stat(statement.target)  # noqa: PTH116  # a Path would cost more than the look-up
    except (OSError, ValueError):  # not a file
        return statement.backend, statement.target
    return statement.backend, statement.target, stat.st_ino, stat.st_size, stat.st_mtime_ns

"""Processes that may die: each runs one statement at a time and is replaced when a statement takes it down.

The pool is pebble's. What is added here: a start that runs nobody's main module twice, a memory cap, an end that
follows the parent's, and outcomes in place of exceptions.
"""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import sys
import threading
import weakref
from collections.abc import Iterator
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from functools import partial
from importlib.machinery import ModuleSpec
from multiprocessing.context import ForkServerContext, ForkServerProcess

from pebble import ProcessExpired, ProcessPool

from database_backends import memory
from database_backends.base import BACKENDS
from database_backends.errors import FailureKind
from database_backends.execution import Statement, execute
from database_backends.result import ExecutionFailure, Outcome

GRACE_SECONDS = 2.0
"""How long after a statement's own time limit its worker is killed; what stops inside the engine stops sooner."""

_TRIES = 3
_PRELOADED = ["database_backends.workers", "database_backends.guard", "database_backends.sqlite"]
_SPEC_LOCK = threading.Lock()


class WorkerPool:
    """Worker processes for embedded engines. They start at once, in the background.

    Args:
        workers: How many.
        megabytes: Memory that each may take for its statement, in MiB.
    """

    def __init__(self, workers: int, megabytes: int) -> None:
        self._workers = workers
        self._megabytes = megabytes
        self._pending: weakref.WeakSet[Future[Outcome]] = weakref.WeakSet()
        self._lock = threading.Lock()
        self._closed = False
        self._starter = ThreadPoolExecutor(1, "sqlassay-workers")
        self._pool: Future[ProcessPool] = self._starter.submit(self._start)

    def submit(self, statement: Statement) -> Future[Outcome]:
        """Queue a statement. Cancelling the future stops it, also when it is running."""
        outcome: Future[Outcome] = Future()
        self._pending.add(outcome)
        self._queue(statement, outcome, _TRIES)
        return outcome

    def close(self) -> None:
        """Kill the workers; what has no outcome yet is cancelled. Calling it twice is fine."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
        self._starter.shutdown()
        if self._pool.exception() is None:
            self._pool.result().stop()  # type: ignore[no-untyped-call]  # pebble leaves it unannotated
            self._pool.result().join()
        for outcome in list(self._pending):
            outcome.cancel()

    def _start(self) -> ProcessPool:
        context = _Context()
        context.set_forkserver_preload(_PRELOADED)
        pool = ProcessPool(self._workers, initializer=_begin, initargs=(self._megabytes,), context=context)
        if not pool.active:  # asking starts the workers
            raise BrokenProcessPool("the worker processes did not start")
        return pool

    def _restart(self, broken: Future[ProcessPool]) -> ProcessPool:
        if broken.exception() is None:
            broken.result().join()
        return self._start()

    def _queue(self, statement: Statement, outcome: Future[Outcome], tries: int) -> None:
        self._pool.add_done_callback(partial(self._schedule, statement, outcome, tries))

    def _schedule(
        self, statement: Statement, outcome: Future[Outcome], tries: int, started: Future[ProcessPool]
    ) -> None:
        try:
            task = started.result().schedule(_run, args=(statement,), timeout=statement.limits.seconds + GRACE_SECONDS)
        except (OSError, RuntimeError) as error:  # pebble: the pool is broken, or closed
            self._try_again(statement, outcome, tries, started, error)
            return
        outcome.add_done_callback(lambda done: task.cancel() if done.cancelled() else None)  # type: ignore[no-untyped-call]
        task.add_done_callback(partial(self._finish, statement, outcome, tries, started))

    def _finish(
        self,
        statement: Statement,
        outcome: Future[Outcome],
        tries: int,
        started: Future[ProcessPool],
        task: Future[bytes],
    ) -> None:
        try:
            _settle(outcome, pickle.loads(task.result()))  # noqa: S301  # from our own worker
        except CancelledError:
            outcome.cancel()
        except BrokenProcessPool as error:
            self._try_again(statement, outcome, tries, started, error)
        except Exception as error:  # noqa: BLE001  # whatever became of the worker costs one item
            _settle(outcome, _death(error, statement))

    def _try_again(
        self,
        statement: Statement,
        outcome: Future[Outcome],
        tries: int,
        started: Future[ProcessPool],
        error: Exception,
    ) -> None:
        """A worker that dies while it has no statement breaks pebble's pool: make another."""
        with self._lock:
            if self._closed:
                outcome.cancel()
                return
            if tries > 1 and self._pool is started:
                self._pool = self._starter.submit(self._restart, started)
        if tries > 1:
            self._queue(statement, outcome, tries - 1)
        else:
            message = f"the worker processes keep dying: {error!r}"
            _settle(outcome, ExecutionFailure(FailureKind.CONNECTION, message))


def _settle(outcome: Future[Outcome], result: Outcome) -> None:
    if not outcome.cancelled() and outcome.set_running_or_notify_cancel():
        outcome.set_result(result)


def _death(error: Exception, statement: Statement) -> ExecutionFailure:
    """What the end of a worker says about the statement that it was running."""
    limits = statement.limits
    if isinstance(error, TimeoutError):
        message = f"did not stop by itself after {limits.seconds:g} s: its process was killed"
        return ExecutionFailure(FailureKind.TIMEOUT, message, seconds=limits.seconds + GRACE_SECONDS)
    if isinstance(error, ProcessExpired):
        if error.exitcode == -signal.SIGKILL:  # sent by the system when memory is short
            return ExecutionFailure(FailureKind.MEMORY, "the engine's process was killed (signal 9)")
        how = f"signal {-error.exitcode}" if error.exitcode < 0 else f"exit code {error.exitcode}"
        return ExecutionFailure(FailureKind.OTHER, f"the engine's process died ({how})")
    return ExecutionFailure(FailureKind.OTHER, f"{type(error).__name__}: {error}")


# In the worker.


def _begin(megabytes: int) -> None:
    """Prepare a worker."""
    # pebble's handler would wait for the engine to return before it ends the process.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    memory.cap(megabytes)
    BACKENDS.names()  # reading the entry points takes a while: better now than when the first statement waits


def _end_with_parent() -> None:
    """A worker has nobody to report to when its parent is gone, even if that was killed."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _run(statement: Statement) -> bytes:
    """The outcome, pickled here so that a result too large to copy costs one item and not the worker."""
    try:
        return pickle.dumps(execute(statement), pickle.HIGHEST_PROTOCOL)
    except MemoryError:
        failure = ExecutionFailure(FailureKind.MEMORY, "the result is too large to hand over")
    except Exception as error:  # noqa: BLE001  # a cell of a third party's engine that cannot be pickled
        failure = ExecutionFailure(FailureKind.OTHER, f"the result cannot be handed over: {error}")
    return pickle.dumps(failure, pickle.HIGHEST_PROTOCOL)


# How workers start.


@contextmanager
def _main_left_alone() -> Iterator[None]:
    """Keep multiprocessing from importing the user's main module into the worker.

    Our workers never need it, and without `if __name__ == "__main__"` it would run again. A main module whose name is
    `__main__` is left alone by multiprocessing, since such a module is a package's, to be run and not imported.
    """
    main = sys.modules["__main__"]
    with _SPEC_LOCK:
        spec = main.__spec__
        main.__spec__ = ModuleSpec("__main__", None)
        try:
            yield
        finally:
            main.__spec__ = spec


class _Process(ForkServerProcess):
    def start(self) -> None:
        with _main_left_alone():
            super().start()


class _Context(ForkServerContext):
    """Workers are forked from a server that has no threads and has already imported what they need."""

    Process = _Process

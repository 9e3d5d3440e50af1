"""Processes that may die: each does one task at a time and is replaced when a task takes it down.

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
import time
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from importlib.machinery import ModuleSpec
from multiprocessing.context import ForkServerContext, ForkServerProcess
from typing import Any, TypeVar

from pebble import CONSTS, ProcessExpired, ProcessPool

from database_backends import fork_server, memory
from database_backends.base import BACKENDS
from database_backends.errors import FailureKind
from database_backends.result import ExecutionFailure
from database_backends.task import Task

T = TypeVar("T")

GRACE_SECONDS = 1.2
"""How long after a task's own time limit its worker is killed; what stops inside the engine stops sooner."""

_TRIP_SECONDS = 0.1
"""How long a trip may take before what is left of it goes on another one."""
_JOBS_PER_TRIP = 16
_TRIPS_PER_WORKER = 2
"""One that runs and one that is ready when it ends."""
_SPEC_LOCK = threading.Lock()

# Seconds between two looks of pebble at its workers: closing a pool waits for the next one, at the end of each command.
CONSTS.sleep_unit = 0.02


class WorkerPool:
    """Worker processes for embedded engines. They start at once, in the background.

    A trip to a worker costs more than a small query, so tasks that have to wait anyway share one: the trip ends early
    when a task takes long, and its rest is queued again. While a task runs that is to run alone, all others wait.

    Args:
        workers: How many.
        megabytes: Memory that each may take for its statement, in MiB.
    """

    def __init__(self, workers: int, megabytes: int) -> None:
        self._workers = workers
        self._megabytes = megabytes
        self._queue: deque[_Job] = deque()
        self._under_way: set[_Trip] = set()
        self._lock = threading.RLock()
        self._closed = False
        self._starter = ThreadPoolExecutor(1, "sqlassay-workers")
        self._pool: Future[ProcessPool] = self._starter.submit(self._start)

    def submit(self, task: Task[T]) -> Future[T | ExecutionFailure]:
        """Queue a task. Cancelling the future stops it, also when it is running."""
        job = _Job(task)
        with self._lock:
            self._queue.append(job)
        self._dispatch()
        return job.outcome

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
        with self._lock:
            left = [*self._queue, *(job for trip in self._under_way for job in trip.jobs)]
        for job in left:
            job.outcome.cancel()

    def _start(self) -> ProcessPool:
        fork_server.start()
        pool = ProcessPool(self._workers, initializer=_begin, initargs=(self._megabytes,), context=_Context())
        if not pool.active:  # asking starts the workers
            raise BrokenProcessPool("the worker processes did not start")
        return pool

    def _restart(self, broken: Future[ProcessPool]) -> ProcessPool:
        if broken.exception() is None:
            broken.result().join()
        return self._start()

    def _dispatch(self) -> None:
        """Send off what is waiting, as far as trips are free."""
        while True:
            with self._lock:
                if self._closed or not self._queue or self._is_full():
                    return
                trip = _Trip(self._next_jobs())
                if trip.jobs:
                    self._under_way.add(trip)
            if trip.jobs:
                self._pool.add_done_callback(partial(self._schedule, trip))

    def _is_full(self) -> bool:
        """Whether the next job has to wait: for a place, for its turn to run alone, or for one that does."""
        if len(self._under_way) >= _TRIPS_PER_WORKER * self._workers:
            return True
        return bool(self._under_way) and (
            self._queue[0].task.alone or any(job.task.alone for trip in self._under_way for job in trip.jobs)
        )

    def _next_jobs(self) -> tuple[_Job, ...]:
        """The jobs of the next trip: a fair share of those that wait, and one that is to travel alone alone."""
        share = min(_JOBS_PER_TRIP, -(-len(self._queue) // self._workers))
        jobs: list[_Job] = []
        while self._queue and len(jobs) < share:
            if self._queue[0].travels_alone and jobs:
                break
            job = self._queue.popleft()
            if job.outcome.cancelled():
                continue
            jobs.append(job)
            if job.travels_alone:
                break
        return tuple(jobs)

    def _schedule(self, trip: _Trip, started: Future[ProcessPool]) -> None:
        tasks = tuple(job.task for job in trip.jobs)
        longest = max(task.seconds for task in tasks)
        try:
            run = started.result().schedule(_run, args=(tasks,), timeout=longest + _TRIP_SECONDS + GRACE_SECONDS)
        except (OSError, RuntimeError) as error:  # pebble: the pool is broken, or closed
            self._pool_broke(trip, started, error)
            return
        for job in trip.jobs:
            job.outcome.add_done_callback(partial(_stop_if_cancelled, run))
        run.add_done_callback(partial(self._finish, trip, started))

    def _finish(self, trip: _Trip, started: Future[ProcessPool], run: Future[list[bytes]]) -> None:
        try:
            packed = run.result()
        except BrokenProcessPool as error:
            self._pool_broke(trip, started, error)
            return
        except CancelledError:
            self._end(trip, again=trip.jobs)
            return
        except Exception as error:  # noqa: BLE001  # whatever became of the worker costs one item
            if len(trip.jobs) == 1:
                _settle(trip.jobs[0].outcome, _death(error, trip.jobs[0].task))
                self._end(trip)
            else:
                # One of them took the worker down; each finds out for itself.
                self._end(trip, again=[replace(job, alone=True) for job in trip.jobs])
            return
        for job, outcome in zip(trip.jobs, packed, strict=False):
            _settle(job.outcome, pickle.loads(outcome))  # noqa: S301  # from our own worker
        self._end(trip, again=trip.jobs[len(packed) :])

    def _end(self, trip: _Trip, again: Iterable[_Job] = ()) -> None:
        with self._lock:
            self._under_way.discard(trip)
            self._queue.extendleft(reversed([job for job in again if not job.outcome.cancelled()]))
        self._dispatch()

    def _pool_broke(self, trip: _Trip, started: Future[ProcessPool], error: Exception) -> None:
        """A worker that dies while it has no task breaks pebble's pool: make another."""
        with self._lock:
            if self._closed:
                for job in trip.jobs:
                    job.outcome.cancel()
                return
            if self._pool is started:
                self._pool = self._starter.submit(self._restart, started)
        message = f"the worker processes keep dying: {error!r}"
        again = []
        for job in trip.jobs:
            if job.tries > 1:
                again.append(replace(job, tries=job.tries - 1))
            else:
                _settle(job.outcome, ExecutionFailure(FailureKind.CONNECTION, message))
        self._end(trip, again)


@dataclass(frozen=True)
class _Job:
    """A task, what will be known of it, and how it is to travel."""

    task: Task[Any]
    outcome: Future[Any] = field(default_factory=Future)
    tries: int = 3
    alone: bool = False

    @property
    def travels_alone(self) -> bool:
        return self.alone or self.task.alone


@dataclass(frozen=True, eq=False)
class _Trip:
    """Tasks that go to a worker together."""

    jobs: tuple[_Job, ...]


def _stop_if_cancelled(run: Future[list[bytes]], outcome: Future[Any]) -> None:
    """Kill the worker of a task that nobody waits for any more; its companions travel again."""
    if outcome.cancelled():
        run.cancel()


def _settle(outcome: Future[Any], result: object) -> None:
    if not outcome.cancelled() and outcome.set_running_or_notify_cancel():
        outcome.set_result(result)


def _death(error: Exception, task: Task[Any]) -> ExecutionFailure:
    """What the end of a worker says about the task that it had."""
    if isinstance(error, TimeoutError):
        message = f"did not stop by itself after {task.seconds:g} s: its process was killed"
        return ExecutionFailure(FailureKind.TIMEOUT, message, seconds=task.seconds + GRACE_SECONDS)
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
    BACKENDS.names()  # reading the entry points takes a while: better now than when the first task waits


def _end_with_parent() -> None:
    """A worker has nobody to report to when its parent is gone, even if that was killed."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _run(tasks: tuple[Task[Any], ...]) -> list[bytes]:
    """What came of the first tasks, as many as there was time for; at least one."""
    enough = time.monotonic() + _TRIP_SECONDS
    packed: list[bytes] = []
    for task in tasks:
        packed.append(_pack(task))
        if time.monotonic() > enough:
            break
    return packed


def _pack(task: Task[Any]) -> bytes:
    """What came of it, pickled here so that a result too large to copy costs one item and not the worker."""
    try:
        return pickle.dumps(task.perform(), pickle.HIGHEST_PROTOCOL)
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

"""Statements in, outcomes out: embedded engines run in worker processes, servers in threads."""

from __future__ import annotations

import os
import threading
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from types import TracebackType
from typing import Self, TypeVar

from database_backends.alarm import ALARM
from database_backends.execution import Statement, execute
from database_backends.quiet import Quiet
from database_backends.result import ExecutionFailure
from database_backends.task import Task, perform
from database_backends.workers import WorkerPool

__all__ = ["Runner", "Statement", "default_workers", "execute"]

T = TypeVar("T")


def default_workers() -> int:
    """The number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class Runner:
    """Runs statements, several at a time, each within its limits.

    A statement of an embedded engine that loops where nothing can interrupt it, fills the memory or crashes the
    engine costs one item: its worker process is killed and replaced. How many statements wait is the caller's
    concern.

    Args:
        workers: How many statements run at the same time.
        megabytes: Memory that one worker process may take for its statement, in MiB.
        executor: Takes the place of the worker processes and threads: Dask's, say. It has to stop by itself what
            does not stop within the engine.
    """

    def __init__(self, workers: int, *, megabytes: int, executor: Executor | None = None) -> None:
        self.workers = workers
        self._closed = False
        self._executor = executor
        self._workers = None if executor else WorkerPool(workers, megabytes)
        self._idents: set[int] = set()
        self._threads = ThreadPoolExecutor(workers, "sqlassay-server", self._begin)
        self._quiet = Quiet(self._start)

    def submit(self, task: Task[T]) -> Future[T | ExecutionFailure]:
        """Queue a statement, or another task. Cancelling the future stops it; in a worker also when it is running.

        Raises:
            UnknownName: There is no such backend.
            UserError: Its driver is not installed.
            RuntimeError: The runner is closed.
        """
        if self._closed:
            raise RuntimeError("the runner is closed")
        return self._quiet.submit(task) if task.alone else self._start(task)

    def _start(self, task: Task[T]) -> Future[T | ExecutionFailure]:
        if task.in_process and self._workers is not None:
            return self._workers.submit(task)
        return (self._executor or self._threads).submit(perform, task)

    def _begin(self) -> None:
        """Called by each thread when it begins."""
        self._idents.add(threading.get_ident())

    async def run(self, task: Task[T]) -> T | ExecutionFailure:
        """Run a statement, or another task. Cancelling the task that awaits it stops it."""
        import asyncio  # whoever awaits has it already; whoever does not starts the workers sooner

        return await asyncio.wrap_future(self.submit(task))

    def close(self) -> None:
        """Stop what is running and let go of the processes. A given executor stays open. Calling it twice is fine."""
        self._closed = True
        self._quiet.close()
        self._threads.shutdown(wait=False, cancel_futures=True)
        ALARM.ring(self._idents)
        self._threads.shutdown()
        if self._workers is not None:
            self._workers.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

"""Tasks whose time is what is wanted: one after another, whoever else on this machine wants one timed."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from database_backends.result import ExecutionFailure
from database_backends.task import Task

T = TypeVar("T")

_SECONDS_BETWEEN_LOOKS = 0.1


class Quiet:
    """Starts one task at a time; a lock keeps those of other processes of the same user apart.

    Args:
        start: Queues a task.
    """

    def __init__(self, start: Callable[[Task[Any]], Future[Any]]) -> None:
        self._start = start
        self._thread = ThreadPoolExecutor(1, "sqlassay-quiet")
        self._closed = False

    def submit(self, task: Task[T]) -> Future[T | ExecutionFailure]:
        """Queue a task. Cancelling the future stops it, as far as what starts it can."""
        job = _Job(task)
        job.outcome.add_done_callback(job.stop_if_cancelled)
        self._thread.submit(self._one, job).add_done_callback(job.cancel_if_cancelled)
        return job.outcome

    def close(self) -> None:
        """Cancel what has not begun; what has is its starter's concern. Calling it twice is fine."""
        self._closed = True
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _one(self, job: _Job) -> None:
        from filelock import FileLock, Timeout

        lock = FileLock(_lock_file())
        while not (self._closed or job.outcome.cancelled()):
            try:
                held = lock.acquire(timeout=_SECONDS_BETWEEN_LOOKS)
            except Timeout:
                continue
            except OSError:  # where nothing can be locked, it is as quiet as it is
                held = nullcontext()  # type: ignore[assignment]
            with held:
                self._run(job)
            return
        job.outcome.cancel()

    def _run(self, job: _Job) -> None:
        try:
            job.started = self._start(job.task)
            job.stop_if_cancelled(job.outcome)
            result = job.started.result()
        except CancelledError:
            job.outcome.cancel()
        except Exception as error:  # noqa: BLE001  # no such backend, or the runner is closed: the asker's to know
            if job.outcome.set_running_or_notify_cancel():
                job.outcome.set_exception(error)
        else:
            if job.outcome.set_running_or_notify_cancel():
                job.outcome.set_result(result)


@dataclass(eq=False)
class _Job:
    """A task, what will be known of it, and what was started for it."""

    task: Task[Any]
    outcome: Future[Any] = field(default_factory=Future)
    started: Future[Any] | None = None

    def stop_if_cancelled(self, outcome: Future[Any]) -> None:
        """Take the cancelling on to what was started."""
        if outcome.cancelled() and self.started is not None:
            self.started.cancel()

    def cancel_if_cancelled(self, waiting: Future[None]) -> None:
        """Its turn will not come."""
        if waiting.cancelled():
            self.outcome.cancel()


def _lock_file() -> Path:
    user = os.getuid() if hasattr(os, "getuid") else os.environ.get("USERNAME", "")
    return Path(tempfile.gettempdir()) / f"sqlassay-timing-{user}.lock"

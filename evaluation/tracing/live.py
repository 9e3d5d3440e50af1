"""The copy of a run while it goes on, as the process that runs sees it: another process, begun and ended."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sqlassay.errors import UserError
from sqlassay.langfuse import require_extra

SHARE = 0.03
"""Of a run's time that is waited at its end for what is still on its way: a copy may cost 5 % in all."""
LEAST = 2.0
"""Seconds that are waited at least."""
_LOWEST = 19


class LiveCopy:
    """Copies the runs of a group while they are made; use it as a context manager. It cannot fail them.

    Args:
        runs: The folder of runs.
        group: The group.
        settings: How they are copied, as `CopySettings` says; `None` copies nothing.

    Attributes:
        problem: What was in the way, once it has ended; `None` when nothing was.
    """

    def __init__(self, runs: Path, group: str, settings: Mapping[str, Any] | None) -> None:
        self.runs = runs
        self.group = group
        self.settings = settings
        self.problem: str | None = None
        self._process: subprocess.Popen[str] | None = None
        self._arrived: dict[str, int] | None = None
        self._begun = self._ended = time.monotonic()
        self._patience = LEAST

    def __enter__(self) -> Self:
        self._begun = time.monotonic()
        if self.settings is None:
            return self
        told = {"runs": str(self.runs), "group": self.group, "settings": dict(self.settings)}
        try:
            require_extra()
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "evaluation.tracing.follow"],  # -P: not what the current folder holds
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                # Of a group of its own, which a terminal's Ctrl-C is not for. Not of a session of its own: where the
                # scheduler weighs sessions (autogroup), the priority counts within one alone.
                process_group=0,
            )
            _give_way(self._process.pid)
            assert self._process.stdin is not None  # noqa: S101 - for the type checker
            self._process.stdin.write(json.dumps(told) + "\n")
            self._process.stdin.flush()
        except UserError as error:
            self.problem = str(error)
        except OSError as error:
            self.problem = f"the copying process cannot be started: {error.strerror}"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._patience = max(LEAST, SHARE * (time.monotonic() - self._begun))
        self._ended = time.monotonic()
        if self._process is not None and self._process.stdin is not None:
            _take_turns(self._process.pid)
            with suppress(OSError):  # it has ended already
                self._process.stdin.close()
            self._process.stdin = None
        if kind is not None:
            self._wait()

    def _wait(self) -> None:
        """Until what was left has been sent, or patience ends."""
        process, self._process = self._process, None
        if process is None:
            return
        try:
            said, _ = process.communicate(timeout=max(0.0, self._ended + self._patience - time.monotonic()))
        except (subprocess.TimeoutExpired, KeyboardInterrupt):
            # What has arrived is on disk; the rest can be sent at any time.
            process.kill()
            process.communicate()
            self.problem = "not all was sent before the run ended"
            return
        self.problem = "the copying process has ended early"
        with suppress(ValueError, IndexError, KeyError):
            told = json.loads(said.splitlines()[-1])
            self._arrived, self.problem = told["arrived"], told["problem"]

    def said(self) -> tuple[str, bool]:
        """How much of the runs arrived, in words, and whether it is everything; waits for what is on its way.

        Between the end of the runs and this there is time for other things, and for the copy to catch up.
        """
        from evaluation.runs import find_runs
        from evaluation.tracing.acknowledged import Acknowledged
        from evaluation.tracing.destination import name_of
        from evaluation.tracing.parts import Standing, standing
        from evaluation.tracing.subject import CopySettings, Subject

        self._wait()
        settings = CopySettings(**(self.settings or {}))
        try:
            to = settings.access()
            if self._arrived is not None:
                return f"{Standing(**self._arrived)} at {to.host}", True
            total = Standing()
            for run in find_runs(self.group, self.runs):
                known = Acknowledged(run.path, name_of(to.host, to.public_key))
                total += standing(run, Subject(run.manifest, settings), known)
        except UserError as error:
            return f"nothing was sent: {error}", False
        except (OSError, ValueError) as error:  # such as that the folder has gone: the run has ended all the same
            return f"what arrived cannot be told: {error}", False
        if total.complete or self.problem is None:
            return f"{total} at {to.host}", total.complete
        return f"{total}: {self.problem}", False


def _give_way(pid: int) -> None:
    """Leave a process the time that nobody else wants, and of a disk as well, from before it has loaded anything."""
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, pid, _LOWEST)
    if hasattr(os, "SCHED_IDLE"):  # Linux
        with suppress(OSError):
            os.sched_setscheduler(pid, os.SCHED_IDLE, os.sched_param(0))


def _take_turns(pid: int) -> None:
    """Let a process that gave way go on like any other, where that is allowed: there is no run any more to slow."""
    with suppress(OSError):
        if hasattr(os, "SCHED_OTHER"):
            os.sched_setscheduler(pid, os.SCHED_OTHER, os.sched_param(0))
        os.setpriority(os.PRIO_PROCESS, pid, os.getpriority(os.PRIO_PROCESS, 0))

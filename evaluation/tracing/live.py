"""The copy of a run while it goes on, as the process that runs sees it: another process, begun and ended."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sqlassay.errors import UserError

SHARE = 0.05
"""Of a run's time that is waited at its end for what is still on its way."""
LEAST = 2.0
"""Seconds that are waited at least."""


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
        self._begun = time.monotonic()

    def __enter__(self) -> Self:
        self._begun = time.monotonic()
        if self.settings is None:
            return self
        told = {"runs": str(self.runs), "group": self.group, "settings": dict(self.settings)}
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "evaluation.tracing.follow"],  # -P: not what the current folder holds
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                start_new_session=True,  # a terminal's Ctrl-C is not for it
            )
            assert self._process.stdin is not None  # noqa: S101 - for the type checker
            self._process.stdin.write(json.dumps(told) + "\n")
            self._process.stdin.flush()
        except OSError as error:
            self.problem = f"the copying process cannot be started: {error.strerror}"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is None:
            return
        patience = max(LEAST, SHARE * (time.monotonic() - self._begun))
        try:
            said, _ = self._process.communicate(timeout=patience)
        except (subprocess.TimeoutExpired, KeyboardInterrupt):
            # What has arrived is on disk; the rest can be sent at any time.
            self._process.kill()
            self._process.communicate()
            self.problem = "not all was sent before the run ended"
            return
        except OSError as error:
            self.problem = f"the copying process has ended: {error.strerror}"
            return
        self.problem = "the copying process has ended early"
        with suppress(ValueError, IndexError, KeyError):
            self.problem = json.loads(said.splitlines()[-1])["problem"]

    def said(self) -> tuple[str, bool]:
        """How much of the runs arrived, in words, and whether it is everything."""
        from evaluation.runs import find_runs
        from evaluation.tracing.acknowledged import Acknowledged
        from evaluation.tracing.destination import name_of
        from evaluation.tracing.parts import Standing, standing
        from evaluation.tracing.subject import CopySettings, Subject
        from sqlassay.langfuse import access

        settings = CopySettings(**(self.settings or {}))
        try:
            to = access(settings.host, public_key=settings.public_key_env, secret_key=settings.secret_key_env)
            total = Standing()
            for run in find_runs(self.group, self.runs):
                known = Acknowledged(run.path, name_of(to.host, to.public_key))
                total += standing(run, Subject(run.manifest, settings), known)
        except UserError as error:
            return f"nothing was sent: {error}", False
        return f"{total}" + (f": {self.problem}" if self.problem else f" at {to.host}"), total.complete

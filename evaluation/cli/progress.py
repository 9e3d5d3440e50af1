"""How far a run is: a bar on a terminal, plain lines at intervals elsewhere."""

from __future__ import annotations

import time
from types import TracebackType
from typing import TYPE_CHECKING, Self

from evaluation.cli import output
from evaluation.records import ItemRecord
from evaluation.reports.summary import RunSummary
from evaluation.verdicts import Status

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from evaluation.grid import Cell

INTERVAL = 15.0
"""Seconds between two plain lines."""


class ProgressDisplay:
    """Shows items done, correct so far, failures, tokens, cost and time left. An observer of runs.

    Args:
        quiet: Show nothing.
    """

    def __init__(self, *, quiet: bool = False) -> None:
        self.quiet = quiet
        self._summary = RunSummary("")
        self._done = self._total = self._before = 0
        self._began = self._spoke = time.monotonic()
        self._bar: Progress | None = None
        self._task: TaskID | None = None

    def __enter__(self) -> Self:
        if not self.quiet and output.talk().is_terminal:
            from evaluation.cli.progress_bar import progress_bar

            self._bar = progress_bar(output.talk())
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def begin(self, title: str, total: int, done: int = 0) -> None:
        """Start counting; `done` of `total` items were done before."""
        self._summary = RunSummary(title)
        self._done, self._total, self._before = done, total, done
        self._began = self._spoke = time.monotonic()
        if self._bar is not None:
            self._task = self._bar.add_task(title, total=total, completed=done, numbers="")

    def item(self, record: ItemRecord) -> None:
        """Count one item."""
        if self.quiet:
            return
        self._summary.add(record)
        self._done += 1
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, completed=self._done, numbers=self._numbers())
        elif time.monotonic() - self._spoke >= INTERVAL:
            self._speak()

    def end(self) -> None:
        """Stop counting; of a bar, a plain line stays."""
        if self._bar is not None and self._task is not None:
            self._bar.remove_task(self._task)
            self._task = None
        if not self.quiet:
            self._speak()

    # The names by which runs tell their observers.

    def run_started(self, cell: Cell, total: int, done: int) -> None:
        """A run begins."""
        self.begin(f"[{cell.number}] {cell.title}" if cell.number else cell.title, total, done)

    def item_known(self, cell: Cell, record: ItemRecord) -> None:
        """An item was recorded in an earlier session."""
        self._summary.add(record)

    def item_recorded(self, cell: Cell, record: ItemRecord) -> None:
        """An item is on disk."""
        self.item(record)

    def run_ended(self, cell: Cell, run_id: str, status: str) -> None:
        """A run has ended."""
        self.end()

    def _speak(self) -> None:
        self._spoke = time.monotonic()
        output.talk().print(f"{self._summary.title}: {self._done:,}/{self._total:,} {self._numbers()}{self._left()}")

    def _numbers(self) -> str:
        """Of the first strategy: one line has no room for all."""
        first = next(iter(self._summary.strategies.values()), None)
        parts = []
        if first is not None:
            parts.append(f"correct {first.count(Status.CORRECT):,}/{first.scored:,}")
            parts.append(f"failed {first.no_result:,}")
            parts.append(f"unscored {first.instrument_failures:,}")
        tokens = self._summary.tokens
        if tokens.input or tokens.output:
            parts.append(f"tokens {tokens.input + tokens.output:,}")
        if tokens.cost or (tokens.asked and not tokens.unknown_cost):
            parts.append(f"cost {tokens.cost:.4f}")
        return " · ".join(parts)

    def _left(self) -> str:
        now = self._done - self._before
        if not now or self._done >= self._total:
            return ""
        seconds = (time.monotonic() - self._began) / now * (self._total - self._done)
        return f" · about {seconds / 60:.0f} min left" if seconds >= 90 else f" · about {seconds:.0f} s left"

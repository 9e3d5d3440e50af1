"""How long two statements take, measured where they run: what travels is the numbers."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import cycle, islice
from typing import ClassVar, Literal

from database_backends.base import BACKENDS, DatabaseBackend
from database_backends.execution import attempt, opened
from database_backends.result import ExecutionFailure, Limits
from database_backends.task import Task

Part = Literal["first_row", "all_rows"]


@dataclass(frozen=True)
class Plan:
    """How a pair is measured.

    Attributes:
        repeats: How many times each of the two runs.
        part: What is timed: up to the first row, or until all rows are there and the statement is closed.
        reconnect: Whether each run has a connection of its own, opened before the clock starts.
        interleaved: Whether the two take turns in going first; otherwise the second always does.
        seconds: After that long no further pair begins; the first always does.
    """

    repeats: int
    part: Part = "all_rows"
    reconnect: bool = False
    interleaved: bool = True
    seconds: float = 60.0


@dataclass(frozen=True)
class Times:
    """Seconds of each run, pair by pair."""

    first: tuple[float, ...]
    second: tuple[float, ...]


@dataclass(frozen=True)
class Timing(Task[Times]):
    """Two statements run in turns, both behind all three walls.

    Attributes:
        backend: The registered name of the engine.
        target: The database.
        first: A statement. It is hostile input.
        second: Another, or the same.
        plan: How they are measured.
        limits: Of each single run.
    """

    alone: ClassVar[bool] = True

    backend: str
    target: str
    first: str
    second: str
    plan: Plan
    limits: Limits

    @property
    def in_process(self) -> bool:
        """As of the engine."""
        return BACKENDS.get(self.backend).embedded

    @property
    def seconds(self) -> float:
        """The plan's time and one pair that begins at its end."""
        return self.plan.seconds + 2 * self.limits.seconds

    def perform(self) -> Times | ExecutionFailure:
        """Measure; the failure of any run is the failure of the whole."""
        return attempt(self._measure)

    def _measure(self) -> Times:
        from database_backends import guard

        dialect = BACKENDS.get(self.backend).dialect
        first, second = guard.check(self.first, dialect), guard.check(self.second, dialect)
        times: tuple[list[float], list[float]] = ([], [])
        end = time.monotonic() + self.plan.seconds
        for second_leads in islice(cycle((True, False) if self.plan.interleaved else (True,)), self.plan.repeats):
            if times[0] and time.monotonic() > end:
                break
            for sql, kept in ((second, times[1]), (first, times[0]))[:: 1 if second_leads else -1]:
                kept.append(self._time(sql))
        return Times(tuple(times[0]), tuple(times[1]))

    def _time(self, sql: str) -> float:
        with self._connection() as database:
            started = time.perf_counter()
            if self.plan.part == "first_row":
                database.run_to_first_row(sql, self.limits)
                return time.perf_counter() - started
            table = database.run(sql, self.limits)
            if self.plan.reconnect:
                database.close()
            seconds = time.perf_counter() - started
            del table  # rows are let go of when the clock stands
            return seconds

    @contextmanager
    def _connection(self) -> Iterator[DatabaseBackend]:
        if not self.plan.reconnect:
            yield opened(self.backend, self.target)
            return
        with closing(BACKENDS.get(self.backend)(self.target)) as database:
            yield database

"""How many statements a pool gets through, and how long each takes, as whoever waits for the rows sees it."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import closing
from dataclasses import dataclass
from itertools import cycle, islice
from operator import itemgetter
from queue import SimpleQueue
from statistics import median

from database_backends import guard
from database_backends.base import BACKENDS, CanExplain
from database_backends.errors import BackendError, FailureKind
from database_backends.result import ExecutionFailure, Outcome
from database_backends.runner import Runner, Statement
from sqlassay.percentile import percentile


@dataclass(frozen=True)
class Latency:
    """How long one statement took.

    Attributes:
        statement: Its place among the statements, from 0.
        seconds: From handing it to the pool until all its rows were here. As many statements as the pool has room for
            are under way at once, so that none waits for its turn.
        failure: Why it gave no rows; `None` where it did.
    """

    statement: int
    seconds: float
    failure: FailureKind | None = None


@dataclass(frozen=True)
class Throughput:
    """What one pool has done.

    Attributes:
        pool: How many statements were under way at once.
        seconds: From the first statement's start to the last one's end.
        latencies: Of every statement, in the order in which they ended.
    """

    pool: int
    seconds: float
    latencies: tuple[Latency, ...]

    @property
    def rate(self) -> float:
        """Statements per second, failed ones included."""
        return len(self.latencies) / self.seconds

    @property
    def failures(self) -> Counter[FailureKind]:
        """How many failed, by kind."""
        return Counter(one.failure for one in self.latencies if one.failure is not None)

    def percentile(self, percent: int) -> float:
        """The seconds within which so many percent of the statements were done."""
        return percentile(sorted(one.seconds for one in self.latencies), percent)

    def slowest(self, wanted: int) -> list[tuple[int, float]]:
        """The statements with the largest median time: their places and these seconds."""
        times: dict[int, list[float]] = {}
        for one in self.latencies:
            times.setdefault(one.statement, []).append(one.seconds)
        medians = ((number, median(taken)) for number, taken in times.items())
        return sorted(medians, key=itemgetter(1), reverse=True)[:wanted]


def measure(runner: Runner, statements: Sequence[Statement], seconds: float) -> Throughput:
    """Keep a pool busy with statements, in their order and over again, and take the time of each.

    A round that is not measured comes first: it opens the sessions.

    Args:
        runner: The pool.
        statements: At least one.
        seconds: After that long no further statement begins; the first ones always do.
    """
    for future in [runner.submit(one) for one in islice(cycle(statements), runner.workers)]:
        future.result()
    ended: SimpleQueue[tuple[int, float, float, Future[Outcome]]] = SimpleQueue()
    numbers = cycle(range(len(statements)))

    def start() -> None:
        number, started = next(numbers), time.perf_counter()
        runner.submit(statements[number]).add_done_callback(
            lambda future: ended.put((number, started, time.perf_counter(), future))
        )

    latencies = []
    began = last = time.perf_counter()
    under_way = runner.workers
    for _ in range(under_way):
        start()
    while under_way:
        number, started, last, future = ended.get()
        if last < began + seconds:
            start()
        else:
            under_way -= 1
        outcome = future.result()
        failure = outcome.kind if isinstance(outcome, ExecutionFailure) else None
        latencies.append(Latency(number, last - started, failure))
    return Throughput(runner.workers, last - began, tuple(latencies))


def plan(statement: Statement) -> str:
    """How the engine would execute a statement, or why that is not known."""
    backend = BACKENDS.get(statement.backend)
    if not issubclass(backend, CanExplain):
        return f"{backend.title} does not tell its plan"
    try:
        with closing(backend(statement.target)) as database:
            return database.explain(guard.check(statement.sql, backend.dialect))
    except BackendError as error:
        return f"no plan: {error.message}"

"""Two statements are timed where they run, behind all walls, and with nothing beside them."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import pytest

from database_backends.duckdb import DuckDBBackend
from database_backends.errors import FailureKind
from database_backends.quiet import Quiet
from database_backends.result import ExecutionFailure, Limits
from database_backends.runner import Runner, Statement
from database_backends.sqlite import SQLiteBackend
from database_backends.task import Task
from database_backends.timing import Plan, Times, Timing
from sqlassay.errors import UnknownName
from tests.conformance.backend import ENDLESS, STATEMENTS

LIMITS = Limits(seconds=20, rows=1000, megabytes=128)
COUNT = "SELECT count(*) FROM singer"
SLOW = (
    "WITH RECURSIVE c (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 300000) SELECT count(*), max(x) FROM c"
)
# Minutes in one call of one function, where SQLite looks at no interrupt.
DEAF = "SELECT instr(hex(zeroblob(10000000)), hex(zeroblob(100000)) || '1')"
PLANS = {
    "as it is": Plan(3),
    "first row": Plan(3, part="first_row"),
    "reconnecting": Plan(3, reconnect=True),
    "first row, reconnecting": Plan(3, part="first_row", reconnect=True),
    "second first": Plan(3, interleaved=False),
}


@pytest.fixture(scope="module")
def runner() -> Iterator[Runner]:
    with Runner(2, megabytes=128) as runner:
        yield runner


@pytest.fixture(params=[SQLiteBackend, DuckDBBackend], ids=["sqlite", "duckdb"])
def timing(request: pytest.FixtureRequest, tmp_path: Path) -> Timing:
    backend = request.param
    target = str(tmp_path / "singers.db")
    backend.build(target, STATEMENTS)
    return Timing(backend.name, target, COUNT, COUNT, Plan(3), LIMITS)


@pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS)
def test_each_run_has_its_time(runner: Runner, timing: Timing, plan: Plan) -> None:
    times = runner.submit(replace(timing, plan=plan)).result(60)
    assert isinstance(times, Times), times
    assert (len(times.first), len(times.second)) == (3, 3)
    assert all(seconds > 0 for seconds in times.first + times.second)


def test_the_slower_one_takes_longer(runner: Runner, timing: Timing) -> None:
    times = runner.submit(replace(timing, first=SLOW)).result(60)
    assert isinstance(times, Times), times
    assert min(times.first) > min(times.second)


@pytest.mark.parametrize("timing", [SQLiteBackend], indirect=True)
def test_up_to_the_first_row_only_the_first_row_is_made(runner: Runner, timing: Timing) -> None:
    # The second row would take for ever.
    sql = f"{ENDLESS} SELECT x FROM c WHERE x = 1"
    plan = Plan(2, part="first_row")
    times = runner.submit(replace(timing, first=sql, second=sql, plan=plan)).result(60)
    assert isinstance(times, Times), times


ORDERS = [(True, ["predicted", "gold", "gold", "predicted"]), (False, ["predicted", "gold", "predicted", "gold"])]


@pytest.mark.parametrize(("interleaved", "order"), ORDERS)
def test_whose_turn_it_is(timing: Timing, interleaved: bool, order: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[str] = []

    def time_one(self: Timing, sql: str) -> float:
        ran.append("gold" if "1" in sql else "predicted")
        return len(ran)

    monkeypatch.setattr(Timing, "_time", time_one)
    plan = Plan(2, interleaved=interleaved)
    times = replace(timing, first="SELECT 1", second="SELECT 2", plan=plan).perform()
    assert ran == order
    assert isinstance(times, Times)
    assert times.first == ((2, 3) if interleaved else (2, 4))


def test_no_pair_begins_when_the_time_is_used_up(timing: Timing) -> None:
    times = replace(timing, plan=Plan(50, seconds=0)).perform()
    assert isinstance(times, Times)
    assert (len(times.first), len(times.second)) == (1, 1)


FAILURES = {
    "write": ("DELETE FROM singer", FailureKind.WRITE_ATTEMPT),
    "two": ("SELECT 1; SELECT 2", FailureKind.MULTIPLE_STATEMENTS),
    "no table": ("SELECT * FROM nope", FailureKind.UNKNOWN_TABLE),
    "endless": (f"{ENDLESS} SELECT count(*) FROM c", FailureKind.TIMEOUT),
}


@pytest.mark.parametrize(("sql", "kind"), FAILURES.values(), ids=FAILURES)
@pytest.mark.parametrize("side", ["first", "second"])
@pytest.mark.parametrize("part", ["first_row", "all_rows"])
def test_the_walls_stand(runner: Runner, timing: Timing, side: str, part: str, sql: str, kind: FailureKind) -> None:
    hostile = replace(
        timing,
        limits=Limits(0.3, 10, 128),
        plan=Plan(2, part=part),  # type: ignore[arg-type]
        **{side: sql},  # type: ignore[arg-type]
    )
    failure = runner.submit(hostile).result(60)
    assert isinstance(failure, ExecutionFailure)
    assert failure.kind is kind


@pytest.mark.parametrize("timing", [SQLiteBackend], indirect=True)
def test_what_does_not_stop_is_killed(runner: Runner, timing: Timing) -> None:
    deaf = replace(timing, second=DEAF, limits=Limits(0.3, 10, 128), plan=Plan(2, seconds=0.3))
    failure = runner.submit(deaf).result(60)
    assert isinstance(failure, ExecutionFailure)
    assert failure.kind is FailureKind.TIMEOUT
    assert isinstance(runner.submit(timing).result(60), Times)


def test_an_unknown_backend_is_told(runner: Runner) -> None:
    with pytest.raises(UnknownName):
        runner.submit(Timing("nope", "x", COUNT, COUNT, Plan(1), LIMITS)).result(60)


@dataclass(frozen=True)
class Marks(Task[tuple[float, float]]):
    """When it began and when it ended, by the clock of the machine."""

    length: float = 0.05
    in_process: ClassVar[bool] = True  # type: ignore[misc]
    seconds: ClassVar[float] = 20.0  # type: ignore[misc]

    def perform(self) -> tuple[float, float]:
        started = time.monotonic()
        time.sleep(self.length)
        return started, time.monotonic()


@dataclass(frozen=True)
class MarksAlone(Marks):
    alone: ClassVar[bool] = True


def test_nothing_runs_beside_what_is_to_run_alone() -> None:
    with Runner(3, megabytes=128) as runner:
        tasks = [(MarksAlone if number % 4 == 0 else Marks)() for number in range(24)]
        futures = [runner.submit(task) for task in tasks]
        spans = [future.result(60) for future in futures]
    alone = [span for task, span in zip(tasks, spans, strict=True) if task.alone]
    assert len(alone) == 6
    for one in alone:
        assert isinstance(one, tuple)
        for other in spans:
            assert isinstance(other, tuple)
            assert other is one or other[1] <= one[0] or other[0] >= one[1]


def test_cancelling_one_lets_the_next_have_its_turn() -> None:
    with Runner(1, megabytes=128) as runner:
        runner.submit(Marks()).result(60)
        running, waiting, last = (runner.submit(MarksAlone(length)) for length in (60, 60, 0))
        time.sleep(0.3)
        assert waiting.cancel()
        assert running.cancel()
        assert isinstance(last.result(60), tuple)


def test_closing_cancels_what_waits_and_what_runs() -> None:
    runner = Runner(1, megabytes=128)
    futures = [runner.submit(MarksAlone(60)) for _ in range(3)]
    time.sleep(0.3)
    runner.close()
    for future in futures:
        with pytest.raises(CancelledError):
            future.result(20)


def test_cancelling_the_awaiting_task_stops_it(timing: Timing) -> None:
    async def run(runner: Runner) -> object:
        task = asyncio.ensure_future(runner.run(MarksAlone(60)))
        await asyncio.sleep(0.3)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return await runner.run(Statement(timing.backend, timing.target, COUNT, LIMITS))

    with Runner(1, megabytes=128) as runner:
        assert asyncio.run(run(runner))


def test_two_runners_take_turns(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("database_backends.quiet._lock_file", lambda: tmp_path / "lock")
    running, most = 0, 0
    lock = threading.Lock()

    def start(_: Task[object]) -> Future[object]:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.02)
        with lock:
            running -= 1
        done: Future[object] = Future()
        done.set_result(None)
        return done

    one, other = Quiet(start), Quiet(start)
    futures = [quiet.submit(MarksAlone()) for _ in range(5) for quiet in (one, other)]
    assert [future.result(30) for future in futures] == [None] * 10
    assert most == 1
    one.close()
    other.close()


def test_without_a_lock_file_it_runs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "lock").mkdir()
    monkeypatch.setattr("database_backends.quiet._lock_file", lambda: tmp_path / "lock")
    with Runner(1, megabytes=128) as runner:
        assert isinstance(runner.submit(MarksAlone()).result(60), tuple)

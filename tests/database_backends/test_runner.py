from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from database_backends import workers
from database_backends.base import BACKENDS
from database_backends.errors import FailureKind
from database_backends.result import ExecutionFailure, Limits, Outcome, ResultTable
from database_backends.runner import Runner, Statement, execute
from database_backends.sqlite import SQLiteBackend
from sqlassay.errors import UnknownName
from tests.conformance.backend import ENDLESS, STATEMENTS
from tests.servers.plugin import Server
from tests.servers.postgres import PostgresWorld

LIMITS = Limits(seconds=10, rows=100, megabytes=128)
COUNT = "SELECT count(*) FROM singer"
ENDLESS_COUNT = f"{ENDLESS} SELECT count(*) FROM c"
# Minutes in one call of one function, where SQLite looks at no interrupt.
DEAF = "SELECT instr(hex(zeroblob(10000000)), hex(zeroblob(100000)) || '1')"


@pytest.fixture
def database(tmp_path: Path) -> str:
    file = str(tmp_path / "singers.sqlite")
    SQLiteBackend.build(file, STATEMENTS)
    return file


@pytest.fixture
def runner() -> Iterator[Runner]:
    with Runner(2, megabytes=128) as runner:
        yield runner


@pytest.fixture
def lone_runner() -> Iterator[Runner]:
    with Runner(1, megabytes=128) as runner:
        yield runner


def statement(database: str, sql: str, limits: Limits = LIMITS) -> Statement:
    return Statement("sqlite", database, sql, limits)


def failure(outcome: Outcome) -> ExecutionFailure:
    assert isinstance(outcome, ExecutionFailure), outcome
    return outcome


def is_count(outcome: Outcome) -> bool:
    return isinstance(outcome, ResultTable) and outcome.rows == [(3,)]


def worker_of(runner: Runner, database: str) -> psutil.Process:
    """The one worker process of a runner that has one."""
    assert is_count(runner.submit(statement(database, COUNT)).result(60))
    (worker,) = grandchildren(os.getpid())
    return worker


def grandchildren(pid: int) -> list[psutil.Process]:
    """Workers are children of the fork server, which is a child of the process that has the runner."""
    children = psutil.Process(pid).children()
    return [worker for child in children for worker in child.children()]


def wait_until(condition: Callable[[], bool], seconds: float = 30.0) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def is_busy(process: psutil.Process) -> bool:
    return bool(process.cpu_percent(0.1) > 10)


# Outcomes.


@pytest.mark.parametrize("sql", ["SELECT * FROM singer", "SELECT nope", "DROP TABLE singer", "", "SELECT '\udc80'"])
def test_an_outcome_is_the_same_in_a_worker_and_here(runner: Runner, database: str, sql: str) -> None:
    here, there = execute(statement(database, sql)), runner.submit(statement(database, sql)).result(60)
    for name in ("columns", "types", "rows", "truncated", "kind", "message", "line"):
        assert getattr(here, name, None) == getattr(there, name, None)


def test_many_statements_of_several_engines(runner: Runner, database: str, tmp_path: Path) -> None:
    other = str(tmp_path / "singers.duckdb")
    BACKENDS.get("duckdb").build(other, STATEMENTS)  # type: ignore[attr-defined]
    targets = [("sqlite", database), ("duckdb", other)] * 50
    futures = [
        runner.submit(Statement(backend, target, f"SELECT {i}, count(*) FROM singer", LIMITS))
        for i, (backend, target) in enumerate(targets)
    ]
    assert [getattr(future.result(20), "rows", None) for future in futures] == [[(i, 3)] for i in range(100)]


def test_a_missing_database_is_the_instruments_fault(runner: Runner, tmp_path: Path) -> None:
    outcome = failure(runner.submit(statement(str(tmp_path / "missing.sqlite"), COUNT)).result(60))
    assert outcome.kind is FailureKind.DATABASE_MISSING


def test_an_unknown_backend_is_a_users_mistake(runner: Runner) -> None:
    with pytest.raises(UnknownName, match="did you mean 'sqlite'"):
        runner.submit(Statement("sqlit", "x", "SELECT 1", LIMITS))


def test_a_database_that_was_replaced_is_opened_again(lone_runner: Runner, database: str, tmp_path: Path) -> None:
    assert is_count(lone_runner.submit(statement(database, COUNT)).result(60))
    other = tmp_path / "other.sqlite"
    SQLiteBackend.build(str(other), [*STATEMENTS, "DELETE FROM singer WHERE singer_id > 1"])
    other.replace(database)
    outcome = lone_runner.submit(statement(database, COUNT)).result(60)
    assert isinstance(outcome, ResultTable)
    assert outcome.rows == [(1,)]


def test_more_databases_than_stay_open(lone_runner: Runner, tmp_path: Path) -> None:
    files = [str(tmp_path / f"{i}.sqlite") for i in range(SQLiteBackend.max_open + 5)]
    for file in files:
        SQLiteBackend.build(file, STATEMENTS)
    for _ in range(2):
        assert all(is_count(lone_runner.submit(statement(file, COUNT)).result(60)) for file in files)
    (worker,) = grandchildren(os.getpid())
    assert len([file for file in worker.open_files() if file.path.endswith(".sqlite")]) == SQLiteBackend.max_open


# A statement costs one item, never the run.


@pytest.mark.parametrize(
    ("number", "kind"),
    [(signal.SIGSEGV, FailureKind.OTHER), (signal.SIGABRT, FailureKind.OTHER), (signal.SIGKILL, FailureKind.MEMORY)],
)
def test_a_worker_that_dies_costs_one_item(
    lone_runner: Runner, database: str, number: signal.Signals, kind: FailureKind
) -> None:
    worker = worker_of(lone_runner, database)
    future = lone_runner.submit(statement(database, ENDLESS_COUNT))
    assert wait_until(lambda: is_busy(worker))
    later = lone_runner.submit(statement(database, COUNT))
    worker.send_signal(number)
    outcome = failure(future.result(60))
    assert outcome.kind is kind
    assert f"signal {number}" in outcome.message
    assert is_count(later.result(60))


def test_an_idle_worker_that_dies_costs_nothing(lone_runner: Runner, database: str) -> None:
    for _ in range(2):
        worker_of(lone_runner, database).kill()
        futures = [lone_runner.submit(statement(database, COUNT)) for _ in range(5)]
        assert all(is_count(future.result(60)) for future in futures)


def test_what_no_interrupt_stops_is_killed(runner: Runner, database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "GRACE_SECONDS", 0.3)
    assert is_count(runner.submit(statement(database, COUNT)).result(60))
    bomb = runner.submit(statement(database, DEAF, Limits(seconds=0.3, megabytes=64)))
    others = [runner.submit(statement(database, COUNT)) for _ in range(50)]
    started = time.monotonic()
    assert failure(bomb.result(60)).kind is FailureKind.TIMEOUT
    assert time.monotonic() - started < 15
    assert all(is_count(other.result(60)) for other in others)
    assert not any(is_busy(worker) for worker in grandchildren(os.getpid()))


@pytest.mark.parametrize(
    "sql",
    [
        f"{ENDLESS} SELECT x FROM c ORDER BY -x",
        f"{ENDLESS} SELECT x, zeroblob(100000) FROM c",
        "SELECT zeroblob(900000000)",
        "SELECT zeroblob(300000000), zeroblob(300000000)",
    ],
)
def test_the_cap_of_the_process_holds_whatever_a_statement_is_allowed(
    lone_runner: Runner, database: str, sql: str
) -> None:
    limits = Limits(seconds=60, rows=10**9, megabytes=100_000)
    outcome = failure(lone_runner.submit(statement(database, sql, limits)).result(90))
    assert outcome.kind is FailureKind.MEMORY
    worker = worker_of(lone_runner, database)
    assert worker.memory_info().rss < 600 << 20


def test_a_duckdb_memory_bomb_costs_one_item(lone_runner: Runner, tmp_path: Path) -> None:
    file = str(tmp_path / "singers.duckdb")
    BACKENDS.get("duckdb").build(file, STATEMENTS)  # type: ignore[attr-defined]
    for sql in (
        "SELECT repeat('x', 900000000)",
        "SELECT list(range) FROM range(1000000000)",
        "SELECT range(4000000000)",
    ):
        outcome = lone_runner.submit(Statement("duckdb", file, sql, Limits(seconds=40, megabytes=128))).result(90)
        assert failure(outcome).kind is FailureKind.MEMORY
    assert is_count(lone_runner.submit(Statement("duckdb", file, COUNT, Limits())).result(60))


def test_a_result_that_is_too_large_to_hand_over(lone_runner: Runner, database: str) -> None:
    sql = f"{ENDLESS} SELECT hex(zeroblob(500000)) FROM c"
    limits = Limits(seconds=60, rows=300, megabytes=1000)
    outcome = failure(lone_runner.submit(statement(database, sql, limits)).result(90))
    assert outcome.kind is FailureKind.MEMORY
    assert is_count(lone_runner.submit(statement(database, COUNT)).result(60))


def test_the_time_limit_counts_from_when_the_statement_runs(lone_runner: Runner, database: str) -> None:
    futures = [lone_runner.submit(statement(database, ENDLESS_COUNT, Limits(seconds=0.6))) for _ in range(4)]
    after = lone_runner.submit(statement(database, COUNT, Limits(seconds=2)))
    assert [failure(future.result(60)).kind for future in futures] == [FailureKind.TIMEOUT] * 4
    assert is_count(after.result(60))


# Cancelling, closing.


def test_cancelling_stops_the_work(lone_runner: Runner, database: str) -> None:
    worker = worker_of(lone_runner, database)
    future = lone_runner.submit(statement(database, DEAF))
    waiting = lone_runner.submit(statement(database, DEAF))
    after = lone_runner.submit(statement(database, COUNT))
    assert wait_until(lambda: is_busy(worker))
    assert waiting.cancel()
    assert future.cancel()
    assert is_count(after.result(60))
    assert not any(is_busy(process) for process in grandchildren(os.getpid()))


def test_cancelling_the_task_that_awaits_stops_the_work(lone_runner: Runner, database: str) -> None:
    async def run() -> Outcome:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(lone_runner.run(statement(database, DEAF)), 0.5)
        return await asyncio.wait_for(lone_runner.run(statement(database, COUNT)), 60)

    assert is_count(asyncio.run(run()))


def test_many_await_at_once(runner: Runner, database: str) -> None:
    async def run() -> list[Outcome]:
        return await asyncio.gather(*(runner.run(statement(database, COUNT)) for _ in range(200)))

    assert all(is_count(outcome) for outcome in asyncio.run(run()))


def test_closing_is_quick_whatever_runs(database: str) -> None:
    runner = Runner(2, megabytes=128)
    futures = [runner.submit(statement(database, DEAF)) for _ in range(5)]
    assert wait_until(lambda: any(is_busy(worker) for worker in grandchildren(os.getpid())))
    started = time.monotonic()
    runner.close()
    runner.close()
    assert time.monotonic() - started < 15
    assert all(future.cancelled() for future in futures)
    assert wait_until(lambda: grandchildren(os.getpid()) == [])
    with pytest.raises(RuntimeError, match="closed"):
        runner.submit(statement(database, COUNT))


def test_closing_at_once_is_fine() -> None:
    started = time.monotonic()
    Runner(2, megabytes=128).close()
    assert time.monotonic() - started < 15


def test_no_thread_and_no_process_is_left(database: str) -> None:
    with Runner(2, megabytes=128) as runner:
        assert is_count(runner.submit(statement(database, COUNT)).result(60))
    assert wait_until(lambda: grandchildren(os.getpid()) == [])
    names = [thread.name for thread in threading.enumerate()]
    assert not [name for name in names if name.startswith("sqlassay-") and name != "sqlassay-alarm"], names


# Where statements run.


def test_a_given_executor_takes_the_place_of_the_workers(database: str) -> None:
    with ThreadPoolExecutor(3, "theirs") as executor, Runner(2, megabytes=128, executor=executor) as runner:
        futures = [runner.submit(statement(database, COUNT)) for _ in range(20)]
        assert all(is_count(future.result(60)) for future in futures)
        assert grandchildren(os.getpid()) == []


class InThreads(SQLiteBackend):
    embedded = False


def test_servers_run_in_threads(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(BACKENDS._loaded, "server", InThreads)
    with Runner(2, megabytes=128) as runner:
        futures = [runner.submit(Statement("server", database, COUNT, LIMITS)) for _ in range(20)]
        assert all(is_count(future.result(60)) for future in futures)


def test_a_raising_backend_costs_one_item(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken(InThreads):
        def run(self, sql: str, limits: Limits) -> ResultTable:
            raise ZeroDivisionError("oops")

    monkeypatch.setitem(BACKENDS._loaded, "broken", Broken)
    outcome = failure(execute(Statement("broken", database, COUNT, LIMITS)))
    assert (outcome.kind, outcome.message) == (FailureKind.OTHER, "ZeroDivisionError: oops")


# How programs use it. None of these has `if __name__ == "__main__"`.

SCRIPT = """
from database_backends.result import Limits
from database_backends.runner import Runner, Statement
print("start", flush=True)
runner = Runner(2, megabytes=128)
outcome = runner.submit(Statement("sqlite", {database!r}, {sql!r}, Limits(seconds={seconds}))).result()
print(getattr(outcome, "rows", outcome), flush=True)
"""


def script(database: str, sql: str = COUNT, seconds: float = 30) -> str:
    return SCRIPT.format(database=database, sql=sql, seconds=seconds)


def start(*arguments: str, cwd: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-W", "error", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=cwd,
        start_new_session=True,
    )


@pytest.mark.parametrize("closes", [True, False])
@pytest.mark.parametrize("way", ["file", "stdin", "-c", "-m"])
def test_a_script_needs_no_main_guard(tmp_path: Path, database: str, way: str, closes: bool) -> None:
    code = script(database) + ("runner.close()\n" if closes else "")
    (tmp_path / "their_script.py").write_text(code)
    arguments = {
        "file": ("their_script.py",),
        "stdin": ("-",),
        "-c": ("-c", code),
        "-m": ("-m", "their_script"),
    }[way]
    output, errors = start(*arguments, cwd=tmp_path).communicate(code if way == "stdin" else None, timeout=60)
    assert (output, errors) == ("start\n[(3,)]\n", "")


def running(
    tmp_path: Path, database: str, sql: str, seconds: float
) -> tuple[subprocess.Popen[str], list[psutil.Process]]:
    process = start("-c", script(database, sql, seconds), cwd=tmp_path)
    assert wait_until(lambda: any(is_busy(worker) for worker in grandchildren(process.pid)), 30)
    return process, psutil.Process(process.pid).children(recursive=True)


@pytest.mark.parametrize("sql", [ENDLESS_COUNT, DEAF])
def test_no_worker_outlives_a_parent_that_is_killed(tmp_path: Path, database: str, sql: str) -> None:
    process, family = running(tmp_path, database, sql, 30)
    process.kill()
    process.communicate()
    _, alive = psutil.wait_procs(family, timeout=30)
    assert alive == []


def test_ctrl_c_stops_everything_and_workers_say_nothing(tmp_path: Path, database: str) -> None:
    process, family = running(tmp_path, database, DEAF, 120)
    started = time.monotonic()
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert time.monotonic() - started < 50
    assert re.findall(r"^\w+(?:Interrupt|Error).*", errors, re.MULTILINE) == ["KeyboardInterrupt"]
    assert errors.count("Traceback") == 1
    _, alive = psutil.wait_procs(family, timeout=30)
    assert alive == []


def test_a_future_that_was_cancelled_raises(lone_runner: Runner, database: str) -> None:
    future: Future[Outcome] = lone_runner.submit(statement(database, DEAF))
    future.cancel()
    with pytest.raises(CancelledError):
        future.result(1)


def test_closing_stops_what_a_server_is_doing(postgres_server: Server) -> None:
    runner = Runner(2, megabytes=256)
    sleeping = runner.submit(Statement("postgres", postgres_server.reader, "SELECT pg_sleep(600)", Limits(seconds=600)))
    world = PostgresWorld(postgres_server.owner, postgres_server.reader)
    while not any("pg_sleep" in query for query in world.busy()):
        time.sleep(0.02)
    started = time.monotonic()
    runner.close()
    assert time.monotonic() - started < 15
    assert isinstance(sleeping.result(), ExecutionFailure)
    assert world.busy() == []

"""Killed at any point, a run goes on where it was: every item once, and no answer that is on disk asked for again."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import time
from collections import Counter
from contextlib import closing
from pathlib import Path
from subprocess import Popen

import pytest

from tests.evaluation.world import World, asked, items_of, model_at
from tests.providers.chat_completions import REPLIES
from tests.providers.server import ProviderServer

QUESTIONS = 120
IDS = {f"q{n}" for n in range(QUESTIONS)}


def wait_for_requests(server: ProviderServer, count: int, process: Popen[str]) -> None:
    deadline = time.monotonic() + 30
    while len(server.requests) < count:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.001)


def kill_at(world: World, server: ProviderServer, count: int, *arguments: str | Path) -> None:
    """Run until the provider has heard so many requests, then kill -9."""
    process = world.start(*arguments)
    wait_for_requests(server, len(server.requests) + count, process)
    process.kill()
    process.communicate()
    assert process.returncode == -signal.SIGKILL


def answers_on_disk(store: Path) -> int:
    """How many answers a cache holds; gold results are no JSON."""
    if not store.exists():
        return 0
    with closing(sqlite3.connect(store)) as connection:
        return sum(bytes(value).startswith(b"{") for (value,) in connection.execute("SELECT value FROM entry"))


@pytest.mark.parametrize(("cache", "points"), [("shared", (1, 30)), ("shared", (119,)), ("run", (17, 70))], ids=str)
def test_killed_and_resumed(cache: str, points: tuple[int, ...], world: World, server: ProviderServer) -> None:
    world.questions(QUESTIONS)
    path = world.experiment(models=[model_at(server.base_url, concurrency=4)], cache=cache)
    before: set[str] = set()
    for number, point in enumerate(points):
        kill_at(world, server, point, "run", path, *(["--resume"] if number else []))
        (run,) = world.run_folders()
        recorded = [item["id"] for item in items_of(run)]
        assert len(set(recorded)) == len(recorded)
        assert before <= set(recorded)
        before = set(recorded)
    store = Path(os.environ["SQLASSAY_CACHE"]) / "cache.sqlite" if cache == "shared" else run / "responses.sqlite"
    known = answers_on_disk(store)
    assert len(before) <= known <= len(server.requests)
    so_far = len(server.requests)

    done = world.command("run", "--resume", "--runs", world.runs, "-q")

    assert done.returncode == 0, done.stderr
    assert Counter(item["id"] for item in items_of(run)) == dict.fromkeys(IDS, 1)
    assert world.run_folders() == [run]
    later = asked(server.requests[so_far:])
    assert len(later) == QUESTIONS - known
    assert before.isdisjoint(later)
    assert json.loads((run / "manifest.json").read_text())["status"] == "finished"


def test_killed_again_and_again_no_item_is_lost_or_doubled(world: World, server: ProviderServer) -> None:
    """Without the cache, so that the record alone says what is done."""
    world.questions(60)
    path = world.experiment(models=[model_at(server.base_url, concurrency=2)])
    kill_at(world, server, 9, "run", path)
    for point in (3, 11):
        (run,) = world.run_folders()
        (Path(os.environ["SQLASSAY_CACHE"]) / "cache.sqlite").unlink()
        recorded, so_far = {item["id"] for item in items_of(run)}, len(server.requests)
        kill_at(world, server, point, "run", "--resume", path)
        assert recorded.isdisjoint(asked(server.requests[so_far:]))
    assert world.command("run", "--resume", path, "-q").returncode == 0
    assert Counter(item["id"] for item in items_of(run)) == {f"q{n}": 1 for n in range(60)}


@pytest.fixture
def torn(world: World, server: ProviderServer) -> tuple[World, Path]:
    """A run of six that was killed while it wrote its third item."""
    world.questions(6)
    path = world.experiment(models=[model_at(server.base_url)])
    assert world.run("run", path, "-q") == 0
    (run,) = world.run_folders()
    lines = (run / "items.jsonl").read_bytes().splitlines(keepends=True)
    (run / "items.jsonl").write_bytes(b"".join(lines[:2]) + lines[2][:40])
    manifest = json.loads((run / "manifest.json").read_text())
    (run / "manifest.json").write_text(json.dumps({**manifest, "status": "running"}))
    server.requests.clear()
    return world, path


def test_a_torn_last_line_is_done_again(
    torn: tuple[World, Path], server: ProviderServer, capsys: pytest.CaptureFixture[str]
) -> None:
    world, path = torn
    assert world.run("report", "latest", "--runs", world.runs) == 0
    capsys.readouterr()
    assert world.run("run", "--resume", path) == 0
    told = capsys.readouterr().err.splitlines()[0]
    assert told == "[1] good · zero_shot@1 · sqlite: 6/6 correct 6/6 · failed 0 · unscored 0 · tokens 300"
    (run,) = world.run_folders()
    assert Counter(item["id"] for item in items_of(run)) == {f"q{n}": 1 for n in range(6)}
    assert server.requests == []


def test_a_changed_experiment_is_not_resumed(torn: tuple[World, Path]) -> None:
    world, path = torn
    before = (world.run_folders()[0] / "items.jsonl").read_bytes()
    path.write_text(path.read_text() + "limits: {rows: 5}\n")
    done = world.command("run", "--resume", path)
    assert done.returncode == 2
    (run,) = world.run_folders()
    group = run.name.removesuffix("-01")
    assert done.stderr == (
        f"error: {path}: has changed since {group} was started"
        " (undo the change, run `sqlassay run --resume` for the experiment as it was, or start anew)\n"
    )
    assert (run / "items.jsonl").read_bytes() == before
    assert world.run("run", "--resume", "--runs", world.runs, "-q") == 0
    assert "limits" not in json.loads((run / "manifest.json").read_text())["experiment"]["text"]


def test_a_changed_dataset_is_not_resumed(torn: tuple[World, Path]) -> None:
    world, path = torn
    (run,) = world.run_folders()
    before = {file: file.read_bytes() for file in run.iterdir()}
    world.questions(7)
    done = world.command("run", "--resume", path)
    assert done.returncode == 2
    assert done.stderr.startswith(f"error: {run}: run {run.name} cannot be resumed: its dataset was ")
    assert done.stderr.count("\n") == 1
    assert {file: file.read_bytes() for file in run.iterdir()} == before


def change(database: Path, statement: str) -> None:
    with closing(sqlite3.connect(database)) as connection:
        connection.execute(statement)
        connection.commit()


def test_a_changed_database_is_not_resumed(torn: tuple[World, Path]) -> None:
    world, path = torn
    (run,) = world.run_folders()
    before = {file: file.read_bytes() for file in run.iterdir()}
    content = world.database.read_bytes()
    change(world.database, "DELETE FROM singer WHERE id = 3")
    done = world.command("run", "--resume", path)
    assert done.returncode == 2
    assert done.stderr == (
        f"error: {run}: run {run.name} cannot be resumed: the database 'show' has changed since it was used"
        " (put it back as it was, or start a new run without --resume)\n"
    )
    assert {file: file.read_bytes() for file in run.iterdir()} == before
    world.database.unlink()
    world.database.write_bytes(content)
    assert world.run("run", "--resume", path, "-q") == 0


def test_only_databases_that_were_used_must_be_as_they_were(
    world: World, server: ProviderServer, capsys: pytest.CaptureFixture[str]
) -> None:
    """One that was not there may come: that is how its items are mended."""
    world.questions([{"id": "q0"}, {"id": "q1", "db_id": "late"}])
    path = world.experiment(models=[model_at(server.base_url)], max_instrument_failures=1)
    assert world.run("run", path, "-q") == 0
    late = world.folder / "databases" / "late" / "late.sqlite"
    late.parent.mkdir()
    late.write_bytes(world.database.read_bytes())
    assert world.run("run", "--resume", "--retry-unscored", path, "-q") == 0
    (run,) = world.run_folders()
    assert Counter(item["verdicts"][0]["status"] for item in items_of(run)) == {"correct": 2, "unscored": 1}
    assert set(json.loads((run / "manifest.json").read_text())["databases"]) == {"show", "late"}
    manifest = json.loads((run / "manifest.json").read_text())
    (run / "manifest.json").write_text(json.dumps({**manifest, "status": "running"}))
    late.unlink()
    capsys.readouterr()
    assert world.run("run", "--resume", path, "-q") == 2
    assert "the database 'late' can no longer be opened (put it back" in capsys.readouterr().err


def test_a_selection_is_kept(world: World, server: ProviderServer) -> None:
    world.questions(40)
    path = world.experiment(models=[model_at(server.base_url, concurrency=1)])
    kill_at(world, server, 3, "run", path, "--sample", "12", "--seed", "5")
    done = world.command("run", "--resume", path, "--limit", "3")
    assert done.returncode == 2
    remedy = "leave out --limit, --sample, --seed, --filter, --ids, --shard, --dry-run"
    assert done.stderr == f"error: a resumed run keeps its selection ({remedy})\n"
    assert world.run("run", "--resume", path, "-q") == 0
    (run,) = world.run_folders()
    assert len({item["id"] for item in items_of(run)}) == len(items_of(run)) == 12
    assert world.run("run", path, "--sample", "12", "--seed", "5", "-q") == 0
    assert {item["id"] for item in items_of(world.run_folders()[1])} == {item["id"] for item in items_of(run)}


def test_cells_that_were_never_begun_are_begun(world: World, server: ProviderServer) -> None:
    world.questions(20)
    model = model_at(server.base_url, concurrency=1)
    path = world.experiment(models=[model, {**model, "label": "again", "parameters": {"seed": 2}}], cache="run")
    kill_at(world, server, 7, "run", path)
    assert len(world.run_folders()) == 1
    assert world.run("run", "--resume", path) == 0
    assert [Counter(item["id"] for item in items_of(run)) for run in world.run_folders()] == [
        {f"q{n}": 1 for n in range(20)}
    ] * 2


def test_nothing_is_left_to_resume(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.questions(1)
    world.answers({"q0": "SELECT 1"})
    path = world.experiment()
    assert world.run("run", path, "-q") == 0
    capsys.readouterr()
    assert world.run("run", "--resume", path) == 2
    assert capsys.readouterr().err == (
        f"error: {world.runs}: no run of 'trial' is left to resume (to run it anew, leave out --resume)\n"
    )


def test_unscored_items_are_tried_again_on_demand(
    world: World,
    server: ProviderServer,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    world.questions(5)
    retry, circuit = {"attempts": 2, "initial": 0}, {"failures": 100}
    path = world.experiment(models=[model_at(server.base_url, "flaky")], retry=retry, circuit=circuit)
    monkeypatch.setitem(REPLIES, "flaky", REPLIES["broken"])
    assert world.run("run", path, "-q") == 1
    assert len(server.requests) == 10
    monkeypatch.setitem(REPLIES, "flaky", REPLIES["good"])
    server.requests.clear()

    assert world.run("run", "--resume", path) == 2
    capsys.readouterr()
    assert world.run("run", "--resume", "--retry-unscored", path, "--json", "-q") == 0

    assert sorted(asked(server.requests)) == [f"q{n}" for n in range(5)]
    (summary,) = json.loads(capsys.readouterr().out)["runs"]
    assert (summary["items"], summary["total"]) == (5, 5)
    assert summary["strategies"][0]["correct"] == 5
    (run,) = world.run_folders()
    assert len(items_of(run)) == 10  # nothing that was written is taken back; the later record counts


def test_a_run_that_another_process_writes_is_left_alone(world: World, server: ProviderServer) -> None:
    world.questions(QUESTIONS)
    path = world.experiment(models=[model_at(server.base_url, "hang", concurrency=1)])
    process = world.start("run", path)
    try:
        wait_for_requests(server, 1, process)
        done = world.command("run", "--resume", path)
        (run,) = world.run_folders()
        assert done.returncode == 2
        assert done.stderr == (f"error: {run}: another process is writing this run (wait for it, or stop it)\n")
    finally:
        process.kill()
        process.communicate()

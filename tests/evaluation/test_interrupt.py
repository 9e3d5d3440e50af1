"""Ctrl-C stops cleanly, says how to go on, and exits with 130."""

from __future__ import annotations

import json
import os
import shlex
import signal
import time
from collections import Counter
from pathlib import Path
from subprocess import Popen

import psutil
import pytest

from tests.evaluation.world import SQLASSAY, World, asked, items_of, model_at
from tests.providers.server import ProviderServer


def interrupt(process: Popen[str]) -> tuple[str, str]:
    """Ctrl-C in a terminal reaches the whole process group."""
    os.killpg(process.pid, signal.SIGINT)
    return process.communicate(timeout=30)


def children(process: Popen[str]) -> list[psutil.Process]:
    return psutil.Process(process.pid).children(recursive=True)


@pytest.mark.parametrize("folder", ["runs", "my runs"])
def test_a_run_says_how_to_go_on_and_goes_on(folder: str, world: World, server: ProviderServer) -> None:
    world.questions(60)
    path = world.experiment(models=[model_at(server.base_url, concurrency=2)])
    process = world.start("run", path, "--runs", folder)
    while len(server.requests) < 20:
        assert process.poll() is None, process.communicate()
        time.sleep(0.001)
    workers = children(process)

    _, err = interrupt(process)

    assert process.returncode == 130
    assert "Traceback" not in err
    kept, _, command = err.splitlines()[-1].partition(" Go on with: ")
    assert kept == f"interrupted; what was done is kept in {folder}."
    _, alive = psutil.wait_procs(workers, timeout=30)
    assert alive == []
    (run,) = (world.folder / folder).iterdir()
    recorded = {item["id"] for item in items_of(run)}
    assert json.loads((run / "manifest.json").read_text())["status"] == "interrupted"
    so_far = len(server.requests)

    program, *arguments = shlex.split(command)
    assert Path(program).name == SQLASSAY.name
    done = world.command(*arguments)

    assert done.returncode == 0, done.stderr
    assert Counter(item["id"] for item in items_of(run)) == {f"q{n}": 1 for n in range(60)}
    assert recorded.isdisjoint(asked(server.requests[so_far:]))


def test_a_provider_that_hangs_does_not_keep_us(world: World, server: ProviderServer) -> None:
    world.questions(3)
    process = world.start("run", world.experiment(models=[model_at(server.base_url, "hang")]), "-q")
    while len(server.requests) < 3 or len(children(process)) < 3:  # the worker, its server, their watcher
        assert process.poll() is None, process.communicate()
        time.sleep(0.001)
    began = time.monotonic()
    _, err = interrupt(process)
    assert process.returncode == 130
    assert time.monotonic() - began < 20
    assert len(err.splitlines()) == 1


def test_a_statement_that_loops_does_not_keep_us(world: World) -> None:
    """`score` has nothing to resume; what it found of golds is in the cache."""
    world.questions(2)
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
    predictions = world.folder / "p.sql"
    predictions.write_text(f"{endless}\n" * 2)
    output = Path("v.jsonl")
    process = world.start("score", predictions, "--dataset", "jsonl:questions.jsonl", "--output", output, "--workers=1")
    deadline = time.monotonic() + 60
    while sum(child.cpu_times().user for child in children(process)) < 1:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.01)
    workers = children(process)
    began = time.monotonic()
    out, err = interrupt(process)
    assert (process.returncode, out, err) == (130, "", "interrupted\n")
    assert time.monotonic() - began < 20
    _, alive = psutil.wait_procs(workers, timeout=30)
    assert alive == []
    assert sorted(path.name for path in world.folder.iterdir()) == ["databases", "p.sql", "questions.jsonl"]

"""Runs that are copied while they go on: nothing that the server does changes or fails them."""

from __future__ import annotations

import json
import os
import threading
import time
from collections import deque
from pathlib import Path

import pytest

from evaluation.tracing import follow, live
from tests.evaluation.world import World
from tests.providers.langfuse_copy import SCORES, SPANS, LangfuseCopy


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "LEAST", 30.0)  # for a machine that is busy with other tests


def run(world: World, **more: object) -> int:
    return world.run("run", world.experiment(**{"langfuse": True, "max_instrument_failures": 1.0, **more}), "--quiet")


def test_a_run_is_there_when_it_ends(asked: World, langfuse: LangfuseCopy, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(asked, repeats=2) == 0
    assert f"Langfuse: 10 of 10 traces and 32 of 32 scores arrived at {langfuse.base_url}\n" in capsys.readouterr().err
    assert (len(langfuse.traces), len(langfuse.scores), len(langfuse.items)) == (10, 32, 5)
    requests = langfuse.requests.total()
    assert asked.run("langfuse", "publish", "latest", "--runs", asked.runs) == 0
    assert langfuse.requests.total() == requests  # there is one way to send, and it was gone


@pytest.mark.parametrize("ill", ["down", 401, 413, 429, 503, "hang"])
def test_a_run_is_not_failed_by_a_server(
    asked: World,
    langfuse: LangfuseCopy,
    ill: int | str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(live, "LEAST", 3.0)
    if ill == "down":
        langfuse.stop()
    else:
        langfuse.ill = ill
    assert run(asked) == 0
    told = capsys.readouterr().err
    assert "Langfuse: 0 of 5 traces and 0 of 16 scores arrived; 5 questions are not in the dataset: " in told
    assert f"the rest is sent by: sqlassay langfuse publish {asked.run_folders()[0].name[:-3]} --runs" in told
    assert "Traceback" not in told
    if ill == "down":
        langfuse.start()
    langfuse.ill = None
    langfuse.released.set()
    assert asked.run("langfuse", "publish", "latest", "--runs", asked.runs) == 0
    assert (len(langfuse.traces), len(langfuse.scores)) == (5, 16)


def test_without_keys_a_run_goes_on(
    asked: World, langfuse: LangfuseCopy, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("LANGFUSE_SECRET_KEY")
    assert run(asked) == 0
    assert "Langfuse: nothing was sent: no key for Langfuse (set the environment" in capsys.readouterr().err


def test_a_restart_in_the_middle(asked: World, langfuse: LangfuseCopy, capsys: pytest.CaptureFixture[str]) -> None:
    def restart() -> None:
        langfuse.stop()
        time.sleep(0.5)
        langfuse.start()

    other = threading.Thread(target=restart)
    langfuse.faults = {SPANS: deque([other.start]), SCORES: deque([503])}
    assert run(asked, repeats=3) == 0
    other.join()
    assert "Langfuse: " in capsys.readouterr().err
    assert asked.run("langfuse", "publish", "latest", "--runs", asked.runs) == 0
    assert (len(langfuse.traces), len(langfuse.scores)) == (15, 48)


def test_the_process_that_copies_gives_way(tmp_path: Path, keys: None) -> None:
    with live.LiveCopy(tmp_path, "group", {"host": "http://127.0.0.1:9"}) as copy:
        assert copy._process is not None
        pid = copy._process.pid
        assert os.getpriority(os.PRIO_PROCESS, pid) == 19
        assert os.sched_getscheduler(pid) == os.SCHED_IDLE
        # In another session the priority would count for nothing, and in the same group Ctrl-C would be for it as well.
        assert os.getsid(pid) == os.getsid(0)
        assert os.getpgid(pid) != os.getpgid(0)
    copy.said()


def test_a_run_that_is_cut_short_leaves_no_process_behind(tmp_path: Path, keys: None) -> None:
    copy = live.LiveCopy(tmp_path, "group", {"host": "http://127.0.0.1:9"})
    with pytest.raises(ValueError, match="cut short"), copy:  # noqa: PT012
        assert copy._process is not None
        pid = copy._process.pid
        raise ValueError("cut short")
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_off_unless_wanted(asked: World, langfuse: LangfuseCopy, capsys: pytest.CaptureFixture[str]) -> None:
    for off in (None, False):
        assert run(asked, langfuse=off) == 0
    assert langfuse.requests.total() == 0
    assert "Langfuse" not in capsys.readouterr().err


def test_a_run_remembers_how_it_is_copied(asked: World, langfuse: LangfuseCopy) -> None:
    langfuse.stop()
    assert run(asked, langfuse={"dataset": "singers", "mask_rows": True}) == 0
    langfuse.start()
    assert asked.run("langfuse", "publish", "latest", "--runs", asked.runs) == 0
    assert list(langfuse.datasets) == ["singers"]
    assert "CREATE TABLE" not in json.dumps(langfuse.traces)


def test_a_mistake_in_the_section(asked: World, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(asked, langfuse={"hots": "http://localhost"}) == 2
    assert "unknown key in langfuse: 'hots' (did you mean 'host'?)" in capsys.readouterr().err


def test_lines_are_read_as_they_come(tmp_path: Path) -> None:
    path = tmp_path / "items.jsonl"
    tail = follow.Tail(path)
    assert tail.next() == []
    path.write_bytes(b'{"id":"a"}\n{"id":"b"')
    assert tail.next() == tail.next() == [{"id": "a"}]
    tail.done()
    assert tail.next() == []
    with path.open("ab") as file:
        file.write(b"}\n" + b'{"id":"c"}\n' * 60)
    found = []
    while lines := tail.next():
        found += lines
        tail.done()
    assert [one["id"] for one in found] == ["b", *"c" * 60]

"""A run by batches: all questions in one, and none sent twice after a kill."""

from __future__ import annotations

import signal
import time

import pytest

from tests.conformance.adapter import KEY
from tests.evaluation.world import World, items_of
from tests.providers.openai_batch import OpenAIBatch
from tests.providers.server import ProviderServer

QUESTIONS = 300


def test_killed_and_resumed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    world.questions(QUESTIONS)
    provider = OpenAIBatch()
    provider.ready = 10**9
    with ProviderServer(provider) as server:
        settings = {"path": "batches", "base_url": server.base_url, "collect_seconds": 2, "poll_seconds": 0.05}
        model = {"adapter": "openai_batch", "model": "good", "settings": settings, "concurrency": QUESTIONS}
        path = world.experiment(models=[model])
        process = world.start("run", path)
        deadline = time.monotonic() + 60
        while not any(provider.polls.values()):
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < deadline
            time.sleep(0.01)
        process.kill()
        process.communicate()
        assert process.returncode == -signal.SIGKILL
        assert len([*(world.folder / "batches").iterdir()]) == 1, "beside the experiment"
        provider.ready = 1
        done = world.command("run", path, "--resume")
    assert done.returncode == 0, done.stderr
    (run,) = world.run_folders()
    assert {item["id"] for item in items_of(run)} == {f"q{number}" for number in range(QUESTIONS)}
    assert all(item["answer"]["finish_reason"] == "stop" for item in items_of(run))
    assert ([len(lines) for lines in provider.uploads], len(provider.batches)) == ([QUESTIONS], 1)
    assert [*(world.folder / "batches").iterdir()] == []

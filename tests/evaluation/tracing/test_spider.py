"""A whole run over Spider, with the server down while it goes on, and with the sender killed while it sends."""

from __future__ import annotations

import json
import signal
from collections import deque
from pathlib import Path

import pytest

from evaluation.datasets.opening import open_dataset
from evaluation.tracing.acknowledged import ACKNOWLEDGED
from tests.evaluation.world import World
from tests.providers.langfuse_copy import ITEMS, KEYS, SCORES, SPANS, LangfuseCopy

QUESTIONS = 972
STRATEGIES = ["execution_match", "execution_match:spider"]


def store(server: LangfuseCopy) -> str:
    return json.dumps([server.traces, server.scores, server.items], sort_keys=True)


def killed_at(path: str, number: int, server: LangfuseCopy, world: World, run: Path) -> None:
    """Publish, and be killed when so many requests to a path were answered and one more has been sent."""

    def kill() -> None:
        sender.send_signal(signal.SIGKILL)

    server.faults[path] = deque([*[lambda: None] * number, kill])
    sender = world.start("langfuse", "publish", run)
    sender.communicate(timeout=300)
    assert sender.returncode == -signal.SIGKILL


@pytest.mark.data
@pytest.mark.timeout(900)
def test_spider_with_the_server_down_for_its_whole_length(
    world: World, data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    spider = data / "spider"
    there = sorted(path.name for path in (spider / "database").iterdir() if path.is_dir())
    given = (spider / "predictions" / "c3sql_chatgpt.txt").read_text().splitlines()
    questions = open_dataset(f"spider:{spider}").questions()
    world.answers({question.id: sql for question, sql in zip(questions, given, strict=True)})
    experiment = world.experiment(
        dataset={"format": "spider", "path": str(spider), "filter": {"db_id": there}},
        strategies=STRATEGIES,
        langfuse=True,
        workers=None,
    )
    for name, key in zip(("PUBLIC", "SECRET"), KEYS, strict=True):
        monkeypatch.setenv(f"LANGFUSE_{name}_KEY", key)
    with LangfuseCopy() as server:
        monkeypatch.setenv("LANGFUSE_BASE_URL", server.base_url)
        server.stop()
        assert world.run("run", experiment, "--quiet") == 0
        assert f"Langfuse: 0 of {QUESTIONS} traces" in capsys.readouterr().err
        assert server.requests.total() == 0
        (run,) = world.run_folders()
        server.start()
        # Killed with a request answered and nothing of it heard: in the questions, the traces and the scores.
        for path, number in ((ITEMS, 400), (SPANS, 3), (SCORES, 9)):
            killed_at(path, number, server, world, run)
        assert 0 < len(server.traces) < QUESTIONS
        assert world.run("langfuse", "publish", run) == 0
        said = capsys.readouterr().out
        assert f"{QUESTIONS} of {QUESTIONS} traces" in said
        lines = [json.loads(line) for line in (run / "items.jsonl").read_text().splitlines()]
        spans = sum(3 + len(item["golds"]) + bool(item["predicted"]) + len(item["verdicts"]) for item in lines)
        scored = sum(1 + (one["status"] != "unscored") for item in lines for one in item["verdicts"])
        of_run = 6 * len(STRATEGIES)
        counts = len(server.traces), server.spans, len(server.scores), len(server.items)
        assert counts == (QUESTIONS, spans, scored + of_run, QUESTIONS)
        before = store(server)
        for _ in range(2):
            (run / ACKNOWLEDGED).unlink()
            assert world.run("langfuse", "publish", run) == 0
            assert store(server) == before

"""A bad night: a provider that misbehaves on three calls of ten changes no verdict, and every retry is on record."""

from __future__ import annotations

import itertools
import random
import threading
from collections import Counter, defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.evaluation.world import World, asked, items_of, model_at
from tests.providers.chat_completions import REPLIES, ChatCompletions, completion, error
from tests.providers.server import ProviderServer, Reply

QUESTIONS = 120
SHARE = 0.3
FAULTS: Mapping[str, str] = {
    "rate_limited": "RateLimited",
    "rate_limited_without_a_word": "RateLimited",
    "broken": "ProviderUnavailable",
    "overloaded": "ProviderUnavailable",
    "hang": "RequestTimeout",
    "cut": "ProviderUnreachable",
    "cut_stream": "",
    "invalid_json": "ProviderUnavailable",
    "empty": "ProviderUnavailable",
    "html": "ProviderUnavailable",
    "filtered": "FilteredAnswer",
    "reset": "ProviderUnreachable",
}
"""What happens, and the error that is recorded; a stream that is cut is one thing whole and another in pieces."""
SHORT: Mapping[str, Reply] = {
    **REPLIES,
    "rate_limited": Reply(429, error("Slow down"), {"retry-after": "0.05"}),
    "rate_limited_without_a_word": Reply(429, error("Slow down")),
    "overloaded": Reply(503, error("Overloaded"), {"retry-after": "0.05"}),
    "wrong": Reply(body=completion("```sql\nSELECT 7\n```")),
    "prose": Reply(body=completion("I would count the singers.")),
}
ANSWERS = ("good", "wrong", "prose", "refuses", "truncated")


class Night(ProviderServer):
    """A provider that has a fixed answer to each question, and a share of calls that come to nothing.

    Attributes:
        answered: How often each question was answered in whole.
        faults: What befell the calls of each question.
    """

    def __init__(self, share: float, seed: int) -> None:
        super().__init__(ChatCompletions())
        self._share = share
        self._random = random.Random(seed)
        self._next = itertools.cycle(FAULTS)
        self._lock = threading.Lock()
        self.answered: Counter[str] = Counter()
        self.faults: defaultdict[str, list[str]] = defaultdict(list)

    def choose(self, model: str, body: Mapping[str, Any]) -> str:
        """A fault, or the answer to the question."""
        (question,) = asked([body])
        with self._lock:
            if self._random.random() < self._share:
                self.faults[question].append(next(self._next))
                return self.faults[question][-1]
            self.answered[question] += 1
        return ANSWERS[int(question[1:]) % len(ANSWERS)]

    def reply(self, name: str) -> Reply:
        """As the protocol has it, with waits that a test can wait for."""
        return SHORT[name]


def night(world: World, share: float, name: str, *, stream: bool) -> tuple[Night, dict[str, dict[str, Any]]]:
    with Night(share, seed=20261121) as server:
        model = model_at(server.base_url, stream=stream, concurrency=16)
        model["settings"] = {"base_url": server.base_url, "timeout": 1.0}
        experiment = world.experiment(
            name, models=[model], cache="run", retry={"attempts": 10, "initial": 0.01, "maximum": 0.2}
        )
        assert world.run("run", experiment, "--quiet") == 0
    run = next(run for run in world.run_folders() if run.name.startswith(name))
    return server, {item["id"]: item for item in items_of(run)}


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World.build(tmp_path / "world")


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_a_bad_night_changes_no_verdict(world: World, stream: bool) -> None:
    world.questions(QUESTIONS)
    _, quiet = night(world, 0.0, "quiet", stream=stream)
    server, bad = night(world, SHARE, "bad", stream=stream)
    assert {key: item["verdicts"] for key, item in bad.items()} == {
        key: item["verdicts"] for key, item in quiet.items()
    }
    assert len({item["verdicts"][0]["reason"] for item in bad.values()}) == len(ANSWERS)

    assert server.answered == {f"q{number}": 1 for number in range(QUESTIONS)}, "no answer is paid for twice"
    faults = {fault for found in server.faults.values() for fault in found}
    assert faults == set(FAULTS), "the night was bad in every way"
    for key, item in bad.items():
        attempts = item["answer"]["attempts"]
        # Several faults at once open the circuit: who then waits says so, and has not asked.
        recorded = [attempt["error"] for attempt in attempts if attempt["error"] != "CircuitOpen"]
        expected = [FAULTS[fault] for fault in server.faults[key]]
        assert len(recorded) == len(expected)
        assert all(one == other for one, other in zip(recorded, expected, strict=True) if other), (key, recorded)
        assert all(attempt["message"] for attempt in attempts)

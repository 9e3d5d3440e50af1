"""Runs whose provider fails for a while, for good, or for one of two models."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.evaluation.world import World, items_of, model_at
from tests.providers.chat_completions import ChatCompletions
from tests.providers.server import ProviderServer, Reply

Capture = pytest.CaptureFixture[str]
QUICK = {
    "retry": {"initial": 0.01, "maximum": 0.05, "patience": 20},
    "circuit": {"recovery": 0.02, "maximum": 0.1},
}


class FailingServer(ProviderServer):
    """Fails between two of its requests, counted from 0.

    Attributes:
        first: The first request that fails.
        after: The first that is answered again.
        failure: The model whose reply the others get.
    """

    first = 0
    after = 0
    failure = "broken"

    def __init__(self) -> None:
        super().__init__(ChatCompletions())
        self._count = 0
        self._lock = threading.Lock()

    def reply(self, model: str) -> Reply:
        """What the model replies, or the failure."""
        with self._lock:
            number, self._count = self._count, self._count + 1
        return super().reply(self.failure if self.first <= number < self.after else model)


@pytest.fixture
def failing() -> Iterator[FailingServer]:
    with FailingServer() as server:
        yield server


def verdicts(run: Path) -> dict[str, str]:
    return {item["id"]: item["verdicts"][0]["reason"] for item in items_of(run)}


@pytest.mark.parametrize("failure", ["broken", "overloaded_quickly", "rate_limited_quickly"])
def test_after_a_short_outage_the_verdicts_are_the_same(
    failure: str, world: World, failing: FailingServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick = {"retry-after-ms": "20"}
    monkeypatch.setattr(
        failing.protocol,
        "replies",
        {
            **failing.protocol.replies,
            "overloaded_quickly": Reply(503, {}, quick),
            "rate_limited_quickly": Reply(429, {}, quick),
        },
        raising=False,
    )
    failing.first, failing.after, failing.failure = 10, 25, failure
    world.questions(40)
    path = world.experiment(models=[model_at(failing.base_url)], **QUICK)
    assert world.run("run", path, "-q") == 0
    (run,) = world.run_folders()
    assert verdicts(run) == {f"q{n}": "match" for n in range(40)}
    attempts = [attempt for item in items_of(run) for attempt in item["answer"]["attempts"]]
    failed = [attempt for attempt in attempts if attempt["error"] != "CircuitOpen"]
    assert len(failed) == 15
    status = failing.protocol.replies[failure].status
    assert {attempt["status"] for attempt in failed} == {status}
    assert all(attempt["seconds"] > 0 for attempt in failed)
    held_back = [attempt for attempt in attempts if attempt["error"] == "CircuitOpen"]
    assert (held_back != []) == (status >= 500)
    assert all(failing.base_url in attempt["message"] and attempt["waited"] > 0 for attempt in held_back)


def test_a_provider_that_stays_down_ends_the_run_in_time_and_is_named(
    world: World, failing: FailingServer, capsys: Capture, caplog: pytest.LogCaptureFixture
) -> None:
    failing.first, failing.after = 0, 1_000_000
    world.questions(300)
    retry = {**QUICK["retry"], "patience": 0.5}
    path = world.experiment(models=[model_at(failing.base_url)], retry=retry, circuit=QUICK["circuit"])
    assert world.run("run", path, "-q") == 1
    assert "300 unscored: provider down" in capsys.readouterr().out
    assert len(failing.requests) < 60
    (run,) = world.run_folders()
    last = items_of(run)[-1]
    assert last["verdicts"][0]["evidence"]["error"] == "CircuitOpen"
    assert last["verdicts"][0]["evidence"]["message"].startswith(f"openai {failing.base_url} OPENAI_API_KEY has been")
    assert "last: ProviderUnavailable: openai good (HTTP 500)" in last["answer"]["attempts"][-1]["message"]
    (warning,) = caplog.messages
    assert f"openai {failing.base_url} OPENAI_API_KEY is down: ProviderUnavailable" in warning

    failing.after = 0
    assert world.run("run", "--resume", "--retry-unscored", path, "-q") == 0
    assert set(verdicts(run).values()) == {"match"}


@pytest.mark.parametrize(
    ("failure", "error"), [("no_quota", "QuotaExhausted"), ("bad_key", "AuthFailed"), ("missing", "ModelNotFound")]
)
def test_a_model_that_can_answer_nothing_more_is_not_asked_in_further_cells(
    failure: str, error: str, world: World, server: ProviderServer, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.questions(20)
    replies = dict(server.protocol.replies)
    monkeypatch.setattr(server.protocol, "replies", {**replies, "worn_out": replies[failure]}, raising=False)
    models = [model_at(server.base_url, "worn_out", concurrency=2), model_at(server.base_url)]
    path = world.experiment(models=models, prompts=["zero_shot@1"], repeats=2)
    assert world.run("run", path, "-q") == 2
    shown = capsys.readouterr().err
    assert f"worn_out · zero_shot@1 · sqlite: stopped: {error}: openai worn_out" in shown
    assert f"worn_out · zero_shot@1 · sqlite · repeat 2: stopped: not started: {error}: openai worn_out" in shown
    first, second, *others = world.run_folders()
    manifests = [json.loads((run / "manifest.json").read_text()) for run in world.run_folders()]
    assert [manifest["status"] for manifest in manifests] == ["stopped", "stopped", "finished", "finished"]
    assert (items_of(first), items_of(second)) == ([], [])
    assert [len(items_of(run)) for run in others] == [20, 20]
    assert sum(request["model"] == "worn_out" for request in server.requests) <= 2

    server.requests.clear()
    monkeypatch.setattr(server.protocol, "replies", {**replies, "worn_out": replies["good"]}, raising=False)
    assert world.run("run", "--resume", path, "-q") == 0
    assert [request["model"] for request in server.requests] == ["worn_out"] * 40
    assert [len(items_of(run)) for run in world.run_folders()] == [20] * 4


@pytest.mark.parametrize(("withheld", "answers"), [(2, 3), (1_000_000, 5)], ids=["at last", "never"])
def test_what_a_filter_withheld_is_paid_for_as_well(
    withheld: int, answers: int, world: World, failing: FailingServer, capsys: Capture
) -> None:
    failing.after, failing.failure = withheld, "filtered"
    world.questions(1)
    model = model_at(failing.base_url, prices={"input": 1, "cached_input": 1, "output": 10})
    assert world.run("run", world.experiment(models=[model], **QUICK), "-q") == 0
    (run,) = world.run_folders()
    (item,) = items_of(run)
    assert len(failing.requests) == answers
    answer = item["answer"]
    assert (answer["input_tokens"], answer["output_tokens"]) == (120 * answers, 30 * answers)
    assert answer["cost"] == pytest.approx(answers * (120 + 300) / 1e6)
    assert answer["finish_reason"] == ("stop" if withheld == 2 else "filtered")


def test_what_a_filter_withheld_is_spent(world: World, failing: FailingServer, capsys: Capture) -> None:
    failing.after, failing.failure = 2, "filtered"
    world.questions(2)
    path = world.experiment(models=[model_at(failing.base_url, parameters={"max_tokens": 50})], **QUICK)
    assert world.run("run", path, "--dry-run", "--json") == 0
    (expected,) = json.loads(capsys.readouterr().out)["estimates"]
    both = expected["input_tokens"] + expected["output_tokens"]  # the second waits for what the first takes
    assert world.run("run", path, "--max-tokens", both - 1) == 2
    assert f"(450 of {both - 1} tokens spent)" in capsys.readouterr().err
    assert len(failing.requests) == 3


def test_requests_are_spread_over_the_minute(world: World, server: ProviderServer) -> None:
    world.questions(12)
    model = model_at(server.base_url, requests_per_minute=600, tokens_per_minute=1_000_000)
    assert world.run("run", world.experiment(models=[model]), "-q") == 0
    (run,) = world.run_folders()
    started = json.loads((run / "manifest.json").read_text())
    assert len(items_of(run)) == 12
    assert started["status"] == "finished"
    assert max(item["seconds"] for item in items_of(run)) > 0.1  # ten at once, and then one every tenth of a second

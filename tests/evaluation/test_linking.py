"""Two requests in the place of one: the schema is linked, then the query is asked for."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

import pytest

from adapters.base import Completion, FinishReason, Usage
from adapters.errors import PromptTooLong, ProviderUnavailable, QuotaExhausted
from adapters.prices import Prices
from evaluation.answers import Answer, ModelStopped
from evaluation.databases import Databases
from evaluation.datasets.opening import open_dataset
from evaluation.generation import ModelSource
from evaluation.verdicts import Reason
from prompts.library import load
from sqlassay.resilience import CallLimits, Circuit, Endpoint, RetryPolicy
from tests.evaluation.script import Script
from tests.evaluation.world import GOLD, World, items_of, model_at
from tests.providers.chat_completions import REPLIES, ChatCompletions, completion
from tests.providers.server import ProviderServer, Reply

LINKS = '{"tables": {"singer": ["age"]}}'
LONG = {"prompt_tokens": 5000, "completion_tokens": 30, "total_tokens": 5030}
SQL = f"```sql\n{GOLD}\n```"


async def no_wait(seconds: float) -> None:
    """Waiting is the retry policy's own test."""


def ask(world: World, script: Script, **more: Any) -> Answer:
    world.questions(1)
    dataset = open_dataset(f"jsonl:{world.folder / 'questions.jsonl'}")
    source = ModelSource(
        script,
        load("decompose@1"),
        Databases(dataset, "sqlite"),
        Endpoint(Circuit("script"), RetryPolicy(attempts=2, initial=0, sleep=no_wait), CallLimits(2)),
        prices=Prices(2.0, 10.0),
    )
    (question,) = dataset.questions()
    return asyncio.run(replace(source, **more).answer(0, question, str(world.database)))


def test_the_second_request_shows_what_the_first_has_found(world: World) -> None:
    script = Script(Completion(LINKS, usage=Usage(1000, 10)), Completion(SQL, usage=Usage(500, 20)))
    answer = ask(world, script)
    assert answer.sql == GOLD
    first, second = script.heard
    assert (first.prompt, second.prompt) == ("schema_link@1", "decompose@1")
    assert "name TEXT" in first.messages[-1].content
    assert "CREATE TABLE singer (\n  id INTEGER PRIMARY KEY,\n  age INTEGER\n);" in second.messages[-1].content
    (call,) = answer.calls
    assert (call.role, call.model, call.why) == ("linking", "m", "tables: 1 of 1, columns: 2 of 3")
    assert call.answer is not None
    assert answer.record is not None
    assert (call.answer.text, call.answer.cost, answer.record.cost) == (LINKS, 0.0021, 0.0012)


@pytest.mark.parametrize(
    ("first", "why"),
    [
        ("no idea", "the whole schema: the answer holds no JSON object"),
        ('{"tables": {"pets": ["age"]}}', "names no table of it; ignored, since there are none: 'pets'"),
        (Completion(LINKS, FinishReason.LENGTH), "the whole schema: the answer is not whole: length"),
        (Completion("I can't.", FinishReason.REFUSED), "the whole schema: the answer is not whole: refused"),
    ],
)
def test_what_cannot_be_read_leaves_the_whole_schema(first: str | Completion, why: str, world: World) -> None:
    script = Script(first, SQL)
    answer = ask(world, script)
    assert answer.sql == GOLD
    assert why in answer.calls[0].why
    assert "name TEXT" in script.heard[1].messages[-1].content


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ProviderUnavailable("script", "m", "down"), Reason.PROVIDER_DOWN),
        (PromptTooLong("script", "m", "long"), Reason.PROMPT_TOO_LONG),
    ],
)
def test_a_first_request_that_fails_is_the_end_of_the_question(error: Exception, reason: Reason, world: World) -> None:
    script = Script(error, error)
    answer = ask(world, script)
    assert answer.sql is None
    assert answer.record is None
    assert answer.settled is not None
    assert answer.settled.reason is reason
    (call,) = answer.calls
    assert (call.role, call.why) == ("linking", reason.words)
    assert call.answer is not None
    assert [attempt.error for attempt in call.answer.attempts] == [type(error).__name__] * len(call.answer.attempts)
    assert {request.prompt for request in script.heard} == {"schema_link@1"}


def test_a_second_request_that_fails_keeps_the_first(world: World) -> None:
    answer = ask(
        world, Script(LINKS, ProviderUnavailable("script", "m", "down"), ProviderUnavailable("script", "m", "down"))
    )
    assert answer.settled is not None
    assert answer.settled.reason is Reason.PROVIDER_DOWN
    assert [call.role for call in answer.calls] == ["linking"]


def test_a_model_that_stops_stops(world: World) -> None:
    with pytest.raises(ModelStopped):
        ask(world, Script(QuotaExhausted("script", "m", "empty")))


# Over the wire.


class Linking(ChatCompletions):
    """A provider that answers the linking prompt with JSON, whatever model is asked."""

    replies: ClassVar[Mapping[str, Reply]] = {**REPLIES, "links": Reply(body=completion(LINKS, usage=LONG))}

    def model(self, path: str, body: Mapping[str, Any]) -> str | None:
        asked = super().model(path, body)
        links = "You do not write the query" in body["messages"][0]["content"]
        return "links" if links and asked == "good" else asked


@pytest.fixture
def linking() -> Any:
    with ProviderServer(Linking()) as server:
        yield server


def experiment(world: World, model: Mapping[str, object], **more: Any) -> Any:
    return world.experiment(prompts=["decompose@1"], models=[model], **more)


def test_both_requests_are_recorded_and_reported(
    world: World, linking: ProviderServer, capsys: pytest.CaptureFixture[str]
) -> None:
    world.questions(3)
    model = model_at(linking.base_url, prices={"input": 1, "output": 10})
    assert world.run("run", experiment(world, model)) == 0
    items = items_of(world.run_folders()[0])
    assert [(item["sql"], [call["role"] for call in item["calls"]]) for item in items] == [(GOLD, ["linking"])] * 3
    capsys.readouterr()
    assert world.run("report", "--runs", world.runs) == 0
    shown = " ".join(capsys.readouterr().out.split())
    tokens = [answer["input_tokens"] for item in items for answer in (item["answer"], item["calls"][0]["answer"])]
    assert f"6 answers, {sum(tokens):,} tokens in" in shown
    assert len(linking.requests) == 6


def test_both_answers_are_kept(world: World, linking: ProviderServer) -> None:
    world.questions(2)
    file = experiment(world, model_at(linking.base_url))
    for _ in range(2):
        assert world.run("run", file) == 0
    assert len(linking.requests) == 4
    again = items_of(world.run_folders()[1])
    assert {(item["answer"]["cached"], item["calls"][0]["answer"]["cached"]) for item in again} == {(True, True)}


def test_a_run_is_resumed(world: World, linking: ProviderServer) -> None:
    world.questions(3)
    assert world.run("run", experiment(world, model_at(linking.base_url))) == 0
    run = world.run_folders()[0]
    manifest = json.loads((run / "manifest.json").read_text())
    assert manifest["identity"]["prompt"]["linking"]["ref"] == "schema_link@1"
    (run / "manifest.json").write_text(json.dumps({**manifest, "status": "running"}))
    lines = (run / "items.jsonl").read_text().splitlines(keepends=True)
    (run / "items.jsonl").write_text(lines[0])
    assert world.run("run", "--resume", "--runs", world.runs) == 0
    assert len(items_of(run)) == 3
    assert len(linking.requests) == 6


def test_a_dry_run_counts_both(world: World, linking: ProviderServer, capsys: pytest.CaptureFixture[str]) -> None:
    world.questions(2)
    file = experiment(world, model_at(linking.base_url))

    def estimate() -> dict[str, Any]:
        capsys.readouterr()
        assert world.run("run", file, "--dry-run", "--json") == 0
        (found,) = json.loads(capsys.readouterr().out)["estimates"]
        return dict(found)

    before = estimate()
    assert (before["requests"], before["cached"]) == (4, 0)
    assert linking.requests == []
    assert world.run("run", file) == 0
    after = estimate()
    assert (after["requests"], after["cached"], after["input_tokens"]) == (0, 4, 0)


def test_a_budget_ends_between_the_two(world: World, linking: ProviderServer) -> None:
    world.questions(1)
    file = experiment(world, model_at(linking.base_url, parameters={"max_tokens": 10}))
    assert world.run("run", file, "--max-tokens", 5100) == 2
    (run,) = world.run_folders()
    assert items_of(run) == []
    assert len(linking.requests) == 1
    assert world.run("run", "--resume", "--runs", world.runs) == 0
    assert len(linking.requests) == 2


def test_within_composite_models(world: World, linking: ProviderServer) -> None:
    world.questions(1)
    good, down = model_at(linking.base_url), model_at(linking.base_url, "broken")
    retry = {"retry": {"attempts": 1}}
    voted = {"self_consistency": {"model": good, "samples": 2}}
    assert world.run("run", experiment(world, voted)) == 0
    assert world.run("run", experiment(world, {"fallback": [down, good]}, **retry)) == 0
    assert world.run("run", experiment(world, {"repair": {"model": good}})) == 0
    routes = {name: {"model": good, "keywords": [name]} for name in ("question", "other")}
    assert world.run("run", experiment(world, {"router": {"routes": routes, "default": "other"}})) == 0
    roles = {}
    for run in world.run_folders():
        (item,) = items_of(run)
        assert item["sql"] == GOLD
        label = json.loads((run / "manifest.json").read_text())["model_label"]
        roles[label] = [(call["role"], call["model"]) for call in item["calls"]]
    assert roles == {
        "good × 2": [("linking", "good"), ("sample 2", "good-2026-01-01"), ("linking", "good")],
        "broken else good": [("linking", "broken"), ("fallback", "broken"), ("linking", "good")],
        "good + repair": [("linking", "good")],
        "router of question, other": [("linking", "good")],
    }

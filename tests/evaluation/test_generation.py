"""Asking a model: what a cached answer depends on, what is kept, and what each failure becomes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from adapters.base import Completion, FinishReason, GenerationRequest, ModelAdapter, Usage
from adapters.errors import (
    AdapterError,
    AnswerNotRecorded,
    AuthFailed,
    BadRequest,
    ModelNotFound,
    PromptTooLong,
    ProviderUnavailable,
    ProviderUnreachable,
    QuotaExhausted,
    RateLimited,
    RequestTimeout,
)
from adapters.openai import OpenAIAdapter
from adapters.prices import Prices
from evaluation.answers import Answer, RunStopped
from evaluation.databases import Databases
from evaluation.datasets.opening import open_dataset
from evaluation.generation import ModelSource, ResponseCache
from evaluation.history import Shown, Turn
from evaluation.records import AttemptRecord
from evaluation.store import Store
from evaluation.verdicts import Reason
from prompts.library import load
from sqlassay.messages import Message
from sqlassay.resilience import CallLimits, Circuit, Endpoint, RetryPolicy
from tests.evaluation.script import Script
from tests.evaluation.world import World

SQL = "SELECT count(*) FROM singer"
GOOD = Completion(f"```sql\n{SQL}\n```", usage=Usage(100, 20, 64, 5), model="m-2026", seconds=0.25, request_id="r1")


@pytest.fixture
def cache(tmp_path: Path) -> Iterator[ResponseCache]:
    with closing(Store(tmp_path / "answers.sqlite")) as store:
        yield ResponseCache(store)


async def no_wait(seconds: float) -> None:
    """Waiting is the retry policy's own test."""


def source(world: World, adapter: ModelAdapter, **more: object) -> ModelSource:
    world.questions(1)
    databases = Databases(open_dataset(f"jsonl:{world.folder / 'questions.jsonl'}"), "sqlite")
    made = ModelSource(
        adapter,
        load("zero_shot@1"),
        databases,
        Endpoint(Circuit("script"), RetryPolicy(attempts=3, initial=0, sleep=no_wait), CallLimits(2)),
        prices=Prices(2.0, 10.0),
    )
    return replace(made, **more)  # type: ignore[arg-type]


def ask(asked: ModelSource, world: World) -> Answer:
    (question,) = asked.databases._dataset.questions()
    return asyncio.run(asked.answer(0, question, str(world.database)))


# What the key of an answer depends on.

MESSAGES = (Message("system", "You write SQL."), Message("user", "How many?"))
REQUEST = GenerationRequest(MESSAGES, {"temperature": 0.2, "stop": [";"]}, "q1", "zero_shot@1", "sqlite", 0)
ANSWER_CHANGES: dict[str, GenerationRequest] = {
    "temperature": replace(REQUEST, parameters={"temperature": 0.3, "stop": [";"]}),
    "one parameter more": replace(REQUEST, parameters={**REQUEST.parameters, "seed": 7}),
    "one parameter less": replace(REQUEST, parameters={"temperature": 0.2}),
    "stop": replace(REQUEST, parameters={"temperature": 0.2, "stop": ["\n"]}),
    "a word of a message": replace(REQUEST, messages=(MESSAGES[0], Message("user", "How much?"))),
    "a role": replace(REQUEST, messages=(Message("user", "You write SQL."), MESSAGES[1])),
    "the order of messages": replace(REQUEST, messages=MESSAGES[::-1]),
    "one message less": replace(REQUEST, messages=MESSAGES[1:]),
    "the repeat": replace(REQUEST, repeat=1),
}
ANSWER_STAYS: dict[str, GenerationRequest] = {
    "nothing": replace(REQUEST),
    "the question's id": replace(REQUEST, question_id="q2"),
    "the prompt's name": replace(REQUEST, prompt="other@2"),
    "the dialect's name": replace(REQUEST, dialect="duckdb"),
    "the order of parameters": replace(REQUEST, parameters={"stop": [";"], "temperature": 0.2}),
}
URL = "http://127.0.0.1:9/v1"
MODEL = OpenAIAdapter("m", base_url=URL)


@pytest.mark.parametrize("changed", ANSWER_CHANGES.values(), ids=ANSWER_CHANGES)
def test_what_can_change_the_answer_changes_the_key(changed: GenerationRequest) -> None:
    assert ResponseCache.key(MODEL, changed) != ResponseCache.key(MODEL, REQUEST)


@pytest.mark.parametrize("changed", ANSWER_STAYS.values(), ids=ANSWER_STAYS)
def test_what_cannot_change_the_answer_does_not_change_the_key(changed: GenerationRequest) -> None:
    assert ResponseCache.key(MODEL, changed) == ResponseCache.key(MODEL, REQUEST)


def test_the_model_and_its_server_are_part_of_the_key() -> None:
    others = [OpenAIAdapter("m2", base_url=URL), OpenAIAdapter("m", base_url="http://127.0.0.1:9/v2"), Script()]
    assert len({ResponseCache.key(adapter, REQUEST) for adapter in (MODEL, *others)}) == 4


def test_transport_settings_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTHER_KEY", "sk-other")
    other = OpenAIAdapter("m", base_url=URL, timeout=1.5, api_key_env="OTHER_KEY")
    assert ResponseCache.key(other, REQUEST) == ResponseCache.key(MODEL, REQUEST)


# What is kept.


def test_an_answer_is_asked_for_once(world: World, cache: ResponseCache) -> None:
    adapter = Script(GOOD)
    first = ask(source(world, adapter, cache=cache), world)
    again = ask(source(world, adapter, cache=cache), world)
    assert len(adapter.heard) == 1
    assert first.sql == again.sql == SQL
    assert first.record is not None
    assert again.record is not None
    assert (first.record.cached, first.record.cost) == (False, pytest.approx(0.0004))
    assert again.record == replace(first.record, cached=True, cost=0.0)


def test_each_repeat_is_asked_for(world: World, cache: ResponseCache) -> None:
    adapter = Script(GOOD, GOOD)
    for repeat in (0, 1, 0, 1):
        ask(source(world, adapter, cache=cache, repeat=repeat), world)
    assert [request.repeat for request in adapter.heard] == [0, 1]


@pytest.mark.parametrize(
    ("completion", "reason", "kept"),
    [
        (GOOD, None, True),
        (replace(GOOD, finish_reason=FinishReason.LENGTH), Reason.TRUNCATED, True),
        (replace(GOOD, text="I do not know."), Reason.NO_SQL, True),
        (replace(GOOD, text=""), Reason.NO_SQL, True),
        (replace(GOOD, finish_reason=FinishReason.OTHER), None, True),
        (replace(GOOD, finish_reason=FinishReason.REFUSED), Reason.REFUSED, False),
        (replace(GOOD, text="", finish_reason=FinishReason.REFUSED), Reason.REFUSED, False),
    ],
)
def test_what_an_answer_becomes_and_whether_it_is_kept(
    completion: Completion, reason: Reason | None, kept: bool, world: World, cache: ResponseCache
) -> None:
    adapter = Script(completion, completion)
    for _ in range(2):
        answer = ask(source(world, adapter, cache=cache), world)
        assert (answer.settled.reason if answer.settled else None) is reason
        assert answer.record is not None
        assert (answer.record.text, answer.record.finish_reason) == (completion.text, completion.finish_reason.value)
    assert len(adapter.heard) == (1 if kept else 2)


PASSING = [RateLimited, ProviderUnavailable, ProviderUnreachable, RequestTimeout]
FINAL = [BadRequest, AnswerNotRecorded]


def failure(kind: type[AdapterError]) -> AdapterError:
    return kind("script", "m", "no luck")


@pytest.mark.parametrize(("kind", "tries"), [*((kind, 3) for kind in PASSING), *((kind, 1) for kind in FINAL)])
def test_a_failing_provider_leaves_the_item_unscored_and_nothing_is_kept(
    kind: type[AdapterError], tries: int, world: World, cache: ResponseCache
) -> None:
    adapter = Script(*[failure(kind)] * tries, GOOD)
    answer = ask(source(world, adapter, cache=cache), world)
    assert answer.settled is not None
    assert answer.settled.reason is Reason.PROVIDER_DOWN
    assert answer.settled.evidence == {"error": kind.__name__, "message": "script m: no luck"}
    assert answer.record is not None
    attempts = [replace(attempt, seconds=0.0) for attempt in answer.record.attempts]
    assert attempts == [AttemptRecord(kind.__name__, "script m: no luck", 0.0)] * tries
    assert answer.record.finish_reason is None
    assert ask(source(world, adapter, cache=cache), world).sql == SQL


def test_failed_attempts_before_an_answer_are_recorded(world: World) -> None:
    adapter = Script(failure(RateLimited), failure(ProviderUnavailable), GOOD)
    answer = ask(source(world, adapter), world)
    assert (answer.sql, answer.settled) == (SQL, None)
    assert answer.record is not None
    assert [attempt.error for attempt in answer.record.attempts] == ["RateLimited", "ProviderUnavailable"]


@pytest.mark.parametrize("kind", [AuthFailed, QuotaExhausted, ModelNotFound])
def test_what_every_question_would_meet_stops_the_run(kind: type[AdapterError], world: World) -> None:
    adapter = Script(failure(kind))
    with pytest.raises(RunStopped) as caught:
        ask(source(world, adapter), world)
    assert caught.value.cause == f"{kind.__name__}: script m: no luck"
    assert len(adapter.heard) == 1


def test_a_prompt_that_does_not_fit_is_the_systems_failure(world: World) -> None:
    answer = ask(source(world, Script(failure(PromptTooLong))), world)
    assert answer.settled is not None
    assert answer.settled.reason is Reason.PROMPT_TOO_LONG
    assert answer.settled.status == "incorrect"


def test_a_database_that_cannot_be_read_costs_no_request(world: World) -> None:
    world.database.write_bytes(b"no database at all" * 100)
    adapter = Script(GOOD)
    answer = ask(source(world, adapter), world)
    assert answer.settled is not None
    assert answer.settled.reason is Reason.BACKEND_DOWN
    assert adapter.heard == []


def test_what_is_asked(world: World) -> None:
    adapter = Script(GOOD)
    ask(source(world, adapter, parameters={"temperature": 0.5}, repeat=2), world)
    (request,) = adapter.heard
    text = "\n".join(message.content for message in request.messages)
    assert "Question q0?" in text
    assert "CREATE TABLE singer" in text
    assert "SQLite" in text
    assert request.parameters["temperature"] == 0.5
    assert (request.question_id, request.prompt, request.dialect, request.repeat) == ("q0", "zero_shot@1", "sqlite", 2)


@pytest.mark.parametrize(
    ("given", "prompts", "stop"),
    [
        ({}, [], None),
        ({"stop": ";"}, [], ";"),
        ({}, ["#"], ["#"]),
        ({"stop": ";"}, ["#", ";"], [";", "#"]),
        ({"stop": ["--", "#"]}, ["#", ";"], ["--", "#", ";"]),
    ],
)
def test_a_model_stops_where_the_experiment_says_and_where_the_prompt_does(
    given: dict[str, object], prompts: list[str], stop: object, world: World
) -> None:
    adapter = Script(GOOD)
    template = replace(load("zero_shot@1"), stop=tuple(prompts))
    ask(source(world, adapter, parameters=given, template=template), world)
    assert adapter.heard[0].parameters.get("stop") == stop


PRUNED = ("singer.name", "singer.age")
"""Of the one table of this world, which no question is about: all but the key."""


def test_what_the_schema_leaves_out_is_recorded(world: World) -> None:
    adapter = Script(GOOD, ProviderUnavailable("script", "m", "down"))
    whole, bounded = source(world, adapter), source(world, adapter, schema_tokens=1)
    answer = ask(bounded, world)
    assert answer.record is not None
    assert answer.record.schema_left_out == PRUNED
    assert "CREATE TABLE singer (\n  id INTEGER PRIMARY KEY\n);" in adapter.heard[0].messages[1].content
    failed = ask(replace(bounded, endpoint=Endpoint(Circuit("s"), RetryPolicy(attempts=1), CallLimits(1))), world)
    assert failed.record is not None
    assert failed.record.schema_left_out == PRUNED
    adapter.lines = [GOOD]
    complete = ask(whole, world)
    assert complete.record is not None
    assert complete.record.schema_left_out == ()


def test_what_comes_before_a_prompt_hides_nothing(world: World) -> None:
    asked = source(world, Script(), schema_tokens=1)
    (question,) = asked.databases._dataset.questions()
    before = (Message("user", "Hello."), Message("assistant", "Hello."))
    prompt, request, _ = asked.request(asked.template, question, str(world.database), before)
    assert request.messages[:2] == before
    assert prompt.schema_left_out == PRUNED


def test_the_evidence_says_what_the_question_needs(world: World) -> None:
    asked = source(world, Script())
    (question,) = asked.databases._dataset.questions()
    bounded = replace(asked, schema_tokens=18)
    for evidence, kept in (("the age", "age INTEGER"), ("the name", "name TEXT")):
        _, request, _ = bounded.request(asked.template, replace(question, evidence=evidence), str(world.database))
        assert f"id INTEGER PRIMARY KEY,\n  {kept}\n);" in request.messages[1].content


def test_a_turn_needs_what_the_turns_before_it_need(world: World) -> None:
    asked = source(world, Script())
    (question,) = asked.databases._dataset.questions()
    bounded = replace(asked, schema_tokens=18)
    for turn, kept in (
        (Turn("And the age?", None), "age INTEGER"),
        (Turn("And that?", "SELECT name FROM singer"), "name TEXT"),
    ):
        follow_up = replace(question, text="Of the others?", history=Shown("own", (turn,)))
        _, request, *_ = bounded.request(asked.template, follow_up, str(world.database))
        assert f"id INTEGER PRIMARY KEY,\n  {kept}\n);" in request.messages[1].content


def test_a_prompt_without_the_schema_reads_no_database(world: World, tmp_path: Path) -> None:
    path = tmp_path / "bare.yaml"
    path.write_text("{name: bare, version: 1, output: sql_block, messages: [{role: user, content: '{{ question }}'}]}")
    asked = source(world, Script(), template=load(str(path)), schema_tokens=1)
    (question,) = asked.databases._dataset.questions()
    prompt, _, _ = asked.request(asked.template, question, str(tmp_path / "no.sqlite"))
    assert prompt.schema_left_out == ()


def test_every_version_of_zero_shot_shows_the_schema_in_its_way(world: World) -> None:
    asked = source(world, Script())
    (question,) = asked.databases._dataset.questions()
    shown = {
        2: "-- some rows:\n-- id | name | age\n-- 1 | 'Ann' | 31\n-- 2 | 'Bob' | 45\n-- 3 | 'Cleo' | NULL\n",
        3: "\nsinger(id INTEGER PK, name TEXT, age INTEGER)\n",
        4: "CREATE TABLE singer (\n  id INTEGER PRIMARY KEY,\n  name TEXT,\n  age INTEGER\n);",
        5: "(name:TEXT, Examples: ['Ann', 'Bob', 'Cleo']),\n(age:INTEGER, Examples: [31, 45]),\n]",
    }
    for version, text in shown.items():
        _, request, _ = asked.request(load(f"zero_shot@{version}"), question, str(world.database))
        assert text in request.messages[1].content
        assert ("julianday" in request.messages[0].content) is (version == 5)


@pytest.mark.parametrize("value", [b"", b"{", b"[]", b'{"text": 1}', b'{"usage": {}}', b"\xff", b"null"])
def test_a_damaged_entry_is_asked_for_again(value: bytes, world: World, tmp_path: Path) -> None:
    with closing(Store(tmp_path / "answers.sqlite")) as store:
        cache = ResponseCache(store)
        adapter = Script(GOOD, GOOD)
        ask(source(world, adapter, cache=cache), world)
        store.put(ResponseCache.key(adapter, adapter.heard[0]), value)
        assert ask(source(world, adapter, cache=cache), world).sql == SQL
        assert len(adapter.heard) == 2


def test_everything_about_an_answer_is_kept(world: World, tmp_path: Path) -> None:
    full = Completion("é\udc80", FinishReason.OTHER, Usage(1, None, None, 0), "m", 1.5, None, ("seed", "top_p"))
    with closing(Store(tmp_path / "answers.sqlite")) as store:
        ResponseCache(store).put(b"key", full)
        assert ResponseCache(store).get(b"key") == full


def test_no_more_requests_at_once_than_there_are_slots(world: World) -> None:
    class Busy(Script):
        now = most = 0

        async def generate(self, request: GenerationRequest) -> Completion:
            self.now += 1
            self.most = max(self.most, self.now)
            await asyncio.sleep(0.001)
            self.now -= 1
            return GOOD

    adapter = Busy()

    async def main(asked: ModelSource) -> Sequence[Answer]:
        (question,) = asked.databases._dataset.questions()
        return await asyncio.gather(*(asked.answer(0, question, str(world.database)) for _ in range(20)))

    assert [answer.sql for answer in asyncio.run(main(source(world, adapter)))] == [SQL] * 20
    assert adapter.most == 2


def test_the_cache_is_plain_json(world: World, tmp_path: Path) -> None:
    with closing(Store(tmp_path / "answers.sqlite")) as store:
        ResponseCache(store).put(b"key", GOOD)
        packed = store.get(b"key")
        assert packed is not None
        assert json.loads(packed)["usage"]["input_tokens"] == 100

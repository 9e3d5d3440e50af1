"""The adapter of OpenAI's batches, through the real SDK, against files and batches on the loopback interface."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from adapters import errors
from adapters.base import Completion, FinishReason, GenerationRequest, ModelAdapter, Usage
from adapters.openai_batch import OpenAIBatchAdapter
from sqlassay.errors import UserError
from sqlassay.messages import Message
from tests.conformance.adapter import KEY, REQUEST, AdapterConformance, run
from tests.conformance.remote import ENDS, FAILURES, HELD, STREAMED
from tests.providers.chat_completions import error
from tests.providers.openai_batch import OpenAIBatch
from tests.providers.server import ANSWER, REQUEST_ID, ProviderServer, Reply

LINES = sorted({*FAILURES} - {"cut", "invalid_json"})  # those are no lines of JSON


@pytest.fixture(autouse=True)
def provider(monkeypatch: pytest.MonkeyPatch) -> Iterator[OpenAIBatch]:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    batches = OpenAIBatch()
    with ProviderServer(batches) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.base_url)
        yield batches


@pytest.fixture
def at(tmp_path: Path) -> Any:
    """Makes the adapter of a model."""

    def make(model: str, **settings: Any) -> OpenAIBatchAdapter:
        usual = {"path": tmp_path / "batches", "collect_seconds": 0.1, "poll_seconds": 0.02, "timeout": 20}
        return OpenAIBatchAdapter(model, **{**usual, **settings})

    return make


def echo(number: int, **more: Any) -> GenerationRequest:
    """A question whose answer repeats it."""
    return GenerationRequest((Message("user", f"echo {number}"),), **more)


async def ask(adapter: ModelAdapter, *requests: GenerationRequest) -> list[Completion]:
    return await asyncio.gather(*(adapter.generate(request) for request in requests))


def asked(adapter: ModelAdapter, *requests: GenerationRequest) -> list[str]:
    """The texts of the answers."""
    return [found.text for found in run(adapter, lambda a: ask(a, *requests))]


class TestConformance(AdapterConformance):
    adapter = OpenAIBatchAdapter

    @pytest.fixture(autouse=True)
    def _at(self, at: Any) -> None:
        self.at = at

    def working(self) -> ModelAdapter:
        return self.at("good")  # type: ignore[no-any-return]

    def failing(self) -> ModelAdapter:
        return self.at("bad_key")  # type: ignore[no-any-return]


def test_what_is_sent(provider: OpenAIBatch, at: Any) -> None:
    (found,) = run(at("good"), lambda a: ask(a, HELD))
    ((line,),) = provider.uploads
    assert (line["method"], line["url"], len(line["custom_id"])) == ("POST", "/v1/chat/completions", 64)
    assert line["body"]["model"] == "good"
    assert [message["role"] for message in line["body"]["messages"]] == ["system", "user"]
    assert line["body"]["max_completion_tokens"] == 100
    assert line["body"]["response_format"]["type"] == "json_schema"
    assert found.usage == Usage(input_tokens=120, output_tokens=30, cached_tokens=64, reasoning_tokens=12)
    assert (found.model, found.request_id, found.first_token_seconds) == ("good-2026-01-01", REQUEST_ID, None)


def test_requests_are_collected_and_each_gets_its_own_answer(provider: OpenAIBatch, at: Any, tmp_path: Path) -> None:
    assert asked(at("good"), *map(echo, range(200))) == [f"echo {number}" for number in range(200)]
    assert [len(lines) for lines in provider.uploads] == [200]
    assert [*(tmp_path / "batches").iterdir()] == [], "all is answered"


def test_a_full_batch_is_sent_at_once(provider: OpenAIBatch, at: Any) -> None:
    adapter = at("good", max_requests=4, collect_seconds=0.3)
    assert asked(adapter, *map(echo, range(10))) == [f"echo {number}" for number in range(10)]
    assert sorted(len(lines) for lines in provider.uploads) == [2, 4, 4]


def test_a_batch_is_no_larger_than_the_api_allows(
    provider: OpenAIBatch, at: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.openai_batch.MAX_BYTES", 700)
    assert asked(at("good"), *map(echo, range(6))) == [f"echo {number}" for number in range(6)]
    assert len(provider.uploads) > 1
    assert all(sum(len(json.dumps(line)) + 1 for line in lines) <= 700 for lines in provider.uploads)


def test_repeats_are_asked_apart_and_the_same_request_once(provider: OpenAIBatch, at: Any) -> None:
    requests = [echo(1), echo(1), echo(1, repeat=1)]
    assert asked(at("good"), *requests) == ["echo 1"] * 3
    assert [len(lines) for lines in provider.uploads] == [2]


def test_an_answered_request_is_a_new_one(provider: OpenAIBatch, at: Any) -> None:
    adapter = at("good")
    for _ in range(2):
        assert asked(adapter, echo(1)) == ["echo 1"]
    assert len(provider.uploads) == 2


@pytest.mark.parametrize("model", ENDS)
def test_ends(at: Any, model: str) -> None:
    (found,) = run(at(model), lambda a: ask(a, REQUEST))
    assert (found.text, found.finish_reason) == ENDS[model]


def test_a_filtered_prompt(at: Any) -> None:
    (found,) = run(at("filtered_prompt"), lambda a: ask(a, REQUEST))
    assert found.finish_reason is FinishReason.FILTERED


@pytest.mark.parametrize("model", LINES)
def test_a_line_that_failed(at: Any, model: str, tmp_path: Path) -> None:
    with pytest.raises(errors.AdapterError) as raised:
        asked(at(model), REQUEST)
    assert type(raised.value) is FAILURES[model], raised.value
    assert KEY not in str(raised.value) + repr(raised.value)
    assert [*tmp_path.glob("batches/*")] == [], "it can be asked anew"


@pytest.mark.parametrize(
    ("model", "words"),
    [
        ("batch_failed", "batch batch_1 is failed: Enqueued token limit reached"),
        ("batch_expired", "before the completion window expired"),
        ("batch_cancelled", "batch batch_1 is cancelled: it holds no answer"),
        ("lost", "batch batch_1 is completed: it holds no answer"),
    ],
)
def test_a_batch_without_the_answer(provider: OpenAIBatch, at: Any, model: str, words: str) -> None:
    for number in (1, 2):
        with pytest.raises(errors.ProviderUnavailable, match=words.replace("batch_1", f"batch_{number}")):
            asked(at(model), REQUEST)
    assert len(provider.uploads) == 2, "a retry sends it anew"


def stop_within(adapter: ModelAdapter, provider: OpenAIBatch, *requests: GenerationRequest) -> None:
    """Ask, and die while the batch is looked at."""

    async def begin() -> None:
        task = asyncio.ensure_future(ask(adapter, *requests))
        async with asyncio.timeout(20):
            while not any(provider.polls.values()):
                await asyncio.sleep(0.01)
        for one in asyncio.all_tasks() - {asyncio.current_task()}:
            one.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(begin())


def test_a_batch_is_found_again_by_its_id(provider: OpenAIBatch, at: Any, tmp_path: Path) -> None:
    provider.ready = 10**9
    stop_within(at("good"), provider, *map(echo, range(5)))
    (file,) = (tmp_path / "batches").iterdir()
    noted = json.loads(file.read_text())
    assert noted["id"] == "batch_1"
    assert noted["requests"] == sorted(line["custom_id"] for line in provider.uploads[0])
    provider.ready = 1
    assert asked(at("good"), *map(echo, range(7))) == [f"echo {number}" for number in range(7)]
    assert [len(lines) for lines in provider.uploads] == [5, 2], "only what is new is sent"
    assert [*(tmp_path / "batches").iterdir()] == []


def test_answers_are_kept_until_they_are_given(provider: OpenAIBatch, at: Any, tmp_path: Path) -> None:
    provider.ready = 10**9
    stop_within(at("good"), provider, *map(echo, range(3)))
    provider.ready = 1
    assert asked(at("good"), echo(0)) == ["echo 0"]
    provider.files.clear()
    assert sorted(path.suffix for path in (tmp_path / "batches").iterdir()) == [".json", ".jsonl"]
    assert asked(at("good"), echo(1), echo(2)) == ["echo 1", "echo 2"]
    assert (len(provider.uploads), [*(tmp_path / "batches").iterdir()]) == (1, [])


@pytest.mark.parametrize("made", [True, False], ids=["made", "not made"])
def test_a_batch_whose_id_did_not_arrive(provider: OpenAIBatch, at: Any, made: bool) -> None:
    provider.refusals = [Reply(500, error("The server had an error"))]
    with pytest.raises(errors.ProviderUnavailable):
        asked(at("good"), echo(1))
    if not made:
        provider.batches.clear()
    assert asked(at("good"), echo(1)) == ["echo 1"]
    assert (len(provider.uploads), len(provider.batches)) == (1, 1)


def test_a_batch_that_is_refused_is_sent_anew(provider: OpenAIBatch, at: Any) -> None:
    provider.refusals = [Reply(429, error("Too many batches"), {"retry-after": "7"})]
    with pytest.raises(errors.RateLimited) as raised:
        asked(at("good"), echo(1))
    assert raised.value.retry_after == 7
    assert asked(at("good"), echo(1)) == ["echo 1"]


def test_a_look_that_fails_is_repeated(provider: OpenAIBatch, at: Any) -> None:
    provider.troubles = [Reply(500, error("Broken")), Reply(429, error("Slow down")), Reply(body="<html>")]
    assert asked(at("good"), echo(1)) == ["echo 1"]
    assert len(provider.uploads) == 1


def test_a_key_that_expires_meanwhile_loses_nothing(provider: OpenAIBatch, at: Any) -> None:
    provider.troubles = [Reply(401, error("Incorrect API key provided: {key}."))]
    with pytest.raises(errors.AuthFailed) as raised:
        asked(at("good"), echo(1))
    assert KEY not in str(raised.value)
    assert asked(at("good"), echo(1)) == ["echo 1"]
    assert len(provider.uploads) == 1


def test_a_batch_that_is_gone_is_sent_anew(provider: OpenAIBatch, at: Any) -> None:
    provider.troubles = [Reply(404, error("No batch found"))]
    with pytest.raises(errors.ProviderUnavailable, match="batch batch_1 is gone"):
        asked(at("good"), echo(1))
    assert asked(at("good"), echo(1)) == ["echo 1"]
    assert len(provider.uploads) == 2


def test_the_timeout_is_of_the_answer_and_the_batch_goes_on(provider: OpenAIBatch, at: Any) -> None:
    provider.ready = 10**9
    with pytest.raises(errors.RequestTimeout, match=r"no answer in 0\.5 s"):
        asked(at("good", timeout=0.5), echo(1))
    provider.ready = 1
    assert asked(at("good"), echo(1)) == ["echo 1"]
    assert len(provider.uploads) == 1


def test_an_answer_that_comes_when_nobody_waits_is_kept(provider: OpenAIBatch, at: Any) -> None:
    provider.ready = 10**9

    async def ask_twice(adapter: ModelAdapter) -> str:
        with pytest.raises(errors.RequestTimeout):
            await adapter.generate(echo(1))
        provider.ready = 1
        async with asyncio.timeout(20):
            while not provider.files:
                await asyncio.sleep(0.01)
        await asyncio.sleep(0.2)  # until the answer has been fetched
        return (await adapter.generate(echo(1))).text

    assert run(at("good", timeout=0.5), ask_twice) == "echo 1"
    assert len(provider.uploads) == 1, "it was paid for"


def test_a_process_that_dies_when_the_first_has_its_answer_loses_none(
    provider: OpenAIBatch, at: Any, tmp_path: Path
) -> None:
    async def one(adapter: ModelAdapter, number: int) -> None:
        await adapter.generate(echo(number))
        if not (tmp_path / "left").exists():
            shutil.copytree(tmp_path / "batches", tmp_path / "left")

    run(at("good"), lambda a: asyncio.gather(*(one(a, number) for number in range(5))))
    again = at("good", path=tmp_path / "left")
    assert sorted(asked(again, *map(echo, range(1, 5)))) == [f"echo {number}" for number in range(1, 5)]
    assert len(provider.uploads) == 1, "they were paid for"


def test_neither_key_nor_prompt_is_in_the_folder(provider: OpenAIBatch, at: Any, tmp_path: Path) -> None:
    provider.ready = 10**9
    questions = [GenerationRequest((Message("user", f"echo {KEY} {number}"),)) for number in range(2)]
    stop_within(at("good"), provider, *questions)
    provider.ready = 1
    assert KEY not in asked(at("good"), questions[0])[0]
    kept = [path.read_text() for path in (tmp_path / "batches").iterdir()]
    assert len(kept) == 2
    assert KEY not in "".join(kept)
    assert "echo" not in next(text for text in kept if "input_file" in text)


def test_a_stream_is_refused(provider: OpenAIBatch, at: Any) -> None:
    with pytest.raises(errors.BadRequest, match="stream"):
        asked(at("good"), STREAMED)
    assert provider.uploads == []


def test_the_check_waits_for_no_batch(provider: OpenAIBatch, at: Any) -> None:
    result = run(at("good"), lambda a: a.check())
    assert {check.name for check in result.checks} == {"reachable", "key", "model", "answer"}
    assert (result.ok, provider.uploads) == (True, [])


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"max_requests": 0}, "max_requests is 0"),
        ({"max_requests": 50_001}, "max_requests is 50001"),
        ({"collect_seconds": 0}, "collect_seconds is 0"),
        ({"poll_seconds": -1}, "poll_seconds is -1"),
        ({"timeout": 0}, "timeout is 0"),
    ],
)
def test_settings_are_checked(at: Any, settings: dict[str, Any], words: str) -> None:
    with pytest.raises(UserError, match=words):
        at("good", **settings)


def test_a_folder_that_cannot_be_used(at: Any, tmp_path: Path) -> None:
    (tmp_path / "batches").mkdir()
    (tmp_path / "batches" / "x.batch.json").write_text("{")
    with pytest.raises(UserError, match=r"x\.batch\.json: cannot be read"):
        at("good")
    shutil.rmtree(tmp_path / "batches")
    (tmp_path / "batches").write_text("a file")
    with pytest.raises(errors.BadRequest, match="cannot be written"):
        asked(at("good"), replace(REQUEST, messages=(Message("user", ANSWER),)))

"""The Gemini adapter, through the real SDK, against a provider on the loopback interface."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, ClassVar

import pytest

from adapters import errors
from adapters.base import FinishReason, GenerationRequest, ModelInfo, Usage
from adapters.gemini import GeminiAdapter
from sqlassay.errors import UserError
from sqlassay.messages import Message
from tests.conformance.adapter import KEY, REQUEST, run
from tests.conformance.remote import HELD, SCHEMA, STREAMED, RemoteConformance
from tests.providers.gemini import Gemini
from tests.providers.server import ANSWER, ProviderServer, Reply


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GEMINI_API_KEY", KEY)
    monkeypatch.delenv("GOOGLE_GEMINI_BASE_URL", raising=False)


@pytest.fixture
def server() -> Iterator[ProviderServer]:
    with ProviderServer(Gemini()) as server:
        yield server


class TestConformance(RemoteConformance):
    adapter = GeminiAdapter
    protocol = Gemini
    unknown = ("refuses",)
    fails_with_request_id = False
    ends: ClassVar = {
        "thinks": (ANSWER, FinishReason.STOP),
        "prohibited": ("I can't help with that.", FinishReason.FILTERED),
        "unsafe": ("", FinishReason.FILTERED),
        "recites": ("", FinishReason.FILTERED),
        "out_of_thought": ("", FinishReason.LENGTH),
        "calls_a_tool": ("", FinishReason.OTHER),
    }
    failures: ClassVar = {
        "rate_limited_plainly": (errors.RateLimited, "Resource has been exhausted."),
        "no_credits": (errors.QuotaExhausted, "credits are depleted"),
        "deadline": (errors.ProviderUnavailable, "Deadline expired."),
        "bad_key": (errors.AuthFailed, "API key not valid: ***."),
        "unknown_key": (errors.AuthFailed, "It cannot be used."),
        "abroad": (errors.AuthFailed, "User location is not supported"),
        "missing": (errors.ModelNotFound, "models/missing is not found for API version v1 (at http://127.0.0.1"),
        "too_large": (errors.PromptTooLong, "payload size exceeds the limit"),
        "error_list": (errors.BadRequest, "It was a list."),
        "odd_error": (errors.BadRequest, "error 400"),
        "not_an_object": (errors.ProviderUnavailable, "the answer is not a JSON object"),
        "no_candidates": (errors.ProviderUnavailable, "the answer has no candidates"),
        "error_in_200": (errors.ProviderUnavailable, "The model is overloaded."),
        "odd_content": (errors.ProviderUnavailable, "the content of the answer is not text"),
    }


def test_what_is_sent(server: ProviderServer) -> None:
    run(GeminiAdapter("good", base_url=server.base_url), lambda a: a.generate(REQUEST))
    assert server.requests == [
        {
            "contents": [{"role": "user", "parts": [{"text": "How many singers?"}]}],
            "systemInstruction": {"parts": [{"text": "You write SQLite queries."}]},
            "generationConfig": {
                "temperature": 0.0,
                "topP": 1.0,
                "maxOutputTokens": 100,
                "seed": 7,
                "stopSequences": ["###"],
            },
        }
    ]
    assert server.paths == ["/v1/models/good:generateContent"]
    assert server.headers[0]["x-goog-api-key"] == KEY


def test_every_message_has_its_place(server: ProviderServer) -> None:
    roles: Any = ["system", "user", "assistant", "system", "user"]
    request = GenerationRequest(tuple(Message(role, f"{role} {number}") for number, role in enumerate(roles)))
    run(GeminiAdapter("good", base_url=server.base_url), lambda a: a.generate(request))
    (body,) = server.requests
    assert body["systemInstruction"]["parts"] == [{"text": "system 0"}, {"text": "system 3"}]
    assert [(content["role"], content["parts"][0]["text"]) for content in body["contents"]] == [
        ("user", "user 1"),
        ("model", "assistant 2"),
        ("user", "user 4"),
    ]


def test_a_schema(server: ProviderServer) -> None:
    run(GeminiAdapter("good", base_url=server.base_url), lambda a: a.generate(replace(HELD, parameters={})))
    (body,) = server.requests
    assert body["generationConfig"] == {"responseMimeType": "application/json", "responseJsonSchema": SCHEMA}


@pytest.mark.parametrize(
    ("parameters", "sent"),
    [
        ({}, {}),
        ({"top_k": 40, "seed": None}, {"topK": 40.0}),
        ({"stop": "###"}, {"stopSequences": ["###"]}),
        ({"stop": ("a", "b")}, {"stopSequences": ["a", "b"]}),
        ({"thinking_config": {"thinking_budget": 0}}, {"thinkingConfig": {"thinking_budget": 0}}),
    ],
)
def test_parameters(server: ProviderServer, parameters: dict[str, object], sent: dict[str, object]) -> None:
    request = GenerationRequest((Message("user", "?"),), parameters)
    run(GeminiAdapter("good", base_url=server.base_url), lambda a: a.generate(request))
    (body,) = server.requests
    assert body.get("generationConfig", {}) == sent


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"reasoning_effort": "low"}, "the parameter 'reasoning_effort' is wrong"),
        ({"temperature": "warm"}, "the parameter 'temperature' is wrong"),
        ({"system_instruction": "?"}, "'system_instruction' is not the user's to set"),
        ({"http_options": {}}, "'http_options' is not the user's to set"),
    ],
)
def test_parameters_that_are_wrong(server: ProviderServer, parameters: dict[str, object], message: str) -> None:
    request = GenerationRequest((Message("user", "?"),), parameters)
    with pytest.raises(errors.BadRequest, match=message):
        run(GeminiAdapter("good", base_url=server.base_url), lambda a: a.generate(request))
    assert server.requests == []


@pytest.mark.parametrize("request_", [REQUEST, STREAMED], ids=["whole", "streamed"])
def test_thoughts_without_an_answer_are_output(server: ProviderServer, request_: Any) -> None:
    found = run(GeminiAdapter("out_of_thought", base_url=server.base_url), lambda a: a.generate(request_))
    assert found.usage == Usage(input_tokens=9, output_tokens=100, reasoning_tokens=100)


@pytest.mark.parametrize("request_", [REQUEST, STREAMED], ids=["whole", "streamed"])
def test_a_blocked_prompt_has_no_output(server: ProviderServer, request_: Any) -> None:
    found = run(GeminiAdapter("blocked_and_counted", base_url=server.base_url), lambda a: a.generate(request_))
    assert (found.finish_reason, found.usage) == (FinishReason.FILTERED, Usage(input_tokens=8, output_tokens=0))


def test_as_many_at_once_as_are_asked() -> None:
    """An SDK's connections are often no more than 100; further requests would wait for one, and look slow."""
    together = threading.Barrier(110)

    class Meeting(ProviderServer):
        def choose(self, model: str, body: Any) -> str:
            together.wait(20)
            return model

    async def ask(adapter: Any) -> int:
        return len(await asyncio.gather(*(adapter.generate(REQUEST) for _ in range(together.parties))))

    with Meeting(Gemini()) as server:
        assert run(GeminiAdapter("good", base_url=server.base_url), ask) == together.parties


@pytest.mark.parametrize(
    ("model", "kind", "message"),
    [
        ("not_an_object", errors.ProviderUnavailable, "the answer is not what the API sends"),
        ("no_candidates", errors.ProviderUnavailable, "the answer has no candidates"),
        ("error_in_200", errors.ProviderUnavailable, "The model is overloaded."),
        ("odd_content", errors.ProviderUnavailable, "the answer is not what the API sends"),
    ],
)
def test_pieces_that_cannot_be_used(
    server: ProviderServer, model: str, kind: type[errors.AdapterError], message: str
) -> None:
    with pytest.raises(kind, match=message):
        run(GeminiAdapter(model, base_url=server.base_url), lambda a: a.generate(STREAMED))


@pytest.mark.parametrize(
    ("model", "seconds"), [("rate_limited", 7), ("rate_limited_finely", 0.25), ("rate_limited_badly", None)]
)
def test_retry_after(server: ProviderServer, model: str, seconds: float | None) -> None:
    with pytest.raises(errors.RateLimited) as raised:
        run(GeminiAdapter(model, base_url=server.base_url), lambda a: a.generate(REQUEST))
    assert raised.value.retry_after == seconds


def test_list_of_models(server: ProviderServer) -> None:
    adapter = GeminiAdapter("good", base_url=server.base_url)
    assert run(adapter, lambda a: a.list_models()) == (
        ModelInfo("good", "gemini", context_length=1048576, capabilities=("countTokens", "generateContent")),
        ModelInfo("other", "gemini", context_length=1048576, capabilities=("generateContent",)),
    )
    server.models = Reply(body="<html>", headers={"content-type": "text/html"})
    with pytest.raises(errors.ProviderUnavailable, match="not what the API sends"):
        run(adapter, lambda a: a.list_models())


def test_the_key_is_the_one_that_was_named(
    server: ProviderServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("GOOGLE_API_KEY", "sk-google")
    run(GeminiAdapter("good", base_url=server.base_url), lambda a: a.generate(REQUEST))
    run(GeminiAdapter("good", base_url=server.base_url, api_key_env="GOOGLE_API_KEY"), lambda a: a.generate(REQUEST))
    monkeypatch.delenv("GEMINI_API_KEY")
    run(GeminiAdapter("good", base_url=server.base_url), lambda a: a.generate(REQUEST))
    assert [headers["x-goog-api-key"] for headers in server.headers] == [KEY, "sk-google", "not-needed"]
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]
    with pytest.raises(UserError, match="GEMINI_API_KEY"):
        GeminiAdapter("good")


def test_the_environment_does_not_lead_elsewhere(server: ProviderServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_GENAI_USE_VERTEXAI", "true")
    monkeypatch.setenv("GOOGLE_GENAI_API_VERSION", "v9")
    run(GeminiAdapter("good", base_url=server.base_url), lambda a: a.generate(REQUEST))
    assert server.paths == ["/v1/models/good:generateContent"]
    assert GeminiAdapter("good").identity == {
        "provider": "gemini",
        "model": "good",
        "base_url": "https://generativelanguage.googleapis.com",
        "api_version": "v1",
    }

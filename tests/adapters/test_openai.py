"""The OpenAI adapter, through the real SDK, against a provider on the loopback interface."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import pytest

from adapters import chat_completions, errors
from adapters.base import FinishReason, GenerationRequest, Usage
from adapters.openai import OpenAIAdapter
from sqlassay.errors import UserError
from sqlassay.messages import Message
from sqlassay.resilience import GaveUp, RetryPolicy
from tests.conformance.adapter import KEY, REQUEST, run
from tests.conformance.remote import STREAMED, RemoteConformance
from tests.providers.chat_completions import REPLIES, ChatCompletions
from tests.providers.responses import Responses
from tests.providers.server import ANSWER, REQUEST_ID, ProviderServer, Reply


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)


@pytest.fixture
def server() -> Iterator[ProviderServer]:
    with ProviderServer(ChatCompletions()) as server:
        yield server


class TestChat(RemoteConformance):
    adapter = OpenAIAdapter
    protocol = ChatCompletions


class TestResponses(RemoteConformance):
    adapter = OpenAIAdapter
    protocol = Responses
    settings: ClassVar = {"api": "responses"}


def test_what_is_sent(server: ProviderServer) -> None:
    run(OpenAIAdapter("good", base_url=server.base_url), lambda a: a.generate(REQUEST))
    assert server.requests == [
        {
            "model": "good",
            "messages": [
                {"role": "system", "content": "You write SQLite queries."},
                {"role": "user", "content": "How many singers?"},
            ],
            "temperature": 0.0,
            "top_p": 1.0,
            "max_completion_tokens": 100,
            "seed": 7,
            "stop": ["###"],
        }
    ]
    assert server.headers[0]["authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize(
    ("parameters", "sent"),
    [
        ({}, {}),
        ({"seed": None, "stop": [], "temperature": 0}, {"temperature": 0}),
        ({"stop": ("a", "b")}, {"stop": ["a", "b"]}),
        ({"reasoning_effort": "low"}, {"reasoning_effort": "low"}),
    ],
)
def test_parameters(server: ProviderServer, parameters: dict[str, object], sent: dict[str, object]) -> None:
    request = GenerationRequest((Message("user", "?"),), parameters)
    run(OpenAIAdapter("good", base_url=server.base_url), lambda a: a.generate(request))
    (body,) = server.requests
    assert {name: value for name, value in body.items() if name not in ("model", "messages")} == sent


@pytest.mark.parametrize("name", ["model", "messages", "stream", "n"])
def test_parameters_that_are_not_the_users(server: ProviderServer, name: str) -> None:
    request = GenerationRequest((Message("user", "?"),), {name: 1})
    with pytest.raises(errors.BadRequest, match=name):
        run(OpenAIAdapter("good", base_url=server.base_url), lambda a: a.generate(request))
    assert server.requests == []


@pytest.mark.parametrize(
    ("model", "text", "reason"),
    [
        ("refuses", "I can't help with that.", FinishReason.REFUSED),
        ("filtered", "", FinishReason.FILTERED),
        ("filtered_prompt", "", FinishReason.FILTERED),
        ("moderated", "", FinishReason.FILTERED),
        ("truncated", "SELECT name FROM", FinishReason.LENGTH),
        ("out_of_thought", "", FinishReason.LENGTH),
        ("calls_a_tool", "", FinishReason.OTHER),
        ("no_message", "", FinishReason.STOP),
    ],
)
def test_finish_reasons(server: ProviderServer, model: str, text: str, reason: FinishReason) -> None:
    found = run(OpenAIAdapter(model, base_url=server.base_url), lambda a: a.generate(REQUEST))
    assert (found.text, found.finish_reason) == (text, reason)


def test_what_the_provider_does_not_say_is_unknown(server: ProviderServer) -> None:
    found = run(OpenAIAdapter("no_usage", base_url=server.base_url), lambda a: a.generate(REQUEST))
    assert (found.text, found.usage, found.model) == (ANSWER, Usage(), "no_usage")


@pytest.mark.parametrize(
    ("fields", "usage"),
    [
        ({"prompt_tokens": 32, "completion_tokens": 103, "total_tokens": 135}, Usage(32, 103)),
        (  # xAI: thoughts are no part of what is answered
            {
                "prompt_tokens": 32,
                "completion_tokens": 9,
                "total_tokens": 135,
                "completion_tokens_details": {"reasoning_tokens": 94},
            },
            Usage(32, 103, reasoning_tokens=94),
        ),
        ({"prompt_tokens": 21, "completion_tokens": 0, "total_tokens": 81}, Usage(21, 60)),  # Gemini, all thought
        ({"prompt_tokens": 5, "completion_tokens": 7}, Usage(5, 7)),
        ({"prompt_tokens": 5, "completion_tokens": 7, "total_tokens": 0}, Usage(5, 7)),
        ({"total_tokens": 12}, Usage()),
        (  # DeepSeek
            {"prompt_tokens": 9, "completion_tokens": 1, "prompt_cache_hit_tokens": 8, "prompt_cache_miss_tokens": 1},
            Usage(9, 1, cached_tokens=8),
        ),
        (
            {"prompt_tokens": 9, "completion_tokens": 1, "prompt_tokens_details": {"cached_tokens": 0}},
            Usage(9, 1, cached_tokens=0),
        ),
    ],
)
def test_ways_to_count(fields: dict[str, Any], usage: Usage) -> None:
    assert chat_completions.usage(fields) == usage


@pytest.mark.parametrize(
    ("model", "kind", "message"),
    [
        ("rate_limited", errors.RateLimited, "Rate limit reached"),
        ("no_quota", errors.QuotaExhausted, "You exceeded your current quota"),
        ("no_balance", errors.QuotaExhausted, "Insufficient Balance"),
        ("broken", errors.ProviderUnavailable, "The server had an error"),
        ("overloaded", errors.ProviderUnavailable, "Overloaded"),
        ("bad_gateway", errors.ProviderUnavailable, "Bad Gateway"),
        ("conflict", errors.ProviderUnavailable, "Conflict"),
        ("slow_upstream", errors.RequestTimeout, "Request timeout"),
        ("bad_key", errors.AuthFailed, "Incorrect API key provided: ***."),
        ("forbidden", errors.AuthFailed, "Project does not have access"),
        ("missing", errors.ModelNotFound, "The model `missing` does not exist (at http://127.0.0.1"),
        ("missing_403", errors.ModelNotFound, "Project does not have access to model"),
        ("ollama_missing", errors.ModelNotFound, "try pulling it first"),
        ("too_long", errors.PromptTooLong, "maximum context length"),
        ("too_long_vllm", errors.PromptTooLong, "maximum context length"),
        ("too_large", errors.PromptTooLong, "Request too large"),
        ("too_large_for_a_minute", errors.BadRequest, "Limit 30000, Requested 31538"),
        ("too_large_for_a_minute_413", errors.BadRequest, "Limit 30000, Requested 31538"),
        ("bad_request", errors.BadRequest, "Unsupported value: 'temperature'"),
        ("unprocessable", errors.BadRequest, "messages: field required"),
    ],
)
def test_errors_by_status_and_code(
    server: ProviderServer, model: str, kind: type[errors.AdapterError], message: str
) -> None:
    with pytest.raises(errors.AdapterError) as raised:
        run(OpenAIAdapter(model, base_url=server.base_url), lambda a: a.generate(REQUEST))
    assert type(raised.value) is kind
    assert message in raised.value.message
    assert raised.value.status == REPLIES[model].status
    assert raised.value.request_id == REQUEST_ID
    assert len(server.requests) == 1, "the SDK must not retry"


@pytest.mark.parametrize(
    ("model", "seconds"),
    [
        ("rate_limited", 7),
        ("rate_limited_ms", 1.5),
        ("rate_limited_date", 0),
        ("rate_limited_badly", None),
        ("overloaded", 3),
        ("broken", None),
    ],
)
def test_retry_after(server: ProviderServer, model: str, seconds: float | None) -> None:
    with pytest.raises(errors.AdapterError) as raised:
        run(OpenAIAdapter(model, base_url=server.base_url), lambda a: a.generate(REQUEST))
    assert raised.value.retry_after == seconds


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ("invalid_json", "the answer is not valid JSON but application/json"),
        ("html", "the answer is not valid JSON but text/html"),
        ("not_an_object", "the answer is not a JSON object"),
        ("no_choices", "the answer has no choices"),
        ("null_choices", "the answer has no choices"),
        ("error_in_200", "Upstream failed"),
        ("odd_content", "the content of the answer is not text"),
    ],
)
def test_an_answer_that_cannot_be_used(server: ProviderServer, model: str, message: str) -> None:
    with pytest.raises(errors.ProviderUnavailable) as raised:
        run(OpenAIAdapter(model, base_url=server.base_url), lambda a: a.generate(REQUEST))
    assert raised.value.message == message
    assert raised.value.request_id == REQUEST_ID


@pytest.mark.parametrize("request_", [REQUEST, STREAMED], ids=["whole", "streamed"])
@pytest.mark.parametrize(
    ("model", "kind"),
    [
        ("broken_in_200", errors.ProviderUnavailable),
        ("limited_in_200", errors.RateLimited),
        ("no_credit_in_200", errors.QuotaExhausted),
        ("bad_key_in_200", errors.ProviderUnavailable),  # of the one behind it: ours was taken
        ("too_long_in_200", errors.PromptTooLong),
        ("no_quota_in_200", errors.QuotaExhausted),
        ("broken_within", errors.ProviderUnavailable),
    ],
)
def test_an_answer_that_begins_well_and_fails(
    server: ProviderServer, model: str, kind: type[errors.AdapterError], request_: GenerationRequest
) -> None:
    with pytest.raises(errors.AdapterError) as raised:
        run(OpenAIAdapter(model, base_url=server.base_url), lambda a: a.generate(request_))
    assert type(raised.value) is kind, raised.value
    assert raised.value.status is None


def test_a_connection_that_breaks(server: ProviderServer) -> None:
    with pytest.raises(errors.ProviderUnreachable, match=server.base_url):
        run(OpenAIAdapter("cut", base_url=server.base_url), lambda a: a.generate(REQUEST))


def test_errors_with_the_retry_policy(server: ProviderServer) -> None:
    adapter = OpenAIAdapter("broken", base_url=server.base_url)
    policy = RetryPolicy(attempts=3, initial=0, maximum=0)
    with pytest.raises(GaveUp) as raised:
        run(adapter, lambda a: policy.call(lambda: a.generate(REQUEST)))
    assert isinstance(raised.value.error, errors.ProviderUnavailable)
    assert [attempt.error for attempt in raised.value.attempts] == ["ProviderUnavailable"] * 3
    assert len(server.requests) == 3


def test_list_of_models(server: ProviderServer) -> None:
    adapter = OpenAIAdapter("good", base_url=server.base_url)
    assert [info.id for info in run(adapter, lambda a: a.list_models())] == ["good", "other"]
    server.models = Reply(body={"data": None})
    assert run(adapter, lambda a: a.list_models()) == ()


@pytest.mark.parametrize(
    ("models", "failed", "remedy"),
    [
        (Reply(body={"data": [{"id": "other"}]}), "model", "the server offers other"),
        (REPLIES["bad_key"], "key", "set OPENAI_API_KEY to a key that is valid at http://127.0.0.1"),
        (Reply(404, "not found"), "models", "is base_url right? it is http://127.0.0.1"),
        (REPLIES["rate_limited"], "models", "try again later"),
    ],
)
def test_check(server: ProviderServer, models: Reply, failed: str, remedy: str) -> None:
    server.models = models
    result = run(OpenAIAdapter("good", base_url=server.base_url), lambda a: a.check())
    assert [(check.name, remedy in check.remedy) for check in result.checks if not check.ok] == [(failed, True)]


def test_a_missing_key(monkeypatch: pytest.MonkeyPatch, server: ProviderServer) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")
    with pytest.raises(UserError, match="set the environment variable OPENAI_API_KEY"):
        OpenAIAdapter("good")
    with pytest.raises(UserError, match="MY_KEY"):
        OpenAIAdapter("good", api_key_env="MY_KEY")
    run(OpenAIAdapter("good", base_url=server.base_url), lambda a: a.generate(REQUEST))
    assert server.headers[0]["authorization"] == "Bearer not-needed"
    result = run(OpenAIAdapter("good", base_url=server.base_url), lambda a: a.check())
    assert result.ok
    assert "none is set and none is asked for" in [check.detail for check in result.checks]


@pytest.mark.parametrize("key", ["sk-canary\nsecond", "sk-canary\u2013x"])
def test_a_key_that_cannot_be_one_is_refused_without_showing_it(monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", key)
    with pytest.raises(UserError) as raised:
        OpenAIAdapter("good")
    assert "OPENAI_API_KEY" in str(raised.value)
    assert "canary" not in repr(raised.getrepr(style="long", showlocals=False).reprcrash) + str(raised.value)


def test_a_key_that_is_gone_when_it_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    adapter = OpenAIAdapter("good")
    monkeypatch.delenv("OPENAI_API_KEY")
    with pytest.raises(errors.AuthFailed, match="no key for openai"):
        run(adapter, lambda a: a.generate(REQUEST))


def test_where_the_api_is(monkeypatch: pytest.MonkeyPatch) -> None:
    assert OpenAIAdapter("m").identity["base_url"] == "https://api.openai.com/v1"
    monkeypatch.setenv("OPENAI_BASE_URL", "http://gateway:8000/v1/")
    assert OpenAIAdapter("m").identity["base_url"] == "http://gateway:8000/v1"
    assert OpenAIAdapter("m", base_url="http://local/v1").identity["base_url"] == "http://local/v1"


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"base_url": "localhost:11434/v1"}, "must begin with http"),
        ({"base_url": "https://"}, "must begin with http"),
        ({"base_url": "http://[::1/v1"}, "is not a URL"),
        ({"base_url": "https://user:sk-canary@host/v1"}, "must not hold a password"),
        ({"timeout": 0}, "timeout is 0"),
        ({"timeout": float("nan")}, "timeout is nan"),
    ],
    ids=str,
)
def test_settings_are_checked(settings: dict[str, Any], problem: str) -> None:
    with pytest.raises(UserError, match=problem) as raised:
        OpenAIAdapter("m", **settings)
    assert "canary" not in str(raised.value)


def test_nothing_is_open_before_the_first_request() -> None:
    assert OpenAIAdapter("m")._client is None


def test_the_log_of_the_sdk_does_not_hold_the_key(server: ProviderServer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    run(OpenAIAdapter("good", base_url=server.base_url), lambda a: a.generate(REQUEST))
    for model in ("bad_key", "cut"):
        with pytest.raises(errors.AdapterError) as raised:
            run(OpenAIAdapter(model, base_url=server.base_url), lambda a: a.generate(REQUEST))
        assert raised.value.__cause__ is None
        assert raised.value.__suppress_context__ or raised.value.__context__ is None
    assert "Sending HTTP Request" in caplog.text
    assert KEY not in caplog.text


def test_what_responses_are_sent() -> None:
    with ProviderServer(Responses()) as server:
        adapter = OpenAIAdapter("good", base_url=server.base_url, api="responses")
        found = run(adapter, lambda a: a.generate(REQUEST))
    (body,) = server.requests
    assert found.dropped == ("seed", "stop")
    assert body == {
        "model": "good",
        "input": [
            {"role": "system", "content": "You write SQLite queries."},
            {"role": "user", "content": "How many singers?"},
        ],
        "temperature": 0.0,
        "top_p": 1.0,
        "max_output_tokens": 100,
        "store": False,
    }


@pytest.mark.parametrize("request_", [REQUEST, STREAMED], ids=["whole", "streamed"])
@pytest.mark.parametrize(
    ("model", "kind", "words"),
    [
        ("failed", errors.ProviderUnavailable, "Upstream failed"),
        ("failed_for_too_many", errors.RateLimited, "Rate limit reached"),
        ("failed_for_the_prompt", errors.BadRequest, "Invalid prompt"),
    ],
)
def test_a_response_that_failed(
    model: str, kind: type[errors.AdapterError], words: str, request_: GenerationRequest
) -> None:
    with ProviderServer(Responses()) as server, pytest.raises(errors.AdapterError, match=words) as raised:
        run(OpenAIAdapter(model, base_url=server.base_url, api="responses"), lambda a: a.generate(request_))
    assert type(raised.value) is kind


def test_the_api_has_to_be_one_of_two() -> None:
    with pytest.raises(UserError, match="api is 'completions'"):
        OpenAIAdapter("m", api="completions")  # type: ignore[arg-type]


class Azure(ChatCompletions):
    base = ""

    def key(self, headers: Mapping[str, str]) -> str:
        return headers.get("api-key", "")

    def model(self, path: str, body: Mapping[str, Any]) -> str | None:
        return body["model"] if path == "/openai/deployments/good/chat/completions?api-version=2024-10-21" else None


def test_a_dated_version_of_azure() -> None:
    with ProviderServer(Azure()) as server:
        adapter = OpenAIAdapter("good", base_url=server.base_url, api_version="2024-10-21")
        assert run(adapter, lambda a: a.generate(REQUEST)).text == ANSWER
        assert server.protocol.key(server.headers[0]) == KEY
    assert adapter.identity["api_version"] == "2024-10-21"

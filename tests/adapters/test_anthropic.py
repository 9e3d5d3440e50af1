"""The Anthropic adapter, through the real SDK, against a provider on the loopback interface."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, ClassVar

import pytest

from adapters import errors
from adapters.anthropic import AnthropicAdapter
from adapters.base import FinishReason, GenerationRequest, ModelInfo
from sqlassay.errors import UserError
from sqlassay.messages import Message
from tests.conformance.adapter import KEY, REQUEST, run
from tests.conformance.remote import HELD, SCHEMA, STREAMED, RemoteConformance
from tests.providers.anthropic import Anthropic
from tests.providers.server import ANSWER, REQUEST_ID, ProviderServer


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
    monkeypatch.delenv("ANTHROPIC_BASE_URL", raising=False)


@pytest.fixture
def server() -> Iterator[ProviderServer]:
    with ProviderServer(Anthropic()) as server:
        yield server


class TestConformance(RemoteConformance):
    adapter = AnthropicAdapter
    protocol = Anthropic
    ends: ClassVar = {
        "thinks": (ANSWER, FinishReason.STOP),
        "stopped": ("SELECT", FinishReason.STOP),
        "explains": ("It may harm.", FinishReason.REFUSED),
        "declines": ("", FinishReason.REFUSED),
        "full": ("SELECT", FinishReason.LENGTH),
        "calls_a_tool": ("", FinishReason.OTHER),
    }
    failures: ClassVar = {
        "ramp": (errors.RateLimited, "Slower."),
        "over_limit": (errors.QuotaExhausted, "specified API usage limits"),
        "over_workspace": (errors.QuotaExhausted, "workspace API usage limits"),
        "spent": (errors.QuotaExhausted, "Enough."),
        "unpaid": (errors.QuotaExhausted, "issue with your payment"),
        "bad_key": (errors.AuthFailed, "invalid key: ***."),
        "on_hold": (errors.AuthFailed, "It is on hold."),
        "disabled": (errors.AuthFailed, "has been disabled"),
        "missing": (errors.ModelNotFound, "model: missing (at http://127.0.0.1"),
        "too_long_an_answer": (errors.PromptTooLong, "exceed context limit"),
        "too_large": (errors.PromptTooLong, "maximum size"),
        "bad_request": (errors.BadRequest, "`temperature` is deprecated"),
        "not_an_object": (errors.ProviderUnavailable, "the answer is not a JSON object"),
        "empty": (errors.ProviderUnavailable, "the answer has no content"),
        "error_in_200": (errors.ProviderUnavailable, "Overloaded"),
        "odd_content": (errors.ProviderUnavailable, "the content of the answer is not text"),
    }


def test_what_is_sent(server: ProviderServer) -> None:
    found = run(AnthropicAdapter("good", base_url=server.base_url), lambda a: a.generate(REQUEST))
    assert found.dropped == ("seed",)
    assert server.requests == [
        {
            "model": "good",
            "system": "You write SQLite queries.",
            "messages": [{"role": "user", "content": "How many singers?"}],
            "temperature": 0.0,
            "top_p": 1.0,
            "max_tokens": 100,
            "stop_sequences": ["###"],
        }
    ]
    assert server.headers[0]["authorization"] == f"Bearer {KEY}"


def test_every_message_has_its_place(server: ProviderServer) -> None:
    roles: Any = ["system", "user", "assistant", "system", "user"]
    request = GenerationRequest(tuple(Message(role, f"{role} {number}") for number, role in enumerate(roles)))
    run(AnthropicAdapter("good", base_url=server.base_url), lambda a: a.generate(request))
    (body,) = server.requests
    assert body["system"] == "system 0\n\nsystem 3"
    assert body["messages"] == [
        {"role": "user", "content": "user 1"},
        {"role": "assistant", "content": "assistant 2"},
        {"role": "user", "content": "user 4"},
    ]


@pytest.mark.parametrize(
    ("parameters", "sent"),
    [
        ({}, {"max_tokens": 8192}),
        ({"max_tokens": 50_000, "seed": None}, {"max_tokens": 50_000}),
        ({"top_k": 40, "stop": "###"}, {"max_tokens": 8192, "top_k": 40, "stop_sequences": ["###"]}),
        (
            {"thinking": {"type": "adaptive"}, "output_config": {"effort": "low"}},
            {"max_tokens": 8192, "thinking": {"type": "adaptive"}, "output_config": {"effort": "low"}},
        ),
    ],
)
def test_parameters(server: ProviderServer, parameters: dict[str, object], sent: dict[str, object]) -> None:
    request = GenerationRequest((Message("user", "?"),), parameters)
    run(AnthropicAdapter("good", base_url=server.base_url, timeout=600), lambda a: a.generate(request))
    (body,) = server.requests
    assert {name: value for name, value in body.items() if name not in ("model", "messages")} == sent


def test_a_schema(server: ProviderServer) -> None:
    request = replace(HELD, parameters={"output_config": {"effort": "low"}})
    run(AnthropicAdapter("good", base_url=server.base_url), lambda a: a.generate(request))
    (body,) = server.requests
    assert body["output_config"] == {"effort": "low", "format": {"type": "json_schema", "schema": SCHEMA}}


def test_the_limit_of_tokens_is_a_setting(server: ProviderServer) -> None:
    adapter = AnthropicAdapter("good", base_url=server.base_url, max_tokens=4096)
    run(adapter, lambda a: a.generate(GenerationRequest((Message("user", "?"),))))
    assert server.requests[0]["max_tokens"] == 4096
    assert adapter.identity["max_tokens"] == 4096
    with pytest.raises(UserError, match="max_tokens is 0"):
        AnthropicAdapter("good", max_tokens=0)


def test_the_system_prompt_is_not_a_parameter(server: ProviderServer) -> None:
    request = GenerationRequest((Message("user", "?"),), {"system": "?"})
    with pytest.raises(errors.BadRequest, match="'system' is not the user's to set"):
        run(AnthropicAdapter("good", base_url=server.base_url), lambda a: a.generate(request))


@pytest.mark.parametrize(
    ("model", "kind"),
    [("error_in_200", errors.ProviderUnavailable), ("limit_in_200", errors.RateLimited)],
)
def test_an_answer_that_fails_after_it_began_well(
    server: ProviderServer, model: str, kind: type[errors.AdapterError]
) -> None:
    with pytest.raises(errors.AdapterError) as raised:
        run(AnthropicAdapter(model, base_url=server.base_url), lambda a: a.generate(STREAMED))
    assert (type(raised.value), raised.value.status, raised.value.request_id) == (kind, None, REQUEST_ID)


def test_list_of_models(server: ProviderServer) -> None:
    adapter = AnthropicAdapter("good", base_url=server.base_url)
    abilities = ("batch", "structured_outputs")
    assert run(adapter, lambda a: a.list_models()) == (
        ModelInfo("good", "anthropic", context_length=200000, capabilities=abilities),
        ModelInfo("other", "anthropic", context_length=200000, capabilities=abilities),
    )


def test_the_environment_does_not_lead_elsewhere(server: ProviderServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_AUTH_TOKEN", "sk-other")
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    run(AnthropicAdapter("good", base_url=server.base_url), lambda a: a.generate(REQUEST))
    assert server.headers[0]["authorization"] == "Bearer not-needed"
    monkeypatch.setenv("ANTHROPIC_BASE_URL", f"{server.base_url}/")
    assert AnthropicAdapter("good").identity["base_url"] == server.base_url

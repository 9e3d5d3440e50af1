"""What every adapter of a provider must make of its answers, whatever the wire protocol.

The server's replies have common names; a subclass names its adapter and its protocol, and says which replies its
protocol does not know.
"""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import time
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from typing import Any, ClassVar

import pytest

from adapters import errors
from adapters.base import Feature, FinishReason, ModelAdapter, Usage
from adapters.remote import RemoteAdapter
from prompts.extraction import Extraction, Method, extract
from sqlassay.errors import UserError
from tests.conformance.adapter import KEY, REQUEST, AdapterConformance, run
from tests.providers.server import ANSWER, CALL, REQUEST_ID, Protocol, ProviderServer

SCHEMA = {
    "type": "object",
    "properties": {"sql": {"type": "string"}},
    "required": ["sql"],
    "additionalProperties": False,
}
STREAMED = replace(REQUEST, stream=True)
HELD = replace(REQUEST, schema=SCHEMA)

FAILURES: dict[str, type[errors.AdapterError]] = {
    "rate_limited": errors.RateLimited,
    "no_quota": errors.QuotaExhausted,
    "broken": errors.ProviderUnavailable,
    "overloaded": errors.ProviderUnavailable,
    "bad_gateway": errors.ProviderUnavailable,
    "bad_key": errors.AuthFailed,
    "forbidden": errors.AuthFailed,
    "missing": errors.ModelNotFound,
    "too_long": errors.PromptTooLong,
    "bad_request": errors.BadRequest,
    "invalid_json": errors.ProviderUnavailable,
    "html": errors.ProviderUnavailable,
    "empty": errors.ProviderUnavailable,
    "cut": errors.ProviderUnreachable,
}
ENDS: dict[str, tuple[str, FinishReason]] = {
    "good": (ANSWER, FinishReason.STOP),
    "truncated": ("SELECT name FROM", FinishReason.LENGTH),
    "refuses": ("I can't help with that.", FinishReason.REFUSED),
    "filtered": ("", FinishReason.FILTERED),
}


def unused_port() -> int:
    """A port where nothing listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


class RemoteConformance(AdapterConformance):
    """The suite, on top of that for every adapter."""

    adapter: type[RemoteAdapter]
    answer = ANSWER
    protocol: ClassVar[type[Protocol]]
    settings: ClassVar[dict[str, Any]] = {}
    """Of every adapter under test."""
    unknown: ClassVar[Collection[str]] = ()
    """Replies that the protocol does not have."""
    usage: ClassVar[Usage] = Usage(input_tokens=120, output_tokens=30, cached_tokens=64, reasoning_tokens=12)
    """Of the answer `good`."""
    ends: ClassVar[Mapping[str, tuple[str, FinishReason]]] = {}
    """Replies of this protocol alone that are answers: their text, and why the model stopped."""
    failures: ClassVar[Mapping[str, tuple[type[errors.AdapterError], str]]] = {}
    """Replies of this protocol alone that are none: the kind of error, and words of it."""
    sends_request_id: ClassVar[bool] = True
    """With what it answers."""
    fails_with_request_id: ClassVar[bool] = True
    """Also where it fails."""

    @pytest.fixture(autouse=True)
    def _server(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        if self.adapter.base_url_env:
            monkeypatch.delenv(self.adapter.base_url_env, raising=False)
        with ProviderServer(self.protocol()) as self.server:
            yield

    def at(self, model: str, **settings: Any) -> RemoteAdapter:
        """The adapter of a model of the server."""
        return self.adapter(model, **{"base_url": self.server.base_url, **self.settings, **settings})

    def working(self) -> ModelAdapter:
        return self.at("good")

    def failing(self) -> ModelAdapter:
        return self.at("bad_key" if "bad_key" not in self.unknown else "missing")

    def has(self, model: str) -> bool:
        """Whether the protocol has such a reply; it has all that the subclass does not call unknown."""
        assert (model in self.unknown) == (model not in {*self.protocol.replies, "cut"})
        return model not in self.unknown

    @pytest.mark.parametrize("model", ENDS)
    @pytest.mark.parametrize("request_", [REQUEST, STREAMED], ids=["whole", "streamed"])
    def test_ends(self, model: str, request_: Any) -> None:
        if not self.has(model):
            return
        found = run(self.at(model), lambda a: a.generate(request_))
        assert (found.text, found.finish_reason) == ENDS[model]

    @pytest.mark.parametrize("request_", [REQUEST, STREAMED], ids=["whole", "streamed"])
    def test_ends_of_its_own(self, request_: Any) -> None:
        for model, (text, reason) in self.ends.items():
            found = run(self.at(model), lambda a: a.generate(request_))
            assert (model, found.text, found.finish_reason) == (model, text, reason)

    @pytest.mark.parametrize("request_", [REQUEST, STREAMED], ids=["whole", "streamed"])
    def test_a_tool_call_is_part_of_the_answer(self, request_: Any) -> None:
        if "uses_a_tool" not in self.protocol.replies:
            return
        found = run(self.at("uses_a_tool"), lambda a: a.generate(request_))
        assert found.text.startswith("<tool_call>")
        call = json.loads(found.text.removeprefix("<tool_call>").removesuffix("</tool_call>"))
        given = call["arguments"]
        assert {**call, "arguments": json.loads(given) if isinstance(given, str) else given} == CALL
        assert extract(found.text) == Extraction(CALL["arguments"]["sql"], Method.TOOL_CALL)
        assert request_.stream is (found.first_token_seconds is not None)

    @pytest.mark.parametrize("request_", [REQUEST, STREAMED], ids=["whole", "streamed"])
    def test_calls_come_after_what_is_said(self, request_: Any) -> None:
        if "uses_two_tools" not in self.protocol.replies:
            return
        found = run(self.at("uses_two_tools"), lambda a: a.generate(request_))
        said, *calls = found.text.split("\n")
        assert said == "Both:"
        assert len(calls) == 2
        assert extract(found.text).sql == CALL["arguments"]["sql"]

    @pytest.mark.parametrize("request_", [REQUEST, STREAMED], ids=["whole", "streamed"])
    def test_a_tool_may_be_given_plain_text(self, request_: Any) -> None:
        if "uses_its_own_tool" not in self.protocol.replies:
            return
        found = run(self.at("uses_its_own_tool"), lambda a: a.generate(request_))
        assert found.text == '<tool_call>{"name": "sql", "arguments": "SELECT 1"}</tool_call>'
        assert extract(found.text).sql == "SELECT 1"

    @pytest.mark.parametrize("request_", [REQUEST, STREAMED], ids=["whole", "streamed"])
    def test_what_the_provider_does_not_say_is_unknown(self, request_: Any) -> None:
        if "no_usage" not in self.protocol.replies:
            return
        found = run(self.at("no_usage"), lambda a: a.generate(request_))
        assert (found.text, found.usage, found.model) == (ANSWER, Usage(), "no_usage")

    @pytest.mark.parametrize("request_", [REQUEST, STREAMED], ids=["whole", "streamed"])
    def test_what_is_read_from_an_answer(self, request_: Any) -> None:
        found = run(self.at("good"), lambda a: a.generate(request_))
        assert found.usage == self.usage
        assert found.model.startswith("good")
        assert found.request_id == (REQUEST_ID if self.sends_request_id else None)
        assert 0 < found.seconds < 5
        assert set(found.dropped) == {name for name in REQUEST.parameters if name not in self.at("good").names}

    def test_the_first_token_is_timed(self) -> None:
        whole = run(self.at("good"), lambda a: a.generate(REQUEST))
        assert whole.first_token_seconds is None
        streamed = run(self.at("good"), lambda a: a.generate(STREAMED))
        assert streamed.first_token_seconds is not None
        assert 0 < streamed.first_token_seconds < streamed.seconds

    @pytest.mark.parametrize("model", FAILURES)
    @pytest.mark.parametrize("request_", [REQUEST, STREAMED], ids=["whole", "streamed"])
    def test_failures(self, model: str, request_: Any) -> None:
        if not self.has(model):
            return
        with pytest.raises(errors.AdapterError) as raised:
            run(self.at(model), lambda a: a.generate(request_))
        error = raised.value
        assert type(error) is FAILURES[model], error
        if model != "cut" and (status := self.server.reply(model).status) != 200:
            assert error.status == status
            assert error.request_id == (REQUEST_ID if self.fails_with_request_id else None)
            assert error.retry_after == (7 if model == "rate_limited" else 3 if model == "overloaded" else None)
        assert KEY not in str(error) + repr(error)
        assert error.__suppress_context__ or error.__context__ is None
        assert len(self.server.requests) == 1, "the SDK must not retry"

    def test_failures_of_its_own(self) -> None:
        for number, (model, (kind, words)) in enumerate(self.failures.items(), start=1):
            with pytest.raises(errors.AdapterError) as raised:
                run(self.at(model), lambda a: a.generate(REQUEST))
            status = self.server.reply(model).status
            assert (model, type(raised.value)) == (model, kind)
            assert (model, raised.value.status) == (model, None if status == 200 else status)
            if status != 200:
                expected = REQUEST_ID if self.fails_with_request_id else None
                assert (model, raised.value.request_id) == (model, expected)
            assert words in raised.value.message
            assert len(self.server.requests) == number, "the SDK must not retry"

    @pytest.mark.parametrize("model", ["cut_stream", "cut_chunks"])
    def test_a_stream_that_breaks_off_is_no_answer(self, model: str) -> None:
        with pytest.raises((errors.ProviderUnavailable, errors.ProviderUnreachable)):
            run(self.at(model), lambda a: a.generate(STREAMED))

    def test_a_schema_is_sent(self) -> None:
        if Feature.SCHEMA not in self.adapter.features:
            with pytest.raises(errors.BadRequest, match="schema"):
                run(self.at("good"), lambda a: a.generate(HELD))
            assert self.server.requests == []
            return
        run(self.at("good"), lambda a: a.generate(HELD))
        (body,) = self.server.requests
        assert '"additionalProperties"' in json.dumps(body)

    @pytest.mark.parametrize("name", ["model", "messages", "stream"])
    def test_parameters_that_are_not_the_users(self, name: str) -> None:
        with pytest.raises(errors.BadRequest, match=name):
            run(self.at("good"), lambda a: a.generate(replace(REQUEST, parameters={name: 1})))
        assert self.server.requests == []

    @pytest.mark.parametrize("model", ["hang", "trickle"])
    def test_the_timeout_is_for_the_whole_request_and_closes_the_connection(self, model: str) -> None:
        async def ask(adapter: ModelAdapter) -> bool:
            with pytest.raises(errors.RequestTimeout, match="no answer in 1 s"):
                await adapter.generate(REQUEST)
            assert self.server.requests, "the time was up before the request was sent"
            return await asyncio.to_thread(self.server.hung_up.wait, 30)

        started = time.perf_counter()
        assert run(self.at(model, timeout=1), ask), "closed with the timeout, not with the adapter"
        assert time.perf_counter() - started < 25

    def test_no_server(self) -> None:
        adapter = self.at("good", base_url=f"http://127.0.0.1:{unused_port()}{self.protocol.base}")
        with pytest.raises(errors.ProviderUnreachable, match=r"no connection to http://127\.0\.0\.1"):
            run(adapter, lambda a: a.generate(REQUEST))
        (check,) = run(adapter, lambda a: a.check()).checks
        assert (check.name, check.ok, check.remedy) == (
            "reachable", False, "is base_url right, and does the server run?",
        )  # fmt: skip

    def test_check_names_latency_and_streaming(self) -> None:
        result = run(self.at("good"), lambda a: a.check())
        found = {check.name: check.detail for check in result.checks}
        assert {"reachable", "key", "model", "answer", "streaming"} == set(found)
        assert " ms" in found["answer"]
        assert "first token after" in found["streaming"]

    def test_check_of_a_model_that_is_not_offered(self) -> None:
        (check,) = [check for check in run(self.at("broken"), lambda a: a.check()).checks if not check.ok]
        assert check.name == "model"
        assert "good" in check.remedy

    def test_no_models_are_none(self) -> None:
        self.server.models = self.protocol.no_models
        assert run(self.at("good"), lambda a: a.list_models()) == ()

    @pytest.mark.parametrize(
        "url", ["localhost:1/v1", "https://", "http://[::1/v1", "https://u:canary@h", "http://h?k=canary"]
    )
    def test_addresses_are_checked(self, url: str) -> None:
        with pytest.raises(UserError, match="base_url") as raised:
            self.at("good", base_url=url)
        assert "canary" not in str(raised.value)

    @pytest.mark.parametrize("timeout", [0, -1, float("nan")])
    def test_the_time_limit_is_checked(self, timeout: float) -> None:
        with pytest.raises(UserError, match="timeout is"):
            self.at("good", timeout=timeout)

    def test_a_missing_key(self, monkeypatch: pytest.MonkeyPatch) -> None:
        if self.adapter.keyless or self.adapter.key_env is None:
            return
        monkeypatch.delenv(self.adapter.key_env)
        with pytest.raises(UserError, match=self.adapter.key_env):
            self.adapter("good", **self.settings)

    def test_another_variable_for_the_key(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("MY_KEY", " sk-mine\n")
        run(self.at("good", api_key_env="MY_KEY"), lambda a: a.generate(REQUEST))
        assert self.server.protocol.key(self.server.headers[0]) == "sk-mine"

    def test_the_log_of_the_sdk_does_not_hold_the_key(self, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.DEBUG)
        run(self.at("good"), lambda a: a.generate(REQUEST))
        with pytest.raises(errors.AdapterError):
            run(self.failing(), lambda a: a.generate(REQUEST))
        assert KEY not in caplog.text

    def test_models_of_one_address_and_key_are_one_endpoint(self) -> None:
        assert self.at("good").endpoint == self.at("other").endpoint
        assert self.at("good").endpoint != self.at("good", base_url="http://127.0.0.1:9/v1").endpoint
        assert KEY not in self.at("good").endpoint

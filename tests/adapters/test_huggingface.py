"""The Hugging Face adapter, through the official client, against a provider on the loopback interface."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, ClassVar

import pytest
from huggingface_hub.inference._providers import CONVERSATIONAL_AUTO_ROUTER

from adapters import errors
from adapters.base import FinishReason, ModelInfo
from adapters.huggingface import HuggingFaceAdapter
from sqlassay.errors import UserError
from tests.conformance.adapter import KEY, REQUEST, run
from tests.conformance.remote import HELD, SCHEMA, STREAMED, RemoteConformance
from tests.providers.huggingface import ROUTED, HuggingFace
from tests.providers.server import ANSWER, ProviderServer, Reply

TOKEN = "hf_canary7f3a91c25d"


class TestConformance(RemoteConformance):
    adapter = HuggingFaceAdapter
    protocol = HuggingFace
    sends_request_id = False
    failures: ClassVar = {
        "no_quota": (errors.QuotaExhausted, "monthly included credits"),
        "no_balance": (errors.QuotaExhausted, "Insufficient Balance"),
        "loading": (errors.ProviderUnavailable, "currently loading"),
        "crowded": (errors.RateLimited, "Model is overloaded"),
        "not_allowed": (errors.AuthFailed, "sufficient permissions"),
        "not_supported": (errors.ModelNotFound, "not supported by any provider you have enabled. (at http://127.0.0.1"),
        "too_long_here": (errors.PromptTooLong, "must be <= 4096"),
        "too_large": (errors.PromptTooLong, "Request too large"),
        "bad_request": (errors.BadRequest, "Unsupported value: 'temperature'"),
        "html": (errors.ProviderUnavailable, "the answer cannot be read"),
        "odd_choices": (errors.ProviderUnavailable, "the answer cannot be read"),
        "not_an_object": (errors.ProviderUnavailable, "the answer cannot be read"),
        "error_in_200": (errors.ProviderUnavailable, "Upstream failed"),
    }


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", TOKEN)


@pytest.fixture
def server() -> Iterator[ProviderServer]:
    with ProviderServer(HuggingFace()) as server:
        yield server


@pytest.fixture
def router(server: ProviderServer, monkeypatch: pytest.MonkeyPatch) -> ProviderServer:
    """The server in the place of the router, whose address the SDK knows by itself."""
    monkeypatch.setattr(CONVERSATIONAL_AUTO_ROUTER, "base_url", server.base_url.removesuffix("/v1"))
    monkeypatch.setattr(HuggingFaceAdapter, "default_url", server.base_url)
    return server


ASKED = {
    "model": "good",
    "messages": [
        {"role": "system", "content": "You write SQLite queries."},
        {"role": "user", "content": "How many singers?"},
    ],
    "stream": False,
    "temperature": 0.0,
    "top_p": 1.0,
    "max_tokens": 100,
    "seed": 7,
    "stop": ["###"],
}


def test_what_the_router_is_sent(router: ProviderServer) -> None:
    run(HuggingFaceAdapter("good"), lambda a: a.generate(HELD))
    answer = {"name": "answer", "strict": True, "schema": SCHEMA}
    assert router.requests == [{**ASKED, "response_format": {"type": "json_schema", "json_schema": answer}}]
    assert router.paths == ["/v1/chat/completions"]
    assert router.headers[0]["authorization"] == f"Bearer {TOKEN}"


def test_what_an_endpoint_is_sent(server: ProviderServer) -> None:
    run(HuggingFaceAdapter("good", base_url=server.base_url.removesuffix("/v1")), lambda a: a.generate(HELD))
    assert server.requests == [{**ASKED, "response_format": {"type": "json_object", "value": SCHEMA}}]
    assert server.paths == ["/v1/chat/completions"]


def test_what_is_sent_for_a_stream(router: ProviderServer) -> None:
    run(HuggingFaceAdapter("good"), lambda a: a.generate(STREAMED))
    assert router.requests == [{**ASKED, "stream": True, "stream_options": {"include_usage": True}}]


def test_parameters(router: ProviderServer) -> None:
    request = replace(REQUEST, parameters={"reasoning_effort": "low", "top_k": 40, "seed": None})
    found = run(HuggingFaceAdapter("good"), lambda a: a.generate(request))
    assert found.dropped == ("top_k",)
    (body,) = router.requests
    assert {name: value for name, value in body.items() if name not in ("model", "messages", "stream")} == {
        "reasoning_effort": "low"
    }


def test_many_streams_leave_nothing_open(router: ProviderServer) -> None:
    async def ask(adapter: Any) -> int:
        for _ in range(5):
            await adapter.generate(STREAMED)
        return len(adapter._client.exit_stack._exit_callbacks)

    assert run(HuggingFaceAdapter("good"), ask) <= 1


def test_a_model_that_is_being_loaded_says_how_long(server: ProviderServer) -> None:
    with pytest.raises(errors.ProviderUnavailable) as raised:
        run(HuggingFaceAdapter("loading", base_url=server.base_url), lambda a: a.generate(REQUEST))
    assert raised.value.retry_after == 20.5


def test_an_error_in_a_stream(server: ProviderServer, monkeypatch: pytest.MonkeyPatch) -> None:
    for body in ('{"error": {"message": "CUDA out of memory"}}', '{"error": "CUDA out of memory", "error_type": "x"}'):
        monkeypatch.setattr(HuggingFace, "pieces", lambda _, __, body=body: [f"data: {body}\n\n"])
        with pytest.raises(errors.ProviderUnavailable, match=": CUDA out of memory"):
            run(HuggingFaceAdapter("good", base_url=server.base_url), lambda a: a.generate(STREAMED))


def test_the_end_of_its_own_server(server: ProviderServer) -> None:
    found = run(HuggingFaceAdapter("ends", base_url=server.base_url), lambda a: a.generate(REQUEST))
    assert (found.text, found.finish_reason) == (ANSWER, FinishReason.STOP)


def test_list_of_models(router: ProviderServer) -> None:
    router.models = Reply(body=ROUTED)
    assert run(HuggingFaceAdapter("m"), lambda a: a.list_models()) == (
        ModelInfo("org/name", "huggingface", 131072),
        ModelInfo("org/name:novita", "huggingface", 32768),
        ModelInfo("org/name:silent", "huggingface"),
        ModelInfo("org/name:together", "huggingface", 131072),
    )
    assert router.headers[0]["authorization"] == f"Bearer {TOKEN}"


@pytest.mark.parametrize(
    ("model", "offered"),
    [("org/name", True), ("org/name:together", True), ("org/name:cheapest", True), ("org/name:gone", False)],
)
def test_check_knows_the_names_of_a_model(router: ProviderServer, model: str, offered: bool) -> None:
    router.models = Reply(body=ROUTED)
    checks = {check.name: check.ok for check in run(HuggingFaceAdapter(model), lambda a: a.check()).checks}
    assert checks["model"] == offered


@pytest.mark.parametrize(("variable", "named"), [(None, "huggingface"), ("MY_TOKEN", "MY_TOKEN")])
def test_a_missing_token_is_set_by_the_name_of_the_provider(
    variable: str | None, named: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HF_TOKEN", "MY_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(UserError) as raised:
        HuggingFaceAdapter("org/name", api_key_env=variable)
    remedy = f"set the environment variable {variable or 'HF_TOKEN'} or run `sqlassay keys set {named}`"
    assert str(raised.value) == f"no key for huggingface ({remedy})"


def test_a_token_of_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", KEY)
    with pytest.raises(UserError, match="what is in HF_TOKEN is no token of Hugging Face") as raised:
        HuggingFaceAdapter("org/name")
    assert KEY not in str(raised.value)


def test_the_token_of_the_user_who_is_logged_in_is_not_sent(
    server: ProviderServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MY_TOKEN", raising=False)  # while HF_TOKEN is set, which the SDK would look for
    adapter = HuggingFaceAdapter("good", base_url=server.base_url, api_key_env="MY_TOKEN")
    run(adapter, lambda a: a.generate(REQUEST))
    run(adapter, lambda a: a.list_models())
    assert {headers["authorization"] for headers in server.headers} == {"Bearer not-needed"}

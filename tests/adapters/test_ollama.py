"""The Ollama adapter, through the official client, against a server on the loopback interface."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, ClassVar

import pytest

from adapters import errors
from adapters.base import Feature, FinishReason, GenerationRequest, ModelAdapter, ModelInfo, Usage
from adapters.ollama import OllamaAdapter
from sqlassay.chat_formats import FORMATS
from sqlassay.errors import UserError
from sqlassay.messages import Message
from tests.conformance.adapter import KEY, REQUEST, run
from tests.conformance.remote import HELD, SCHEMA, STREAMED, RemoteConformance
from tests.providers.ollama import OllamaChat, OllamaGenerate, listed
from tests.providers.server import ANSWER, ProviderServer, Reply

RAW: dict[str, Any] = {"api": "generate", "chat_format": "chatml"}


class TestChat(RemoteConformance):
    adapter = OllamaAdapter
    protocol = OllamaChat
    unknown = ("refuses", "filtered")
    usage = Usage(input_tokens=120, output_tokens=30)
    fails_with_request_id = sends_request_id = False
    failures: ClassVar = {
        "missing": (
            errors.ModelNotFound,
            "model 'missing' not found; `ollama pull missing` fetches it, and so does the setting pull: true"
            " (at http://127.0.0.1",
        ),
        "overloaded": (errors.ProviderUnavailable, "server busy"),
        "bad_gateway": (errors.ProviderUnavailable, "Bad Gateway"),
        "too_long_to_shift": (errors.PromptTooLong, "longer than the context length"),
        "bad_request": (errors.BadRequest, "does not support thinking"),
        "unfinished": (errors.ProviderUnavailable, "ended in the middle"),
        "invalid_json": (errors.ProviderUnavailable, "the answer is not valid JSON"),
        "not_an_object": (errors.ProviderUnavailable, "the answer is not a JSON object"),
        "odd_content": (errors.ProviderUnavailable, "the answer is none of Ollama's: message.content"),
    }

    def working(self) -> ModelAdapter:
        return self.at("good:latest")


class TestGenerate(TestChat):
    protocol = OllamaGenerate
    settings: ClassVar = RAW
    failures: ClassVar = {}


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OLLAMA_API_KEY", raising=False)
    monkeypatch.delenv("OLLAMA_HOST", raising=False)


@pytest.fixture
def server() -> Iterator[ProviderServer]:
    with ProviderServer(OllamaChat()) as server:
        yield server


@pytest.fixture
def raw_server() -> Iterator[ProviderServer]:
    with ProviderServer(OllamaGenerate()) as server:
        yield server


def protocol(server: ProviderServer) -> OllamaChat:
    assert isinstance(server.protocol, OllamaChat)
    return server.protocol


def test_what_a_chat_is_sent(server: ProviderServer) -> None:
    run(OllamaAdapter("good", base_url=server.base_url), lambda a: a.generate(HELD))
    assert server.requests == [
        {
            "model": "good",
            "messages": [
                {"role": "system", "content": "You write SQLite queries."},
                {"role": "user", "content": "How many singers?"},
            ],
            "tools": [],
            "stream": False,
            "options": {
                "temperature": 0.0,
                "top_p": 1.0,
                "num_predict": 100,
                "seed": 7,
                "stop": ["###"],
                "num_ctx": 8192,
            },
            "format": SCHEMA,
        }
    ]
    assert "authorization" not in server.headers[0]


def test_what_a_raw_text_is_sent(raw_server: ProviderServer) -> None:
    adapter = OllamaAdapter("good", base_url=raw_server.base_url, api="generate", chat_format="phi3", num_ctx=4096)
    run(adapter, lambda a: a.generate(REQUEST))
    (body,) = raw_server.requests
    prompt = "<|system|>\nYou write SQLite queries.<|end|>\n<|user|>\nHow many singers?<|end|>\n<|assistant|>\n"
    assert (body["prompt"], body["raw"], body["stream"]) == (prompt, True, False)
    assert body["options"]["stop"] == ["###", *FORMATS["phi3"].stop]
    assert body["options"]["num_ctx"] == 4096
    assert "format" not in body


def test_a_stop_that_is_one_text(raw_server: ProviderServer) -> None:
    request = replace(REQUEST, parameters={"stop": ";"})
    run(OllamaAdapter("good", base_url=raw_server.base_url, **RAW), lambda a: a.generate(request))
    assert raw_server.requests[0]["options"]["stop"] == [";", "<|im_end|>", "<|endoftext|>"]


def test_a_conversation_that_the_chat_format_has_no_place_for(raw_server: ProviderServer) -> None:
    adapter = OllamaAdapter("good", base_url=raw_server.base_url, api="generate", chat_format="llama2")
    with pytest.raises(errors.BadRequest, match="the chat format llama2 has no place"):
        run(adapter, lambda a: a.generate(GenerationRequest((Message("user", "a"), Message("user", "b")))))
    assert raw_server.requests == []


def test_parameters_of_its_own(server: ProviderServer) -> None:
    own = {"think": False, "keep_alive": "10m", "min_p": 0.05, "top_k": 40, "temperature": None}
    run(OllamaAdapter("good", base_url=server.base_url), lambda a: a.generate(replace(REQUEST, parameters=own)))
    (body,) = server.requests
    assert (body["think"], body["keep_alive"]) == (False, "10m")
    assert body["options"] == {"min_p": 0.05, "top_k": 40, "num_ctx": 8192}


@pytest.mark.parametrize("name", ["num_ctx", "format", "raw", "options"])
def test_parameters_that_are_not_the_users(server: ProviderServer, name: str) -> None:
    with pytest.raises(errors.BadRequest, match=name):
        run(
            OllamaAdapter("good", base_url=server.base_url),
            lambda a: a.generate(replace(REQUEST, parameters={name: 1})),
        )
    assert server.requests == []


def test_a_parameter_of_the_wrong_kind(server: ProviderServer) -> None:
    with pytest.raises(errors.BadRequest, match="think"):
        run(
            OllamaAdapter("good", base_url=server.base_url),
            lambda a: a.generate(replace(REQUEST, parameters={"think": [5]})),
        )
    assert server.requests == []


@pytest.mark.parametrize("request_", [REQUEST, STREAMED], ids=["whole", "streamed"])
@pytest.mark.parametrize(
    ("model", "text", "reason", "usage"),
    [
        ("thinks", ANSWER, FinishReason.STOP, Usage(120, 30)),
        ("unloaded", "", FinishReason.OTHER, Usage(120, 30)),
        ("reads_from_cache", ANSWER, FinishReason.STOP, Usage(None, 30)),
        ("says_little", ANSWER, FinishReason.STOP, Usage()),
    ],
)
@pytest.mark.parametrize("settings", [{}, RAW], ids=["chat", "generate"])
def test_answers(
    server: ProviderServer,
    raw_server: ProviderServer,
    settings: dict[str, Any],
    model: str,
    text: str,
    reason: FinishReason,
    usage: Usage,
    request_: GenerationRequest,
) -> None:
    url = (raw_server if settings else server).base_url
    found = run(OllamaAdapter(model, base_url=url, **settings), lambda a: a.generate(request_))
    assert (found.text, found.finish_reason, found.usage) == (text, reason, usage)


def test_an_answer_that_fails_in_the_middle(server: ProviderServer) -> None:
    with pytest.raises(errors.ProviderUnavailable, match="while running the model"):
        run(OllamaAdapter("fails_late", base_url=server.base_url), lambda a: a.generate(STREAMED))


def long(words: int, word: str = "singers ") -> GenerationRequest:
    return GenerationRequest((Message("user", word * words),))


def test_a_prompt_that_cannot_fit_is_not_sent(server: ProviderServer) -> None:
    adapter = OllamaAdapter("good", base_url=server.base_url, num_ctx=1000)
    with pytest.raises(errors.PromptTooLong, match="1001 words, but there is room for 1000 tokens"):
        run(adapter, lambda a: a.generate(long(1001)))
    assert server.requests == []
    run(adapter, lambda a: a.generate(long(1000)))


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("model", "request_", "cut"),
    [
        ("full", long(6000), True),
        ("half_full", long(6000), True),  # 48,000 bytes in 4,098 tokens are too many
        ("half_full_and_begun", long(6000), True),
        ("half_full", long(4098, "ab "), False),
        ("good", long(6000), False),
        ("reads_from_cache", long(6000), False),
        ("small", long(2000), False),
    ],
)
def test_a_prompt_that_was_cut(
    server: ProviderServer, model: str, request_: GenerationRequest, cut: bool, stream: bool
) -> None:
    adapter = OllamaAdapter(model, base_url=server.base_url)
    if not cut:
        run(adapter, lambda a: a.generate(replace(request_, stream=stream)))
        return
    with pytest.raises(errors.PromptTooLong, match=r"has read only \d+ tokens of the prompt, .* \(num_ctx is 8192\)"):
        run(adapter, lambda a: a.generate(replace(request_, stream=stream)))


def test_the_model_may_have_less_room_than_it_is_given(server: ProviderServer) -> None:
    info = {"general.architecture": "llama", "llama.context_length": 2048}
    protocol(server).shown["small"] = Reply(body={"model_info": info})
    with pytest.raises(errors.PromptTooLong, match="room for 2048 tokens"):
        run(OllamaAdapter("small", base_url=server.base_url), lambda a: a.generate(long(2000)))


@pytest.mark.parametrize(
    "shown", [Reply(404, "404 page not found"), Reply(body="<html>"), Reply(body={"model_info": {"x": 1}})]
)
def test_a_server_that_does_not_describe_its_models(server: ProviderServer, shown: Reply) -> None:
    protocol(server).shown["good"] = shown
    adapter = OllamaAdapter("good", base_url=server.base_url)
    assert run(adapter, lambda a: a.generate(REQUEST)).text == ANSWER
    assert [info.context_length for info in run(adapter, lambda a: a.list_models())] == [None, None]


def test_list_of_models(server: ProviderServer) -> None:
    known = ModelInfo("good:latest", "ollama", None, "3.2B", "Q4_K_M", 2_019_393_189)
    mine = replace(known, context_length=131072, capabilities=("completion", "tools"))
    found = run(OllamaAdapter("good", base_url=server.base_url), lambda a: a.list_models())
    assert found == (mine, replace(known, id="other:latest"))
    assert len(server.headers) == 2, "only the adapter's own model is looked at"


def test_a_missing_model_is_pulled(server: ProviderServer) -> None:
    adapter = OllamaAdapter("missing", base_url=server.base_url, pull=True)
    assert run(adapter, lambda a: a.generate(REQUEST)).text == ANSWER
    assert protocol(server).pulled == ["missing"]


@pytest.mark.parametrize(
    ("last", "kind", "message"),
    [
        ({"error": "pull model manifest: file does not exist"}, errors.ModelNotFound, "file does not exist"),
        ({"error": "max retries exceeded: EOF"}, errors.ProviderUnavailable, "max retries exceeded"),
        ({"status": "pulling a80c4f17acd5"}, errors.ProviderUnavailable, "the pull ended in the middle"),
    ],
)
def test_a_pull_that_fails(
    server: ProviderServer, last: dict[str, object], kind: type[errors.AdapterError], message: str
) -> None:
    protocol(server).pulls = [{"status": "pulling manifest"}, last]
    with pytest.raises(kind, match=message):
        run(OllamaAdapter("missing", base_url=server.base_url, pull=True), lambda a: a.generate(REQUEST))


def test_a_pull_that_takes_too_long(server: ProviderServer) -> None:
    adapter = OllamaAdapter("missing", base_url=server.base_url, pull=True, pull_timeout=1e-6)
    with pytest.raises(errors.RequestTimeout, match=r"the model was not pulled in 1e-06 s \(pull_timeout\)"):
        run(adapter, lambda a: a.generate(REQUEST))


def test_check_says_how_to_get_a_model(server: ProviderServer) -> None:
    server.models = Reply(body={"models": [listed("other")]})
    (check,) = [check for check in run(OllamaAdapter("good", base_url=server.base_url), lambda a: a.check()).checks
                if not check.ok]  # fmt: skip
    assert check.remedy.startswith("the server offers other:latest; `ollama pull good` fetches it")


@pytest.mark.parametrize(
    ("value", "url"),
    [
        ("", "http://127.0.0.1:11434"),
        ("gpu", "http://gpu:11434"),
        ("gpu:8080", "http://gpu:8080"),
        (":8080", "http://127.0.0.1:8080"),
        ("'gpu:8080' ", "http://gpu:8080"),
        ("0.0.0.0", "http://127.0.0.1:11434"),
        ("[::1]:8080", "http://[::1]:8080"),
        ("gpu/ollama/", "http://gpu:11434/ollama"),
        ("http://gpu", "http://gpu"),
        ("ollama.com", "https://ollama.com"),
        ("https://ollama.com/", "https://ollama.com"),
    ],
)
def test_where_the_server_is(monkeypatch: pytest.MonkeyPatch, value: str, url: str) -> None:
    monkeypatch.setenv("OLLAMA_HOST", value)
    assert OllamaAdapter("m").identity["base_url"] == url
    assert OllamaAdapter("m", base_url="http://local").identity["base_url"] == "http://local"


@pytest.mark.parametrize("value", ["gpu:port", "user:canary@gpu", "http://user:canary@gpu"])
def test_addresses_of_the_environment_are_checked(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("OLLAMA_HOST", value)
    with pytest.raises(UserError) as raised:
        OllamaAdapter("m")
    assert "canary" not in str(raised.value)


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"api": "raw"}, "api is 'raw'"),
        ({"api": "generate"}, "go together"),
        ({"chat_format": "phi3"}, "go together"),
        ({"api": "generate", "chat_format": "alpaca"}, "there is no chat format 'alpaca'"),
        ({"num_ctx": 0}, "num_ctx is 0"),
        ({"pull_timeout": 0}, "pull_timeout is 0"),
    ],
    ids=str,
)
def test_settings_are_checked(settings: dict[str, Any], problem: str) -> None:
    with pytest.raises(UserError, match=problem):
        OllamaAdapter("m", **settings)


def test_what_can_change_an_answer_is_its_identity() -> None:
    plain = {"provider": "ollama", "model": "m", "base_url": "http://127.0.0.1:11434", "num_ctx": 8192}
    assert OllamaAdapter("m", pull=True, timeout=5).identity == plain
    found = OllamaAdapter("m", num_ctx=100, **RAW).identity
    assert found == {**plain, "num_ctx": 100, "chat_format": "chatml"}
    assert OllamaAdapter.features == frozenset(Feature)


def test_a_key_is_sent_where_there_is_one(server: ProviderServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OLLAMA_API_KEY", KEY)
    run(OllamaAdapter("good", base_url=server.base_url), lambda a: a.generate(REQUEST))
    assert server.headers[0]["authorization"] == f"Bearer {KEY}"

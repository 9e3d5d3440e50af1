"""The adapters against real model servers, which run a tiny model: what only they can tell."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import jsonschema
import pytest

from adapters import errors
from adapters.base import Completion, FinishReason, GenerationRequest, ModelAdapter
from adapters.ollama import OllamaAdapter
from adapters.openai import OpenAIAdapter
from sqlassay.messages import Message
from tests.conformance.adapter import run
from tests.servers.tiny_gguf import CONTEXT, NAME, SPECIAL

QUESTION = "How many singers are there?"
TOKENS = len("<user\nHow many singers are there?>\n<assistant\n")
"""Of the question in the template: a byte is a token, and so is each of its marks, here < and >."""
FRAME = TOKENS - len(QUESTION)
ROOM = 256
"""Of a small context: filling the model's own takes Ollama half a minute on a busy machine."""
SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "properties": {"sql": {"type": "string", "maxLength": 20}, "sure": {"type": "boolean"}},
    "required": ["sql", "sure"],
    "additionalProperties": False,
}


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "OLLAMA_API_KEY", "OLLAMA_HOST"):
        monkeypatch.delenv(name, raising=False)


def ask(adapter: ModelAdapter, text: str = QUESTION, **parameters: Any) -> Completion:
    """Ask for an answer of at most 30 tokens."""
    request = GenerationRequest((Message("user", text),), {"max_tokens": 30, "temperature": 0, **parameters})
    return run(adapter, lambda a: a.generate(request))


class Real:
    """What both servers do. A subclass makes the adapter."""

    def make(self, **settings: Any) -> ModelAdapter:
        raise NotImplementedError

    def test_a_whole_answer(self) -> None:
        found = ask(self.make(), max_tokens=3)
        assert re.fullmatch(r"[ -~]{1,3}", found.text)
        assert found.model == NAME
        assert found.finish_reason is (FinishReason.LENGTH if found.usage.output_tokens == 3 else FinishReason.STOP)
        assert found.usage.input_tokens == TOKENS
        assert found.seconds > 0
        assert found.first_token_seconds is None
        assert found.dropped == ()

    def test_the_prompt_is_counted_whole_also_when_the_server_remembers_it(self) -> None:
        text = f"{QUESTION} {uuid4()}"
        counts = [ask(self.make(), text, max_tokens=1).usage.input_tokens for _ in range(2)]
        assert counts == [len(text) + FRAME] * 2

    def test_in_pieces_it_is_the_same_answer_and_its_first_token_is_timed(self) -> None:
        request = GenerationRequest((Message("user", QUESTION),), {"max_tokens": 30, "temperature": 0}, stream=True)
        whole, streamed = ask(self.make()), run(self.make(), lambda a: a.generate(request))
        assert (streamed.text, streamed.finish_reason) == (whole.text, whole.finish_reason)
        assert streamed.model == NAME
        assert (streamed.usage.input_tokens, streamed.usage.output_tokens) == (TOKENS, whole.usage.output_tokens)
        assert streamed.first_token_seconds is not None
        assert 0 < streamed.first_token_seconds <= streamed.seconds

    def test_a_seed_gives_the_same_answer_and_another_one_another(self) -> None:
        one, again, other = (ask(self.make(), temperature=1, seed=seed).text for seed in (7, 7, 8))
        assert one == again
        assert one != other

    @pytest.mark.parametrize("stream", [False, True])
    def test_a_schema_holds(self, stream: bool) -> None:
        request = GenerationRequest((Message("user", QUESTION),), {"max_tokens": 300}, stream=stream, schema=SCHEMA)
        found = run(self.make(), lambda a: a.generate(request))
        assert found.finish_reason is FinishReason.STOP
        jsonschema.validate(json.loads(found.text), SCHEMA)

    def test_it_stops_where_it_is_told(self) -> None:
        text = ask(self.make()).text
        stopped = ask(self.make(), stop=text[2])
        assert (stopped.text, stopped.finish_reason) == (text[: text.index(text[2])], FinishReason.STOP)

    def test_check_is_all_right(self) -> None:
        found = run(self.make(), lambda a: a.check())
        assert [check.name for check in found.checks if check.ok] == [
            "reachable",
            "key",
            "model",
            "answer",
            "streaming",
        ]
        assert found.ok


class TestLlama(Real):
    @pytest.fixture(autouse=True)
    def _server(self, llama_server: str) -> None:
        self.url = f"{llama_server}/v1"

    def make(self, **settings: Any) -> OpenAIAdapter:
        return OpenAIAdapter(NAME, base_url=self.url, **settings)

    def test_an_answer_that_is_cut(self) -> None:
        endless = {str(256 + SPECIAL.index("<|im_end|>")): -100}
        found = ask(self.make(), max_tokens=5, logit_bias=endless)
        assert (len(found.text), found.usage.output_tokens, found.finish_reason) == (5, 5, FinishReason.LENGTH)

    def test_it_says_what_the_model_is(self) -> None:
        (info,) = run(self.make(), lambda a: a.list_models())
        assert (info.id, info.context_length) == (NAME, CONTEXT)
        assert info.size_bytes

    @pytest.mark.parametrize("stream", [False, True])
    def test_a_prompt_that_does_not_fit(self, stream: bool) -> None:
        request = GenerationRequest((Message("user", "1" * CONTEXT),), {"max_tokens": 1}, stream=stream)
        with pytest.raises(errors.PromptTooLong, match="context size"):
            run(self.make(), lambda a: a.generate(request))
        text = "1" * (CONTEXT - FRAME - 1)
        assert ask(self.make(), text, max_tokens=1).usage.input_tokens == CONTEXT - 1

    def test_the_responses_api(self) -> None:
        found = ask(self.make(api="responses"))
        chat = ask(self.make())
        assert (found.text, found.finish_reason, found.usage) == (chat.text, chat.finish_reason, chat.usage)


@pytest.mark.parametrize("api", ["chat", "generate"], scope="class")
class TestOllama(Real):
    @pytest.fixture(autouse=True)
    def _server(self, ollama_server: str, api: str) -> None:
        self.url = ollama_server
        self.settings: dict[str, Any] = {} if api == "chat" else {"api": api, "chat_format": "chatml"}

    def make(self, model: str = NAME, **settings: Any) -> OllamaAdapter:
        return OllamaAdapter(model, base_url=self.url, **self.settings, **settings)

    def test_it_says_what_the_model_is(self) -> None:
        listed = run(self.make(), lambda a: a.list_models())
        (info,) = [info for info in listed if info.id == f"{NAME}:latest"]
        assert (info.context_length, info.capabilities) == (CONTEXT, ("completion",))
        assert info.size_bytes

    def test_a_missing_model(self) -> None:
        with pytest.raises(errors.ModelNotFound, match="'nobody' not found; `ollama pull nobody` fetches it"):
            ask(self.make("nobody"))
        found = run(self.make("nobody"), lambda a: a.check())
        (check,) = [check for check in found.checks if not check.ok]
        assert check.name == "model"
        assert f"{NAME}:latest" in check.remedy

    @pytest.mark.parametrize("stream", [False, True])
    def test_a_prompt_that_does_not_fit(self, stream: bool) -> None:
        """Ollama itself cuts it and answers."""

        def asked(tokens: int) -> Completion:
            text = "1" * (tokens - FRAME)
            request = GenerationRequest((Message("user", text),), {"max_tokens": 1}, stream=stream)
            return run(self.make(num_ctx=ROOM), lambda a: a.generate(request))

        for tokens in (ROOM + 1, 3 * ROOM):
            with pytest.raises(errors.PromptTooLong, match=f"there is room for {ROOM} tokens"):
                asked(tokens)
        for tokens in (ROOM // 2 + 2, ROOM - 1):
            assert asked(tokens).usage.input_tokens == tokens

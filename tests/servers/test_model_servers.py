"""Each model server answers its own client as it answers with a large model, its refusals included."""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import gguf
import jsonschema
import ollama
import openai
import pytest

from tests.servers.ollama import create_tiny
from tests.servers.plugin import ROOT
from tests.servers.tiny_gguf import CONTEXT, NAME, SPECIAL, write

QUESTION: list[Any] = [{"role": "user", "content": "How many singers are there?"}]
TOKENS = len("<user\nHow many singers are there?>\n<assistant\n")
"""Of the question in the template: a byte is a token, and so is each of its marks, here < and >."""
SCHEMA = {
    "type": "object",
    "properties": {"sql": {"type": "string", "maxLength": 20}, "sure": {"type": "boolean"}},
    "required": ["sql", "sure"],
    "additionalProperties": False,
}
ENDLESS = {str(256 + SPECIAL.index("<|im_end|>")): -100}
"""It does not end its answer."""
LONG = "SELECT 1; " * CONTEXT
IMAGE = re.findall(r"image: (ollama/\S+)", (ROOT / "docker-compose.test.yml").read_text("utf-8"))[0]


class TestTinyModel:
    def test_it_is_small_and_says_what_it_is(self, tmp_path: Path) -> None:
        path = write(tmp_path / "tiny.gguf")
        reader = gguf.GGUFReader(path)
        assert path.stat().st_size < 500_000
        assert reader.fields["general.architecture"].contents() == "llama"
        assert reader.fields["llama.context_length"].contents() == CONTEXT
        assert "<|im_start|>" in reader.fields["tokenizer.chat_template"].contents()

    def test_it_is_the_same_each_time_and_then_left_alone(self, tmp_path: Path) -> None:
        one, other = write(tmp_path / "one.gguf"), write(tmp_path / "other.gguf")
        assert one.read_bytes() == other.read_bytes()
        before = one.stat()
        write(one)
        assert one.stat().st_ino == before.st_ino
        assert sorted(path.name for path in tmp_path.iterdir()) == ["one.gguf", "other.gguf"]


class TestLlama:
    @pytest.fixture
    def client(self, llama_server: str) -> Iterator[openai.OpenAI]:
        with openai.OpenAI(base_url=f"{llama_server}/v1", api_key="none", max_retries=0) as client:
            yield client

    def test_it_lists_the_model(self, client: openai.OpenAI) -> None:
        (model,) = client.models.list().data
        assert model.id == NAME
        assert model.model_extra["meta"]["n_ctx_train"] == CONTEXT  # type: ignore[index]

    def test_it_answers_and_counts(self, client: openai.OpenAI) -> None:
        answer = client.chat.completions.create(
            model=NAME, messages=QUESTION, max_tokens=5, temperature=0, logit_bias=ENDLESS
        )
        assert answer.model == NAME
        assert answer.choices[0].finish_reason == "length"
        assert re.fullmatch(r"[ -~]{5}", answer.choices[0].message.content or "")
        assert answer.usage is not None
        assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (TOKENS, 5)
        assert answer.usage.total_tokens == TOKENS + 5

    def test_it_says_the_same_again_and_in_pieces(self, client: openai.OpenAI) -> None:
        asked: dict[str, Any] = {"model": NAME, "messages": QUESTION, "max_tokens": 30, "temperature": 0}
        answers = [client.chat.completions.create(**asked) for _ in range(2)]
        pieces = list(client.chat.completions.create(**asked, stream=True, stream_options={"include_usage": True}))
        text = "".join(piece.choices[0].delta.content or "" for piece in pieces if piece.choices)
        assert [answer.choices[0].message.content for answer in answers] == [text, text]
        assert [piece.choices[0].finish_reason for piece in pieces if piece.choices][-1] is not None
        assert pieces[-1].usage is not None
        assert pieces[-1].usage.completion_tokens == answers[0].usage.completion_tokens  # type: ignore[union-attr]

    def test_it_stops_where_it_is_told(self, client: openai.OpenAI) -> None:
        asked: dict[str, Any] = {"model": NAME, "messages": QUESTION, "max_tokens": 5, "temperature": 0}
        text = client.chat.completions.create(**asked, logit_bias=ENDLESS).choices[0].message.content or ""
        stopped = client.chat.completions.create(**asked, logit_bias=ENDLESS, stop=[text[2]]).choices[0]
        assert stopped.finish_reason == "stop"
        assert stopped.message.content == text[: text.index(text[2])]

    def test_an_answer_has_the_form_of_a_schema(self, client: openai.OpenAI) -> None:
        form: Any = {"type": "json_schema", "json_schema": {"name": "answer", "schema": SCHEMA, "strict": True}}
        answer = client.chat.completions.create(model=NAME, messages=QUESTION, max_tokens=300, response_format=form)
        assert answer.choices[0].finish_reason == "stop"
        jsonschema.validate(json.loads(answer.choices[0].message.content or ""), SCHEMA)

    def test_a_prompt_that_does_not_fit_is_refused(self, client: openai.OpenAI) -> None:
        """Status 400, type `exceed_context_size_error`, with both figures; nothing is cut off."""
        with pytest.raises(openai.BadRequestError) as caught:
            client.chat.completions.create(model=NAME, messages=[{"role": "user", "content": LONG}])
        error: Any = caught.value.body
        assert error["type"] == "exceed_context_size_error"
        assert error["n_ctx"] == CONTEXT
        assert error["n_prompt_tokens"] > len(LONG)


class TestOllama:
    @pytest.fixture
    def client(self, ollama_server: str) -> Iterator[ollama.Client]:
        with ollama.Client(ollama_server) as client:
            yield client

    def test_its_version_is_the_pinned_one(self, ollama_server: str) -> None:
        with urllib.request.urlopen(f"{ollama_server}/api/version", timeout=20) as answer:
            assert f":{json.load(answer)['version']}" in IMAGE

    def test_it_lists_the_model(self, client: ollama.Client) -> None:
        assert f"{NAME}:latest" in [model.model for model in client.list().models]

    def test_it_shows_what_the_model_is(self, client: ollama.Client) -> None:
        shown = client.show(NAME)
        assert shown.modelinfo is not None
        assert shown.modelinfo["llama.context_length"] == CONTEXT
        assert shown.capabilities == ["completion"]
        assert "<|im_start|>" in (shown.template or "")
        assert re.search(rf"^num_ctx\s+{CONTEXT}$", shown.parameters or "", re.MULTILINE)

    def test_a_model_is_made_and_taken_away(self, client: ollama.Client, ollama_server: str) -> None:
        name = f"{NAME}-{uuid4().hex}"
        create_tiny(ollama_server, name)
        assert client.show(name).modelinfo == client.show(NAME).modelinfo
        client.delete(name)
        assert f"{name}:latest" not in [model.model for model in client.list().models]

    def test_it_chats_and_counts(self, client: ollama.Client) -> None:
        answer = client.chat(NAME, QUESTION, options={"num_predict": 5, "temperature": 0})
        assert answer.model == NAME
        assert answer.message.role == "assistant"
        assert re.fullmatch(r"[ -~]{1,5}", answer.message.content or "")
        assert answer.done_reason == ("length" if answer.eval_count == 5 else "stop")
        assert answer.prompt_eval_count == TOKENS
        assert answer.total_duration
        assert answer.eval_duration

    def test_it_says_the_same_again_and_in_pieces(self, client: ollama.Client) -> None:
        options = {"num_predict": 30, "temperature": 0}
        answers = [client.chat(NAME, QUESTION, options=options) for _ in range(2)]
        pieces = list(client.chat(NAME, QUESTION, options=options, stream=True))
        text = "".join(piece.message.content or "" for piece in pieces)
        assert [answer.message.content for answer in answers] == [text, text]
        assert [piece.done for piece in pieces] == [False] * (len(pieces) - 1) + [True]
        assert pieces[-1].eval_count == answers[0].eval_count

    def test_raw_it_sees_the_prompt_as_it_stands(self, client: ollama.Client) -> None:
        prompt = "SELECT "
        answer = client.generate(NAME, prompt, raw=True, options={"num_predict": 5, "temperature": 0})
        assert answer.prompt_eval_count == len(prompt)
        assert answer.context is None
        assert client.generate(NAME, prompt, options={"num_predict": 5}).prompt_eval_count > len(prompt)

    def test_an_answer_has_the_form_of_a_schema(self, client: ollama.Client) -> None:
        answer = client.chat(NAME, QUESTION, format=SCHEMA, options={"num_predict": 300})
        assert answer.done_reason == "stop"
        jsonschema.validate(json.loads(answer.message.content or ""), SCHEMA)

    def test_a_missing_model_is_not_found(self, client: ollama.Client) -> None:
        for ask in (client.chat, client.generate, client.show):
            with pytest.raises(ollama.ResponseError, match="'nobody' not found") as caught:
                ask("nobody")
            assert caught.value.status_code == 404

    def test_of_a_prompt_longer_than_num_ctx_the_beginning_is_lost(self, client: ollama.Client) -> None:
        """It answers as if nothing had happened: status 200, and `prompt_eval_count` is `num_ctx`.

        Of the messages of a chat, the older ones are left out first; the last one and the system's stay. A prompt that
        is still too long loses all but its first four tokens and its end. Only the count tells.
        """
        options = {"num_ctx": 256, "num_predict": 1, "temperature": 0}
        chat = client.chat(NAME, [{"role": "user", "content": LONG}], options=options)
        assert (chat.done, chat.prompt_eval_count) == (True, 256)
        raw = client.generate(NAME, LONG, raw=True, options=options)
        assert (raw.done, raw.prompt_eval_count) == (True, 256)
        end = client.generate(NAME, LONG[:4] + LONG[-252:], raw=True, options=options)
        assert end.response == raw.response
        older = client.chat(NAME, [{"role": "user", "content": LONG}, *QUESTION], options=options)
        assert older.prompt_eval_count == TOKENS

    def test_such_a_prompt_is_refused_to_who_forbids_truncation(self, ollama_server: str) -> None:
        """With `"truncate": false`, which the client's methods do not offer, it is status 400."""
        asked = {"model": NAME, "prompt": LONG, "raw": True, "truncate": False, "options": {"num_ctx": 256}}
        with pytest.raises(urllib.error.HTTPError, match="400") as caught:
            urllib.request.urlopen(f"{ollama_server}/api/generate", json.dumps(asked).encode(), timeout=60)
        with caught.value as error:
            assert "input length exceeds the context length" in error.read().decode()

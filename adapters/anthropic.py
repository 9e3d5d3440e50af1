"""Anthropic's messages, from Anthropic itself and from every server that speaks their format.

Source: https://platform.claude.com/docs/en/api/messages
"""

from __future__ import annotations

from collections.abc import AsyncIterable, Mapping
from typing import Any, ClassVar

import anthropic

from adapters import stainless
from adapters.base import Completion, Feature, FinishReason, GenerationRequest, ModelInfo, Usage
from adapters.failures import Failure
from adapters.remote import Clock, RemoteAdapter, Unusable
from adapters.tool_calls import Gathered, with_calls
from adapters.untrusted import array, count, mapping, text
from sqlassay.errors import UserError

_NO_KEY = "not-needed"  # without one the SDK looks for others in the environment and in files
_FINISH_REASONS = {
    "end_turn": FinishReason.STOP,
    "stop_sequence": FinishReason.STOP,
    "max_tokens": FinishReason.LENGTH,
    "model_context_window_exceeded": FinishReason.LENGTH,
    "refusal": FinishReason.REFUSED,
}


class AnthropicAdapter(RemoteAdapter):
    """Claude's models through the official SDK.

    System messages go where the API wants them, joined by an empty line. A schema is asked for as a structured output.
    There is no seed. `temperature`, `top_p` and `top_k` are sent when an experiment sets them; models that are newer
    than Claude Opus 4.6 refuse them, so leave them out there.

    Args:
        model: Anthropic's name of the model.
        base_url: Where the API is, without `/v1`; by default the environment's `ANTHROPIC_BASE_URL`, and Anthropic
            itself when that is not set.
        api_key_env: The environment variable that holds the key. A server other than Anthropic may need none: when
            the variable is not set, it is sent a placeholder.
        timeout: Seconds for one whole request; then its connection is closed.
        max_tokens: The most tokens of an answer, thinking included, where the request sets no limit: the API wants one.

    Raises:
        UserError: A setting is wrong, or the key is missing.
    """

    provider: ClassVar[str] = "anthropic"
    key_env: ClassVar[str | None] = "ANTHROPIC_API_KEY"
    default_url: ClassVar[str] = "https://api.anthropic.com"
    base_url_env: ClassVar[str | None] = "ANTHROPIC_BASE_URL"
    features: ClassVar[frozenset[Feature]] = frozenset(Feature)
    names: ClassVar[Mapping[str, str]] = {
        **{name: name for name in ("temperature", "top_p", "top_k", "max_tokens")},
        "stop": "stop_sequences",
    }
    reserved: ClassVar[frozenset[str]] = frozenset({"system"})

    def __init__(
        self,
        model: str,
        *,
        base_url: str | None = None,
        api_key_env: str | None = None,
        timeout: float = 60.0,
        max_tokens: int = 8192,
    ) -> None:
        super().__init__(model, base_url=base_url, api_key_env=api_key_env, timeout=timeout)
        if max_tokens < 1:
            raise UserError(f"max_tokens is {max_tokens}, but must be at least 1")
        self.max_tokens = max_tokens

    @property
    def identity(self) -> Mapping[str, object]:
        """Provider, model, base URL, and the limit of tokens for requests without one."""
        return {**super().identity, "max_tokens": self.max_tokens}

    def _open(self, key: str | None) -> anthropic.AsyncAnthropic:
        return anthropic.AsyncAnthropic(
            api_key=key or _NO_KEY, base_url=self.base_url, timeout=self.timeout, max_retries=0
        )

    async def _shut(self, client: anthropic.AsyncAnthropic) -> None:
        await client.close()

    async def _ask(
        self, client: anthropic.AsyncAnthropic, request: GenerationRequest, settings: Mapping[str, Any], clock: Clock
    ) -> Completion:
        fields = {"max_tokens": self.max_tokens, **settings, **_prompt(request)}
        if request.schema is not None:
            schema = {"type": "json_schema", "schema": dict(request.schema)}
            fields["output_config"] = {**mapping(fields.get("output_config")), "format": schema}
        given: Any = {name: fields.pop(name) for name in ("max_tokens", "messages")}
        # The SDK has dropped what older models and other servers still know, so it is not asked to name the rest. The
        # time limit is given anew because without one it refuses long answers that are not streamed.
        given |= {"model": self.model, "extra_body": fields, "timeout": self.timeout}
        if request.stream:
            stream = await client.messages.create(**given, stream=True)
            async with stainless.pieces(anthropic, stream) as pieces:
                return await _read_stream(pieces, stainless.request_id(stream.response), clock)
        return _read(*stainless.fields(await client.messages.with_raw_response.create(**given)))

    async def _list(self, client: anthropic.AsyncAnthropic) -> list[ModelInfo]:
        fields, _ = stainless.fields(await client.models.with_raw_response.list(limit=1000))
        entries = map(mapping, array(fields.get("data")))
        return [_info(self.provider, entry) for entry in entries if text(entry.get("id"))]

    def _failure(self, error: Exception) -> Failure | None:
        return stainless.failure(anthropic, error, self.base_url)


def _prompt(request: GenerationRequest) -> dict[str, Any]:
    system = [message.content for message in request.messages if message.role == "system"]
    others = [message for message in request.messages if message.role != "system"]
    prompt: dict[str, Any] = {"messages": [{"role": message.role, "content": message.content} for message in others]}
    return {**prompt, "system": "\n\n".join(system)} if system else prompt


def _read(fields: Mapping[str, Any], request_id: str | None) -> Completion:
    """A whole answer.

    Raises:
        Unusable: It has no content, or its content is no text.
    """
    if not isinstance(fields.get("content"), list):
        raise Unusable(text(mapping(fields.get("error")).get("message")) or "the answer has no content", request_id)
    blocks = list(map(mapping, fields["content"]))
    found: list[Any] = [block.get("text") for block in blocks if block.get("type") == "text"]
    if not all(isinstance(part, str) for part in found):
        raise Unusable("the content of the answer is not text", request_id)
    reason = _FINISH_REASONS.get(str(fields.get("stop_reason")), FinishReason.OTHER)
    said = "".join(found) or text(mapping(fields.get("stop_details")).get("explanation"))
    calls = [(block.get("name"), block.get("input")) for block in blocks if block.get("type") == "tool_use"]
    return Completion(
        with_calls(said, calls),
        reason,
        _usage(mapping(fields.get("usage"))),
        text(fields.get("model")),
        request_id=request_id,
    )


async def _read_stream(events: AsyncIterable[Mapping[str, Any]], request_id: str | None, clock: Clock) -> Completion:
    """An answer in pieces, put together to a whole one.

    Raises:
        Unusable: It ended before the model did.
    """
    message: dict[str, Any] = {}
    used: dict[str, Any] = {}
    pieces: list[str] = []
    calls = Gathered()
    async for event in events:
        number = event.get("index")
        match event.get("type"):
            case "message_start":
                message = dict(mapping(event.get("message")))
                used = dict(mapping(message.get("usage")))
            case "content_block_start":
                block = mapping(event.get("content_block"))
                pieces.append(text(block.get("text")))
                if block.get("type") == "tool_use":
                    calls.add(number, text(block.get("name")), "")
            case "content_block_delta":  # of text, of thinking, or of what a tool is given
                clock.token()
                delta = mapping(event.get("delta"))
                pieces.append(text(delta.get("text")))
                if delta.get("type") == "input_json_delta":
                    calls.add(number, "", text(delta.get("partial_json")))
            case "message_delta":  # its counts are those of the whole answer so far
                message.update(mapping(event.get("delta")))
                known = mapping(event.get("usage")).items()
                used.update({name: value for name, value in known if value is not None})
    if message.get("stop_reason") is None:
        raise Unusable("the stream ended in the middle of the answer", request_id)
    made = [{"type": "tool_use", "name": name, "input": given} for name, given in calls.calls()]
    content = [{"type": "text", "text": "".join(pieces)}, *made]
    return _read({**message, "content": content, "usage": used}, request_id)


def _usage(fields: Mapping[str, Any]) -> Usage:
    """The token counts; Anthropic counts what was read from a cache and written to one apart from the rest."""
    fresh, cached = count(fields.get("input_tokens")), count(fields.get("cache_read_input_tokens"))
    written = count(fields.get("cache_creation_input_tokens"))
    return Usage(
        input_tokens=None if fresh is None else fresh + (cached or 0) + (written or 0),
        output_tokens=count(fields.get("output_tokens")),
        cached_tokens=cached,
        reasoning_tokens=count(mapping(fields.get("output_tokens_details")).get("thinking_tokens")),
    )


def _info(provider: str, entry: Mapping[str, Any]) -> ModelInfo:
    abilities = mapping(entry.get("capabilities"))
    return ModelInfo(
        entry["id"],
        provider,
        context_length=count(entry.get("max_input_tokens")),
        capabilities=tuple(sorted(name for name in abilities if mapping(abilities[name]).get("supported") is True)),
    )

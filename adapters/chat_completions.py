"""The wire format of chat completions, which OpenAI made and many servers speak: what is sent and what comes back.

Source: https://platform.openai.com/docs/api-reference/chat
"""

from __future__ import annotations

from collections.abc import AsyncIterable, Mapping
from typing import Any

from adapters.base import Completion, FinishReason, GenerationRequest, Usage
from adapters.remote import Clock, Explained, Unusable
from adapters.stainless import said
from adapters.tool_calls import Gathered, of_message, with_calls
from adapters.untrusted import array, count, mapping, text

NAMES: Mapping[str, str] = {name: name for name in ("temperature", "top_p", "max_tokens", "seed", "stop")}
"""The generic settings that the format has; OpenAI itself renames one."""

_FINISH_REASONS = {
    "stop": FinishReason.STOP,
    "eos_token": FinishReason.STOP,  # Hugging Face's text generation server
    "stop_sequence": FinishReason.STOP,
    "length": FinishReason.LENGTH,
    "content_filter": FinishReason.FILTERED,
}
_ERROR = "error"  # OpenRouter, where the model's server fails after it has begun
_MIDDLE = "the model failed in the middle of the answer"


def messages(request: GenerationRequest) -> list[Any]:
    """The prompt."""
    return [{"role": message.role, "content": message.content} for message in request.messages]


def features(request: GenerationRequest) -> dict[str, object]:
    """The fields that a schema and a stream need."""
    fields: dict[str, object] = {}
    if request.schema is not None:
        schema = {"name": "answer", "strict": True, "schema": dict(request.schema)}
        fields["response_format"] = {"type": "json_schema", "json_schema": schema}
    if request.stream:
        fields["stream_options"] = {"include_usage": True}
    return fields


def read(fields: Mapping[str, Any], request_id: str | None) -> Completion:
    """A whole answer.

    Raises:
        Unusable: It has no choices, its content is no text, or the model failed within it.
    """
    choices = array(fields.get("choices"))
    if not choices:
        raise _failed(fields, "the answer has no choices", request_id)
    choice = mapping(choices[0])
    if choice.get("finish_reason") == _ERROR:
        raise _failed(choice, _MIDDLE, request_id)
    message = mapping(choice.get("message"))
    content, refusal = message.get("content") or "", message.get("refusal") or ""
    if not (isinstance(content, str) and isinstance(refusal, str)):
        raise Unusable("the content of the answer is not text", request_id)
    reason = _FINISH_REASONS.get(str(choice.get("finish_reason")), FinishReason.OTHER)
    return Completion(
        with_calls(content or refusal, of_message(message)),
        FinishReason.REFUSED if refusal else reason,
        usage(mapping(fields.get("usage"))),
        text(fields.get("model")),
        request_id=request_id,
    )


async def read_stream(chunks: AsyncIterable[Mapping[str, Any]], request_id: str | None, clock: Clock) -> Completion:
    """An answer in pieces.

    Raises:
        Unusable: It ended before the model did, or a piece is no answer.
    """
    pieces: list[str] = []
    refusal: list[str] = []
    calls = Gathered()
    reason, found, model = None, Usage(), ""
    async for chunk in chunks:
        if chunk.get("error"):
            raise _failed(chunk, "the server failed", request_id)
        model = text(chunk.get("model")) or model
        if chunk.get("usage"):
            found = usage(mapping(chunk["usage"]))
        for choice in array(chunk.get("choices"))[:1]:
            delta = mapping(mapping(choice).get("delta"))
            if any(delta.get(kind) for kind in ("content", "refusal", "reasoning_content", "reasoning", "tool_calls")):
                clock.token()
            pieces.append(text(delta.get("content")))
            refusal.append(text(delta.get("refusal")))
            for call in map(mapping, array(delta.get("tool_calls"))):
                function, custom = mapping(call.get("function")), mapping(call.get("custom"))
                name, given = text(function.get("name") or custom.get("name")), function.get("arguments")
                calls.add(call.get("index"), name, text(given or custom.get("input")))
            reason = mapping(choice).get("finish_reason") or reason
    if reason is None:
        raise Unusable("the stream ended in the middle of the answer", request_id)
    if reason == _ERROR:
        raise Unusable(_MIDDLE, request_id)
    content, refused = "".join(pieces), "".join(refusal)
    kind = FinishReason.REFUSED if refused else _FINISH_REASONS.get(str(reason), FinishReason.OTHER)
    answer = with_calls(content or refused, calls.calls())
    return Completion(answer, kind, found, model, request_id=request_id)


def usage(fields: Mapping[str, Any]) -> Usage:
    """The token counts. What is thought is a part of the answer; xAI counts it apart, Gemini in the total alone.

    Source: https://docs.x.ai/docs/guides/reasoning
    """
    asked, answered, both = (count(fields.get(f"{kind}_tokens")) for kind in ("prompt", "completion", "total"))
    if asked is not None and answered is not None and both is not None:
        answered = max(answered, both - asked)
    cached = count(mapping(fields.get("prompt_tokens_details")).get("cached_tokens"))
    return Usage(
        input_tokens=asked,
        output_tokens=answered,
        cached_tokens=count(fields.get("prompt_cache_hit_tokens")) if cached is None else cached,  # DeepSeek
        reasoning_tokens=count(mapping(fields.get("completion_tokens_details")).get("reasoning_tokens")),
    )


def _failed(fields: Mapping[str, Any], otherwise: str, request_id: str | None) -> Explained:
    """What an object with an error says, or may say."""
    return Explained(said(fields.get("error"), None, otherwise=otherwise, request_id=request_id))

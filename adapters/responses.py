"""The wire format of OpenAI's responses: what is sent and what comes back.

Source: https://platform.openai.com/docs/api-reference/responses
"""

from __future__ import annotations

from collections.abc import AsyncIterable, Mapping
from typing import Any

from adapters.base import Completion, FinishReason, GenerationRequest, Usage
from adapters.remote import Clock, Explained, Unusable
from adapters.stainless import said
from adapters.tool_calls import with_calls
from adapters.untrusted import array, count, mapping, text

NAMES: Mapping[str, str] = {"temperature": "temperature", "top_p": "top_p", "max_tokens": "max_output_tokens"}
"""The generic settings that the format has: there is no seed and no stop."""

_INCOMPLETE = {"max_output_tokens": FinishReason.LENGTH, "content_filter": FinishReason.FILTERED}
_ENDS = frozenset({"response.completed", "response.incomplete", "response.failed"})
_DELTAS = frozenset(
    f"response.{kind}.delta"
    for kind in ("output_text", "refusal", "reasoning_text", "function_call_arguments", "custom_tool_call_input")
)
_CALLS = {"function_call": "arguments", "custom_tool_call": "input"}
"""Kinds of output that are calls, and what holds their arguments."""


def features(request: GenerationRequest) -> dict[str, object]:
    """The fields that a schema needs; nothing is to be kept at the provider."""
    fields: dict[str, object] = {"store": False}
    if request.schema is not None:
        schema = {"type": "json_schema", "name": "answer", "strict": True, "schema": dict(request.schema)}
        fields["text"] = {"format": schema}
    return fields


def read(fields: Mapping[str, Any], request_id: str | None) -> Completion:
    """A whole answer.

    Raises:
        Unusable: It failed, or holds no output.
    """
    status = fields.get("status")
    if status not in ("completed", "incomplete"):
        otherwise = f"the response is {status or 'without a status'}"
        raise Explained(said(fields.get("error"), None, otherwise=otherwise, request_id=request_id))
    contents = [
        mapping(content)
        for item in array(fields.get("output"))
        if mapping(item).get("type") == "message"
        for content in array(mapping(item).get("content"))
    ]
    answer = "".join(text(content.get("text")) for content in contents)
    refusal = "".join(text(content.get("refusal")) for content in contents)
    items = map(mapping, array(fields.get("output")))
    calls = [(item.get("name"), item.get(_CALLS[item["type"]])) for item in items if item.get("type") in _CALLS]
    reason = FinishReason.STOP
    if refusal:
        reason = FinishReason.REFUSED
    elif status == "incomplete":
        why = text(mapping(fields.get("incomplete_details")).get("reason"))
        reason = _INCOMPLETE.get(why, FinishReason.OTHER)
    counts = mapping(fields.get("usage"))
    used = Usage(
        input_tokens=count(counts.get("input_tokens")),
        output_tokens=count(counts.get("output_tokens")),
        cached_tokens=count(mapping(counts.get("input_tokens_details")).get("cached_tokens")),
        reasoning_tokens=count(mapping(counts.get("output_tokens_details")).get("reasoning_tokens")),
    )
    whole = with_calls(answer or refusal, calls)
    return Completion(whole, reason, used, text(fields.get("model")), request_id=request_id)


async def read_stream(events: AsyncIterable[Mapping[str, Any]], request_id: str | None, clock: Clock) -> Completion:
    """An answer in pieces; its last event holds the whole of it.

    Raises:
        Unusable: It ended before that event, or failed.
    """
    async for event in events:
        kind = event.get("type")
        if kind in _DELTAS:
            clock.token()
        elif kind in _ENDS:
            return read(mapping(event.get("response")), request_id)
        elif kind == "error":
            raise Explained(said(event, None, otherwise="the server failed", request_id=request_id))
    raise Unusable("the stream ended in the middle of the answer", request_id)

"""Messages as Anthropic answers them, failures included."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tests.providers.chat_completions import cut
from tests.providers.server import ANSWER, CALL, REQUEST_ID, Protocol, Reply


def message(*texts: str, stop: str | None = "end_turn", **more: object) -> dict[str, object]:
    """The body of a message."""
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "good-20260101",
        "content": [{"type": "text", "text": text} for text in texts],
        "stop_reason": stop,
        "stop_sequence": None,
        "usage": {
            "input_tokens": 46,
            "cache_creation_input_tokens": 10,
            "cache_read_input_tokens": 64,
            "output_tokens": 30,
            "output_tokens_details": {"thinking_tokens": 12},
        },
        **more,
    }


def error(kind: str, words: str, code: str | None = None) -> dict[str, object]:
    """The body of an error."""
    details = {"details": {"error_code": code}} if code else {}
    return {"type": "error", "error": {"type": kind, "message": words, **details}, "request_id": REQUEST_ID}


_INVALID = "invalid_request_error"
_LIMIT = error("rate_limit_error", "This request would exceed your account's rate limit.")
_THOUGHTS = {"type": "thinking", "thinking": "Singers …", "signature": "EqQB"}

_USES = {"type": "tool_use", "id": "toolu_1", "name": CALL["name"], "input": CALL["arguments"]}

REPLIES: dict[str, Reply] = {
    "good": Reply(body=message(ANSWER)),
    "other": Reply(body=message(ANSWER, model="other")),
    "thinks": Reply(body=message(content=[_THOUGHTS, {"type": "text", "text": ANSWER}])),
    "refuses": Reply(body=message("I can't help with that.", stop="refusal")),
    "declines": Reply(body=message(stop="refusal")),
    "explains": Reply(body=message(stop="refusal", stop_details={"type": "refusal", "explanation": "It may harm."})),
    "filtered": Reply(400, error(_INVALID, "Output blocked by content filtering policy")),
    "truncated": Reply(body=message("SELECT name FROM", stop="max_tokens")),
    "full": Reply(body=message("SELECT", stop="model_context_window_exceeded")),
    "stopped": Reply(body=message("SELECT", stop="stop_sequence", stop_sequence="###")),
    "calls_a_tool": Reply(body=message(stop="tool_use")),
    "uses_a_tool": Reply(body=message(stop="tool_use", content=[_USES])),
    "uses_two_tools": Reply(body=message(stop="tool_use", content=[{"type": "text", "text": "Both:"}, _USES, _USES])),
    "no_usage": Reply(body={"content": [{"type": "text", "text": ANSWER}], "stop_reason": "end_turn"}),
    "rate_limited": Reply(429, _LIMIT, {"retry-after": "7"}),
    "ramp": Reply(429, error("rate_limit_error", "Slower.", "ramp_limit_exceeded")),
    "no_quota": Reply(400, error(_INVALID, "Your credit balance is too low to access the Anthropic API.")),
    "over_limit": Reply(400, error(_INVALID, "You have reached your specified API usage limits.")),
    "over_workspace": Reply(400, error(_INVALID, "You have reached your specified workspace API usage limits.")),
    "spent": Reply(429, error("rate_limit_error", "Enough.", "enforced_spend_limit_reached")),
    "unpaid": Reply(402, error("billing_error", "There is an issue with your payment.")),
    "broken": Reply(500, error("api_error", "Internal server error")),
    "overloaded": Reply(529, error("overloaded_error", "Overloaded"), {"retry-after": "3"}),
    "bad_gateway": Reply(502, "<html><body>Bad Gateway</body></html>", {"content-type": "text/html"}),
    "bad_key": Reply(401, error("authentication_error", "invalid key: {key}.")),
    "forbidden": Reply(403, error("permission_error", "Your API key may not use this.")),
    "on_hold": Reply(400, error(_INVALID, "It is on hold.", "organization_on_hold")),
    "disabled": Reply(400, error(_INVALID, "This organization has been disabled.")),
    "missing": Reply(404, error("not_found_error", "model: missing")),
    "too_long": Reply(400, error(_INVALID, "prompt is too long: 205000 tokens > 200000 maximum")),
    "too_long_an_answer": Reply(
        400, error(_INVALID, "input length and `max_tokens` exceed context limit: 190000 + 64000 > 200000")
    ),
    "too_large": Reply(413, error("request_too_large", "Request exceeds the maximum size")),
    "bad_request": Reply(400, error(_INVALID, "`temperature` is deprecated for this model.")),
    "invalid_json": Reply(body='{"content": [', headers={"content-type": "application/json"}),
    "not_an_object": Reply(body=["content"]),
    "html": Reply(body="<html>Log in</html>", headers={"content-type": "text/html"}),
    "empty": Reply(body={}),
    "error_in_200": Reply(body=error("overloaded_error", "Overloaded")),
    "limit_in_200": Reply(body=error("rate_limit_error", "Too many.")),
    "odd_content": Reply(body=message(content=[{"type": "text", "text": 5}])),
}


class Anthropic(Protocol):
    """Anthropic's messages."""

    base = ""
    replies = REPLIES
    models_path = "/v1/models"
    models = Reply(
        body={
            "data": [
                {
                    "type": "model",
                    "id": name,
                    "display_name": name.title(),
                    "created_at": "2026-01-01T00:00:00Z",
                    "max_input_tokens": 200000,
                    "max_tokens": 64000,
                    "capabilities": {
                        "structured_outputs": {"supported": True},
                        "batch": {"supported": True},
                        "pdf_input": {"supported": False},
                    },
                }
                for name in ("other", "good")
            ],
            "has_more": False,
        }
    )
    request_id_header = "request-id"

    def key(self, headers: Mapping[str, str]) -> str:
        """From the bearer's header, where the SDK now puts it."""
        return headers.get("authorization", "").removeprefix("Bearer ")

    def model(self, path: str, body: Mapping[str, Any]) -> str | None:
        """From the body."""
        return body["model"] if path == "/v1/messages" else None

    def is_streamed(self, path: str, body: Mapping[str, Any]) -> bool:
        """As the body says."""
        return bool(body.get("stream"))

    def pieces(self, body: Any) -> list[str]:
        """Server-sent events: the message without content, its blocks some words at a time, the reason, the end."""
        if "error" in body:
            return [_event(body)]
        if "content" not in body:
            return []
        used = body.get("usage", {})
        early = {**used, "output_tokens": 1, "output_tokens_details": None} if used else {}
        events: list[dict[str, Any]] = [
            {"type": "message_start", "message": {**body, "content": [], "stop_reason": None, "usage": early}},
            {"type": "ping"},
        ]
        for index, block in enumerate(body["content"]):
            if block["type"] == "tool_use":
                begun = {**block, "input": {}}
                events.append({"type": "content_block_start", "index": index, "content_block": begun})
                for part in cut(json.dumps(block["input"])):
                    delta = {"type": "input_json_delta", "partial_json": part}
                    events.append({"type": "content_block_delta", "index": index, "delta": delta})
                events.append({"type": "content_block_stop", "index": index})
                continue
            name = block["type"] if block["type"] == "thinking" else "text"
            events.append({"type": "content_block_start", "index": index, "content_block": {**block, name: ""}})
            for part in cut(block[name]) if isinstance(block[name], str) else [block[name]]:
                delta = {"type": f"{name}_delta", name: part}
                events.append({"type": "content_block_delta", "index": index, "delta": delta})
            events.append({"type": "content_block_stop", "index": index})
        ends = {name: body.get(name) for name in ("stop_reason", "stop_sequence", "stop_details")}
        late = {name: used.get(name) for name in ("output_tokens", "output_tokens_details") if used}
        events += [{"type": "message_delta", "delta": ends, "usage": late}, {"type": "message_stop"}]
        return [_event(event) for event in events]


def _event(fields: Mapping[str, Any]) -> str:
    return f"event: {fields['type']}\ndata: {json.dumps(fields)}\n\n"

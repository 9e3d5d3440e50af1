"""Chat completions as OpenAI and those who speak its format answer them, failures included."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tests.providers.server import ANSWER, CALL, Protocol, Reply

MODELS = ("good", "other")


def completion(
    content: str | None = ANSWER,
    *,
    finish_reason: str = "stop",
    refusal: str | None = None,
    calls: tuple[Mapping[str, object], ...] = (),
    **more: object,
) -> dict[str, object]:
    """The body of a chat completion."""
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1760000000,
        "model": "good-2026-01-01",
        "system_fingerprint": "fp_1",
        "choices": [
            {
                "index": 0,
                "finish_reason": finish_reason,
                "message": {
                    "role": "assistant",
                    "content": content,
                    "refusal": refusal,
                    **({"tool_calls": list(calls)} if calls else {}),
                },
                "logprobs": None,
            }
        ],
        "usage": {
            "prompt_tokens": 120,
            "completion_tokens": 30,
            "total_tokens": 150,
            "prompt_tokens_details": {"cached_tokens": 64, "audio_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 12, "audio_tokens": 0},
        },
        **more,
    }


def error(message: str, *, code: str | None = None, kind: str = "invalid_request_error") -> dict[str, object]:
    """The body of an error."""
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}


def call(number: int = 0) -> dict[str, object]:
    """A tool call of a message; its arguments are JSON within a text."""
    function = {"name": CALL["name"], "arguments": json.dumps(CALL["arguments"])}
    return {"id": f"call_{number}", "type": "function", "function": function}


_LIMIT = error("Rate limit reached for requests", code="rate_limit_exceeded", kind="requests")
_TOO_LONG = "This model's maximum context length is 8192 tokens. However, your messages resulted in 9000 tokens."
_MINUTE = error(
    "Request too large for gpt-4o in organization org-1 on tokens per min (TPM): Limit 30000, Requested 31538."
    " The input or output tokens must be reduced in order to run successfully.",
    code="rate_limit_exceeded",
    kind="tokens",
)


def in_body(code: int, message: str) -> dict[str, object]:
    """An error of OpenRouter: its status is in the body, and that of HTTP is 200 once a model has begun."""
    return {"error": {"code": code, "message": message, "metadata": {"provider_name": "Somebody"}}}


REPLIES: dict[str, Reply] = {
    "good": Reply(body=completion()),
    "other": Reply(body=completion(model="other")),
    "refuses": Reply(body=completion(None, refusal="I can't help with that.")),
    "filtered": Reply(body=completion("", finish_reason="content_filter")),
    "filtered_prompt": Reply(400, error("The response was filtered", code="content_filter")),
    "truncated": Reply(body=completion("SELECT name FROM", finish_reason="length")),
    "out_of_thought": Reply(body=completion(None, finish_reason="length")),
    "calls_a_tool": Reply(body=completion(None, finish_reason="tool_calls")),
    "uses_a_tool": Reply(body=completion(None, finish_reason="tool_calls", calls=(call(),))),
    "uses_two_tools": Reply(body=completion("Both:", finish_reason="tool_calls", calls=(call(), call(1)))),
    "uses_its_own_tool": Reply(
        body=completion(None, calls=({"type": "custom", "custom": {"name": "sql", "input": "SELECT 1"}},))
    ),
    "no_usage": Reply(body={"choices": [{"message": {"content": ANSWER}, "finish_reason": "stop"}]}),
    "rate_limited": Reply(429, _LIMIT, {"retry-after": "7"}),
    "rate_limited_ms": Reply(429, _LIMIT, {"retry-after-ms": "1500", "retry-after": "2"}),
    "rate_limited_date": Reply(429, _LIMIT, {"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}),
    "rate_limited_badly": Reply(429, _LIMIT, {"retry-after": "soon"}),
    "no_quota": Reply(
        429, error("You exceeded your current quota", code="insufficient_quota", kind="insufficient_quota")
    ),
    "no_balance": Reply(402, error("Insufficient Balance")),
    "broken": Reply(500, error("The server had an error", kind="server_error")),
    "overloaded": Reply(503, error("Overloaded", kind="server_error"), {"retry-after": "3"}),
    "bad_gateway": Reply(502, "<html><body>Bad Gateway</body></html>", {"content-type": "text/html"}),
    "conflict": Reply(409, error("Conflict")),
    "slow_upstream": Reply(408, error("Request timeout")),
    "bad_key": Reply(401, error("Incorrect API key provided: {key}.", code="invalid_api_key")),
    "forbidden": Reply(403, error("Project does not have access", code="forbidden")),
    "missing": Reply(404, error("The model `missing` does not exist", code="model_not_found")),
    "missing_403": Reply(403, error("Project does not have access to model", code="model_not_found")),
    "ollama_missing": Reply(404, error('model "x" not found, try pulling it first', kind="api_error")),
    "too_long": Reply(400, error(_TOO_LONG, code="context_length_exceeded")),
    "too_long_vllm": Reply(400, {"object": "error", "message": _TOO_LONG, "type": "BadRequestError", "code": 400}),
    "too_large_for_a_minute": Reply(429, _MINUTE),
    "too_large_for_a_minute_413": Reply(413, _MINUTE),
    "too_large": Reply(413, error("Request too large")),
    "bad_request": Reply(400, error("Unsupported value: 'temperature'", code="unsupported_value")),
    "unprocessable": Reply(422, {"detail": "messages: field required"}),
    "invalid_json": Reply(body='{"choices": [', headers={"content-type": "application/json"}),
    "not_an_object": Reply(body=["choices"]),
    "html": Reply(body="<html>Log in</html>", headers={"content-type": "text/html"}),
    "empty": Reply(body={}),
    "no_choices": Reply(body=completion(choices=[])),
    "null_choices": Reply(body=completion(choices=None)),
    "error_in_200": Reply(body=error("Upstream failed")),
    "broken_in_200": Reply(body=in_body(502, "Provider returned error")),
    "limited_in_200": Reply(body=in_body(429, "Provider returned error")),
    "no_credit_in_200": Reply(body=in_body(402, "Insufficient credits")),
    "bad_key_in_200": Reply(body=in_body(401, "Provider returned error")),
    "too_long_in_200": Reply(body=in_body(400, _TOO_LONG)),
    "no_quota_in_200": Reply(body=error("You exceeded your current quota", code="insufficient_quota")),
    "broken_within": Reply(
        body=completion(
            choices=[
                {
                    "message": {"content": "SELECT name FROM"},
                    "finish_reason": "error",
                    "error": {"code": 502, "message": "Network connection lost."},
                }
            ]
        )
    ),
    "moderated": Reply(
        403,
        {
            "error": {
                "code": 403,
                "message": "openai/gpt-4o requires moderation on OpenAI. Your input was flagged.",
                "metadata": {"reasons": ["violence"], "flagged_input": "kills", "provider_name": "OpenAI"},
            }
        },
    ),
    "odd_content": Reply(body=completion(choices=[{"message": {"content": 5}, "finish_reason": "stop"}])),
    "no_message": Reply(body=completion(choices=[{"finish_reason": "stop"}])),
}


class ChatCompletions(Protocol):
    """OpenAI's chat completions."""

    base = "/v1"
    replies = REPLIES
    models_path = "/v1/models"
    models = Reply(body={"object": "list", "data": [{"id": name, "object": "model"} for name in MODELS[::-1]]})

    def key(self, headers: Mapping[str, str]) -> str:
        """From the bearer's header."""
        return headers.get("authorization", "").removeprefix("Bearer ")

    def model(self, path: str, body: Mapping[str, Any]) -> str | None:
        """From the body."""
        return body["model"] if path == "/v1/chat/completions" else None

    def is_streamed(self, path: str, body: Mapping[str, Any]) -> bool:
        """As the body says."""
        return bool(body.get("stream"))

    def pieces(self, body: Any) -> list[str]:
        """Server-sent events: the role, some words at a time, the reason, the usage, and the end."""
        if not body.get("choices"):
            return [f"data: {json.dumps(body)}\n\n"] if body.get("error") else []
        choice = body["choices"][0]
        message = choice["message"]
        deltas: list[dict[str, object]] = [{"role": "assistant", "content": ""}]
        deltas += [{"content": part} for part in cut(message.get("content") or "")]
        deltas += [{"refusal": part} for part in cut(message.get("refusal") or "")]
        for index, made in enumerate(message.get("tool_calls") or ()):
            kind = made["type"]
            begun, name = made[kind], {"function": "arguments", "custom": "input"}[kind]
            deltas.append({"tool_calls": [{**made, "index": index, kind: {**begun, name: ""}}]})
            deltas += [{"tool_calls": [{"index": index, kind: {name: part}}]} for part in cut(begun[name])]
        common = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "model": body.get("model", "")}
        chunks = [{**common, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]} for delta in deltas]
        chunks.append({**common, "choices": [{"index": 0, "delta": {}, "finish_reason": choice["finish_reason"]}]})
        chunks.append({**common, "choices": [], "usage": body.get("usage")})
        return [*(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks), "data: [DONE]\n\n"]


def cut(text: str) -> list[str]:
    """A text in pieces, as a stream brings it."""
    return [text[start : start + 7] for start in range(0, len(text), 7)]

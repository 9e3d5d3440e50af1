"""OpenAI's responses as the provider answers them; its failures are those of chat completions."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tests.providers.chat_completions import REPLIES as CHAT
from tests.providers.chat_completions import ChatCompletions, cut
from tests.providers.server import ANSWER, CALL, Reply


def response(
    text: str | None = ANSWER, *, refusal: str | None = None, incomplete: str | None = None, **more: object
) -> dict[str, object]:
    """The body of a response."""
    content: list[dict[str, object]] = []
    if text is not None:
        content.append({"type": "output_text", "text": text, "annotations": []})
    if refusal is not None:
        content.append({"type": "refusal", "refusal": refusal})
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 1760000000,
        "status": "incomplete" if incomplete else "completed",
        "error": None,
        "incomplete_details": {"reason": incomplete} if incomplete else None,
        "model": "good-2026-01-01",
        "output": [
            {"type": "reasoning", "id": "rs_1", "summary": []},
            {"type": "message", "id": "msg_1", "status": "completed", "role": "assistant", "content": content},
        ],
        "usage": {
            "input_tokens": 120,
            "input_tokens_details": {"cached_tokens": 64},
            "output_tokens": 30,
            "output_tokens_details": {"reasoning_tokens": 12},
            "total_tokens": 150,
        },
        **more,
    }


REPLIES: dict[str, Reply] = {
    **{name: reply for name, reply in CHAT.items() if reply.status != 200 or name in ("invalid_json", "html")},
    "good": Reply(body=response()),
    "refuses": Reply(body=response(None, refusal="I can't help with that.")),
    "filtered": Reply(body=response("", incomplete="content_filter")),
    "truncated": Reply(body=response("SELECT name FROM", incomplete="max_output_tokens")),
    "uses_a_tool": Reply(
        body=response(
            output=[
                {
                    "type": "function_call",
                    "id": "fc_1",
                    "call_id": "call_1",
                    "status": "completed",
                    "name": CALL["name"],
                    "arguments": json.dumps(CALL["arguments"]),
                }
            ]
        )
    ),
    "uses_its_own_tool": Reply(
        body=response(output=[{"type": "custom_tool_call", "call_id": "call_1", "name": "sql", "input": "SELECT 1"}])
    ),
    "empty": Reply(body={}),
    "failed": Reply(body=response(status="failed", error={"code": "server_error", "message": "Upstream failed"})),
    "failed_for_too_many": Reply(
        body=response(status="failed", error={"code": "rate_limit_exceeded", "message": "Rate limit reached"})
    ),
    "failed_for_the_prompt": Reply(
        body=response(status="failed", error={"code": "invalid_prompt", "message": "Invalid prompt"})
    ),
}


class Responses(ChatCompletions):
    """OpenAI's responses."""

    replies = REPLIES

    def model(self, path: str, body: Mapping[str, Any]) -> str | None:
        """From the body."""
        return body["model"] if path == "/v1/responses" else None

    def pieces(self, body: Any) -> list[str]:
        """Events, the last of which holds the whole response."""
        text = "".join(
            content.get("text") or content.get("refusal") or ""
            for item in body.get("output", [])
            for content in item.get("content", [])
        )
        events: list[dict[str, object]] = [{"type": "response.created", "response": {**body, "output": []}}]
        events += [{"type": "response.output_text.delta", "delta": part} for part in cut(text)]
        given = "".join(item.get("arguments", "") for item in body.get("output", []))
        events += [{"type": "response.function_call_arguments.delta", "delta": part} for part in cut(given)]
        if "status" in body:
            events.append({"type": f"response.{body['status']}", "response": body})
        numbered = [{**event, "sequence_number": number} for number, event in enumerate(events)]
        return [f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in numbered]

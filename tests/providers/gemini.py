"""Gemini as Google answers it, failures included."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from tests.providers.chat_completions import cut
from tests.providers.server import ANSWER, CALL, REQUEST_ID, Protocol, Reply

_TYPE = "type.googleapis.com/google.rpc."


def answer(*texts: str, finish: str | None = "STOP", **more: object) -> dict[str, object]:
    """The body of an answer."""
    content = {"role": "model", "parts": [{"text": text} for text in texts]} if texts else {"role": "model"}
    return {
        "candidates": [{"content": content, "finishReason": finish, "index": 0}],
        "usageMetadata": {
            "promptTokenCount": 120,
            "candidatesTokenCount": 18,
            "thoughtsTokenCount": 12,
            "cachedContentTokenCount": 64,
            "totalTokenCount": 150,
        },
        "modelVersion": "good-001",
        "responseId": REQUEST_ID,
        **more,
    }


def error(
    code: int, status: str, message: str, *details: Mapping[str, object], retry: str | None = None
) -> dict[str, object]:
    """The body of an error."""
    found = [*details, *([{"@type": f"{_TYPE}RetryInfo", "retryDelay": retry}] if retry else [])]
    return {"error": {"code": code, "message": message, "status": status, **({"details": found} if found else {})}}


def quota(*names: str) -> dict[str, object]:
    """The detail that names the quotas that are used up."""
    return {"@type": f"{_TYPE}QuotaFailure", "violations": [{"quotaId": name} for name in names]}


def info(reason: str) -> dict[str, object]:
    """The detail that names the reason."""
    return {"@type": f"{_TYPE}ErrorInfo", "reason": reason, "domain": "googleapis.com"}


_MINUTE = "GenerateRequestsPerMinutePerProjectPerModel-FreeTier"
_DAY = "GenerateRequestsPerDayPerProjectPerModel-FreeTier"
_OVER = "You exceeded your current quota, please check your plan and billing details."
_BLOCKED = {"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}, "modelVersion": "good-001"}

REPLIES: dict[str, Reply] = {
    "good": Reply(body=answer(ANSWER)),
    "other": Reply(body=answer(ANSWER, modelVersion="other")),
    "thinks": Reply(
        body=answer(
            candidates=[
                {
                    "content": {"role": "model", "parts": [{"text": "Singers …", "thought": True}, {"text": ANSWER}]},
                    "finishReason": "STOP",
                }
            ]
        )
    ),
    "prohibited": Reply(body=answer("I can't help with that.", finish="PROHIBITED_CONTENT")),
    "filtered": Reply(body=_BLOCKED),
    "blocked_and_counted": Reply(
        body={**_BLOCKED, "usageMetadata": {"promptTokenCount": 8, "totalTokenCount": 8}},
    ),
    "unsafe": Reply(body=answer(finish="SAFETY")),
    "recites": Reply(body=answer(finish="RECITATION")),
    "truncated": Reply(body=answer("SELECT name FROM", finish="MAX_TOKENS")),
    "out_of_thought": Reply(
        body=answer(finish="MAX_TOKENS", usageMetadata={"promptTokenCount": 9, "thoughtsTokenCount": 100})
    ),
    "calls_a_tool": Reply(body=answer(finish="MALFORMED_FUNCTION_CALL")),
    "uses_a_tool": Reply(
        body=answer(
            candidates=[
                {
                    "content": {
                        "role": "model",
                        "parts": [{"functionCall": {"name": CALL["name"], "args": CALL["arguments"]}}],
                    },
                    "finishReason": "STOP",
                }
            ]
        )
    ),
    "no_usage": Reply(body={"candidates": [{"content": {"parts": [{"text": ANSWER}]}, "finishReason": "STOP"}]}),
    "rate_limited": Reply(429, error(429, "RESOURCE_EXHAUSTED", _OVER, quota(_MINUTE), retry="7s")),
    "rate_limited_finely": Reply(429, error(429, "RESOURCE_EXHAUSTED", _OVER, retry="0.25s")),
    "rate_limited_badly": Reply(429, error(429, "RESOURCE_EXHAUSTED", _OVER, retry="soon")),
    "rate_limited_plainly": Reply(429, error(429, "RESOURCE_EXHAUSTED", "Resource has been exhausted.")),
    "no_quota": Reply(429, error(429, "RESOURCE_EXHAUSTED", _OVER, quota(_MINUTE, _DAY))),
    "no_credits": Reply(429, error(429, "RESOURCE_EXHAUSTED", "Your prepayment credits are depleted.")),
    "broken": Reply(500, error(500, "INTERNAL", "An internal error has occurred.")),
    "overloaded": Reply(503, error(503, "UNAVAILABLE", "The model is overloaded.", retry="3s")),
    "bad_gateway": Reply(502, "<html><body>Bad Gateway</body></html>", {"content-type": "text/html"}),
    "deadline": Reply(504, error(504, "DEADLINE_EXCEEDED", "Deadline expired.")),
    "bad_key": Reply(400, error(400, "INVALID_ARGUMENT", "API key not valid: {key}.", info("API_KEY_INVALID"))),
    "unknown_key": Reply(400, error(400, "INVALID_ARGUMENT", "It cannot be used.", info("API_KEY_INVALID"))),
    "abroad": Reply(
        400, error(400, "FAILED_PRECONDITION", "User location is not supported for the API use without a billing.")
    ),
    "forbidden": Reply(403, error(403, "PERMISSION_DENIED", "Your API key was reported as leaked.")),
    "missing": Reply(404, error(404, "NOT_FOUND", "models/missing is not found for API version v1")),
    "too_long": Reply(
        400,
        error(
            400,
            "INVALID_ARGUMENT",
            "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).",
        ),
    ),
    "too_large": Reply(400, error(400, "INVALID_ARGUMENT", "Request payload size exceeds the limit: 20971520 bytes.")),
    "bad_request": Reply(400, error(400, "INVALID_ARGUMENT", "Invalid value at 'generation_config.top_k'")),
    "error_list": Reply(400, [error(400, "INVALID_ARGUMENT", "It was a list.")]),
    "invalid_json": Reply(body='{"candidates": [', headers={"content-type": "application/json"}),
    "not_an_object": Reply(body=["candidates"]),
    "html": Reply(body="<html>Log in</html>", headers={"content-type": "text/html"}),
    "empty": Reply(body={}),
    "no_candidates": Reply(body=answer(candidates=[])),
    "error_in_200": Reply(body=error(503, "UNAVAILABLE", "The model is overloaded.")),
    "odd_content": Reply(body={"candidates": [{"content": {"parts": [{"text": 5}]}, "finishReason": "STOP"}]}),
    "odd_error": Reply(400, {"error": "odd"}),
}


class Gemini(Protocol):
    """Google's API for developers."""

    base = ""
    replies = REPLIES
    models_path = "/v1/models"
    models = Reply(
        body={
            "models": [
                {
                    "name": f"models/{name}",
                    "inputTokenLimit": 1048576,
                    "outputTokenLimit": 65536,
                    "supportedGenerationMethods": methods,
                }
                for name, methods in (
                    ("other", ["generateContent"]),
                    ("good", ["generateContent", "countTokens"]),
                    ("embeds", ["embedContent"]),
                )
            ]
        }
    )

    def key(self, headers: Mapping[str, str]) -> str:
        """From Google's own header."""
        return headers.get("x-goog-api-key", "")

    def model(self, path: str, body: Mapping[str, Any]) -> str | None:
        """From the path."""
        found = re.fullmatch(r"/v1/models/(\w+):(generateContent|streamGenerateContent\?alt=sse)", path)
        return found and found[1]

    def is_streamed(self, path: str, body: Mapping[str, Any]) -> bool:
        """As the path says."""
        return ":streamGenerateContent" in path

    def pieces(self, body: Any) -> list[str]:
        """Server-sent events: some words at a time, the last with the reason; one when there are no words."""
        if "error" in body or not body.get("candidates"):
            return [f"data: {json.dumps(body)}\r\n\r\n"]
        candidate = body["candidates"][0]
        parts = candidate["content"].get("parts", [])
        found = [part for part in parts if "functionCall" in part]
        found += [
            {**part, "text": text}
            for part in parts
            if "text" in part
            for text in (cut(part["text"]) if isinstance(part["text"], str) else [part["text"]])
        ]
        chunks = [{**body, "candidates": [{"content": {"role": "model", "parts": [part]}}]} for part in found]
        chunks.append({**body, "candidates": [{**candidate, "content": {"role": "model", "parts": [{"text": ""}]}}]})
        return [f"data: {json.dumps(chunk)}\r\n\r\n" for chunk in chunks]

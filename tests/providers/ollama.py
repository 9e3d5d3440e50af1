"""Ollama's own API as the server answers it, failures included.

Source: https://github.com/ollama/ollama/blob/main/docs/api.md
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, ClassVar

from tests.providers.chat_completions import cut
from tests.providers.server import ANSWER, CALL, Protocol, Reply

MODELS = ("good", "other")


def answer(
    content: str = ANSWER, *, thinking: str = "", done_reason: str = "stop", **more: object
) -> dict[str, object]:
    """The body of a chat's answer; durations are nanoseconds."""
    thought = {"thinking": thinking} if thinking else {}
    return {
        "model": "good:latest",
        "created_at": "2026-01-01T12:00:00.123456789Z",
        "message": {"role": "assistant", "content": content, **thought},
        "done": True,
        "done_reason": done_reason,
        "total_duration": 5_043_500_667,
        "load_duration": 5_025_959,
        "prompt_eval_count": 120,
        "prompt_eval_duration": 325_953_000,
        "eval_count": 30,
        "eval_duration": 4_709_213_000,
        **more,
    }


def listed(name: str) -> dict[str, object]:
    """An entry of the list of models."""
    return {
        "name": f"{name}:latest",
        "model": f"{name}:latest",
        "modified_at": "2026-01-01T12:00:00.123456789-07:00",
        "size": 2_019_393_189,
        "digest": "a80c4f17acd5",
        "details": {
            "parent_model": "",
            "format": "gguf",
            "family": "llama",
            "families": ["llama"],
            "parameter_size": "3.2B",
            "quantization_level": "Q4_K_M",
        },
    }


def error(message: str) -> dict[str, object]:
    """The body of an error."""
    return {"error": message}


REPLIES: dict[str, Reply] = {
    "good": Reply(body=answer()),
    "other": Reply(body=answer(model="other:latest")),
    "truncated": Reply(body=answer("SELECT name FROM", done_reason="length")),
    "thinks": Reply(body=answer(thinking="Singers are in the table singer.")),
    "uses_a_tool": Reply(body=answer(message={"role": "assistant", "content": "", "tool_calls": [{"function": CALL}]})),
    "unloaded": Reply(body=answer("", done_reason="unload")),
    "reads_from_cache": Reply(body={key: value for key, value in answer().items() if key != "prompt_eval_count"}),
    "says_little": Reply(body={"message": {"role": "assistant", "content": ANSWER}, "done": True}),
    "unfinished": Reply(body=answer(done=False)),
    "full": Reply(body=answer(prompt_eval_count=8192)),
    "half_full": Reply(body=answer(prompt_eval_count=4098)),
    "half_full_and_begun": Reply(body=answer(prompt_eval_count=4099)),  # one more: the token that begins a text
    "small": Reply(body=answer(prompt_eval_count=2048)),
    "rate_limited": Reply(429, error("too many requests"), {"retry-after": "7"}),
    "no_quota": Reply(402, error("this model requires a subscription")),
    "broken": Reply(500, error("llama runner process has terminated: exit status 2")),
    "overloaded": Reply(
        503, error("server busy, please try again.  maximum pending requests exceeded"), {"retry-after": "3"}
    ),
    "bad_gateway": Reply(502, "<html><body>Bad Gateway</body></html>", {"content-type": "text/html"}),
    "bad_key": Reply(401, error("unauthorized: {key}")),
    "forbidden": Reply(403, error("forbidden")),
    "missing": Reply(404, error("model 'missing' not found")),
    "too_long": Reply(400, error("the input length exceeds the context length")),
    "too_long_to_shift": Reply(
        400, error("the prompt is longer than the context length currently available to the model; shorten the prompt")
    ),
    "bad_request": Reply(400, error('"good" does not support thinking')),
    "invalid_json": Reply(body='{"message": {', headers={"content-type": "application/json"}),
    "not_an_object": Reply(body=["message"]),
    "html": Reply(body="<html>Log in</html>", headers={"content-type": "text/html"}),
    "empty": Reply(body={}),
    "odd_content": Reply(body=answer(message={"role": "assistant", "content": 5})),
    "fails_late": Reply(body=error("an error was encountered while running the model")),
}

SHOWN: dict[str, object] = {
    "model_info": {"general.architecture": "llama", "llama.context_length": 131072},
    "capabilities": ["completion", "tools"],
}


class OllamaChat(Protocol):
    """Ollama's chat.

    Attributes:
        shown: What is said of a model, by its name; of others, `SHOWN`.
        pulls: What a pull reports, line by line; a model that was pulled answers as `good` does.
        pulled: The models that were pulled so far.
    """

    base = ""
    path: ClassVar[str] = "/api/chat"
    replies = REPLIES
    models_path = "/api/tags"
    models = Reply(body={"models": [listed(name) for name in MODELS[::-1]]})
    no_models = Reply(body={"models": []})
    stream_type = "application/x-ndjson"

    def __init__(self) -> None:
        self.shown: dict[str, Reply] = {}
        self.pulls: list[dict[str, object]] = [{"status": "pulling manifest"}, {"status": "success"}]
        self.pulled: list[str] = []

    def key(self, headers: Mapping[str, str]) -> str:
        """From the bearer's header."""
        return headers.get("authorization", "").removeprefix("Bearer ")

    def model(self, path: str, body: Mapping[str, Any]) -> str | None:
        """From the body, without the tag."""
        if path != self.path:
            return None
        return "good" if body["model"] in self.pulled else body["model"].removesuffix(":latest")

    def is_streamed(self, path: str, body: Mapping[str, Any]) -> bool:
        """As the body says."""
        return bool(body["stream"])

    def pieces(self, body: Any) -> list[str]:
        """Lines: some words at a time, and the counts in the last."""
        if "done" not in body:
            return [f"{json.dumps(body)}\n"] if body else []
        content, thinking = self.said(body)
        common = {"model": body.get("model", ""), "created_at": body.get("created_at", ""), "done": False}
        lines = [{**common, **self.saying("", part)} for part in cut(thinking)]
        lines += [{**common, **self.saying(part, "")} for part in cut(content)]
        if calls := body.get("message", {}).get("tool_calls"):
            lines.append({**common, "message": {"role": "assistant", "content": "", "tool_calls": calls}})
        return [f"{json.dumps(line)}\n" for line in (*lines, {**body, **self.saying("", "")})]

    def said(self, body: Any) -> tuple[str, str]:
        """The answer's text and thoughts."""
        return str(body["message"]["content"]), body["message"].get("thinking", "")

    def saying(self, content: str, thinking: str) -> dict[str, object]:
        """A piece's text and thoughts."""
        return {"message": {"role": "assistant", "content": content, "thinking": thinking}}

    def other(self, path: str, body: Mapping[str, Any]) -> Reply:
        """What is said of a model, and a pull."""
        if path == "/api/show":
            return self.shown.get(body["model"].removesuffix(":latest"), Reply(body=SHOWN))
        if path == "/api/pull":
            if self.pulls[-1].get("status") == "success":
                self.pulled.append(body["model"])
            return Reply(body="".join(f"{json.dumps(line)}\n" for line in self.pulls))
        return super().other(path, body)


def generated(reply: Reply) -> Reply:
    """The reply to a chat as that to a text: what was said stands on its own."""
    if not (isinstance(reply.body, dict) and "message" in reply.body):
        return reply
    fields = dict(reply.body)
    message = fields.pop("message")
    return Reply(reply.status, {**fields, "response": message["content"], "thinking": message.get("thinking", "")})


class OllamaGenerate(OllamaChat):
    """Ollama's answers to a text."""

    path = "/api/generate"
    replies: ClassVar[Mapping[str, Reply]] = {
        name: generated(reply) for name, reply in REPLIES.items() if name != "uses_a_tool"
    }

    def said(self, body: Any) -> tuple[str, str]:
        """They stand on their own."""
        return str(body["response"]), body.get("thinking", "")

    def saying(self, content: str, thinking: str) -> dict[str, object]:
        """They stand on their own."""
        return {"response": content, "thinking": thinking}

"""Langfuse's prompt management on the loopback interface; what comes in and goes out has the shapes of its API.

Source: https://api.reference.langfuse.com, the schemas `CreateChatPromptRequest`, `Prompt` and `PromptMetaListResponse`
"""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from jsonschema import Draft202012Validator

from tests.providers.loopback import Handler, Loopback

KEYS = ("pk-lf-1234567890", "sk-lf-0987654321")
_TEXT = {"type": "string"}
_TEXTS = {"type": "array", "items": _TEXT}
_WHOLE = {"type": "integer"}


def _object(required: Mapping[str, object], **more: object) -> dict[str, object]:
    return {"type": "object", "properties": {**required, **more}, "required": list(required)}


_MESSAGE = {
    "oneOf": [
        _object({"role": _TEXT, "content": _TEXT}, type={"enum": ["chatmessage", None]}),
        {**_object({"name": _TEXT}, type={"enum": ["placeholder", None]}), "not": {"required": ["content"]}},
    ]
}
_BASE = {"name": _TEXT, "version": _WHOLE, "config": {}, "labels": _TEXTS, "tags": _TEXTS}
_META = {"name": _TEXT, "labels": _TEXTS, "tags": _TEXTS, "lastConfig": {}}
_META["versions"] = {"type": "array", "items": _WHOLE}
_CONTENT = {
    "oneOf": [
        _object({"type": {"const": "chat"}, "prompt": {"type": "array", "items": _MESSAGE}}),
        _object({"type": {"const": "text"}, "prompt": _TEXT}),
    ]
}
CREATE = Draft202012Validator(
    {
        "allOf": [
            _object({"name": _TEXT}, labels=_TEXTS, commitMessage={"type": ["string", "null"]}),
            _CONTENT,
        ]
    }
)
PROMPT = Draft202012Validator({"allOf": [_object(_BASE), _CONTENT]})
LISTED = Draft202012Validator(
    _object(
        {
            "data": {
                "type": "array",
                "items": _object({**_META, "type": {"enum": ["chat", "text"]}, "lastUpdatedAt": _TEXT}),
            },
            "meta": _object(dict.fromkeys(("page", "limit", "totalItems", "totalPages"), _WHOLE)),
        }
    )
)


class LangfuseServer(Loopback):
    """The server, on a free port; use it as a context manager.

    Attributes:
        prompts: Every version of every prompt, by name, the oldest first.
        requests: Method and path of the requests so far, with their query.
        ill: What it does in the place of an answer: `hang`, a status, or a text that is no JSON.
    """

    def __init__(self) -> None:
        super().__init__(_Handler)
        self.prompts: dict[str, list[dict[str, Any]]] = {}
        self.requests: list[str] = []
        self.ill: int | str | None = None
        self.released = threading.Event()

    def add(self, name: str, prompt: object, *, labels: tuple[str, ...] = (), config: object = None) -> None:
        """A new version; its labels are taken from older ones, and so is `latest`."""
        versions = self.prompts.setdefault(name, [])
        for one in versions:
            one["labels"] = [label for label in one["labels"] if label not in (*labels, "latest")]
        versions.append(
            {
                "name": name,
                "version": len(versions) + 1,
                "type": "text" if isinstance(prompt, str) else "chat",
                "prompt": prompt,
                "config": {} if config is None else config,
                "labels": [*labels, "latest"],
                "tags": [],
                "commitMessage": None,
            }
        )

    def stop(self) -> None:
        """Listen no more, and let go of who hangs."""
        self.released.set()
        super().stop()


class _Handler(Handler):
    @property
    def langfuse(self) -> LangfuseServer:
        """Which is asked."""
        return self.loopback

    def answer(self, body: bytes) -> None:
        self.langfuse.requests.append(f"{self.command} {self.path}")
        act = {"GET": self._get, "POST": self._create, "PATCH": self._label}[self.command]
        key = base64.b64decode(self.headers["authorization"].removeprefix("Basic ")).decode()
        ill = self.langfuse.ill
        if ill == "hang":
            self.langfuse.released.wait(30)
            self.close_connection = True
        elif isinstance(ill, int):
            self.reply(ill, {"error": "Ill", "message": f"as it was told to be, with {key}"})
        elif ill is not None:
            self.reply(200, ill)
        elif key != ":".join(KEYS):
            self.reply(401, {"error": "Unauthorized", "message": f"Invalid credentials {key}"})
        else:
            self.reply(*act(json.loads(body) if body else {}))

    def _get(self, _: object) -> tuple[int, object]:
        parts = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        if parts.path == "/api/public/v2/prompts":
            return 200, self._listed(query.get("name"))
        name = unquote(parts.path.removeprefix("/api/public/v2/prompts/"))
        assert "/" not in parts.path.removeprefix("/api/public/v2/prompts/")
        assert not {"version", "label"} <= query.keys()
        label = query.get("label", "production")
        for one in self.langfuse.prompts.get(name, []):
            if query["version"] == str(one["version"]) if "version" in query else label in one["labels"]:
                PROMPT.validate(one)
                return 200, one
        return 404, {"error": "LangfuseNotFoundError", "message": f"Prompt not found: '{name}'"}

    def _listed(self, name: str | None) -> object:
        chosen = {key: versions for key, versions in self.langfuse.prompts.items() if name in (None, key)}
        listed = {
            "data": [
                {
                    "name": key,
                    "type": versions[-1]["type"],
                    "versions": [one["version"] for one in versions],
                    "labels": [label for one in versions for label in one["labels"]],
                    "tags": [],
                    "lastUpdatedAt": "2026-01-01T12:00:00.000Z",
                    "lastConfig": versions[-1]["config"],
                }
                for key, versions in chosen.items()
            ],
            "meta": {"page": 1, "limit": 100, "totalItems": len(chosen), "totalPages": 1},
        }
        LISTED.validate(listed)
        return listed

    def _create(self, body: Any) -> tuple[int, object]:
        assert self.path == "/api/public/v2/prompts"
        CREATE.validate(body)
        name = body["name"]
        self.langfuse.add(name, body["prompt"], labels=tuple(body.get("labels") or ()), config=body.get("config"))
        made = self.langfuse.prompts[name][-1]
        made["commitMessage"] = body.get("commitMessage")
        PROMPT.validate(made)
        return 200, made

    def _label(self, body: Any) -> tuple[int, object]:
        name, _, version = self.path.removeprefix("/api/public/v2/prompts/").partition("/versions/")
        versions = self.langfuse.prompts[unquote(name)]
        for one in versions:
            one["labels"] = [label for label in one["labels"] if label not in body["newLabels"]]
        versions[int(version) - 1]["labels"] += body["newLabels"]
        return 200, versions[int(version) - 1]

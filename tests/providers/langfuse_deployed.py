"""A whole Langfuse on the loopback interface, as far as `sqlassay langfuse` speaks to one.

Spans and scores that come in are read as the real server reads them, and can be read back, at once or after a while.

Source: https://api.reference.langfuse.com
"""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.providers.loopback import Handler, Loopback

KEYS = ("pk-lf-1234567890", "sk-lf-0987654321")
LISTS = ("/api/public/v2/prompts", "/api/public/v2/datasets", "/api/public/dataset-items")
NOW = "2026-01-01T12:00:00.000Z"
OPEN = ("/api/public/health", "/api/public/ready")


class DeployedLangfuse(Loopback):
    """The server, on a free port; use it as a context manager.

    Attributes:
        keys: Those that it knows.
        version: What it says about itself.
        projects: Id and name of those that the keys open.
        statuses: What it answers instead, by path.
        stumbles: How often it answers with 503 before it does not, by path.
        then: What happens once it has answered, by path.
        looks: How often what was written is asked for until it is there; `None` is never.
        requests: Method and path of the requests so far.
        spans: Name and attributes, by trace, as they came in.
        scores: As they came in.
    """

    def __init__(self) -> None:
        super().__init__(_Handler)
        self.keys = KEYS
        self.version = "4.60.1"
        self.projects: list[tuple[str, str]] = [("sqlassay", "nightly")]
        self.statuses: dict[str, int] = {}
        self.stumbles: dict[str, int] = {}
        self.then: dict[str, Callable[[], object]] = {}
        self.looks: int | None = 0
        self.requests: list[str] = []
        self.spans: dict[str, Any] = {}
        self.removed: list[str] = []
        self.items: list[Any] = []
        self.scores: list[dict[str, Any]] = []


class _Handler(Handler):
    timeout = 5

    @property
    def langfuse(self) -> DeployedLangfuse:
        """Which is asked."""
        return self.loopback

    def answer(self, body: bytes) -> None:
        self.langfuse.requests.append(f"{self.command} {self.path}")
        act = {"GET": self._get, "POST": self._post, "DELETE": self._delete}[self.command]
        path = urlsplit(self.path).path
        given = base64.b64decode((self.headers.get("authorization") or "").removeprefix("Basic ")).decode()
        if path in self.langfuse.statuses:
            self._send(self.langfuse.statuses[path], {"status": "ill", "version": self.langfuse.version, "key": given})
        elif self.langfuse.stumbles.get(path):
            self.langfuse.stumbles[path] -= 1
            self._send(503, {"message": "Service Unavailable"})
        elif path not in OPEN and given != ":".join(self.langfuse.keys):
            self._send(401, {"error": "Unauthorized", "message": f"Invalid credentials {given}"})
        else:
            answer = act(path, body)
            self.langfuse.then.pop(path, lambda: None)()  # before whoever asked can ask again
            self._send(*answer)

    def _get(self, path: str, _: bytes) -> tuple[int, object]:
        query = {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}
        langfuse = self.langfuse
        if path in OPEN:
            return 200, {"status": "OK", "version": langfuse.version}
        if path == "/api/public/projects":
            return 200, {"data": [_project(*one) for one in langfuse.projects]}
        if path in LISTS:
            return 200, {"data": [], "meta": {"page": 1, "limit": 1, "totalItems": 0, "totalPages": 0}}
        if path == "/api/public/v2/observations":
            assert "fromStartTime" in query
            found = langfuse.spans.get(query.get("traceId", "")) if self._there(query, "traceId") else None
            return 200, {"data": [found] if found else [], "meta": {}}
        if path == "/api/public/v3/scores":
            scores = [_score(one) for one in langfuse.scores if one["id"] == query.get("id")]
            return 200, {"data": scores if self._there(query, "id") else [], "meta": {"limit": 1}}
        return 404, {"message": "not found"}

    def _there(self, query: dict[str, str], key: str) -> bool:
        """Whether what was written can be read yet."""
        if key not in query or self.langfuse.looks is None:
            return False
        self.langfuse.looks -= 1
        return self.langfuse.looks < 0

    def _post(self, path: str, body: bytes) -> tuple[int, object]:
        if path == "/api/public/otel/v1/traces":
            for trace, span, name, attributes in self._spans(body):
                self.langfuse.spans[trace] = {
                    "id": span,
                    "traceId": trace,
                    "startTime": NOW,
                    "projectId": "sqlassay",
                    "type": attributes["langfuse.observation.type"].upper(),
                    "name": name,
                    "environment": attributes["langfuse.environment"],
                }
            return 200, {}
        if path == "/api/public/v2/datasets":
            return 200, {"id": "d", **json.loads(body)}
        if path == "/api/public/dataset-items":
            self.langfuse.items.append(json.loads(body))
            return 200, {"status": "ACTIVE", **json.loads(body)}
        assert path == "/api/public/scores"
        self.langfuse.scores += json.loads(body)
        return 202, {"message": "Accepted"}

    def _delete(self, path: str, _: bytes) -> tuple[int, object]:
        self.langfuse.removed.append(path.removeprefix("/api/public/traces/"))
        return 200, {"message": "Trace deleted successfully"}

    def _spans(self, body: bytes) -> list[tuple[str, str, str, dict[str, str]]]:
        """Ids, name and attributes of what came in, in either of the two forms."""
        from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

        assert self.headers["x-langfuse-ingestion-version"] == "4"
        if self.headers["content-type"] == "application/json":
            return [
                (
                    one["traceId"],
                    one["spanId"],
                    one["name"],
                    {each["key"]: each["value"]["stringValue"] for each in one["attributes"]},
                )
                for one in json.loads(body)["resourceSpans"][0]["scopeSpans"][0]["spans"]
            ]
        assert self.headers["content-type"] == "application/x-protobuf"
        assert self.headers["content-encoding"] == "gzip"
        request = ExportTraceServiceRequest.FromString(gzip.decompress(body))
        return [
            (
                one.trace_id.hex(),
                one.span_id.hex(),
                one.name,
                {each.key: each.value.string_value for each in one.attributes},
            )
            for one in request.resource_spans[0].scope_spans[0].spans
        ]

    def _send(self, status: int, body: object) -> None:
        self.reply(status, body, {"location": "http://127.0.0.1:9/"} if 300 <= status < 400 else {})


def _project(identifier: str, name: str) -> dict[str, object]:
    return {"id": identifier, "name": name, "organization": {"id": "o", "name": "o"}, "metadata": {}}


def _score(one: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": one["id"],
        "projectId": "sqlassay",
        "name": one["name"],
        "value": one["value"],
        "dataType": "NUMERIC",
        "source": "API",
        "timestamp": NOW,
        "environment": one["environment"],
        "createdAt": NOW,
        "updatedAt": NOW,
    }

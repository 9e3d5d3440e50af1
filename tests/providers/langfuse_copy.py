"""Langfuse's ingestion on the loopback interface: it keeps what it is sent, and refuses what its specification does.

`langfuse_api.json` is the part of the specification of Langfuse 4.16 (MIT) that is used. Lists of scores, which servers
take since 4.59, are as the client of SDK 5 describes them: `langfuse.api.scores`.
"""

from __future__ import annotations

import base64
import gzip
import json
import threading
from collections import Counter, deque
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from tests.providers.loopback import Handler, Loopback
from tests.providers.openapi import langfuse

KEYS = ("pk-lf-1234567890", "sk-lf-0987654321-secret")
TIME = "2026-01-01T12:00:00.000Z"
Fault = int | str | Callable[[], int | None]
SPANS = "/api/public/otel/v1/traces"
SCORES = "/api/public/scores"
ITEMS = "/api/public/dataset-items"
_STUMBLED = object()


class LangfuseCopy(Loopback):
    """The server, on a free port; use it as a context manager. It can be stopped and started: its store stays.

    Args:
        version: What it says of itself.

    Attributes:
        traces: Spans by their ids, by the ids of their traces; an id that comes again replaces what it stood for.
        scores: Bodies by their ids.
        datasets: Ids by names.
        items: Bodies of dataset items by their ids.
        annotations: Scores that people gave.
        requests: How often each path was asked.
        queries: The newest query of each path.
        faults: What happens to the next requests to a path: a status, `hang`, or what gives one.
        ill: What happens to every request.
        refuses: Ids of scores and traces that are never taken.
        stumbles: Ids of scores, traces and items over which it stumbles, with the status 500.
        prefix: What its paths begin with, as behind a proxy that has other services as well.
        largest: Bytes of a body, decompressed; a larger one is answered with 413.
        invalid: What was not as the specification says.
    """

    def __init__(self, version: str = "4.60.1") -> None:
        super().__init__(_Handler)
        self.version = version
        self.traces: dict[str, dict[str, Any]] = {}
        self.scores: dict[str, Any] = {}
        self.datasets: dict[str, str] = {}
        self.items: dict[str, Any] = {}
        self.annotations: list[dict[str, Any]] = []
        self.requests: Counter[str] = Counter()
        self.queries: dict[str, dict[str, str]] = {}
        self.faults: dict[str, deque[Fault]] = {}
        self.ill: Fault | None = None
        self.refuses: set[str] = set()
        self.stumbles: set[str] = set()
        self.prefix = ""
        self.largest = 5_000_000
        self.invalid: list[str] = []
        self.lock = threading.Lock()
        self.released = threading.Event()

    @property
    def base_url(self) -> str:
        """Where it is, also while it is stopped."""
        return super().base_url + self.prefix

    @property
    def down(self) -> bool:
        """Whether it answers nothing, on connections from before neither."""
        return self._server is None

    @property
    def spans(self) -> int:
        """How many there are."""
        return sum(map(len, self.traces.values()))

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.released.set()
        super().__exit__(kind, value, trace)
        if kind is None:
            assert self.invalid == []


class _Handler(Handler):
    @property
    def langfuse(self) -> LangfuseCopy:
        """Which is asked."""
        return self.loopback

    def answer(self, raw: bytes) -> None:
        prefix = self.langfuse.prefix
        parts = urlsplit(self.path.removeprefix(prefix))
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        if self.langfuse.down or not self.path.startswith(prefix):
            self.close_connection = True
            return
        with self.langfuse.lock:
            self.langfuse.requests[parts.path] += 1
            self.langfuse.queries[parts.path] = query
            planned = self.langfuse.faults.get(parts.path)
            fault = planned.popleft() if planned else self.langfuse.ill
        if callable(fault):
            fault = fault()
        if fault == "hang":
            self.langfuse.released.wait(30)
            self.close_connection = True
            return
        if isinstance(fault, int):
            self._send(fault, {"message": f"as told, with {self.headers['authorization']}"})
            return
        key = base64.b64decode(self.headers.get("authorization", "").removeprefix("Basic ")).decode()
        if parts.path != "/api/public/health" and key != ":".join(KEYS):
            self._send(401, {"message": f"Invalid credentials {key}"})
            return
        body = gzip.decompress(raw) if self.headers.get("content-encoding") == "gzip" else raw
        if len(body) > self.langfuse.largest:
            self._send(413, {"message": "too large"})
            return
        with self.langfuse.lock:
            self._send(*self._done(parts.path, query, body))

    def _done(self, path: str, query: dict[str, str], body: bytes) -> tuple[int, object]:
        if path == SPANS:
            return self._spans(body)
        told = json.loads(body) if body else None
        if path == SCORES:
            return self._scores(told)
        problems = langfuse().problems(self.command, path, query, told)
        if problems:
            return self._invalid(path, problems)
        answer = self._rest(path, query, told)
        if answer is None:
            return 404, {"message": "not found"}
        if answer is _STUMBLED:
            return 500, {"message": "Internal Server Error"}
        wrong = langfuse().wrong_answer(self.command, path, answer)
        assert not wrong, wrong
        return 200, answer

    def _rest(self, path: str, query: dict[str, str], told: Any) -> object:
        store = self.langfuse
        if self.command == "DELETE":
            trace = path.rpartition("/")[2]
            store.scores = {key: one for key, one in store.scores.items() if one.get("traceId") != trace}
            return None if store.traces.pop(trace, None) is None else {"message": "Trace deleted successfully"}
        if path == "/api/public/health":
            return {"status": "OK", "version": store.version}
        if path == "/api/public/v2/datasets" and self.command == "POST":
            store.datasets.setdefault(told["name"], f"dataset-{len(store.datasets)}")
            return _dataset(told["name"], store.datasets[told["name"]])
        if path == "/api/public/v2/datasets":
            return _page([_dataset(name, one) for name, one in store.datasets.items()], query)
        if path == ITEMS and self.command == "POST":
            if told["id"] in store.stumbles:
                return _STUMBLED
            kept = store.items.setdefault(told["id"], {"input": None, "expectedOutput": None, "metadata": None})
            kept |= told
            return self._item(kept)
        if path == ITEMS:
            chosen = [self._item(one) for one in store.items.values() if one["datasetName"] == query["datasetName"]]
            return _page(chosen, query)
        if path == "/api/public/v3/scores":
            names = query["name"].split(",") if "name" in query else None
            found = [one for one in store.annotations if names is None or one["name"] in names]
            at = int(query.get("cursor", "0"))
            more = {"cursor": str(at + 2)} if at + 2 < len(found) else {}
            return {"data": found[at : at + 2], "meta": {"limit": 2, **more}}
        name = unquote(path.removeprefix("/api/public/v2/datasets/"))
        return _dataset(name, store.datasets[name]) if name in store.datasets else None

    def _item(self, told: dict[str, Any]) -> dict[str, Any]:
        fixed = {"sourceTraceId": None, "sourceObservationId": None, "createdAt": TIME, "updatedAt": TIME}
        dataset = self.langfuse.datasets[told["datasetName"]]
        return {"status": "ACTIVE", **fixed, "mediaReferences": [], "datasetId": dataset, **told}

    def _scores(self, told: Any) -> tuple[int, object]:
        store = self.langfuse
        many = isinstance(told, list)
        new = tuple(map(int, store.version.split(".")[:2])) >= (4, 59)
        if many is not new:
            return 400, {"message": "not in this form"}
        problems = [p for one in (told if many else [told]) for p in langfuse().problems("POST", SCORES, {}, one)]
        if problems:
            return self._invalid(SCORES, problems)
        if any(one["id"] in store.stumbles for one in (told if many else [told])):
            return 500, {"message": "Internal Server Error"}
        taken = [one for one in (told if many else [told]) if one["id"] not in store.refuses]
        store.scores.update({_place(one, store.scores) if many else one["id"]: one for one in taken})
        if many and len(taken) < len(told):
            rejected = len(told) - len(taken)
            return 207, {"accepted": len(taken), "rejected": rejected, "errors": [{"message": "refused"}] * rejected}
        if many:
            return 202, {"message": "Accepted"}
        return (200, {"id": told["id"]}) if taken else (400, {"message": "refused"})

    def _spans(self, body: bytes) -> tuple[int, object]:
        from google.protobuf.json_format import MessageToDict
        from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

        request = ExportTraceServiceRequest.FromString(body)
        problems = langfuse().problems("POST", SPANS, {}, _as_json(MessageToDict(request)))
        if self.headers["content-type"] != "application/x-protobuf":
            problems.append("content type")
        if self.headers["x-langfuse-ingestion-version"] != "4":
            problems.append("ingestion version")
        found: dict[str, dict[str, Any]] = {}
        for span in (one for r in request.resource_spans for s in r.scope_spans for one in s.spans):
            if (len(span.trace_id), len(span.span_id), len(span.parent_span_id) in (0, 8)) != (16, 8, True):
                problems.append("the length of an id")
            if not 0 < span.start_time_unix_nano <= span.end_time_unix_nano:
                problems.append("a time")
            attributes = {one.key: _value(one.value) for one in span.attributes}
            if not all(key.startswith("langfuse.") for key in attributes):
                problems.append("an attribute")
            times = {"start": span.start_time_unix_nano, "end": span.end_time_unix_nano}
            told = {"name": span.name, "parent": span.parent_span_id.hex(), **times, "attributes": attributes}
            found.setdefault(span.trace_id.hex(), {})[span.span_id.hex()] = told
        if problems:
            return self._invalid(SPANS, problems)
        if self.langfuse.stumbles & found.keys():
            return 500, {"message": "Internal Server Error"}
        if self.langfuse.refuses & found.keys():
            return 400, {"message": "a malformed span"}
        for trace, spans in found.items():
            kept = self.langfuse.traces.setdefault(trace, {})
            for key, span in spans.items():
                known = kept.get(key)
                # Where it began is part of what a span is replaced by.
                again = known is not None and known["start"] != span["start"]
                kept[f"{key} again, number {len(kept)}" if again else key] = span
        return 200, {}

    def _invalid(self, path: str, problems: list[str]) -> tuple[int, object]:
        self.langfuse.invalid += [f"{path}: {problem}" for problem in problems]
        return 400, {"message": "; ".join(problems)}

    def _send(self, status: int, body: object) -> None:
        self.reply(status, body, {"retry-after": "1"} if status == 429 else {})


def _place(score: dict[str, Any], scores: Mapping[str, Any]) -> str:
    """Of a score in a list: "sent again with the same id and timestamp" it is updated, else it is another."""
    known = scores.get(score["id"])
    if known is None or known.get("timestamp") == score.get("timestamp", "now"):
        return str(score["id"])
    return f"{score['id']} again, number {len(scores)}"


def _dataset(name: str, dataset_id: str) -> dict[str, Any]:
    fixed = {"description": None, "metadata": {}, "inputSchema": None, "expectedOutputSchema": None}
    return {"id": dataset_id, "name": name, **fixed, "projectId": "p", "createdAt": TIME, "updatedAt": TIME}


def _page(found: list[dict[str, Any]], query: dict[str, str]) -> dict[str, Any]:
    page, limit = int(query.get("page", "1")), int(query.get("limit", "50"))
    pages = -(-len(found) // limit)
    meta = {"page": page, "limit": limit, "totalItems": len(found), "totalPages": pages}
    return {"data": found[(page - 1) * limit : page * limit], "meta": meta}


def _value(value: Any) -> Any:
    return getattr(value, value.WhichOneof("value"))


def _as_json(value: Any) -> Any:
    """Protobuf writes whole numbers of 64 bits as text, and kinds by name; the specification has numbers."""
    if isinstance(value, list):
        return [_as_json(one) for one in value]
    if isinstance(value, dict):
        numbers = {"intValue": int, "kind": lambda _: 1}
        return {key: numbers[key](one) if key in numbers else _as_json(one) for key, one in value.items()}
    return value

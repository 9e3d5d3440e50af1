"""OpenAI's files and batches: uploaded requests are answered as single ones are, in files of lines.

The model of a request says what happens to it, as with chat completions; besides, the model of a batch's first request
may be one of `BATCHES`.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from typing import Any

from tests.providers.chat_completions import ChatCompletions, error
from tests.providers.server import REQUEST_ID, Reply

BATCHES: Mapping[str, str] = {"batch_failed": "failed", "batch_expired": "expired", "batch_cancelled": "cancelled"}
"""Models whose batches end otherwise: none of their requests is answered."""
FIELD = re.compile(rb'name="(?P<name>[^"]*)"[^\r\n]*\r\n(?:[^\r\n]+\r\n)*\r\n(?P<value>.*?)\r\n--', re.DOTALL)


class OpenAIBatch(ChatCompletions):
    """The files and batches API.

    Attributes:
        uploads: The requests of each uploaded file.
        batches: Those that were made, by id.
        polls: How often each was looked at.
        ready: After how many looks a batch ends.
        refusals: Replies to the next calls that make a batch; with a status of 500 and above, it is made nevertheless.
        troubles: Replies to the next looks at a batch.
    """

    def __init__(self) -> None:
        self.uploads: list[list[dict[str, Any]]] = []
        self.batches: dict[str, dict[str, Any]] = {}
        self.polls: dict[str, int] = {}
        self.ready = 1
        self.refusals: list[Reply] = []
        self.troubles: list[Reply] = []
        self.files: dict[str, str] = {}

    def upload(self, body: bytes) -> Reply:
        """Keep a file, from the form it came in."""
        fields = {found["name"]: found["value"] for found in FIELD.finditer(body)}
        assert fields[b"purpose"] == b"batch"
        content = [json.loads(line) for line in fields[b"file"].splitlines()]
        model = content[0]["body"]["model"]
        if model in ("bad_key", "forbidden", "rate_limited", "broken"):
            return self.replies[model]
        self.uploads.append(content)
        return Reply(body={"id": f"file-{len(self.uploads)}", "object": "file", "purpose": "batch"})

    def _make(self, body: Mapping[str, Any]) -> Reply:
        assert body["endpoint"] == "/v1/chat/completions"
        assert body["completion_window"] == "24h"
        reply = self.refusals.pop(0) if self.refusals else None
        if reply is not None and reply.status < 500:
            return reply
        name = f"batch_{len(self.batches) + 1}"
        self.batches[name] = {
            "id": name, "object": "batch", "status": "in_progress", "input_file_id": body["input_file_id"],
            "endpoint": body["endpoint"], "completion_window": "24h", "created_at": int(time.time()),
        }  # fmt: skip
        self.polls[name] = 0
        return reply or Reply(body=self.batches[name])

    def other(self, path: str, body: Mapping[str, Any]) -> Reply:
        """A look at a batch, the list of them, or a file."""
        parts = path.partition("?")[0].split("/")[2:]
        match parts:
            case ["batches"] if body:
                return self._make(body)
            case ["batches"]:
                return Reply(body={"object": "list", "data": [*self.batches.values()][::-1], "has_more": False})
            case ["batches", name] if name in self.batches:
                if self.troubles:
                    return self.troubles.pop(0)
                self.polls[name] += 1
                if self.polls[name] >= self.ready:
                    self._end(self.batches[name])
                return Reply(body=self.batches[name])
            case ["files", name, "content"] if name in self.files:
                return Reply(body=self.files[name], headers={"content-type": "application/octet-stream"})
        return Reply(404, error("No such object"))

    def _end(self, batch: dict[str, Any]) -> None:
        lines = self.uploads[int(batch["input_file_id"].removeprefix("file-")) - 1]
        batch["status"] = BATCHES.get(lines[0]["body"]["model"], "completed")
        if batch["status"] == "failed":
            batch["errors"] = {"data": [{"code": "token_limit_exceeded", "message": "Enqueued token limit reached"}]}
            return
        outputs, errors = [], []
        for line in lines[::-1]:  # in any order
            found = self._line(line, batch["status"])
            if found is not None:
                failed = found["error"] or found["response"]["status_code"] != 200
                (errors if failed else outputs).append(json.dumps(found) + "\n")
        for kind, content in (("output", outputs), ("error", errors)):
            if content:
                batch[f"{kind}_file_id"] = name = f"{batch['id']}-{kind}"
                self.files[name] = "".join(content)

    def _line(self, line: Mapping[str, Any], status: str) -> dict[str, Any] | None:
        model = line["body"]["model"]
        common = {"id": "batch_req_1", "custom_id": line["custom_id"], "response": None, "error": None}
        if model == "lost" or status == "cancelled":
            return None
        if status == "expired":
            late = "This request could not be executed before the completion window expired."
            return {**common, "error": {"code": "batch_expired", "message": late}}
        reply = self.replies[model]
        body = json.loads(json.dumps(reply.body).replace("good-2026-01-01", f"{model}-2026-01-01"))
        if isinstance(body, dict) and "choices" in body and line["body"]["messages"][-1]["content"].startswith("echo"):
            body["choices"][0]["message"]["content"] = line["body"]["messages"][-1]["content"]
        return {**common, "response": {"status_code": reply.status, "request_id": REQUEST_ID, "body": body}}

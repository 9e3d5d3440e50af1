"""A provider on the loopback interface that answers as OpenAI's chat completions do, its failures included.

The model that a request asks for says what happens: `good` answers, `rate_limited` is told to wait, and so on through
`REPLIES`. `hang` and `trickle` never finish, `cut` breaks the connection within the answer.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

ANSWER = "```sql\nSELECT count(*) FROM singer\n```"
MODELS = ("good", "other")
REQUEST_ID = "req_123"


@dataclass(frozen=True)
class Reply:
    """One answer of the server: a status, a JSON value or text, and headers."""

    status: int = 200
    body: object = None
    headers: Mapping[str, str] = field(default_factory=dict)


def completion(
    content: str | None = ANSWER, *, finish_reason: str = "stop", refusal: str | None = None, **more: object
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
                "message": {"role": "assistant", "content": content, "refusal": refusal},
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


_LIMIT = error("Rate limit reached for requests", code="rate_limit_exceeded", kind="requests")
_TOO_LONG = "This model's maximum context length is 8192 tokens. However, your messages resulted in 9000 tokens."

REPLIES: dict[str, Reply] = {
    "good": Reply(body=completion()),
    "refuses": Reply(body=completion(None, refusal="I can't help with that.")),
    "filtered": Reply(body=completion("", finish_reason="content_filter")),
    "filtered_prompt": Reply(400, error("The response was filtered", code="content_filter")),
    "truncated": Reply(body=completion("SELECT name FROM", finish_reason="length")),
    "out_of_thought": Reply(body=completion(None, finish_reason="length")),
    "calls_a_tool": Reply(body=completion(None, finish_reason="tool_calls")),
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
    "too_large": Reply(413, error("Request too large")),
    "bad_request": Reply(400, error("Unsupported value: 'temperature'", code="unsupported_value")),
    "unprocessable": Reply(422, {"detail": "messages: field required"}),
    "invalid_json": Reply(body='{"choices": [', headers={"content-type": "application/json"}),
    "not_an_object": Reply(body=["choices"]),
    "html": Reply(body="<html>Log in</html>", headers={"content-type": "text/html"}),
    "no_choices": Reply(body=completion(choices=[])),
    "null_choices": Reply(body=completion(choices=None)),
    "error_in_200": Reply(body=error("Upstream failed")),
    "odd_content": Reply(body=completion(choices=[{"message": {"content": 5}, "finish_reason": "stop"}])),
    "no_message": Reply(body=completion(choices=[{"finish_reason": "stop"}])),
}


class ProviderServer:
    """The server, on a free port; use it as a context manager.

    Attributes:
        requests: The bodies of the chat requests so far.
        headers: The headers of every request so far, names in lower case.
        hung_up: Set when a client has closed the connection of a request that hangs.
        models: The reply to a question for the list of models.
    """

    def __init__(self) -> None:
        self.requests: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.hung_up = threading.Event()
        self.models = Reply(body={"object": "list", "data": [{"id": name, "object": "model"} for name in MODELS[::-1]]})
        server = self

        class Handler(_Handler):
            provider = server

        self._server = _Server(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    @property
    def base_url(self) -> str:
        """What an adapter is given."""
        return f"http://127.0.0.1:{self._server.server_port}/v1"

    def __enter__(self) -> ProviderServer:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    request_queue_size = 128


class _Handler(BaseHTTPRequestHandler):
    provider: ProviderServer
    protocol_version = "HTTP/1.1"
    timeout = 5

    def do_GET(self) -> None:
        self._note()
        self._send(self.provider.models if self.path == "/v1/models" else Reply(404, "not found"))

    def do_POST(self) -> None:
        key = self._note().get("authorization", "").removeprefix("Bearer ")
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if self.path != "/v1/chat/completions":
            self._send(Reply(404, "not found"))
            return
        self.provider.requests.append(body)
        match body["model"]:
            case "hang":
                self._wait_for_hang_up()
            case "trickle":
                self._trickle()
            case "cut":
                self._head(Reply(), 1000)
                self.wfile.write(b'{"choices": [')
                self.close_connection = True
            case model:
                self._send(REPLIES[model], key)

    def _note(self) -> dict[str, str]:
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.provider.headers.append(headers)
        return headers

    def _send(self, reply: Reply, key: str = "") -> None:
        text = reply.body if isinstance(reply.body, str) else json.dumps(reply.body)
        content = text.replace("{key}", key).encode()
        self._head(reply, len(content))
        self.wfile.write(content)

    def _head(self, reply: Reply, length: int) -> None:
        self.send_response(reply.status)
        headers = {"content-type": "application/json", "x-request-id": REQUEST_ID, **reply.headers}
        for name, value in {**headers, "content-length": str(length)}.items():
            self.send_header(name, value)
        self.end_headers()

    def _wait_for_hang_up(self) -> None:
        self.close_connection = True
        try:
            gone = self.connection.recv(1) == b""
        except ConnectionError:
            gone = True
        except TimeoutError:
            gone = False
        if gone:
            self.provider.hung_up.set()

    def _trickle(self) -> None:
        self.close_connection = True
        self._head(Reply(), 100_000)
        try:
            for _ in range(500):
                self.wfile.write(b" ")
                time.sleep(0.01)
        except OSError:
            self.provider.hung_up.set()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
        """Say nothing: tests are quiet."""

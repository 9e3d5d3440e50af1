"""A server on the loopback interface, in a thread of the test's own process."""

from __future__ import annotations

import json
import sys
import threading
from abc import ABC, abstractmethod
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self


class Handler(BaseHTTPRequestHandler, ABC):
    """Answers the requests of one connection."""

    protocol_version = "HTTP/1.1"

    @property
    def loopback(self) -> Any:
        """Whose requests they are."""
        return self.server.loopback  # type: ignore[attr-defined]

    def do_GET(self) -> None:
        """Read the whole request, whatever its method, and answer it."""
        length = int(self.headers.get("content-length") or 0)
        body = self.rfile.read(length)
        if len(body) < length:  # the client was killed
            self.close_connection = True
        else:
            self.answer(body)

    do_POST = do_PATCH = do_DELETE = do_GET  # noqa: N815 - the names are the base class's

    @abstractmethod
    def answer(self, body: bytes) -> None:
        """Answer one request: `command`, `path`, `headers`, and its body."""

    def reply(self, status: int, body: object, headers: Mapping[str, str] | None = None) -> None:
        """Send a JSON value, or a text that is none."""
        content = (body if isinstance(body, str) else json.dumps(body)).encode()
        kind = "text/html" if isinstance(body, str) else "application/json"
        self.send_response(status)
        for name, value in {"content-type": kind, "content-length": str(len(content)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
        """Say nothing: tests are quiet."""


class Loopback:
    """The server, on a free port; use it as a context manager. It can be stopped and started: its port stays.

    Args:
        handler: Answers the requests.
    """

    def __init__(self, handler: type[Handler]) -> None:
        self.handler = handler
        self.port = 0
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None

    @property
    def base_url(self) -> str:
        """Where it is, also while it is stopped."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Listen."""
        self._server = _Server(self)
        self.port = self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    def stop(self) -> None:
        """Listen no more."""
        if self._server is not None and self._thread is not None:
            server, self._server = self._server, None
            server.shutdown()
            server.server_close()
            self._thread.join()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


class _Server(ThreadingHTTPServer):
    request_queue_size = 128

    def __init__(self, loopback: Loopback) -> None:
        super().__init__(("127.0.0.1", loopback.port), loopback.handler)
        self.loopback = loopback

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that was killed has gone; anything else is a mistake of the test's."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)

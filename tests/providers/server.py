"""A provider on the loopback interface, for any wire protocol.

The model that a request asks for says what happens: `good` answers, `rate_limited` is told to wait, and so on through
the replies of the protocol. `hang` and `trickle` never finish, `cut` breaks the connection within the answer, and
`cut_stream` and `cut_chunks` within the pieces of one.
"""

from __future__ import annotations

import json
import socket
import struct
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from tests.providers.loopback import Handler, Loopback

ANSWER = "```sql\nSELECT count(*) FROM singer\n```"
CALL: dict[str, Any] = {"name": "run_sql", "arguments": {"sql": 'SELECT count(*)\nFROM "singer"'}}
"""What the reply `uses_a_tool` calls, without a word besides."""
REQUEST_ID = "req_123"


@dataclass(frozen=True)
class Reply:
    """One answer of the server: a status, a JSON value or text, and headers."""

    status: int = 200
    body: object = None
    headers: Mapping[str, str] = field(default_factory=dict)


class Protocol(ABC):
    """How a provider is spoken to."""

    base: ClassVar[str]
    """The path of the base URL."""
    replies: ClassVar[Mapping[str, Reply]]
    """What each model replies."""
    models_path: ClassVar[str]
    models: ClassVar[Reply]
    """The reply to a question for the list of models."""
    no_models: ClassVar[Reply] = Reply(body={})
    """The same when there are none."""
    stream_type: ClassVar[str] = "text/event-stream"
    request_id_header: ClassVar[str] = "x-request-id"

    @abstractmethod
    def key(self, headers: Mapping[str, str]) -> str:
        """The key that a request was sent with."""

    @abstractmethod
    def model(self, path: str, body: Mapping[str, Any]) -> str | None:
        """The model that is asked; `None` when the path is none of the protocol's."""

    @abstractmethod
    def is_streamed(self, path: str, body: Mapping[str, Any]) -> bool:
        """Whether the answer is to come in pieces."""

    @abstractmethod
    def pieces(self, body: Any) -> list[str]:
        """A whole answer in pieces as they are sent."""

    def other(self, path: str, body: Mapping[str, Any]) -> Reply:
        """The reply on any other path."""
        return Reply(404, "not found")

    def upload(self, content: bytes) -> Reply:
        """The reply to what is no JSON."""
        return Reply(415, "not JSON")


class ProviderServer(Loopback):
    """The server, on a free port; use it as a context manager.

    Args:
        protocol: How it is spoken to.

    Attributes:
        requests: The bodies of the requests for an answer so far.
        paths: Where they went.
        headers: The headers of every request so far, names in lower case.
        hung_up: Set when a client has closed the connection of a request that hangs.
        models: The reply to a question for the list of models.
    """

    def __init__(self, protocol: Protocol) -> None:
        super().__init__(_Handler)
        self.protocol = protocol
        self.requests: list[dict[str, Any]] = []
        self.paths: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.hung_up = threading.Event()
        self.models = protocol.models

    @property
    def base_url(self) -> str:
        """What an adapter is given."""
        return super().base_url + self.protocol.base

    def reply(self, name: str) -> Reply:
        """The reply of this name."""
        return self.protocol.replies[name]

    def choose(self, model: str, body: Mapping[str, Any]) -> str:
        """The name of the reply to a request: the model's, unless a subclass has other plans."""
        return model


class _Handler(Handler):
    timeout = 5

    @property
    def provider(self) -> ProviderServer:
        """Which is asked."""
        return self.loopback

    def answer(self, content: bytes) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.provider.headers.append(headers)
        key = self.provider.protocol.key(headers)
        if self.command == "GET":
            self._get(key)
        else:
            self._post(key, content)

    def _get(self, key: str) -> None:
        path = self.path.partition("?")[0]
        protocol = self.provider.protocol
        self._send(self.provider.models if path == protocol.models_path else protocol.other(self.path, {}), key)

    def _post(self, key: str, content: bytes) -> None:
        protocol = self.provider.protocol
        if not self.headers["content-type"].startswith("application/json"):
            self._send(protocol.upload(content), key)
            return
        body = json.loads(content)
        model = protocol.model(self.path, body)
        if model is None:
            self._send(protocol.other(self.path, body), key)
            return
        self.provider.requests.append(body)
        self.provider.paths.append(self.path)
        match name := self.provider.choose(model, body):
            case "hang":
                self._wait_for_hang_up()
            case "trickle":
                self._trickle()
            case "cut":
                self._head(Reply(), 1000)
                self.wfile.write(b'{"choices": [')
                self.close_connection = True
            case "reset":
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.connection.close()
                self.close_connection = True
            case "cut_stream":
                self._stream(protocol.pieces(self.provider.reply("good").body)[:3])
            case "cut_chunks":
                self._stream(["ffff\r\n", *protocol.pieces(self.provider.reply("good").body)[:3]], chunked=True)
            case _:
                reply = self.provider.reply(name)
                if isinstance(reply.body, dict) and reply.status == 200 and protocol.is_streamed(self.path, body):
                    self._stream(protocol.pieces(reply.body))
                else:
                    self._send(reply, key)

    def _send(self, reply: Reply, key: str = "") -> None:
        text = reply.body if isinstance(reply.body, str) else json.dumps(reply.body)
        content = text.replace("{key}", key).encode()
        self._head(reply, len(content))
        self.wfile.write(content)

    def _stream(self, pieces: list[str], chunked: bool = False) -> None:
        """Send pieces, and end with the connection: unless chunked, a client cannot tell all of them from some."""
        headers = {"content-type": self.provider.protocol.stream_type, "connection": "close"}
        if chunked:
            headers["transfer-encoding"] = "chunked"
        self._head(Reply(headers=headers), None)
        self.close_connection = True
        for piece in pieces:
            self.wfile.write(piece.encode())
            self.wfile.flush()
            time.sleep(0.001)

    def _head(self, reply: Reply, length: int | None) -> None:
        self.send_response(reply.status)
        request_id = {self.provider.protocol.request_id_header: REQUEST_ID}
        headers = {"content-type": "application/json", **request_id, **reply.headers}
        if length is not None:
            headers["content-length"] = str(length)
        for name, value in headers.items():
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

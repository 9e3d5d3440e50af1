"""A Langfuse server that is asked, with nothing but Python: a monitor, and one who starts a server, need no SDK.

Source: https://api.reference.langfuse.com
"""

from __future__ import annotations

import json
import time
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.client import HTTPException
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from sqlassay.errors import SqlAssayError
from sqlassay.langfuse import SECONDS, base_url, is_local, no_answer, trusted


class NoAnswer(SqlAssayError):
    """A request was not answered at all."""


class Answer(NamedTuple):
    """What a server answered.

    Attributes:
        status: Of HTTP.
        body: The JSON value; `None` when it is none.
        seconds: From the request to the last byte.
    """

    status: int
    body: Any
    seconds: float


@dataclass(frozen=True)
class LangfuseServer:
    """One server, and the keys of one project there.

    Args:
        host: Its base URL, such as `http://localhost:21530`.
        keys: The public and the secret one; `None` where only what needs none is asked.

    Raises:
        UserError: The host is no base URL.
    """

    host: str
    keys: tuple[str, str] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "host", base_url(self.host))

    @property
    def is_local(self) -> bool:
        """Whether it is on this machine, where no proxy leads."""
        return is_local(self.host)

    @property
    def in_the_clear(self) -> bool:
        """Whether others on the network could read the keys."""
        return urlsplit(self.host).scheme == "http" and not self.is_local

    def request(
        self,
        path: str,
        *,
        method: str | None = None,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        seconds: float = SECONDS,
    ) -> Answer:
        """One request, with the keys if there are any; no redirect is followed, which would take them elsewhere.

        Args:
            path: Below the host, such as `/api/public/health`.
            method: A GET, or a POST where there is a body, unless given.
            body: What is posted.
            headers: Besides those for the keys.
            seconds: How long to wait.

        Raises:
            NoAnswer: There was none.
        """
        from urllib.error import HTTPError
        from urllib.request import BaseHandler, HTTPRedirectHandler, HTTPSHandler, ProxyHandler, Request, build_opener

        class Stays(HTTPRedirectHandler):
            def redirect_request(self, *_: Any) -> None:
                return None

        request = Request(self.host + path, body, dict(headers or {}), method=method)  # noqa: S310 - the scheme was checked
        if self.keys is not None:
            request.add_unredirected_header(
                "Authorization", f"Basic {b64encode(':'.join(self.keys).encode()).decode()}"
            )
        handlers: list[BaseHandler] = [Stays()]
        if self.is_local:
            handlers.append(ProxyHandler({}))
        if request.type == "https":
            handlers.append(HTTPSHandler(context=trusted()))
        started = time.monotonic()
        try:
            try:
                with build_opener(*handlers).open(request, timeout=seconds) as response:
                    status, content = response.status, response.read()
            except HTTPError as error:
                with error:
                    status, content = error.code, error.read()
        except (OSError, HTTPException, ValueError) as error:
            raise NoAnswer(no_answer(error, seconds)) from None
        return Answer(status, _json(content), time.monotonic() - started)


def _json(content: bytes) -> Any:
    try:
        return json.loads(content)
    except ValueError:
        return None

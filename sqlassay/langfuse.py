"""A Langfuse server: where it is, the keys of a project there, and requests to it.

`request` needs nothing but Python; `api`, the SDK's client, needs the extra `langfuse`. Neither keeps an answer, nor
gives an old one when the server does not answer.

Source: https://api.reference.langfuse.com
"""

from __future__ import annotations

import json
import time
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPException
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from sqlassay.errors import SqlAssayError, UserError
from sqlassay.secrets import find_key, look_up, setting

if TYPE_CHECKING:
    from langfuse.api import LangfuseAPI

HOSTS = ("LANGFUSE_BASE_URL", "LANGFUSE_HOST")
"""The variables that say where the server is; the second is the older name."""
PUBLIC_KEY, SECRET_KEY = "LANGFUSE_PUBLIC_KEY", "LANGFUSE_SECRET_KEY"
CLOUD = "https://cloud.langfuse.com"
SECONDS = 10.0
"""How long a request waits for an answer."""
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_CHECK = f"check {HOSTS[0]} and whether the server is up"


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
        try:
            parts = urlsplit(self.host)
            named = parts.hostname and parts.port != 0
        except ValueError:
            named = None
        if not named or parts.scheme not in ("http", "https") or parts.query or parts.fragment:
            raise UserError(f"Langfuse at {self.host} cannot be reached: that is no base URL", remedy=_CHECK)
        if parts.username or parts.password:
            raise UserError("the base URL of Langfuse has a user or a password in it", remedy="give the keys apart")
        object.__setattr__(self, "host", self.host.rstrip("/"))

    @classmethod
    def known(cls, host: str | None = None) -> LangfuseServer:
        """The server that the environment, `.env` or the secrets file name; Langfuse's own when they name none.

        Args:
            host: Instead of the one that they name.

        Raises:
            UserError: A key is missing, or the host is no base URL.
        """
        named = host or cls.named_host() or CLOUD
        return cls(named, (find_key("Langfuse", PUBLIC_KEY), find_key("Langfuse", SECRET_KEY)))

    @staticmethod
    def named_host() -> str | None:
        """The base URL that the environment, `.env` or the secrets file name."""
        return next((value for value in map(setting, HOSTS) if value), None)

    @staticmethod
    def named_keys() -> tuple[str, str] | None:
        """The keys that the environment, `.env` or the secrets file have; `None` unless there are both."""
        public, secret = look_up(PUBLIC_KEY), look_up(SECRET_KEY)
        return (public, secret) if public and secret else None

    @property
    def in_the_clear(self) -> bool:
        """Whether others on the network could read the keys."""
        parts = urlsplit(self.host)
        return parts.scheme == "http" and parts.hostname not in _LOOPBACK

    def request(
        self,
        path: str,
        *,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        seconds: float = SECONDS,
    ) -> Answer:
        """One request, with the keys if there are any; no redirect is followed, which would take them elsewhere.

        Args:
            path: Below the host, such as `/api/public/health`.
            body: What is posted; without one it is a GET.
            headers: Besides those for the keys.
            seconds: How long to wait.

        Raises:
            NoAnswer: There was none.
        """
        from urllib.error import HTTPError
        from urllib.request import HTTPRedirectHandler, Request, build_opener

        class Stays(HTTPRedirectHandler):
            def redirect_request(self, *_: Any) -> None:
                return None

        request = Request(self.host + path, body, dict(headers or {}))  # noqa: S310 - the scheme was checked
        if self.keys is not None:
            request.add_unredirected_header(
                "Authorization", f"Basic {b64encode(':'.join(self.keys).encode()).decode()}"
            )
        started = time.monotonic()
        try:
            try:
                with build_opener(Stays).open(request, timeout=seconds) as response:
                    status, content = response.status, response.read()
            except HTTPError as error:
                with error:
                    status, content = error.code, error.read()
        except (OSError, HTTPException, ValueError) as error:
            raise NoAnswer(_reason(error, seconds)) from None
        return Answer(status, _json(content), time.monotonic() - started)

    @contextmanager
    def api(self) -> Iterator[LangfuseAPI]:
        """The SDK's client; what goes wrong with it is one line, without keys and without what the server wrote.

        Raises:
            UserError: The SDK or the keys are missing, the keys are refused, or there is no proper answer.
        """
        try:
            import httpx
            from langfuse.api import LangfuseAPI, UnauthorizedError
            from langfuse.api.core import ApiError
            from pydantic import ValidationError
        except ImportError as error:
            raise UserError(
                "Langfuse needs the extra 'langfuse', which is not installed",
                remedy="pip install 'sqlassay[langfuse]'",
            ) from error
        if self.keys is None:
            raise UserError(f"no keys for Langfuse at {self.host}", remedy=f"set {PUBLIC_KEY} and {SECRET_KEY}")
        public, secret = self.keys
        where = f"Langfuse at {self.host}"
        try:
            with httpx.Client(timeout=SECONDS) as http:
                yield LangfuseAPI(
                    base_url=self.host,
                    x_langfuse_public_key=public,
                    username=public,
                    password=secret,
                    httpx_client=http,
                )
        except UnauthorizedError:
            remedy = f"check {PUBLIC_KEY}, {SECRET_KEY} and {HOSTS[0]}: keys are of one server and project"
            raise UserError(f"{where} does not accept the keys", remedy=remedy) from None
        except ApiError as error:
            if error.status_code == 200:  # the SDK's way to say that it is no JSON
                raise UserError(
                    f"what answers at {self.host} is not Langfuse's API", remedy=f"check {HOSTS[0]}"
                ) from None
            raise UserError(f"{where} answered with the HTTP status {error.status_code}", remedy=_CHECK) from None
        except httpx.TimeoutException:
            raise UserError(f"{where} gave no answer within {SECONDS:g} s", remedy=_CHECK) from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise UserError(f"{where} cannot be reached: {error}", remedy=_CHECK) from None
        except (ValidationError, json.JSONDecodeError):
            raise UserError(f"what answers at {self.host} is not Langfuse's API", remedy=f"check {HOSTS[0]}") from None


def _json(content: bytes) -> Any:
    try:
        return json.loads(content)
    except ValueError:
        return None


def _reason(error: Exception, seconds: float) -> str:
    cause = getattr(error, "reason", None) or error
    if isinstance(cause, TimeoutError):
        return f"no answer within {seconds:g} s"
    said = cause.strerror if isinstance(cause, OSError) and cause.strerror else str(cause)
    return f"cannot be reached: {said or type(cause).__name__}"

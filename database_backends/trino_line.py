"""The line to a Trino server: nothing is waited for beyond the limits of a statement, and nothing larger is read."""

from __future__ import annotations

import io
import re
import time

import urllib3
from requests import ConnectionError as LineError
from requests import PreparedRequest, Response
from requests.adapters import HTTPAdapter
from requests.exceptions import SSLError as TlsError
from trino.constants import HEADER_STARTED_TRANSACTION

from database_backends.errors import BackendError, FailureKind
from database_backends.server import CONNECT_SECONDS, AccessDenied, SessionLost, TlsRefused

STOP_SECONDS = 0.5
"""How long an answer is waited for that only says that something has been stopped."""
_SHORTEST_WAIT = 0.05
_UNWELCOME = (401, 403)
_CERTIFICATE = re.compile(r"certificate verify failed: ([^()]*[^() ])")


class TrinoLine(HTTPAdapter):
    """Carries the requests of one session.

    Attributes:
        transaction: The transaction that the server has started last.
    """

    def __init__(self) -> None:
        super().__init__()
        self.transaction = ""
        self._deadline = 0.0
        self._room = 0

    def limit(self, seconds: float, megabytes: int) -> None:
        """Have answers that come later, or are larger, fail from now on."""
        self._deadline = time.monotonic() + seconds
        self._room = megabytes << 20

    def send(
        self,
        request: PreparedRequest,
        stream: bool = False,
        timeout: float | tuple[float | None, float | None] | None = None,
        verify: bool | str = True,
        cert: str | tuple[str, str] | None = None,
        proxies: dict[str, str] | None = None,
    ) -> Response:
        """Send a request, and read all of the answer.

        Raises:
            AccessDenied: The server does not take the user or the password.
            SessionLost: It has no answer for us.
            TlsRefused: It does not speak https, or its certificate is not to be trusted.
            BackendError: `memory`: the answer is too large.
            requests.RequestException: It does not answer in time.
        """
        stopping = request.method == "DELETE"
        left = STOP_SECONDS if stopping else max(_SHORTEST_WAIT, self._deadline - time.monotonic())
        try:
            response = super().send(request, True, (min(CONNECT_SECONDS, left), left), verify, cert, proxies)
        except TlsError as error:
            found = _CERTIFICATE.search(str(error))
            words = f"its certificate is not trusted ({found[1]})" if found else "it does not speak https"
            raise TlsRefused(FailureKind.CONNECTION, words) from error
        try:
            body = response.raw.read(self._room + 1, decode_content=True)
        except urllib3.exceptions.HTTPError as error:
            raise LineError(error, request=request) from error
        if len(body) > self._room:
            response.close()
            raise BackendError(FailureKind.MEMORY, f"a part of the rows takes more than {self._room >> 20} MiB")
        response.raw.release_conn()
        response.raw = io.BytesIO(body)
        if not response.ok and not stopping:
            words = f"{response.status_code} {response.reason or ''}: {body[:300].decode(errors='replace')}"
            raise (AccessDenied if response.status_code in _UNWELCOME else SessionLost)(
                FailureKind.CONNECTION, " ".join(words.split()).rstrip(":")
            )
        self.transaction = response.headers.get(HEADER_STARTED_TRANSACTION, self.transaction)
        return response

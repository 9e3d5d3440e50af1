"""Telling another program: one JSON document, posted to its address."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from sqlassay.errors import SqlAssayError, UserError

_SECONDS = 10.0


class WebhookFailed(SqlAssayError):
    """Nobody was told."""


class Webhook:
    """An address that JSON is posted to. Its path may be a secret, as those of chat programs are: it is never shown.

    Args:
        url: The address.

    Raises:
        UserError: It is none.
    """

    def __init__(self, url: str) -> None:
        try:
            parts = urlsplit(url)
            self.host = parts.hostname or ""
            port = parts.port
        except ValueError:
            raise UserError("the address of the webhook is not a URL") from None
        if parts.scheme not in ("http", "https") or not self.host:
            raise UserError("the address of the webhook must begin with http:// or https:// and name a host")
        self.host += f":{port}" if port else ""
        self._url = url

    def post(self, document: Mapping[str, Any]) -> None:
        """Post a document; takes ten seconds at most for each of its steps.

        Raises:
            WebhookFailed: It was not taken.
        """
        body = json.dumps(document).encode()
        request = Request(self._url, body, {"content-type": "application/json"})  # noqa: S310 - checked above
        try:
            with urlopen(request, timeout=_SECONDS):  # noqa: S310
                return
        except HTTPError as error:
            error.close()
            raise WebhookFailed(f"the webhook at {self.host} answers with HTTP {error.code}") from None
        except (OSError, HTTPException, ValueError) as error:
            cause = getattr(error, "reason", None) or error
            said = cause.strerror if isinstance(cause, OSError) and cause.strerror else type(cause).__name__
            raise WebhookFailed(f"the webhook at {self.host} cannot be reached: {said}") from None

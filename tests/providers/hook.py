"""A webhook on the loopback interface."""

from __future__ import annotations

import json
from typing import Any

from tests.providers.loopback import Handler, Loopback


class _Handler(Handler):
    def answer(self, body: bytes) -> None:
        self.loopback.got.append(json.loads(body))
        hook = self.loopback
        self.reply(hook.statuses.pop(0) if hook.statuses else hook.status, {})


class Hook(Loopback):
    """Takes what is posted to it; use it as a context manager.

    Args:
        status: What it answers.

    Attributes:
        got: The JSON values so far.
        statuses: What it answers first.
    """

    def __init__(self, status: int = 200) -> None:
        super().__init__(_Handler)
        self.status = status
        self.got: list[dict[str, Any]] = []
        self.statuses: list[int] = []

    @property
    def url(self) -> str:
        """Its address, with what must be told to nobody."""
        return f"{self.base_url}/canary-path?token=canary"

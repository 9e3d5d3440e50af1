"""How many requests and tokens a minute may have."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from sqlassay.errors import UserError

if TYPE_CHECKING:
    from aiolimiter import AsyncLimiter


class RateLimit:
    """Spreads requests and tokens over the minute: no more at once than a second's worth, since providers count so too.

    How many tokens a request takes is known only when it is answered. So it goes when those before it are paid for,
    with an estimate of its own tokens put on the account, which `correct` puts right.

    Args:
        requests: Per minute; `None` is no limit.
        tokens: Per minute; `None` is no limit.

    Raises:
        UserError: A limit is not more than 0.
    """

    def __init__(self, requests: float | None = None, tokens: float | None = None) -> None:
        for name, limit in (("requests", requests), ("tokens", tokens)):
            if limit is not None and not limit > 0:
                raise UserError(f"{name}_per_minute is {limit}, but must be more than 0")
        self._requests = None if requests is None else _bucket(requests)
        self._tokens = None if tokens is None else _bucket(tokens)
        self._owed = 0.0
        self._turn = asyncio.Lock()

    async def acquire(self, tokens: float = 0) -> None:
        """Wait until a request may go.

        Args:
            tokens: The estimate of what it will take.
        """
        if self._tokens is not None:
            async with self._turn:
                while self._owed > 0:
                    payment = min(self._owed, self._tokens.max_rate)
                    await self._tokens.acquire(payment)
                    self._owed -= payment
                self._owed += tokens
        if self._requests is not None:
            await self._requests.acquire()

    def correct(self, estimate: float, used: float) -> None:
        """Put right what a request has taken."""
        self._owed += used - estimate


def _bucket(per_minute: float) -> AsyncLimiter:
    """A bucket that lets through no more than `per_minute` in any minute.

    It holds a second's worth, and 1 at least. What a full bucket adds to a minute, the rate leaves out.
    """
    from aiolimiter import AsyncLimiter  # here, because `--help` should not pay for it

    size = max(1.0, per_minute / 60)
    rate = (per_minute - (size - 1)) / 60
    return AsyncLimiter(size, size / rate)

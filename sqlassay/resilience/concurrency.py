"""How many calls may be under way at once: fewer when the other side says that they are too many."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress

from sqlassay.errors import UserError


class AdaptiveConcurrency:
    """Places for calls, in the order in which they are asked for.

    The limit is halved by a refusal, and grows by one for each limit's worth of successes, up to the maximum again:
    additive increase, multiplicative decrease (Chiu and Jain 1989), as TCP does. Calls that were under way together are
    refused together; they halve it once.

    Args:
        maximum: Places when nothing is refused.

    Attributes:
        limit: Places now.
        flight: Names the calls that begin between two halvings.

    Raises:
        UserError: There is no place at all.
    """

    def __init__(self, maximum: int) -> None:
        if maximum < 1:
            raise UserError(f"concurrency is {maximum}, but one call at least is under way")
        self.maximum = maximum
        self.limit = maximum
        self.flight = 0
        self._busy = 0
        self._successes = 0
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def acquire(self) -> None:
        """Take a place, when there is one."""
        if self._busy < self.limit and not self._waiting:
            self._busy += 1
            return
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(place)
        try:
            await place
        except asyncio.CancelledError:
            with suppress(ValueError):
                self._waiting.remove(place)
            if not place.cancelled():  # it was given, and nobody is left to use it
                self.release()
            raise

    def release(self) -> None:
        """Give a place back."""
        self._busy -= 1
        while self._waiting and self._busy < self.limit:
            place = self._waiting.popleft()
            if not place.done():
                self._busy += 1
                place.set_result(None)

    def refused(self, flight: int) -> None:
        """The other side said that there are too many calls at once.

        Args:
            flight: What `flight` was when the call began.
        """
        if flight == self.flight:
            self.limit = max(1, self.limit // 2)
            self.flight += 1
            self._successes = 0

    def succeeded(self) -> None:
        """A call succeeded; to be told before its place is given back."""
        if self.limit == self.maximum:
            return
        self._successes += 1
        if self._successes >= self.limit:
            self.limit += 1
            self._successes = 0

"""A pause for all calls of a model, after the other side has said that there are too many."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field


@dataclass
class Pause:
    """Nobody asks a model that has just refused a call: it would refuse the next one as well, and use up its attempts.

    Many limits are counted by the minute, and few refusals say when it is over. So the pause is doubled with each
    flight of calls that is refused, until one is answered, and is never shorter than the other side asks for. Where
    nothing has been answered for as long as the patience lasts, nobody pauses any more: calls end by themselves.

    Args:
        initial: Seconds of the first pause.
        maximum: The longest in seconds that we choose ourselves.
        patience: Seconds; nobody waits for longer either.
    """

    initial: float
    maximum: float
    patience: float
    _until: float = field(default=0.0, init=False)
    _seconds: float = field(default=0.0, init=False)
    _since: float | None = field(default=None, init=False)
    _last: float = field(default=0.0, init=False)

    def refused(self, asked: float | None, *, first: bool) -> None:
        """A call was refused.

        Args:
            asked: Seconds that the other side asks us to wait, where it says so.
            first: Whether it is the first to be refused of the calls that were under way together.
        """
        now = _now()
        if self._since is None or now - self._last > self.patience:  # nobody has asked in the meantime
            self._since, self._seconds = now, min(self.initial, self.maximum)
        elif first:
            self._seconds = min(2 * self._seconds, self.maximum)
        self._last = now
        until = now + max(self._seconds, asked or 0.0)
        if until - self._since <= self.patience:
            self._until = max(self._until, until)

    def answered(self) -> None:
        """A call was not refused."""
        self._since = None

    async def over(self) -> None:
        """Wait for its end."""
        while (left := self._until - _now()) > 0:
            await asyncio.sleep(left)


def _now() -> float:
    return asyncio.get_running_loop().time()

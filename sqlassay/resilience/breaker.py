"""The circuit breaker of an endpoint: a dead provider is asked by one call now and then, not by all of them.

Own code, because purgatory, aiobreaker and circuitbreaker let every call through at the half-open state and their
recovery time neither grows nor can be waited for; pybreaker speaks Tornado, not asyncio.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from typing import ClassVar

from sqlassay.errors import SqlAssayError, UserError


class CircuitOpen(SqlAssayError):
    """An endpoint is down and was not asked.

    Attributes:
        endpoint: Its name.
        seconds: For how long it has been down.
        last: The last real error.
    """

    retryable: ClassVar[bool] = False
    retry_after: ClassVar[None] = None
    slows_down: ClassVar[bool] = False
    breaks_circuit: ClassVar[bool] = False

    def __init__(self, endpoint: str, seconds: float, last: str) -> None:
        self.endpoint = endpoint
        self.seconds = seconds
        self.last = last
        super().__init__(endpoint, seconds, last)

    def __str__(self) -> str:
        """The endpoint and its last real error, in one line."""
        return " ".join(f"{self.endpoint} has been failing for {self.seconds:.0f} s; last: {self.last}".split())


class State(Enum):
    """Whether calls go through."""

    CLOSED = "closed"
    """Every call does."""
    OPEN = "open"
    """None does."""
    HALF_OPEN = "half-open"
    """One does: the probe, whose outcome decides."""


@dataclass(frozen=True)
class CircuitPolicy:
    """When a circuit opens, and when it is probed.

    Attributes:
        failures: Failures in a row, of whatever calls, that open it.
        recovery: Seconds until the first probe; doubled after each probe that fails.
        maximum: The longest of these waits in seconds; a longer one is taken only if the provider asks for it.
    """

    failures: int = 5
    recovery: float = 1.0
    maximum: float = 10.0

    def __post_init__(self) -> None:
        if self.failures < 1:
            raise UserError(f"failures is {self.failures}, but a circuit opens after one failure at the earliest")
        for name in ("recovery", "maximum"):
            if not getattr(self, name) > 0:
                raise UserError(f"{name} is {getattr(self, name)}, but must be more than 0 seconds")


class Circuit:
    """The circuit of one endpoint.

    A call is admitted with a ticket and tells how it ended. What a call tells that was admitted before the circuit
    opened the last time is old news and changes nothing.

    Args:
        endpoint: Its name, for messages.
        policy: When it opens, and when it is probed.
        clock: Gives seconds; the event loop's unless given.
        tell: Told once when the circuit opens.

    Attributes:
        now: The clock.
        state: Whether calls go through.
        since: When the endpoint went down, by the clock; meaningless while the circuit is closed.
    """

    def __init__(
        self,
        endpoint: str,
        policy: CircuitPolicy = CircuitPolicy(),
        *,
        clock: Callable[[], float] | None = None,
        tell: Callable[[CircuitOpen], None] | None = None,
    ) -> None:
        self.endpoint = endpoint
        self.policy = policy
        self.state = State.CLOSED
        self.since = 0.0
        self.now = clock or _loop_time
        self._tell = tell
        self._ticket = 0
        self._failures = 0
        self._wait = policy.recovery
        self._due = 0.0
        self._last = ""
        self._changed = asyncio.Event()

    def admit(self) -> int | None:
        """A ticket for a call that may go now, if need be as the probe; `None` when none may."""
        if self.state is State.OPEN and self.due_in <= 0:
            self._become(State.HALF_OPEN)
            return self._ticket
        return self._ticket if self.state is State.CLOSED else None

    def holds(self, ticket: int) -> bool:
        """Whether the circuit has not opened since the ticket was given."""
        return ticket == self._ticket

    def answered(self, ticket: int) -> None:
        """The endpoint answered, if only by refusing this call."""
        if not self.holds(ticket):
            return
        self._failures = 0
        if self.state is not State.CLOSED:
            self._wait = self.policy.recovery
            self._become(State.CLOSED)

    def failed(self, ticket: int, error: Exception) -> None:
        """The endpoint is down, as far as this call can tell."""
        if not self.holds(ticket):
            return
        self._last = f"{type(error).__name__}: {error}"
        asked = getattr(error, "retry_after", None) or 0.0
        if self.state is State.HALF_OPEN:
            self._wait = min(2 * self._wait, self.policy.maximum)
            self._open(asked)
            return
        self._failures += 1
        if self._failures >= self.policy.failures:
            self._wait = min(self.policy.recovery, self.policy.maximum)
            self.since = self.now()
            self._open(asked)
            if self._tell is not None:
                self._tell(self.error())

    def abandon(self, ticket: int) -> None:
        """The call is over. If it was a probe that ended without telling anything, another may probe at once."""
        if self.state is State.HALF_OPEN and self.holds(ticket):
            self._open(0.0, wait=0.0)

    @property
    def due_in(self) -> float:
        """Seconds until a probe is due; 0 when one is due or under way."""
        return max(0.0, self._due - self.now()) if self.state is State.OPEN else 0.0

    @property
    def down(self) -> float:
        """Seconds for which the endpoint has been down; 0 when it is not."""
        return 0.0 if self.state is State.CLOSED else self.now() - self.since

    def error(self) -> CircuitOpen:
        """Why a call is not made."""
        return CircuitOpen(self.endpoint, self.down, self._last)

    async def change(self, seconds: float) -> None:
        """Wait for the state to change, or for a probe to become due, for so many seconds at most."""
        if self.state is State.OPEN:
            seconds = min(seconds, self.due_in)
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._changed.wait()

    def _open(self, asked: float, *, wait: float | None = None) -> None:
        self._due = self.now() + (max(self._wait, asked) if wait is None else wait)
        self._failures = 0
        self._ticket += 1
        self._become(State.OPEN)

    def _become(self, state: State) -> None:
        self.state = state
        self._changed.set()
        self._changed = asyncio.Event()


def _loop_time() -> float:
    return asyncio.get_running_loop().time()

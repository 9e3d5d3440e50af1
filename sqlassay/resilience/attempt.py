"""What happened to a call: its attempts, and how it ended."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Generic, NamedTuple, Protocol, TypeVar, runtime_checkable

from sqlassay.errors import SqlAssayError

T = TypeVar("T")


@runtime_checkable
class Transience(Protocol):
    """What an error has to say about itself, so that the policy knows what to do."""

    @property
    def retryable(self) -> bool:
        """Whether the same call may succeed later."""

    @property
    def retry_after(self) -> float | None:
        """Seconds that the other side asks us to wait, where it says so."""

    @property
    def slows_down(self) -> bool:
        """Whether it says that there are too many calls at once."""

    @property
    def breaks_circuit(self) -> bool:
        """Whether it says that the endpoint is down, not that it dislikes this call."""


@dataclass(frozen=True)
class Attempt:
    """One call that failed, or that was not made because the endpoint is down.

    Attributes:
        error: The class of the error, such as "RateLimited" or "CircuitOpen".
        message: The error, in one line.
        waited: Seconds waited after it.
        seconds: Wall-clock time until it failed, without the wait for its turn.
        status: The HTTP status, where there was one.
    """

    error: str
    message: str
    waited: float = 0.0
    seconds: float = 0.0
    status: int | None = None

    @classmethod
    def of(cls, error: BaseException, *, waited: float = 0.0, seconds: float = 0.0) -> Attempt:
        """The attempt that an error ended."""
        status = getattr(error, "status", None)
        return cls(type(error).__name__, " ".join(str(error).split()), waited, seconds, status)


class Outcome(NamedTuple, Generic[T]):
    """A call that succeeded.

    Attributes:
        value: What it returned.
        attempts: The attempts that failed before; empty when the first succeeded.
    """

    value: T
    attempts: tuple[Attempt, ...]


class GaveUp(SqlAssayError):
    """A call failed for good.

    Attributes:
        error: The last error.
        attempts: Every attempt that failed, the last included.
    """

    def __init__(self, error: Exception, attempts: tuple[Attempt, ...]) -> None:
        self.error = error
        self.attempts = attempts
        super().__init__(error, attempts)

    def __str__(self) -> str:
        """The last error and the number of attempts, in one line."""
        return " ".join(f"{self.error} (attempts: {len(self.attempts)})".split())


class Journal:
    """The attempts of one call so far."""

    def __init__(self) -> None:
        self.attempts: tuple[Attempt, ...] = ()
        self.waited = 0.0

    async def run(self, function: Callable[[], Awaitable[T]]) -> T:
        """Make the call once; a failure is noted and passes through."""
        started = time.perf_counter()
        try:
            return await function()
        except Exception as error:
            self.note(Attempt.of(error, seconds=time.perf_counter() - started))
            raise

    def note(self, attempt: Attempt) -> None:
        """Add an attempt, with what was waited after it."""
        self.attempts += (attempt,)
        self.waited += attempt.waited

    def waits(self, seconds: float) -> None:
        """So many seconds are waited after the last attempt."""
        *before, last = self.attempts
        self.attempts = (*before, replace(last, waited=seconds))
        self.waited += seconds

"""What stands between a call and the failures that pass by themselves: one retry policy for every provider.

The rate limit and the circuit breaker of an endpoint belong here too, around `RetryPolicy.call`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, NamedTuple, Protocol, TypeVar, runtime_checkable

from sqlassay.errors import SqlAssayError, UserError

if TYPE_CHECKING:
    from tenacity import RetryCallState

T = TypeVar("T")


@runtime_checkable
class Transience(Protocol):
    """What an error has to say about itself to be retried."""

    @property
    def retryable(self) -> bool:
        """Whether the same call may succeed later."""

    @property
    def retry_after(self) -> float | None:
        """Seconds that the other side asks us to wait, where it says so."""


@dataclass(frozen=True)
class Attempt:
    """One call that failed.

    Attributes:
        error: The class of the error, such as "RateLimited".
        message: The error, in one line.
        waited: Seconds waited before the next attempt; 0 after the last.
    """

    error: str
    message: str
    waited: float


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


@dataclass(frozen=True)
class RetryPolicy:
    """How often a call is repeated, and how long to wait in between.

    The wait before repetition n is `initial * 2**(n - 1)` seconds, at most `maximum`, or what the error's
    `retry_after` says; up to `initial` seconds are added at random, so that calls that failed together do not come
    back together.

    Attributes:
        attempts: Calls at most, the first included.
        initial: Seconds before the first repetition.
        maximum: The longest wait in seconds that we choose ourselves.
        patience: The longest `retry_after` in seconds that is waited for; a longer one ends the call at once.
        sleep: Waits for so many seconds.
    """

    attempts: int = 5
    initial: float = 0.5
    maximum: float = 30.0
    patience: float = 120.0
    sleep: Callable[[float], Awaitable[None]] = field(default=asyncio.sleep, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.attempts < 1:
            raise UserError(f"attempts is {self.attempts}, but a call is made at least once")
        for name in ("initial", "maximum", "patience"):
            if not getattr(self, name) >= 0:
                raise UserError(f"{name} is {getattr(self, name)}, but a wait is 0 seconds or more")

    async def call(self, function: Callable[[], Awaitable[T]]) -> Outcome[T]:
        """Call until it succeeds, an error is not worth a retry, or the attempts are used up.

        Args:
            function: Makes the call anew each time.

        Raises:
            GaveUp: The call failed with an error that has `retryable` and `retry_after`. Others pass through.
        """
        import tenacity  # here, because `--help` should not pay for it

        attempts: list[Attempt] = []

        def record(state: RetryCallState) -> None:
            attempts.append(_failed(_error(state), state.upcoming_sleep))

        backoff = tenacity.wait_exponential(multiplier=self.initial, max=self.maximum)
        jitter = tenacity.wait_random(0, self.initial)

        def wait(state: RetryCallState) -> float:
            asked = getattr(_error(state), "retry_after", None)
            return (backoff(state) if asked is None else float(asked)) + jitter(state)

        async def once() -> T:  # tenacity awaits only what is declared with `async def`
            return await function()

        retrying = tenacity.AsyncRetrying(
            stop=tenacity.stop_after_attempt(self.attempts),
            retry=tenacity.retry_if_exception(self._is_worth_repeating),
            wait=wait,
            before_sleep=record,
            sleep=self.sleep,
            reraise=True,
        )
        try:
            return Outcome(await retrying(once), tuple(attempts))
        except Exception as error:
            if isinstance(error, Transience):
                raise GaveUp(error, (*attempts, _failed(error, 0.0))) from error
            raise

    def _is_worth_repeating(self, error: BaseException) -> bool:
        return (
            isinstance(error, Transience)
            and error.retryable
            and (error.retry_after is None or error.retry_after <= self.patience)
        )


def _error(state: RetryCallState) -> BaseException | None:
    return state.outcome.exception() if state.outcome else None


def _failed(error: BaseException | None, waited: float) -> Attempt:
    return Attempt(type(error).__name__, " ".join(str(error).split()), waited)

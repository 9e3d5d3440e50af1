"""How often a failing call is repeated, and how long it waits in between."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from sqlassay.errors import UserError
from sqlassay.resilience.attempt import GaveUp, Journal, Outcome, Transience

if TYPE_CHECKING:
    from tenacity import RetryCallState

T = TypeVar("T")


@dataclass(frozen=True)
class RetryPolicy:
    """How often a call is repeated, and how long it waits in between.

    The wait before repetition n is `initial * 2**(n - 1)` seconds, at most `maximum`, and no less than the error's
    `retry_after` says, which may be 0 because two clocks differ. Up to `initial` seconds are added at random, so that
    calls that failed together do not come back together.

    Attributes:
        attempts: Calls at most, the first included.
        initial: Seconds before the first repetition.
        maximum: The longest wait in seconds that we choose ourselves.
        patience: Seconds that a call waits at most in all; a wait that would go beyond ends the call at once.
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
        """Call until it succeeds, an error is not worth a retry, or attempts or patience are used up.

        Args:
            function: Makes the call anew each time.

        Raises:
            GaveUp: The call failed with an error that is a `Transience`. Others pass through.
        """
        return await self.repeat(lambda journal: journal.run(function))

    async def repeat(self, once: Callable[[Journal], Awaitable[T]]) -> Outcome[T]:
        """As `call`, for a call that notes its failures itself.

        Args:
            once: Makes the call anew each time, and notes in the journal why it failed.

        Raises:
            GaveUp: As `call`.
        """
        import tenacity  # here, because `--help` should not pay for it

        journal = Journal()
        backoff = tenacity.wait_exponential(multiplier=self.initial, max=self.maximum)
        jitter = tenacity.wait_random(0, self.initial)

        def wait(state: RetryCallState) -> float:
            asked = getattr(_error(state), "retry_after", None) or 0.0
            return max(backoff(state), float(asked)) + jitter(state)

        def stop(state: RetryCallState) -> bool:
            over = journal.waited + state.upcoming_sleep > self.patience
            return over or state.attempt_number >= self.attempts

        async def one() -> T:  # tenacity awaits only what is declared with `async def`
            return await once(journal)

        retrying = tenacity.AsyncRetrying(
            stop=stop,
            retry=tenacity.retry_if_exception(_may_pass),
            wait=wait,
            before_sleep=lambda state: journal.waits(state.upcoming_sleep),
            sleep=self.sleep,
            reraise=True,
        )
        try:
            return Outcome(await retrying(one), journal.attempts)
        except Exception as error:
            if isinstance(error, Transience):
                raise GaveUp(error, journal.attempts) from error
            raise


def _error(state: RetryCallState) -> BaseException | None:
    return state.outcome.exception() if state.outcome else None


def _may_pass(error: BaseException) -> bool:
    return isinstance(error, Transience) and error.retryable

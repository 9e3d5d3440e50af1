"""One retry policy: what is repeated, how long it waits, and what is left on the record."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import pytest

from sqlassay.errors import SqlAssayError, UserError
from sqlassay.resilience import Attempt, GaveUp, RetryPolicy


class Busy(SqlAssayError):
    """Passes by itself."""

    retryable = True
    slows_down = False
    breaks_circuit = False

    def __init__(self, retry_after: float | None = None) -> None:
        self.retry_after = retry_after
        super().__init__("try\nagain")


class Wrong(Busy):
    """Stays."""

    retryable = False


@dataclass
class Clock:
    """Stands in for time: notes how long it was asked to wait."""

    waits: list[float] = field(default_factory=list)

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)


def failing(*errors: Exception) -> Callable[[], Awaitable[str]]:
    """A call that fails with each of these and then succeeds."""
    left = list(errors)

    async def call() -> str:
        if left:
            raise left.pop(0)
        return "done"

    return call


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_a_call_that_succeeds_leaves_no_attempts(clock: Clock) -> None:
    value, attempts = asyncio.run(RetryPolicy(sleep=clock.sleep).call(failing()))
    assert (value, attempts, clock.waits) == ("done", (), [])


def test_a_function_that_returns_an_awaitable_is_enough(clock: Clock) -> None:
    call = failing(Busy())
    value, attempts = asyncio.run(RetryPolicy(sleep=clock.sleep).call(lambda: call()))
    assert (value, len(attempts)) == ("done", 1)


def test_failed_attempts_are_recorded_with_what_was_waited(clock: Clock) -> None:
    outcome = asyncio.run(RetryPolicy(sleep=clock.sleep).call(failing(Busy(), Busy(retry_after=7))))
    assert outcome.value == "done"
    for attempt, waited in zip(outcome.attempts, clock.waits, strict=True):
        assert attempt == Attempt("Busy", "try again", waited, attempt.seconds)
        assert 0 < attempt.seconds < 7
    assert len(clock.waits) == 2


def test_backoff_doubles_up_to_the_maximum_with_jitter(clock: Clock) -> None:
    policy = RetryPolicy(attempts=9, initial=1, maximum=8, sleep=clock.sleep)
    asyncio.run(policy.call(failing(*[Busy() for _ in range(8)])))
    for wait, base in zip(clock.waits, [1, 2, 4, 8, 8, 8, 8, 8], strict=True):
        assert base <= wait <= base + 1
    assert len(set(clock.waits)) == 8


def test_what_the_other_side_asks_for_is_waited(clock: Clock) -> None:
    policy = RetryPolicy(initial=0.5, maximum=1, sleep=clock.sleep)
    asyncio.run(policy.call(failing(Busy(retry_after=20), Busy(retry_after=0))))
    assert 20 <= clock.waits[0] <= 20.5
    assert 1 <= clock.waits[1] <= 1.5, "no sooner than without a word"


def test_it_gives_up_after_the_last_attempt(clock: Clock) -> None:
    last = Busy()
    with pytest.raises(GaveUp) as raised:
        asyncio.run(RetryPolicy(attempts=3, sleep=clock.sleep).call(failing(Busy(), Busy(), last)))
    assert raised.value.error is last
    assert raised.value.__cause__ is last
    assert [attempt.waited for attempt in raised.value.attempts] == [*clock.waits, 0.0]
    assert len(raised.value.attempts) == 3
    assert str(raised.value) == "try again (attempts: 3)"


@pytest.mark.parametrize("error", [Wrong(), Wrong(retry_after=1), Busy(retry_after=121)])
def test_what_does_not_pass_is_not_repeated(clock: Clock, error: Busy) -> None:
    with pytest.raises(GaveUp) as raised:
        asyncio.run(RetryPolicy(sleep=clock.sleep).call(failing(error)))
    assert raised.value.error is error
    assert len(raised.value.attempts) == 1
    assert clock.waits == []


def test_a_bug_passes_through(clock: Clock) -> None:
    with pytest.raises(ZeroDivisionError):
        asyncio.run(RetryPolicy(sleep=clock.sleep).call(failing(Busy(), ZeroDivisionError())))


def test_cancelling_ends_the_wait() -> None:
    async def cancel() -> None:
        task = asyncio.create_task(RetryPolicy(initial=60, maximum=60).call(failing(Busy())))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(asyncio.wait_for(cancel(), 5))


def test_no_waits_at_all() -> None:
    outcome = asyncio.run(RetryPolicy(initial=0, maximum=0).call(failing(Busy(), Busy())))
    assert [attempt.waited for attempt in outcome.attempts] == [0, 0]


@pytest.mark.parametrize(
    "settings", [{"attempts": 0}, {"initial": -1}, {"maximum": -1}, {"patience": float("nan")}], ids=str
)
def test_settings_are_checked(settings: dict[str, float]) -> None:
    (name,) = settings
    with pytest.raises(UserError, match=name):
        RetryPolicy(**settings)  # type: ignore[arg-type]

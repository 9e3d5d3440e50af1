"""Everything together: outages, refusals, and calls that are taken back, in a time that passes at once."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import pytest

from sqlassay.errors import SqlAssayError
from sqlassay.resilience import (
    CallLimits,
    Circuit,
    CircuitOpen,
    CircuitPolicy,
    Endpoint,
    Endpoints,
    GaveUp,
    Outcome,
    RetryPolicy,
)
from sqlassay.resilience.breaker import State
from tests.sqlassay.resilience.virtual import now, run

PATIENT = RetryPolicy()
"""The policy that an experiment has unless it says otherwise."""


class Failure(SqlAssayError):
    """A provider's error."""

    retryable = True
    slows_down = False
    breaks_circuit = False

    def __init__(self, retry_after: float | None = None, status: int | None = None) -> None:
        self.retry_after = retry_after
        self.status = status
        super().__init__("no luck")


class Down(Failure):
    """The endpoint is down."""

    breaks_circuit = True


class TooMany(Failure):
    """There are too many calls."""

    slows_down = True


class Wrong(Failure):
    """The endpoint is up, and dislikes the call."""

    retryable = False


@dataclass
class Provider:
    """Answers in a second, but not during an outage, and not so many at once.

    Attributes:
        outage: From when to when it is down.
        capacity: Calls that it takes at once; it refuses those beyond.
    """

    outage: tuple[float, float] = (0, 0)
    capacity: int = 1000
    begun: list[float] = field(default_factory=list)
    busy: int = 0
    most: int = 0

    async def __call__(self) -> str:
        self.begun.append(now())
        if self.outage[0] <= now() < self.outage[1]:
            await asyncio.sleep(0.05)
            raise Down(status=503)
        if self.busy >= self.capacity:
            raise TooMany()
        self.busy += 1
        self.most = max(self.most, self.busy)
        try:
            await asyncio.sleep(1)
        finally:
            self.busy -= 1
        return "answer"

    def between(self, begin: float, end: float) -> int:
        """The calls that were begun then."""
        return sum(begin <= at < end for at in self.begun)


def endpoint(concurrency: int = 8, retry: RetryPolicy = PATIENT, **more: float) -> Endpoint:
    return Endpoint(Circuit("somewhere"), retry, CallLimits(concurrency, **more))


def ask(
    made: Endpoint, function: Callable[[], Awaitable[str]], calls: int, in_flight: int
) -> list[Outcome[str] | GaveUp]:
    """Make so many calls, with no more of them begun than an orchestrator has items in flight."""

    async def main() -> list[Outcome[str] | GaveUp]:
        places = asyncio.Semaphore(in_flight)

        async def one() -> Outcome[str] | GaveUp:
            async with places:
                try:
                    return await made.call(function)
                except GaveUp as error:
                    return error

        return await asyncio.gather(*(one() for _ in range(calls)))

    return run(main())


def good(outcomes: list[Outcome[str] | GaveUp]) -> int:
    return sum(isinstance(outcome, Outcome) for outcome in outcomes)


@pytest.mark.parametrize("seconds", [3, 20, 100])
@pytest.mark.parametrize("concurrency", [1, 8, 64])
def test_a_short_outage_costs_no_item(seconds: float, concurrency: int) -> None:
    provider = Provider(outage=(10, 10 + seconds))
    made = endpoint(concurrency)
    outcomes = ask(made, provider, 30 * concurrency, concurrency + 4)
    assert good(outcomes) == len(outcomes)
    assert provider.most <= concurrency
    assert made.circuit.state is State.CLOSED
    # Of the outage, only those notice who were under way and the probes.
    assert provider.between(10, 10 + seconds) <= 2 * concurrency + 5 + 15
    # When it is over, one asks, and then the others, but not all of them in the same moment.
    (first, *others) = sorted(at for at in provider.begun if at >= 10 + seconds)
    assert not others or others[0] >= first + 1
    assert concurrency == 1 or others[concurrency - 1] - others[0] > 0.05


def test_what_was_waited_for_the_circuit_is_on_the_record() -> None:
    outcomes = ask(endpoint(1), Provider(outage=(0, 20)), 1, 1)
    assert isinstance(outcomes[0], Outcome)
    attempts = outcomes[0].attempts
    assert {attempt.error for attempt in attempts} == {"Down", "CircuitOpen"}
    assert [attempt.error for attempt in attempts[:6]] == ["Down"] * 5 + ["CircuitOpen"]
    assert attempts[0].status == 503
    assert attempts[5].message == "somewhere has been failing for 0 s; last: Down: no luck"
    assert 20 <= sum(attempt.waited for attempt in attempts) <= 40


def test_nobody_waits_for_ever_for_a_dead_endpoint() -> None:
    provider = Provider(outage=(10, 1e9))
    made = endpoint(8)

    async def main() -> None:
        async def one() -> Outcome[str]:
            return await made.call(provider)

        outcomes = await asyncio.gather(*(one() for _ in range(200)), return_exceptions=True)
        assert now() < 10 + 125
        assert sum(isinstance(outcome, Outcome) for outcome in outcomes) == 80
        for outcome in outcomes[80:]:
            assert isinstance(outcome, GaveUp)
            assert isinstance(outcome.error, CircuitOpen)
            assert outcome.attempts[-1].error == "CircuitOpen"
            assert "somewhere" in outcome.attempts[-1].message
            assert "last: Down: no luck" in outcome.attempts[-1].message

        # Dead for longer than anyone waits: it is asked once in a while, and nobody waits any more.
        before, begun = now(), len(provider.begun)
        for _ in range(1000):
            with pytest.raises(GaveUp):
                await one()
        assert now() - before < 1
        assert len(provider.begun) - begun <= 1

        provider.outage = (0, 0)
        await asyncio.sleep(60)
        assert [(await one()).value for _ in range(5)] == ["answer"] * 5

    run(main())


def test_a_call_that_asks_for_more_than_patience_ends_at_once() -> None:
    async def busy() -> str:
        raise TooMany(retry_after=60)

    (outcome,) = ask(endpoint(), busy, 1, 1)
    assert isinstance(outcome, GaveUp)
    assert [attempt.error for attempt in outcome.attempts] == ["TooMany", "TooMany"]
    assert 60 <= outcome.attempts[0].waited <= 61
    assert outcome.attempts[1].waited == 0


def test_a_call_that_is_disliked_neither_opens_the_circuit_nor_slows_others_down() -> None:
    async def wrong() -> str:
        raise Wrong()

    made = endpoint()
    assert good(ask(made, wrong, 50, 8)) == 0
    assert (made.circuit.state, made.places.limit) == (State.CLOSED, 8)


def test_only_refusals_shrink_the_concurrency() -> None:
    made = endpoint(64)
    assert good(ask(made, Provider(outage=(0, 5)), 100, 68)) == 100
    assert made.places.limit == 64
    provider = Provider(capacity=10)
    outcomes = ask(made, provider, 300, 68)
    assert made.places.limit < 20
    assert made.circuit.state is State.CLOSED
    assert good(outcomes) >= 290  # at 5 attempts each, on a provider that takes a sixth of what it is sent


@dataclass
class ByTheMinute:
    """Answers so many calls in each minute, in two seconds each, and refuses the others.

    Attributes:
        most: Calls that it takes in a minute.
        says: Seconds that it asks to wait, be it true or not.
    """

    most: int
    says: float | None = None
    begun: list[float] = field(default_factory=list)
    _taken: Counter[int] = field(default_factory=Counter)

    async def __call__(self) -> str:
        self.begun.append(now())
        minute = int(now() // 60)
        if self._taken[minute] >= self.most:
            await asyncio.sleep(0.05)
            raise TooMany(self.says, status=429)
        self._taken[minute] += 1
        await asyncio.sleep(2)
        return "answer"


@pytest.mark.parametrize("says", [None, 0.0, 1.0])
@pytest.mark.parametrize("concurrency", [1, 8, 64])
def test_a_limit_by_the_minute_costs_no_item(says: float | None, concurrency: int) -> None:
    provider = ByTheMinute(60, says)
    outcomes = ask(endpoint(concurrency), provider, 400, 2 * concurrency + 8)
    assert good(outcomes) == 400
    assert len(provider.begun) < 600, "most calls wait for the end of the minute, and are not refused"


def test_a_provider_that_refuses_for_ever_is_not_waited_for_for_ever() -> None:
    provider = ByTheMinute(0)
    assert good(ask(endpoint(8), provider, 500, 24)) == 0
    assert provider.begun[-1] < 10 * 60


def test_nobody_asks_during_a_pause() -> None:
    begun: list[float] = []

    async def refused_once() -> str:
        begun.append(now())
        if len(begun) == 1:
            raise TooMany(retry_after=20)
        return "answer"

    assert good(ask(endpoint(1), refused_once, 5, 5)) == 5
    assert begun[1] >= 20
    begun.clear()

    async def refused_for_long() -> str:
        begun.append(now())
        if len(begun) == 1:
            raise TooMany(retry_after=PATIENT.patience + 1)
        return "answer"

    assert good(ask(endpoint(1), refused_for_long, 5, 5)) == 4, "nobody waits for so long"
    assert begun[-1] < 1


def test_after_a_long_rest_a_model_pauses_again() -> None:
    made, begun = endpoint(1, RetryPolicy(attempts=1)), []

    async def refused_twice() -> str:
        begun.append(now())
        if len(begun) <= 2:
            raise TooMany(retry_after=20)
        return "answer"

    async def main() -> None:
        with pytest.raises(GaveUp):
            await made.call(refused_twice)
        await asyncio.sleep(10 * PATIENT.patience)
        await asyncio.gather(*(made.call(refused_twice) for _ in range(5)), return_exceptions=True)

    run(main())
    assert begun[2] >= begun[1] + 20


def test_who_pauses_is_no_probe_for_other_models() -> None:
    """The circuit is the provider's, the pause is a model's."""
    circuit = Circuit("somewhere")
    one, other = (Endpoint(circuit, PATIENT, CallLimits(8)) for _ in range(2))
    ended: list[float] = []
    refusals, outages = [TooMany(retry_after=60)], [Down(status=503)] * 5

    async def refused() -> str:
        if refusals:
            raise refusals.pop()
        return "answer"

    async def down() -> str:
        if outages:
            raise outages.pop()
        return "answer"

    async def ask_other() -> None:
        await other.call(down)
        ended.append(now())

    async def main() -> None:
        paused = [asyncio.create_task(one.call(refused)) for _ in range(3)]
        await asyncio.sleep(0.1)
        await asyncio.gather(*(ask_other() for _ in range(5)))
        await asyncio.gather(*paused)

    run(main())
    assert circuit.state is State.CLOSED
    assert max(ended) < 50


def test_no_place_is_kept_by_who_waits_for_a_retry() -> None:
    made, order = endpoint(1), []

    async def call(name: str, *errors: Exception) -> None:
        left = list(errors)

        async def function() -> None:
            order.append(name)
            if left:
                raise left.pop()

        await made.call(function)

    async def main() -> None:
        await asyncio.gather(call("slow", TooMany(retry_after=30)), call("quick"))

    run(main())
    assert order == ["slow", "quick", "slow"]


def test_a_probe_that_is_taken_back_makes_room_for_another() -> None:
    made = endpoint(1)
    provider = Provider(outage=(0, 20))

    async def main() -> None:
        async def hang() -> str:
            if made.circuit.state is State.HALF_OPEN:
                await asyncio.sleep(1000)
            return await provider()

        task = asyncio.create_task(made.call(hang))
        while made.circuit.state is not State.HALF_OPEN:
            await asyncio.sleep(0.1)
        other = asyncio.create_task(made.call(provider))
        await asyncio.sleep(5)
        assert not other.done()
        task.cancel()
        assert (await other).value == "answer"
        assert made.places._busy == 0

    run(main())


def test_a_bug_passes_through_and_leaves_nothing_behind() -> None:
    async def bug() -> str:
        raise ZeroDivisionError

    made = endpoint(1, requests_per_minute=6000, tokens_per_minute=6000)

    async def main() -> None:
        for _ in range(3):
            with pytest.raises(ZeroDivisionError):
                await made.call(bug, tokens=1000)
        assert now() < 0.1
        assert (await made.call(Provider())).value == "answer"

    run(main())


def test_tokens_are_counted_by_what_was_used() -> None:
    made = endpoint(tokens_per_minute=600)

    async def main() -> list[float]:
        times = []
        for used in (5, None, 5):
            await made.call(Provider(), tokens=100, used=lambda _, used=used: used)  # type: ignore[misc]
            times.append(now())
        return times

    first, second, third = run(main())
    assert first < second < 3
    assert 8 < third - second < 12


def test_models_of_an_endpoint_share_its_circuit_and_nothing_else() -> None:
    told: list[CircuitOpen] = []
    endpoints = Endpoints(RetryPolicy(), CircuitPolicy(), told.append)
    one = endpoints.of("somewhere", "one", CallLimits(4))
    assert endpoints.of("somewhere", "one", CallLimits(4)) is one
    two = endpoints.of("somewhere", "two", CallLimits(4))
    assert two.circuit is one.circuit
    assert two.places is not one.places
    assert endpoints.of("elsewhere", "one", CallLimits(4)).circuit is not one.circuit
    ask(one, Provider(outage=(0, 3)), 8, 8)
    assert [error.endpoint for error in told] == ["somewhere"]

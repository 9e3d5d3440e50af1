"""Places for calls: never more than the limit, which falls on refusals and grows back."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sqlassay.errors import UserError
from sqlassay.resilience import AdaptiveConcurrency
from tests.sqlassay.resilience.virtual import run


def test_a_flight_that_is_refused_halves_the_limit_once() -> None:
    places = AdaptiveConcurrency(16)
    flight = places.flight
    for _ in range(16):
        places.refused(flight)
    assert places.limit == 8
    places.refused(places.flight)
    assert places.limit == 4


def test_the_last_place_stays() -> None:
    places = AdaptiveConcurrency(3)
    for _ in range(5):
        places.refused(places.flight)
    assert places.limit == 1


def test_it_grows_by_one_for_each_limits_worth_of_successes() -> None:
    places = AdaptiveConcurrency(8)
    places.refused(places.flight)
    limits = []
    for _ in range(4 + 5 + 6 + 7 + 50):
        places.succeeded()
        limits.append(places.limit)
    assert limits[:22] == [4] * 3 + [5] * 5 + [6] * 6 + [7] * 7 + [8]
    assert set(limits[21:]) == {8}


@given(st.lists(st.booleans(), max_size=200), st.integers(1, 70))
def test_the_limit_stays_within_its_bounds(outcomes: list[bool], maximum: int) -> None:
    places = AdaptiveConcurrency(maximum)
    for good in outcomes:
        before = places.limit
        if good:
            places.succeeded()
        else:
            places.refused(places.flight)
        assert 1 <= places.limit <= maximum
        assert places.limit in (before, before + 1) if good else places.limit == max(1, before // 2)


@given(st.integers(1, 6), st.lists(st.tuples(st.integers(0, 5), st.integers(1, 5), st.integers(0, 4)), max_size=25))
def test_never_more_than_the_limit_and_nobody_is_forgotten(maximum: int, calls: list[tuple[int, int, int]]) -> None:
    """Calls come, take their time, and some are cancelled while they wait or work."""

    async def main() -> None:
        places, busy, done = AdaptiveConcurrency(maximum), 0, 0

        async def call(begin: int, length: int) -> None:
            nonlocal busy, done
            await asyncio.sleep(begin)
            await places.acquire()
            try:
                busy += 1
                assert busy <= maximum
                await asyncio.sleep(length)
            finally:
                busy -= 1
                places.release()
                done += 1

        async def cancelled(begin: int, length: int, after: int) -> None:
            try:
                async with asyncio.timeout(begin + after if after else None):
                    await call(begin, length)
            except TimeoutError:
                pass

        await asyncio.gather(*(cancelled(*one) for one in calls))
        assert busy == 0
        await asyncio.gather(*(places.acquire() for _ in range(maximum)))  # all of them are free again

    run(main())


def test_places_are_given_in_the_order_in_which_they_are_asked_for() -> None:
    async def main() -> list[int]:
        places, order = AdaptiveConcurrency(2), []

        async def call(number: int) -> None:
            await places.acquire()
            order.append(number)
            await asyncio.sleep(1)
            places.release()

        await asyncio.gather(*map(call, range(9)))
        return order

    assert run(main()) == list(range(9))


def test_there_is_a_place_at_least() -> None:
    with pytest.raises(UserError, match="concurrency is 0"):
        AdaptiveConcurrency(0)

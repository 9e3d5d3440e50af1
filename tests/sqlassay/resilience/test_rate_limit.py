"""No minute has more requests or tokens than it may, wherever it begins."""

from __future__ import annotations

import asyncio
from itertools import accumulate
from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sqlassay.errors import UserError
from sqlassay.resilience import RateLimit
from tests.sqlassay.resilience.virtual import now, run


def sent(limit: RateLimit, requests: list[tuple[float, int, int]]) -> list[tuple[float, int]]:
    """When requests went that came after so many seconds each, with an estimate, and what they took."""

    async def main() -> list[tuple[float, int]]:
        went = []

        async def request(at: float, estimate: int, used: int) -> None:
            await asyncio.sleep(at)
            await limit.acquire(estimate)
            went.append((now(), used))
            limit.correct(estimate, used)

        times = accumulate(gap for gap, _, _ in requests)
        await asyncio.gather(*(request(at, *rest) for at, (_, *rest) in zip(times, requests, strict=True)))
        return went

    return run(main())


@given(
    st.floats(0.5, 2000),
    st.lists(st.floats(0, 20), min_size=1, max_size=80).map(lambda gaps: [(gap, 0, 0) for gap in gaps]),
)
def test_no_minute_has_more_requests(per_minute: float, requests: list[tuple[float, int, int]]) -> None:
    times = [at for at, _ in sent(RateLimit(per_minute), requests)]
    assert len(times) == len(requests)
    for begin in times:
        assert sum(begin <= at < begin + 59.999 for at in times) <= ceil(per_minute)


@given(
    st.integers(100, 5000),
    st.lists(st.tuples(st.floats(0, 5), st.integers(0, 900), st.integers(0, 900)), min_size=1, max_size=40),
)
def test_a_minute_has_no_more_tokens_than_it_may_and_what_went_at_last(
    per_minute: int, requests: list[tuple[float, int, int]]
) -> None:
    went = sent(RateLimit(tokens=per_minute), requests)
    assert len(went) == len(requests)
    for begin, _ in went:
        taken = [used for at, used in went if begin <= at < begin + 59.999]
        assert sum(taken[:-1]) <= per_minute + max(taken)


def test_a_burst_is_spread_over_the_minute() -> None:
    times = [at for at, _ in sent(RateLimit(requests=120), [(0, 0, 0)] * 61)]
    assert max(times[:2]) < 0.01
    assert 29 < times[-1] < 31


def test_a_request_larger_than_the_minute_goes_and_the_next_pays_for_it() -> None:
    (first, _), (second, _) = sent(RateLimit(tokens=600), [(0, 1200, 1200)] * 2)
    assert first < 0.01
    assert 110 < second < 125


def test_an_estimate_that_was_too_high_is_given_back() -> None:
    (_, _), (second, _) = sent(RateLimit(tokens=600), [(0, 1200, 10), (1, 10, 10)])
    assert second < 3


@pytest.mark.parametrize("settings", [{"requests": 0}, {"tokens": -1}, {"requests": float("nan")}], ids=str)
def test_limits_are_checked(settings: dict[str, float]) -> None:
    (name,) = settings
    with pytest.raises(UserError, match=f"{name}_per_minute"):
        RateLimit(**settings)

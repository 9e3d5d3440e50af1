"""Wilson's interval, against published values and against its definition."""

from __future__ import annotations

from math import sqrt
from statistics import NormalDist

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from evaluation.statistics.interval import wilson

# Lower and upper ends to four places, as published: R. G. Newcombe, "Two-sided confidence intervals for the single
# proportion", Statistics in Medicine 17 (1998), table I, method 3.
PUBLISHED = [
    (81, 263, 0.2553, 0.3662),
    (15, 148, 0.0624, 0.1605),
    (0, 20, 0.0000, 0.1611),
    (1, 29, 0.0061, 0.1718),
]


@pytest.mark.parametrize(("successes", "total", "low", "high"), PUBLISHED)
def test_published_values(successes: int, total: int, low: float, high: float) -> None:
    assert wilson(successes, total) == (pytest.approx(low, abs=5e-5), pytest.approx(high, abs=5e-5))


def test_a_value_by_hand() -> None:
    # z = 1.959964, z² = 3.841459: for 5 of 10 the middle is 1/2, half the width z/2 · √(10 + z²)/(10 + z²).
    half = 1.959964 / 2 / sqrt(10 + 3.841459)
    assert wilson(5, 10) == (pytest.approx(0.5 - half, abs=1e-6), pytest.approx(0.5 + half, abs=1e-6))


@st.composite
def shares(draw: st.DrawFn) -> tuple[int, int]:
    total = draw(st.integers(1, 100_000))
    return draw(st.integers(0, total)), total


@given(shares(), st.floats(0.5, 0.999))
def test_its_ends_are_where_the_score_test_would_just_not_reject(share: tuple[int, int], confidence: float) -> None:
    successes, total = share
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    for end in wilson(successes, total, confidence):
        if 1e-9 < end < 1 - 1e-9:
            distance = abs(successes / total - end) / sqrt(end * (1 - end) / total)
            assert distance == pytest.approx(z, rel=1e-5)


@given(shares())
def test_it_holds_the_share_and_stays_within_bounds(share: tuple[int, int]) -> None:
    successes, total = share
    low, high = wilson(successes, total)
    assert 0 <= low <= successes / total + 1e-12
    assert successes / total - 1e-12 <= high <= 1


@given(shares())
def test_yes_and_no_are_mirror_images(share: tuple[int, int]) -> None:
    successes, total = share
    low, high = wilson(successes, total)
    assert wilson(total - successes, total) == (pytest.approx(1 - high), pytest.approx(1 - low))


@given(shares())
def test_more_confidence_is_wider_and_more_items_are_narrower(share: tuple[int, int]) -> None:
    successes, total = share
    low, high = wilson(successes, total)
    wider, sure = wilson(successes, total, 0.99)
    assert wider <= low
    assert high <= sure
    more, less = wilson(10 * successes, 10 * total)
    assume(0 < successes < total)
    assert less - more < high - low


@pytest.mark.parametrize(("successes", "total"), [(0, 0), (1, 0), (-1, 5), (6, 5), (0, -1)])
def test_what_is_no_share(successes: int, total: int) -> None:
    with pytest.raises(ValueError, match=f"{successes} of {total} is no share"):
        wilson(successes, total)

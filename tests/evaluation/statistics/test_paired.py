"""The paired comparison, against independent implementations, by simulation, and by what must hold."""

from __future__ import annotations

import random
from collections import Counter
from itertools import product

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from scipy.stats import binom, binomtest
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests

from evaluation.statistics.bootstrap import paired_bootstrap
from evaluation.statistics.paired import Paired, holm


@pytest.mark.parametrize(
    ("only_a", "only_b"),
    [(5, 15), (30, 10), (1, 8), (121, 59), (0, 6), (20, 20), (0, 1), (3, 0), (0, 0), (50_500, 49_500), (900, 100)],
)
def test_exact_mcnemar(only_a: int, only_b: int) -> None:
    p = Paired.of(only_a, only_b, 7).p
    assert p == pytest.approx(min(1.0, mcnemar([[7, only_a], [only_b, 0]], exact=True).pvalue), rel=1e-9)
    if only_a + only_b:
        assert p == pytest.approx(binomtest(only_a, only_a + only_b).pvalue, rel=1e-9)


@given(st.integers(0, 5000), st.integers(0, 5000))
def test_exact_mcnemar_everywhere(only_a: int, only_b: int) -> None:
    assume(only_a + only_b)
    p = binomtest(only_a, only_a + only_b).pvalue
    assert Paired.of(only_a, only_b, 0).p == pytest.approx(p, rel=1e-9, abs=1e-300)


def test_a_million_questions_take_no_time_to_speak_of() -> None:
    p = Paired.of(500_600, 499_400, 10).p
    assert p == pytest.approx(binomtest(499_400, 1_000_000).pvalue, rel=1e-9)


def test_what_is_too_small_for_a_float_is_not_zero() -> None:
    assert 0 < Paired.of(100_000, 0, 0).p < 1e-300


def test_repeats_are_no_further_questions() -> None:
    """Three repeats, which mostly say the same again: as many questions, not three times as many."""
    chance = random.Random(5)
    covered = significant = 0
    for _ in range(1000):
        differences: Counter[int] = Counter()
        for _ in range(60):
            side = chance.choices((-1, 0, 1), (0.15, 0.7, 0.15))[0]
            differences[sum(side * (chance.random() < 0.9) for _ in range(3))] += 1
        compared = Paired(differences, 180)
        low, high = paired_bootstrap(compared)
        covered += low <= 0 <= high
        significant += compared.p <= 0.05
    assert covered > 930
    assert significant < 65


def by_every_sign(differences: Counter[int]) -> float:
    """The share of all signs under which the sum is at least as far from zero."""
    values = [abs(value) for value in differences.elements() if value]
    seen = abs(sum(differences.elements()))
    signs = list(product((-1, 1), repeat=len(values)))
    far = sum(abs(sum(s * v for s, v in zip(chosen, values, strict=True))) >= seen for chosen in signs)
    return far / len(signs)


@given(st.lists(st.integers(-4, 4), min_size=1, max_size=9).map(Counter))
def test_p_is_what_tossing_every_coin_gives(differences: Counter[int]) -> None:
    assert Paired(differences, 4 * differences.total()).p == pytest.approx(by_every_sign(differences))


counts = st.tuples(st.integers(0, 300), st.integers(0, 300), st.integers(0, 1000)).filter(any)


@given(counts)
def test_a_and_b_are_mirror_images(given: tuple[int, int, int]) -> None:
    only_a, only_b, alike = given
    one, other = Paired.of(only_a, only_b, alike), Paired.of(only_b, only_a, alike)
    assert one.difference == -other.difference
    assert one.p == other.p
    assert one.detectable() == other.detectable()


def test_what_no_difference_is_large_enough_to_show() -> None:
    """A few questions that were asked much more often than others."""
    assert Paired(Counter({10: 1, 1: 5, -1: 4}), 19).detectable() is None


@given(counts)
def test_bounds(given: tuple[int, int, int]) -> None:
    compared = Paired.of(*given)
    assert -1 <= compared.difference <= 1
    assert 0 < compared.p <= 1
    detectable = compared.detectable()
    assert (detectable is None) == (compared.questions < 6)
    assert detectable is None or 0 < detectable <= 1


@given(counts)
def test_the_same_again_is_no_news(given: tuple[int, int, int]) -> None:
    """Repeats without randomness change nothing."""
    only_a, only_b, alike = given
    once = Paired.of(only_a, only_b, alike)
    thrice = Paired({-3: only_a, 0: alike, 3: only_b}, 3 * once.questions)
    assert thrice.difference == pytest.approx(once.difference)
    assert thrice.p == pytest.approx(once.p)
    assert thrice.detectable() == pytest.approx(once.detectable())


@given(st.integers(0, 200), st.integers(0, 200), st.integers(0, 200))
def test_one_more_for_the_better_is_surer(only_a: int, more: int, alike: int) -> None:
    before, after = Paired.of(only_a, only_a + more, alike), Paired.of(only_a, only_a + more + 1, alike)
    assert after.p <= before.p * (1 + 1e-9)


@given(counts)
def test_what_is_alike_says_nothing_of_luck(given: tuple[int, int, int]) -> None:
    only_a, only_b, alike = given
    assert Paired.of(only_a, only_b, alike + 100).p == Paired.of(only_a, only_b, alike).p


def power(n: int, apart: float, difference: float, alpha: float = 0.05) -> float:
    """How probably the exact test shows a true difference; over all outcomes, with scipy's distributions."""
    apart_by = np.arange(n + 1)
    few = binom.ppf(alpha / 2, apart_by, 0.5)
    few -= 2 * binom.cdf(few, apart_by, 0.5) > alpha
    up = (apart + difference) / (2 * apart)
    found = binom.cdf(few, apart_by, up) + binom.sf(apart_by - few - 1, apart_by, up)
    return float(binom.pmf(apart_by, n, apart) @ found)


@pytest.mark.parametrize(
    ("n", "only_a", "only_b"), [(300, 30, 20), (200, 10, 10), (72, 15, 10), (72, 4, 2), (100, 0, 0), (20, 10, 10)]
)
def test_what_is_detectable_is_shown_four_times_in_five(n: int, only_a: int, only_b: int) -> None:
    least = Paired.of(only_a, only_b, n - only_a - only_b).detectable()
    assert least is not None
    apart = max((only_a + only_b) / n, least)
    assert 0.78 < power(n, apart, least) < 0.9
    assert power(n, apart, 0.7 * least) < 0.7


@given(counts, st.floats(0.001, 0.2))
@example((0, 6, 0), 0.0625)
def test_a_stricter_test_sees_less(given: tuple[int, int, int], alpha: float) -> None:
    compared = Paired.of(*given)
    strict, lax = compared.detectable(alpha / 2), compared.detectable(alpha)
    assume(strict is not None and lax is not None)
    assert strict is not None
    assert lax is not None
    assert strict >= lax - 1e-9


shares = st.integers(1, 400)


@given(shares, shares, st.integers(0, 3000), st.sampled_from([0.05, 0.01, 0.001]))
def test_what_is_needed_is_what_is_detectable_the_other_way_round(
    only_a: int, only_b: int, alike: int, alpha: float
) -> None:
    assume(only_a != only_b)
    compared = Paired.of(only_a, only_b, alike)
    needed = compared.needed(alpha)
    assert needed is not None
    for times in range(1, 50):
        more = Paired.of(times * only_a, times * only_b, times * alike)
        assert more.needed(alpha) == pytest.approx(needed, abs=1)  # of rounding
        least = more.detectable(alpha)
        if abs(more.questions - needed) > 1:
            shown = least is not None and least <= abs(compared.difference)
            assert shown == (more.questions > needed)
        if more.questions > needed:
            break


@pytest.mark.parametrize(
    ("n", "only_a", "only_b", "most"),
    [
        (300, 30, 20, 0.85),
        (200, 10, 16, 0.85),
        (72, 15, 10, 0.85),
        (5000, 10, 20, 0.85),
        (100, 40, 60, 0.85),
        # Where all that differ are for one side, the source asks for some more than it takes.
        (1000, 0, 30, 0.93),
        (60, 0, 20, 0.93),
    ],
)
def test_as_many_as_are_needed_show_it_four_times_in_five(n: int, only_a: int, only_b: int, most: float) -> None:
    compared = Paired.of(only_a, only_b, n - only_a - only_b)
    needed = compared.needed()
    assert needed is not None
    apart = (only_a + only_b) / n
    assert 0.78 < power(needed, apart, abs(compared.difference)) < most
    assert power(needed // 2, apart, abs(compared.difference)) < 0.7


def test_no_number_of_questions_shows_no_difference() -> None:
    assert Paired.of(20, 20, 5).needed() is None
    assert Paired.of(0, 0, 5).needed() is None


def test_all_for_the_same_side_in_few_questions() -> None:
    assert Paired.of(0, 5, 0).needed() == 6  # as few as can be shown at all
    assert Paired({3: 5}, 15).needed() == 6


@settings(max_examples=10)  # statsmodels is slow here
@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_holm(before: list[float]) -> None:
    assert holm(before) == pytest.approx(list(multipletests(before, method="holm")[1]), rel=1e-9)


def test_holm_of_nothing() -> None:
    assert holm([]) == []


@given(st.lists(st.floats(0, 1), max_size=8))
def test_holm_lowers_nothing_and_keeps_the_order(before: list[float]) -> None:
    after = holm(before)
    assert all(b <= a <= 1 for b, a in zip(before, after, strict=True))
    assert [a for _, a in sorted(zip(before, after, strict=True))] == sorted(after)

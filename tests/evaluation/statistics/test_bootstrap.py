"""The paired bootstrap, against scipy's, by simulation, and by what must hold."""

from __future__ import annotations

from math import sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import bootstrap

from evaluation.statistics.bootstrap import paired_bootstrap
from evaluation.statistics.paired import Paired

counts = st.tuples(st.integers(0, 300), st.integers(0, 300), st.integers(0, 1000)).filter(any)


@pytest.mark.parametrize(("only_a", "only_b", "alike"), [(30, 50, 420), (3, 12, 85), (100, 100, 300)])
def test_against_scipy(only_a: int, only_b: int, alike: int) -> None:
    """scipy draws answers, not counts, from the same and one more for either side: the same but for luck."""
    answers = np.repeat([-1, 1, 0], [only_a + 1, only_b + 1, alike])
    found = bootstrap(
        (answers,), np.mean, n_resamples=10_000, method="percentile", rng=np.random.default_rng(1), batch=1000
    ).confidence_interval
    step = 1.01 / len(answers)
    assert paired_bootstrap(Paired.of(only_a, only_b, alike)) == pytest.approx(tuple(found), abs=step)


@pytest.mark.parametrize(
    ("n", "only_a", "only_b"),
    [(20, 0.1, 0.3), (72, 0.1, 0.1), (72, 0.02, 0.2), (300, 0.05, 0.08), (300, 0.0, 0.01), (1000, 0.005, 0.01)],
)
def test_it_holds_the_true_difference_as_often_as_it_says(n: int, only_a: float, only_b: float) -> None:
    outcomes, times = np.unique(
        np.random.default_rng(3).multinomial(n, (only_a, only_b, 1 - only_a - only_b), 800), axis=0, return_counts=True
    )
    held = 0
    for outcome, seen in zip(outcomes.tolist(), times.tolist(), strict=True):
        low, high = paired_bootstrap(Paired.of(*outcome))
        held += seen * (low <= only_b - only_a <= high)
    assert 0.93 < held / 800 < 0.995


@settings(max_examples=50)
@given(counts)
def test_bounds_and_the_same_again(given: tuple[int, int, int]) -> None:
    compared = Paired.of(*given)
    low, high = paired_bootstrap(compared)
    assert -1 <= low < high <= 1
    assert low <= compared.difference <= high
    assert (low, high) == paired_bootstrap(compared)
    wider, sure = paired_bootstrap(compared, 0.99)
    assert wider <= low <= high <= sure


@settings(max_examples=50)
@given(counts)
def test_repeats_without_randomness_are_no_news(given: tuple[int, int, int]) -> None:
    only_a, only_b, alike = given
    once = Paired.of(only_a, only_b, alike)
    thrice = Paired({-3: only_a, 0: alike, 3: only_b}, 3 * once.questions)
    assert paired_bootstrap(thrice) == pytest.approx(paired_bootstrap(once), abs=1 / once.questions)


def test_it_is_close_to_bonett_and_price() -> None:
    """(400 - 300)/10,002 ± 1.959964 √((702/10,002 - (100/10,002)²)/10,002)."""
    mean = 100 / 10_002
    half = 1.959964 * sqrt((702 / 10_002 - mean**2) / 10_002)
    assert paired_bootstrap(Paired.of(300, 400, 9300)) == pytest.approx((mean - half, mean + half), abs=2e-4)


def test_another_seed_draws_others() -> None:
    compared = Paired.of(300, 400, 9300)
    assert paired_bootstrap(compared) != paired_bootstrap(compared, seed=5)


def test_no_difference_at_all_is_no_certainty() -> None:
    low, high = paired_bootstrap(Paired.of(0, 0, 50))
    assert low < -0.02
    assert high > 0.02

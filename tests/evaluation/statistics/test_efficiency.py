"""VES and R-VES from fixed times."""

from __future__ import annotations

from math import inf, sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.statistics import efficiency

SECONDS = st.floats(0, 1e4)
RATIOS = st.lists(st.floats(1e-6, 1e6), min_size=1, max_size=120)
MOST_POINTS = 100 * sqrt(1.25)
"""The most that R-VES gives: √reward, of the largest of its rewards."""


def test_ratios_are_taken_pair_by_pair() -> None:
    assert efficiency.ratios([1, 2, 3], [2, 2, 1]) == (0.5, 1, 3)
    assert efficiency.ratios([0], [0]) == (1,)
    with pytest.raises(ValueError):
        efficiency.ratios([1], [])


WITHOUT_OUTLIERS = {
    "one": ([2], (2,)),
    "equal": ([2, 2, 2], (2, 2, 2)),
    "near": ([1, 2, 3], (1, 2, 3)),
    # Of n values, one that differs is √(n - 1) standard deviations from the mean: of 10, exactly 3.
    "just inside": ([0] * 8 + [1], (0,) * 8 + (1,)),
    "on the border": ([0] * 9 + [1], (0,) * 9),
    "outside": ([0] * 99 + [100], (0,) * 99),
    "both ends": ([0] * 100 + [100, -100], (0,) * 100),
    "once only": ([0] * 200 + [10, 1000], (0,) * 200 + (10,)),
}


@pytest.mark.parametrize(("values", "kept"), WITHOUT_OUTLIERS.values(), ids=WITHOUT_OUTLIERS)
def test_without_outliers(values: list[float], kept: tuple[float, ...]) -> None:
    assert efficiency.without_outliers(values) == kept


def test_the_official_middle_is_the_mean_and_the_robust_one_the_median() -> None:
    assert efficiency.mean_ratio([1, 1, 4]) == 2
    assert efficiency.mean_ratio([1] * 99 + [1000]) == 1
    assert efficiency.median_ratio([1, 1, 4]) == 1
    assert efficiency.median_ratio([1, 2, 4, 1000]) == 3


REWARDS = [
    (inf, 1.25),
    (2, 1.25),
    (1.999, 1),
    (1, 1),
    (0.999, 0.75),
    (0.5, 0.75),
    (0.499, 0.5),
    (0.25, 0.5),
    (0.249, 0.25),
    (1e-9, 0.25),
]


@pytest.mark.parametrize(("ratio", "reward"), REWARDS)
def test_rewards_at_their_borders(ratio: float, reward: float) -> None:
    assert efficiency.reward(ratio) == reward
    assert efficiency.r_ves(ratio) == 100 * sqrt(reward)


@pytest.mark.parametrize(
    ("ratio", "dead_band", "reward"),
    [
        (0.999, 0.1, 1),
        (1 / 1.1, 0.1, 1),
        (0.909, 0.1, 0.75),
        (0.9, 0.1, 0.75),
        (0.5, 1, 1),
        (0.49, 1, 0.5),
        (1.05, 0.1, 1),
        (2, 0.1, 1.25),
        (1.95, 0.1, 1),
    ],
)
def test_the_dead_band(ratio: float, dead_band: float, reward: float) -> None:
    assert efficiency.reward(ratio, dead_band) == reward


@pytest.mark.parametrize(("ratio", "points"), [(1, 100), (4, 200), (0.25, 50), (0.01, 10), (100, 1000)])
def test_ves(ratio: float, points: float) -> None:
    assert efficiency.ves(ratio) == pytest.approx(points)


def test_the_most_that_there_is() -> None:
    assert efficiency.r_ves(3) == pytest.approx(MOST_POINTS)


@given(RATIOS)
def test_never_raises(values: list[float]) -> None:
    kept = efficiency.without_outliers(values)
    assert kept
    assert min(values) <= efficiency.mean_ratio(values) * (1 + 1e-9)
    assert efficiency.median_ratio(values) <= max(values)
    assert 0 <= efficiency.r_ves(efficiency.mean_ratio(values), 0.1) <= MOST_POINTS


@given(st.lists(st.tuples(SECONDS, SECONDS), min_size=1))
def test_any_times_have_ratios(pairs: list[tuple[float, float]]) -> None:
    found = efficiency.ratios([gold for gold, _ in pairs], [predicted for _, predicted in pairs])
    assert all(ratio > 0 for ratio in found)


@given(st.floats(1e-6, 1e6), st.floats(0, 1))
def test_a_dead_band_never_takes_away(ratio: float, dead_band: float) -> None:
    assert efficiency.reward(ratio, dead_band) >= efficiency.reward(ratio)

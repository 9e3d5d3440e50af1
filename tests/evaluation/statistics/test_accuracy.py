"""The interval of an accuracy, against statsmodels, by simulation, and by what must hold."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import t
from statsmodels.api import OLS
from statsmodels.stats.proportion import proportion_confint

from evaluation.statistics.accuracy import accuracy_interval
from evaluation.statistics.design_effect import FEWEST_CLUSTERS, effective_clusters

counted = st.tuples(st.integers(0, 60), st.integers(0, 60)).map(lambda pair: (pair[0], sum(pair)))


@given(st.integers(0, 500), st.integers(0, 500), st.floats(0.5, 0.99))
def test_without_clusters_it_is_wilsons(right: int, wrong: int, confidence: float) -> None:
    if right + wrong:
        found = accuracy_interval({"one": (right, right + wrong)}, confidence)
        low, high = proportion_confint(right, right + wrong, 1 - confidence, method="wilson")
        assert found == pytest.approx((right / (right + wrong), low, high), rel=1e-9, abs=1e-12)


@given(st.lists(counted, min_size=FEWEST_CLUSTERS, max_size=15))
def test_with_clusters_it_is_wilsons_of_the_effective_size(clusters: list[tuple[int, int]]) -> None:
    """The size from statsmodels' regression on a constant, with and without cluster-robust covariance."""
    answers = np.repeat([1.0, 0.0] * len(clusters), [n for right, total in clusters for n in (right, total - right)])
    if len(answers) < 2:
        return
    groups = np.repeat(np.arange(len(clusters)), [total for _, total in clusters])
    right, total, m = int(answers.sum()), len(answers), len(set(groups))
    effect = 1.0
    if effective_clusters([of for _, of in clusters]) >= FEWEST_CLUSTERS and 0 < right < total:
        fitted = OLS(answers, np.ones(total))
        effect = (fitted.fit(cov_type="cluster", cov_kwds={"groups": groups}).bse[0] / fitted.fit().bse[0]) ** 2
    size, tail = 1.0, 0.05
    if effect > 1 + 1e-9:
        size = (1.959963984540054 / t.ppf(0.975, m - 1)) ** 2 / effect
    elif effect > 1 - 1e-9:
        return  # either way, by rounding
    low, high = proportion_confint(right * size, total * size, tail, method="wilson")
    found = accuracy_interval({str(n): one for n, one in enumerate(clusters)})
    assert found == pytest.approx((right / total, low, high), rel=1e-9, abs=1e-9)


@given(st.lists(counted, min_size=1, max_size=15).filter(lambda found: any(total for _, total in found)))
def test_bounds(clusters: list[tuple[int, int]]) -> None:
    value, low, high = accuracy_interval({str(n): one for n, one in enumerate(clusters)})
    assert 0 <= low <= value + 1e-12
    assert value - 1e-12 <= high <= 1


@pytest.mark.parametrize(("clusters", "size", "spread"), [(11, 100, 0.2), (20, 50, 0.1), (20, 50, 0.0), (80, 13, 0.2)])
def test_it_holds_the_true_accuracy_as_often_as_it_says(clusters: int, size: int, spread: float) -> None:
    """Databases of which some are harder; Wilson's interval of all answers would hold it in as few as 44 of 100."""
    chance = np.random.default_rng(2)
    own = chance.uniform(0.6 - spread, 0.6 + spread, (2000, clusters))
    rights = chance.binomial(size, own)
    held = [
        low <= 0.6 <= high
        for one in rights.tolist()
        for _, low, high in [accuracy_interval({str(n): (right, size) for n, right in enumerate(one)})]
    ]
    assert 0.93 < np.mean(held) < 0.98


def test_repeats_are_clusters_of_a_question() -> None:
    """Answers that are always the same again say no more than one of each."""
    once = accuracy_interval({str(n): (n % 3 > 0, 1) for n in range(300)})
    ten_times = accuracy_interval({str(n): (10 * (n % 3 > 0), 10) for n in range(300)})
    assert ten_times == pytest.approx(once, abs=2e-3)


@pytest.mark.parametrize("wrong", [{}, {"a": (0, 0)}, {"a": (3, 2)}, {"a": (-1, 2)}])
def test_what_is_no_share(wrong: dict[str, tuple[int, int]]) -> None:
    with pytest.raises(ValueError, match="is no share"):
        accuracy_interval(wrong)

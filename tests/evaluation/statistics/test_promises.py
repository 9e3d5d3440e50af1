"""What the statistics promise, kept over many simulated pairs of systems: false alarms, coverage, power."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from evaluation.statistics.clustered import Clustered
from evaluation.statistics.paired import Paired
from tests.evaluation.statistics.pairs_of_systems import simulated, sizes

PAIRS = 10_000


@cache
def p(only_a: int, only_b: int) -> float:
    return Paired.of(only_a, only_b, 0).p


def false_alarms(questions: int) -> float:
    """Of systems that are equally good: each has a question right by how hard it is, and no better."""
    chance = np.random.default_rng(11)
    counts = np.zeros((PAIRS, 2), int)
    for right in (0.05, 0.3, 0.5, 0.8, 0.95):
        only = right * (1 - right)
        counts += chance.multinomial(questions // 5, (only, only, 1 - 2 * only), PAIRS)[:, :2]
    return float(np.mean([p(min(one), max(one)) <= 0.05 for one in counts.tolist()]))


@pytest.mark.parametrize(("questions", "least"), [(100, 0.025), (1000, 0.04), (2500, 0.04)])
def test_equal_systems_raise_a_false_alarm_one_time_in_twenty(questions: int, least: float) -> None:
    """Never more; fewer where few questions differ, since an exact test has no level between two counts."""
    assert least < false_alarms(questions) < 0.055


@pytest.mark.parametrize(
    ("of", "between", "pairs", "least"),
    [
        (sizes(20, 2000, 0.5), 0.1, PAIRS, 0.04),
        (sizes(20, 2000, 0.5), 0.05, 3000, 0.035),
        (sizes(100, 1000, 0.5), 0.15, 2000, 0.035),
    ],
)
def test_they_do_too_where_questions_cluster(of: list[int], between: float, pairs: int, least: float) -> None:
    """Where McNemar's test of all questions would raise two to nine times as many."""
    compared = list(simulated(pairs, of, 0.25, between))
    assert least < np.mean([one.p <= 0.05 for one in compared]) < 0.1 - least
    assert np.mean([one.whole.p <= 0.05 for one in compared[:2000]]) > 0.09


@pytest.mark.parametrize("of", [sizes(20, 2000, 0.5), sizes(100, 3000, 0.5)])
def test_of_clusters_that_do_not_matter_they_are_no_more(of: list[int]) -> None:
    assert 0.03 < np.mean([one.p <= 0.05 for one in simulated(2000, of, 0.25, 0.0)]) < 0.055


@pytest.mark.parametrize("between", [0.0, 0.05, 0.1])
def test_few_clusters_are_the_worst_case(between: float) -> None:
    """Of as few as six databases, to decide by the same data whether they matter costs at most one in a hundred."""
    assert np.mean([one.p <= 0.05 for one in simulated(3000, sizes(6, 400, 0.0), 0.25, between)]) < 0.065


@pytest.mark.parametrize(
    ("of", "between"),
    [(sizes(8, 400, 0.3), 0.1), (sizes(11, 1500, 0.7), 0.1), (sizes(20, 1000, 0.7), 0.05), (sizes(80, 1000, 1.0), 0.1)],
)
def test_the_interval_of_clusters_holds_the_true_difference_as_often_as_it_says(of: list[int], between: float) -> None:
    held = [low <= 0.03 <= high for one in simulated(400, of, 0.4, between, 0.03) for low, high in [one.interval()]]
    assert 0.915 < np.mean(held) < 0.985


SETTINGS = [
    (8, 400, 0.3, 0.1),
    (11, 1500, 0.7, 0.05),
    (20, 1000, 0.7, 0.0),
    (20, 1000, 0.7, 0.1),
    (20, 1000, 1.0, 0.1),
    (80, 1000, 0.5, 0.1),
]


def shown(clusters: int, questions: int, spread: float, between: float, difference: float) -> float:
    """How often a true difference is shown."""
    pairs = simulated(1000, sizes(clusters, questions, spread), 0.3, between, difference, seed=9)
    return float(np.mean([one.p <= 0.05 for one in pairs]))


@pytest.mark.parametrize(("clusters", "questions", "spread", "between"), SETTINGS)
def test_what_is_detectable_is_shown_four_times_in_five(
    clusters: int, questions: int, spread: float, between: float
) -> None:
    told = [one.detectable() for one in simulated(200, sizes(clusters, questions, spread), 0.3, between)]
    promised = float(np.median([one for one in told if one is not None]))
    assert 0.74 < shown(clusters, questions, spread, between, promised) < 0.87
    assert shown(clusters, questions, spread, between, promised * 0.7) < 0.67


@pytest.mark.parametrize(("clusters", "questions", "spread", "between"), SETTINGS)
def test_as_many_as_are_needed_show_it_four_times_in_five(
    clusters: int, questions: int, spread: float, between: float
) -> None:
    """Of a true difference that is seen for what it is, in a sample too small for it."""
    told = [one.detectable() for one in simulated(200, sizes(clusters, questions, spread), 0.3, between)]
    difference = 0.75 * float(np.median([one for one in told if one is not None]))
    needed = []
    for one in simulated(800, sizes(clusters, questions, spread), 0.3, between, difference):
        if abs(one.difference - difference) < 0.05 * difference:
            needed.append(one.needed())
    promised = float(np.median(np.array(needed, float)))
    more = promised / questions
    assert more > 1.3
    assert 0.74 < shown(round(clusters * more), round(promised), spread, between, difference) < 0.87


def test_a_promise_without_clusters_is_mcnemars() -> None:
    only = Clustered({"one": Paired.of(30, 20, 250)})
    assert only.detectable() == only.whole.detectable()
    assert only.needed() == only.whole.needed()

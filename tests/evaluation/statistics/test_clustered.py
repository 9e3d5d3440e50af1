"""The comparison of clustered questions, against independent implementations and by what must hold."""

from __future__ import annotations

from itertools import product
from math import sqrt

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.stats import permutation_test, t
from statsmodels.api import OLS

from evaluation.statistics.bootstrap import paired_bootstrap
from evaluation.statistics.clustered import CONVERSATION, DATABASE, Clustered, Outcome
from evaluation.statistics.design_effect import (
    cluster_variance,
    effective_clusters,
    jackknife_variance,
    matters,
    too_few,
)
from evaluation.statistics.paired import Paired
from tests.evaluation.statistics.pairs_of_systems import sizes

one_cluster = st.tuples(st.integers(0, 9), st.integers(0, 9), st.integers(0, 30)).filter(any)
some = st.lists(one_cluster, min_size=1, max_size=14)
many = st.lists(one_cluster, min_size=10, max_size=14)


def clustered(counts: list[tuple[int, int, int]]) -> Clustered:
    return Clustered({f"db_{n}": Paired.of(*one) for n, one in enumerate(counts)})


def matter(counts: list[tuple[int, int, int]]) -> Clustered:
    compared = clustered(counts)
    assume(compared.clusters_matter)
    return compared


APART = [(0, 9, 20), (8, 1, 30), (2, 2, 9), (0, 9, 12), (1, 7, 20), (0, 8, 8), (3, 4, 16), (0, 7, 3)]
"""Eight databases that B is good at, but for one."""


@given(some)
def test_the_standard_error_is_that_of_a_regression_with_cluster_robust_covariance(
    counts: list[tuple[int, int, int]],
) -> None:
    assume(len(counts) > 1)
    said = np.repeat([-1.0, 1.0, 0.0] * len(counts), [n for one in counts for n in one])
    of = np.repeat(np.arange(len(counts)), [sum(one) for one in counts])
    compared, regression = clustered(counts), OLS(said, np.ones(len(said)))
    robust = regression.fit(cov_type="cluster", cov_kwds={"groups": of}).bse[0]
    sums, each = [b - a for a, b, _ in counts], [sum(one) for one in counts]
    assert sqrt(cluster_variance(sums, each)) == pytest.approx(robust, rel=1e-9, abs=1e-12)
    alone = regression.fit().bse[0]
    assert sqrt(compared.whole.variance) == pytest.approx(alone, rel=1e-9, abs=1e-12)
    if alone > 1e-9:
        assert compared.design_effect == pytest.approx((robust / alone) ** 2, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("counts", [APART, APART[:7], [(9, 0, 1), (0, 9, 1)] * 4, [(0, 9, 1), (2, 0, 9)] * 4 + APART])
def test_p_is_that_of_every_sign_of_the_clusters_in_scipy(counts: list[tuple[int, int, int]]) -> None:
    compared = clustered(counts)
    assert compared.clusters_matter
    sums = np.array([b - a for a, b, _ in counts], float)
    told = permutation_test(
        (sums,), np.sum, permutation_type="samples", n_resamples=np.inf, alternative="two-sided", vectorized=False
    )
    assert compared.p == pytest.approx(told.pvalue, rel=1e-9)


@settings(max_examples=50)
@given(many.filter(lambda counts: len(counts) < 12), st.sampled_from([0.8, 0.9, 0.95]))
def test_the_interval_holds_what_every_sign_does_not_refuse(
    counts: list[tuple[int, int, int]], confidence: float
) -> None:
    """By trying differences, on each of which all signs of the clusters are counted."""
    compared = matter(counts)
    low, high = compared.interval(confidence)
    sums, each = np.array([b - a for a, b, _ in counts]), np.array([sum(one) for one in counts])
    signs = np.array(list(product((-1, 1), repeat=len(counts))))

    def p(difference: float) -> float:
        rest = sums - difference * each
        return float(np.mean(np.abs(signs @ rest) >= abs(rest.sum()) - 1e-9))

    for difference in np.linspace(low + 1e-6, high - 1e-6, 7):
        assert p(difference) > 1 - confidence - 1e-9
    assert low == -1 or p(low - 1e-6) <= 1 - confidence + 1e-9
    assert high == 1 or p(high + 1e-6) <= 1 - confidence + 1e-9


@given(many)
def test_p_and_the_interval_agree(counts: list[tuple[int, int, int]]) -> None:
    compared = matter(counts)
    low, high = compared.interval()
    if not 0.04 < compared.p < 0.06 and min(abs(low), abs(high)) > 1e-9:  # of many clusters not all signs are tried
        assert (low <= 0 <= high) == (compared.p > 0.05)


@given(some)
def test_bounds_and_the_same_again(counts: list[tuple[int, int, int]]) -> None:
    compared = clustered(counts)
    low, high = compared.interval()
    assert -1 <= low <= high <= 1
    assert low - 1e-12 <= compared.difference <= high + 1e-12
    assert (low, high) == clustered(counts).interval()
    assert 0 < compared.p <= 1
    assert compared.design_effect >= 0
    detectable, needed = compared.detectable(), compared.needed()
    assert detectable is None or 0 < detectable <= 1
    assert (needed is None) == (compared.difference == 0)


@given(some)
def test_a_and_b_are_mirror_images(counts: list[tuple[int, int, int]]) -> None:
    one, other = clustered(counts), clustered([(b, a, alike) for a, b, alike in counts])
    assert one.p == pytest.approx(other.p)
    assert one.design_effect == pytest.approx(other.design_effect)
    assert one.detectable() == pytest.approx(other.detectable())
    assert one.needed() == other.needed()
    if one.clusters_matter and other.clusters_matter:
        assert one.interval() == pytest.approx(tuple(-end for end in reversed(other.interval())))


@given(many)
def test_clusters_never_promise_more_than_questions(counts: list[tuple[int, int, int]]) -> None:
    compared = matter(counts)
    found, least = compared.detectable(), compared.whole.detectable()
    assert found is None or least is None or found >= least
    needed, fewest = compared.needed(), compared.whole.needed()
    assert needed is None or fewest is None or needed >= fewest


@given(some)
def test_where_clusters_do_not_matter_the_answers_are_those_of_questions(counts: list[tuple[int, int, int]]) -> None:
    compared = clustered(counts)
    assume(not compared.clusters_matter)
    whole = compared.whole
    assert (compared.p, compared.interval()) == (whole.p, paired_bootstrap(whole))
    assert (compared.detectable(), compared.needed()) == (whole.detectable(), whole.needed())


@given(st.lists(st.sampled_from([(1, 0, 0), (0, 1, 0), (0, 0, 1)]), min_size=6, max_size=200))
def test_one_question_per_database_is_no_cluster(counts: list[tuple[int, int, int]]) -> None:
    assert clustered(counts).design_effect == pytest.approx(1)


def test_five_databases_are_too_few() -> None:
    """All five for B: of the signs of five coins no test at 0.05 can be made; said is what the questions say."""
    compared = clustered([(0, 9, 1), (0, 1, 30)] * 2 + [(0, 9, 9)])
    assert compared.design_effect > 1
    assert not compared.clusters_matter
    assert compared.p == compared.whole.p


def test_six_databases_can_just_show_a_difference() -> None:
    compared = clustered([(0, 9, 1), (0, 1, 9)] * 3)
    assert compared.clusters_matter
    assert compared.p == 2 / 64
    assert compared.interval()[0] > 0
    assert compared.detectable(alpha=0.03) is None  # it would take a seventh


def test_beside_one_huge_database_the_others_are_too_few() -> None:
    """Its own share of right answers is nearly that of all, so that it would look as if databases did not differ."""
    compared = clustered([(10, 40, 600), *[(1, 3, 20)] * 9])
    assert not compared.clusters_matter
    assert compared.p == compared.whole.p


@given(some.filter(lambda counts: len(counts) > 1))
def test_the_jackknife_is_that_of_means_without_each_cluster(counts: list[tuple[int, int, int]]) -> None:
    sums, each = np.array([b - a for a, b, _ in counts], float), np.array([sum(one) for one in counts], float)
    rest = ~np.eye(len(counts), dtype=bool)
    means = (rest @ sums) / (rest @ each)
    of_all = sums.sum() / each.sum()
    assert jackknife_variance(sums.tolist(), each.tolist()) == pytest.approx(
        (len(counts) - 1) * np.mean((means - of_all) ** 2), rel=1e-9, abs=1e-12
    )


@given(st.lists(st.integers(-9, 9), min_size=2, max_size=14))
def test_of_equal_clusters_it_is_the_same(sums: list[int]) -> None:
    each = [10] * len(sums)
    assert jackknife_variance(sums, each) == pytest.approx(cluster_variance(sums, each), rel=1e-9, abs=1e-12)


def test_of_unequal_clusters_the_sandwich_is_too_low_and_the_jackknife_is_not() -> None:
    """Over simulated databases that differ, with the sizes of real ones."""
    of, chance = np.array(sizes(11, 1500, 0.7), float), np.random.default_rng(3)
    own = chance.normal(0, 0.1, (4000, 11)) * of
    true = np.var(own.sum(axis=1) / of.sum())
    sandwich = np.mean([cluster_variance(one, of.tolist()) for one in own.tolist()])
    jackknife = np.mean([jackknife_variance(one, of.tolist()) for one in own.tolist()])
    assert sandwich < 0.85 * true
    assert true < jackknife < 1.25 * true


@given(st.lists(st.integers(1, 1000), min_size=1, max_size=50))
def test_effective_clusters(sizes: list[int]) -> None:
    assert 1 <= effective_clusters(sizes) <= len(sizes) + 1e-9
    assert effective_clusters([7] * len(sizes)) == len(sizes)
    assert effective_clusters([3 * size for size in sizes]) == pytest.approx(effective_clusters(sizes))


@pytest.mark.parametrize(
    ("sizes", "told"), [([7], False), ([7, 7], True), ([7] * 5, True), ([7] * 6, False), ([660, *[24] * 9], True)]
)
def test_too_few(sizes: list[int], told: bool) -> None:
    """One cluster is no clusters; of many, a large one makes few."""
    assert too_few(sizes) is told


@pytest.mark.parametrize(
    ("effect", "clusters", "told"),
    [(1.5, 6, True), (1.5, 5.9, False), (1.0, 50, False), (1 + 1e-15, 50, False), (0.4, 50, False)],
)
def test_where_clusters_matter(effect: float, clusters: float, told: bool) -> None:
    assert matters(effect, clusters) is told


def test_twice_as_many_databases_bring_needed_closer_not_its_number() -> None:
    once, twice = clustered(APART), clustered(APART * 2)
    assert once.needed() == pytest.approx(twice.needed(), rel=0.3)
    assert (twice.detectable() or 1) < (once.detectable() or 1)


def test_of_repeats_too() -> None:
    """Three repeats that say the same again: as p and interval, so the design effect."""
    once = clustered(APART)
    thrice = Clustered(
        {
            name: Paired({3 * value: n for value, n in one.differences.items()}, 3 * one.pairs)
            for name, one in once.clusters.items()
        }
    )
    assert thrice.design_effect == pytest.approx(once.design_effect)
    assert thrice.p == pytest.approx(once.p)
    assert thrice.interval() == pytest.approx(once.interval())
    assert thrice.detectable() == pytest.approx(once.detectable(), abs=0.01)


def test_what_is_detectable_by_hand() -> None:
    """Bloom's multiple of the standard error: eight equal clusters have seven degrees of freedom."""
    compared = clustered([(0, 8, 2), (6, 0, 4)] * 4)
    sums = [8, -6] * 4
    error = sqrt(sum((one - 1) ** 2 for one in sums) / 80**2 * 8 / 7) * (1 + 1 / 32)
    multiple = t.ppf(0.975, 7) + t.ppf(0.8, 7)
    assert compared.clusters_matter
    assert compared.detectable() == pytest.approx(multiple * error + 1 / 80, rel=1e-9)


def of_turns(databases: int, conversations: int, turns: int, alike: bool) -> list[Outcome]:
    """Conversations that B wins, of three in four; else turns, as many of them in each."""
    return [
        Outcome(f"q{db}-{number}-{turn}", f"db_{db}", f"c{db}-{number}", 1 if (number if alike else turn) % 4 else -1)
        for db in range(databases)
        for number in range(conversations)
        for turn in range(turns)
    ]


@pytest.mark.parametrize("databases", [1, 2, 5, 20])
def test_turns_that_are_alike_count_as_conversations(databases: int) -> None:
    """However few databases there are: sixteen turns that all say what four conversations say are no sixteen coins."""
    found = Clustered.of(of_turns(databases, 8, 4, alike=True))
    once = Clustered.of(of_turns(databases, 8, 1, alike=True))
    assert (found.clustered_by, once.clustered_by) == (CONVERSATION, None)
    assert found.p == pytest.approx(once.p)
    assert found.p > found.whole.p
    assert found.difference == once.difference
    low, high = found.interval()
    assert low < found.difference < high


def test_turns_that_are_not_alike_are_questions() -> None:
    found = Clustered.of(of_turns(2, 8, 4, alike=False))
    assert found.clustered_by is None
    assert found.p == found.whole.p


def test_conversations_on_databases_that_differ_more_are_clustered_by_database() -> None:
    won = [0, 1, 1, 1, 1, 1, 1, 0]
    outcomes = [
        Outcome(f"q{db}-{number}-{turn}", f"db_{db}", f"c{db}-{number}", won[db])
        for db in range(8)
        for number in range(5)
        for turn in range(3)
    ]
    assert Clustered.of(outcomes).clustered_by == DATABASE


def test_a_question_that_is_no_turn_is_by_itself() -> None:
    """Also where it is called as a conversation is."""
    outcomes = [*of_turns(1, 8, 2, alike=True), *(Outcome(f"c0-{n}", "db_0", None, 1) for n in range(3))]
    found = Clustered.of(outcomes)
    assert found.by == CONVERSATION
    assert sorted(one.pairs for one in found.clusters.values()) == [1] * 3 + [2] * 8


def test_repeats_of_a_turn_are_of_its_conversation() -> None:
    outcomes = of_turns(2, 8, 3, alike=True)
    once, thrice = Clustered.of(outcomes), Clustered.of(outcomes * 3)
    assert thrice.p == pytest.approx(once.p)
    assert thrice.whole.questions == once.whole.questions == 48
    assert thrice.design_effect == pytest.approx(once.design_effect)


def test_the_interval_of_many_conversations_is_that_of_each_sign_by_itself() -> None:
    """Clusters that are alike are tossed together, which draws the same."""
    found = Clustered.of(of_turns(4, 50, 3, alike=True))
    sums, each = np.array([one.total for one in found.clusters.values()]), np.full(200, 3)
    signs = np.random.default_rng(5).choice([-1, 1], (40_000, 200))
    up, of = signs @ sums, signs @ each
    ends = np.array([(sums.sum() - up) / (600 - of), (sums.sum() + up) / (600 + of)])
    low, high = np.quantile(ends.min(axis=0), 0.05), np.quantile(ends.max(axis=0), 0.95)
    assert found.interval() == pytest.approx((low, high), abs=0.01)

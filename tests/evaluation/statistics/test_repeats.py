"""Answers to questions that were asked several times, against independent implementations and by simulation."""

from __future__ import annotations

from itertools import combinations
from math import sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import f_oneway, hypergeom

from evaluation.statistics.repeats import Passed, Repeats, pass_at_k, pass_hat_k


@st.composite
def samples(draw: st.DrawFn) -> tuple[int, int, int]:
    n = draw(st.integers(1, 200))
    return n, draw(st.integers(0, n)), draw(st.integers(1, n))


@given(samples())
def test_against_the_hypergeometric_distribution(given: tuple[int, int, int]) -> None:
    n, correct, k = given
    drawn = hypergeom(n, correct, k)
    assert pass_at_k(n, correct, k) == pytest.approx(drawn.sf(0), abs=1e-9)
    assert pass_hat_k(n, correct, k) == pytest.approx(drawn.pmf(k), abs=1e-9)


@given(st.lists(st.booleans(), min_size=1, max_size=8), st.data())
def test_against_every_choice(answers: list[bool], data: st.DataObject) -> None:
    k = data.draw(st.integers(1, len(answers)))
    chosen = list(combinations(answers, k))
    assert pass_at_k(len(answers), sum(answers), k) == pytest.approx(sum(map(any, chosen)) / len(chosen))
    assert pass_hat_k(len(answers), sum(answers), k) == pytest.approx(sum(map(all, chosen)) / len(chosen))


@given(samples())
def test_one_of_one_is_the_accuracy_and_all_is_never_more_than_any(given: tuple[int, int, int]) -> None:
    n, correct, k = given
    assert pass_at_k(n, correct, 1) == pytest.approx(correct / n)
    assert pass_hat_k(n, correct, 1) == pytest.approx(correct / n)
    assert pass_hat_k(n, correct, k) <= correct / n + 1e-12 <= pass_at_k(n, correct, k) + 2e-12


def test_a_thousand_answers_do_not_overflow() -> None:
    assert pass_at_k(1000, 500, 500) == pytest.approx(1)
    assert pass_hat_k(1000, 999, 500) == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("n", "correct", "k", "words"),
    [
        (3, 1, 4, "k is 4, and there are 3 answers"),
        (3, 1, 0, "k is 0, and there are 3 answers"),
        (3, 4, 1, "4 of 3 is no share"),
        (3, -1, 1, "-1 of 3 is no share"),
    ],
)
def test_what_cannot_be(n: int, correct: int, k: int, words: str) -> None:
    for function in (pass_at_k, pass_hat_k):
        with pytest.raises(ValueError, match=words):
            function(n, correct, k)


def test_unequal_numbers_are_said() -> None:
    repeats = Repeats({"a": (True, False), "b": (True, True, True), "c": (False,), "d": ()})
    assert (repeats.fewest, repeats.most) == (0, 3)
    assert repeats.pass_at(1) == Passed((0.5 + 1 + 0) / 3, 3, 1)
    assert repeats.pass_at(2) == Passed(1.0, 2, 2)
    assert repeats.pass_hat(2) == Passed(0.5, 2, 2)
    assert repeats.pass_hat(4) is None
    assert repeats.flip_rates == {"a": 1.0, "b": 0.0}
    assert repeats.flips.rate == 1 / 4


def test_of_no_answers() -> None:
    repeats = Repeats({})
    assert (repeats.fewest, repeats.most) == (0, 0)
    assert repeats.pass_at(1) is None
    assert repeats.split is None


tables = st.lists(st.lists(st.booleans(), min_size=1, max_size=6), min_size=2, max_size=20)


@given(tables)
def test_the_split_against_an_analysis_of_variance(table: list[list[bool]]) -> None:
    split = Repeats({str(n): one for n, one in enumerate(table)}).split
    total, n = sum(map(len, table)), len(table)
    if total == n:
        assert split is None
        return
    assert split is not None
    if split.within > 0:
        with np.errstate(all="ignore"):
            ratio = float(f_oneway(*(np.array(one, float) for one in table)).statistic)
        usual = (total - sum(len(one) ** 2 for one in table) / total) / (n - 1)
        assert split.between == pytest.approx(max(0.0, (ratio - 1) * split.within / usual), rel=1e-9, abs=1e-12)
        within = sum(np.var(one) * len(one) for one in table) / (total - n)
        assert split.within == pytest.approx(within, rel=1e-9)


@given(st.integers(2, 6), st.data())
def test_with_equally_many_the_error_is_that_of_the_means(times: int, data: st.DataObject) -> None:
    table = data.draw(st.lists(st.lists(st.booleans(), min_size=times, max_size=times), min_size=2, max_size=20))
    split = Repeats({str(n): one for n, one in enumerate(table)}).split
    assert split is not None
    means = np.array(table).mean(axis=1)
    of_means = means.std(ddof=1) / sqrt(len(table))
    assert split.error >= of_means - 1e-12
    if split.between:
        assert split.error == pytest.approx(of_means, rel=1e-9)
    assert split.from_samples_share is None or 0 <= split.from_samples_share <= 1


@pytest.mark.parametrize("unequal", [False, True])
def test_the_split_finds_what_went_in(unequal: bool) -> None:
    """Questions that are answered right by 0.2 or 0.9: variance 0.1225 between, 0.125 within, and so much error."""
    chance = np.random.default_rng(4)
    betweens, withins, errors, accuracies = [], [], [], []
    for _ in range(300):
        hard = chance.choice((0.2, 0.9), 60)
        times = chance.integers(2, 9, 60) if unequal else np.full(60, 5)
        answers = {
            str(n): (chance.random(r) < p).tolist() for n, (p, r) in enumerate(zip(hard, times.tolist(), strict=True))
        }
        split = Repeats(answers).split
        assert split is not None
        betweens.append(split.between)
        withins.append(split.within)
        errors.append(split.error**2)
        accuracies.append(sum(map(sum, answers.values())) / times.sum())
    assert np.mean(betweens) == pytest.approx(0.1225, abs=0.003)
    assert np.mean(withins) == pytest.approx(0.125, abs=0.002)
    assert np.mean(errors) == pytest.approx(np.var(accuracies), rel=0.2)


def test_answers_that_are_always_alike_leave_nothing_to_samples() -> None:
    split = Repeats({str(n): (n % 3 == 0,) * 4 for n in range(30)}).split
    assert split is not None
    assert (split.within, split.from_samples, split.from_samples_share) == (0, 0, 0)
    assert split.from_questions == pytest.approx(sqrt(10 * 20 / 30**2 / 29))

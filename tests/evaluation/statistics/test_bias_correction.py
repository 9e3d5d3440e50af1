"""The corrected accuracy: against published values, at its limits, and by simulation."""

from __future__ import annotations

import random
from math import sqrt

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from evaluation.statistics.agreement import Confusion
from evaluation.statistics.bias_correction import corrected_accuracy, with_settled
from evaluation.statistics.interval import Bounded, wilson

COUNTS = st.integers(0, 500)
tables = st.builds(Confusion, COUNTS, COUNTS, COUNTS, COUNTS)


def judge(lenient: float, harsh: float, correct: int, incorrect: int) -> Confusion:
    """A calibration with exactly these rates."""
    return Confusion(
        round(correct * (1 - harsh)),
        round(incorrect * lenient),
        round(correct * harsh),
        round(incorrect * (1 - lenient)),
    )


def test_a_published_estimate() -> None:
    # 23 of 150 cows, sensitivity 96 %, specificity 89 %: 5.1 of 100 (the example of epiR's `epi.prev`).
    found = corrected_accuracy(23, 150, judge(0.11, 0.04, 10_000, 10_000))
    assert found is not None
    assert found.value == pytest.approx(0.051, abs=5e-4)


def test_an_interval_by_hand() -> None:
    # Lang and Reiczigel's formulas on 95 of 100, 88 of 100 and 500 of 1,000, with z² = 3.841459.
    q = (500 + 3.841459 / 2) / (1000 + 3.841459)
    se, sp = 96 / 102, 89 / 102
    p = (q + sp - 1) / (se + sp - 1)
    error = sqrt(
        q * (1 - q) / 1003.841459 + p**2 * se * (1 - se) / 102 + (1 - p) ** 2 * sp * (1 - sp) / 102
    ) / (se + sp - 1)  # fmt: skip
    shift = 2 * 3.841459 * (p * se * (1 - se) / 102 - (1 - p) * sp * (1 - sp) / 102)
    found = corrected_accuracy(500, 1000, Confusion(95, 12, 5, 88))
    assert found is not None
    assert found.value == pytest.approx((0.5 + 0.88 - 1) / (0.95 + 0.88 - 1))
    assert found.low == pytest.approx(p + shift - 1.959964 * error, abs=1e-6)
    assert found.high == pytest.approx(p + shift + 1.959964 * error, abs=1e-6)


@given(st.integers(0, 1000))
def test_a_judge_that_is_known_never_to_err_needs_no_correction(correct: int) -> None:
    found = corrected_accuracy(correct, 1000, Confusion(10**9, 0, 0, 10**9))
    assert found is not None
    assert found.value == pytest.approx(correct / 1000)
    # What is left is the interval of A. Agresti and B. A. Coull, The American Statistician 52 (1998), 119-126.
    total = 1000 + 3.841459
    share = (correct + 3.841459 / 2) / total
    half = 1.959964 * sqrt(share * (1 - share) / total)
    assert found.low == pytest.approx(max(0, min(share - half, correct / 1000)), abs=1e-5)
    assert found.high == pytest.approx(min(1, max(share + half, correct / 1000)), abs=1e-5)


@given(tables, st.integers(0, 1000), st.integers(0, 1000))
def test_within_bounds_and_in_order(table: Confusion, judged: int, judged_correct: int) -> None:
    assume(judged_correct <= judged)
    found = corrected_accuracy(judged_correct, judged, table)
    if found is not None:
        assert 0 <= found.low <= found.value <= found.high <= 1


@given(tables, st.integers(0, 1000))
def test_right_and_wrong_are_mirror_images(table: Confusion, judged_correct: int) -> None:
    mirrored = Confusion(table.both_incorrect, table.harsh, table.lenient, table.both_correct)
    found, other = (
        corrected_accuracy(judged_correct, 1000, table),
        corrected_accuracy(1000 - judged_correct, 1000, mirrored),
    )
    assert (found is None) == (other is None)
    if found is not None and other is not None:
        assert other == (pytest.approx(1 - found.value), pytest.approx(1 - found.high), pytest.approx(1 - found.low))


@given(tables)
def test_on_its_own_calibration_it_gives_back_the_truth(table: Confusion) -> None:
    found = corrected_accuracy(table.judged_correct, table.total, table)
    if found is not None:
        assert found.value == pytest.approx(table.correct / table.total)


@pytest.mark.parametrize(
    "table",
    [
        Confusion(50, 50, 50, 50),
        Confusion(30, 70, 70, 30),  # worse than chance: its verdicts turned round would be better
        Confusion(6, 4, 5, 5),  # better, but so might a coin be
        Confusion(100, 0, 0, 0),
        Confusion(0, 0, 0, 100),
        Confusion(0, 0, 0, 0),
    ],
)
def test_a_judge_that_is_not_known_to_be_better_than_chance_has_no_corrected_accuracy(table: Confusion) -> None:
    assert corrected_accuracy(500, 1000, table) is None


def test_where_nothing_was_judged() -> None:
    assert corrected_accuracy(0, 0, Confusion(95, 12, 5, 88)) is None


@pytest.mark.parametrize(("correct", "judged"), [(2, 1), (-1, 5)])
def test_what_is_no_share(correct: int, judged: int) -> None:
    with pytest.raises(ValueError, match=f"{correct} of {judged} is no share"):
        corrected_accuracy(correct, judged, Confusion(95, 12, 5, 88))


def test_more_calibration_is_narrower() -> None:
    few, many = (corrected_accuracy(500, 1000, judge(0.12, 0.05, n, n)) for n in (100, 1000))
    assert few is not None
    assert many is not None
    assert many.high - many.low < few.high - few.low


RUNS = 1_000
LEAST = 930


def draw(chance: random.Random, tries: int, share: float) -> int:
    return sum(chance.random() < share for _ in range(tries))


@pytest.mark.parametrize("accuracy", [0.3, 0.5, 0.8])
@pytest.mark.parametrize(
    ("lenient", "harsh", "calibrated", "base_rate", "judged"),
    [
        (0.12, 0.05, 300, 0.5, 1_000),
        (0.12, 0.05, 300, 0.8, 1_000),  # calibrated where more is correct
        (0.12, 0.05, 100, 0.5, 200),
        (0.30, 0.20, 200, 0.7, 500),
        (0.02, 0.01, 300, 0.5, 1_000),
    ],
)
def test_the_truth_is_covered(
    lenient: float, harsh: float, calibrated: int, base_rate: float, judged: int, accuracy: float
) -> None:
    chance = random.Random(20261121)
    population = sample = lenient_covered = harsh_covered = 0
    for _ in range(RUNS):
        correct = draw(chance, calibrated, base_rate)
        missed, passed = draw(chance, correct, harsh), draw(chance, calibrated - correct, lenient)
        table = Confusion(correct - missed, passed, missed, calibrated - correct - passed)
        true = draw(chance, judged, accuracy)
        found = corrected_accuracy(draw(chance, true, 1 - harsh) + draw(chance, judged - true, lenient), judged, table)
        assert found is not None
        assert table.lenient_rate is not None
        assert table.harsh_rate is not None
        population += found.low <= accuracy <= found.high
        sample += found.low <= true / judged <= found.high
        lenient_covered += table.lenient_rate.low <= lenient <= table.lenient_rate.high
        harsh_covered += table.harsh_rate.low <= harsh <= table.harsh_rate.high
    covered = {"accuracy": population, "of the judged": sample, "lenient": lenient_covered, "harsh": harsh_covered}
    assert min(covered.values()) >= LEAST, covered
    assert population < RUNS  # or the interval says nothing


@pytest.mark.parametrize("when_settled", [0.0, 0.5, 0.95, 1.0])
@pytest.mark.parametrize("settled", [0.1, 0.5, 0.95])
def test_the_truth_is_covered_where_some_items_need_no_judge(settled: float, when_settled: float) -> None:
    chance = random.Random(20261122)
    accuracy = settled * when_settled + (1 - settled) * 0.3
    population = sample = 0
    for _ in range(RUNS):
        missed, passed = draw(chance, 150, 0.05), draw(chance, 150, 0.12)
        table = Confusion(150 - missed, passed, missed, 150 - passed)
        without = draw(chance, 500, settled)
        right, true = draw(chance, without, when_settled), draw(chance, 500 - without, 0.3)
        said = draw(chance, true, 0.95) + draw(chance, 500 - without - true, 0.12)
        found = corrected_accuracy(said, 500 - without, table)
        assert found is not None
        told = with_settled(found, 500 - without, right, without)
        population += told.low <= accuracy <= told.high
        sample += told.low <= (right + true) / 500 <= told.high
    assert min(population, sample) >= LEAST, (population, sample)
    assert population < RUNS  # or the interval says nothing


@given(
    st.tuples(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1)).map(sorted),
    st.integers(1, 500),
    st.integers(0, 500),
    st.data(),
)
def test_with_what_was_settled(ends: list[float], judged: int, settled: int, data: st.DataObject) -> None:
    right = data.draw(st.integers(0, settled))
    low, value, high = ends
    corrected = Bounded(value, low, high)
    told = with_settled(corrected, judged, right, settled)
    assert told.value == pytest.approx((right + value * judged) / (settled + judged))
    assert 0 <= told.low <= told.value + 1e-12
    assert told.value - 1e-12 <= told.high <= 1
    assert settled or told == corrected
    # Never surer of itself than of what the judge said, as if all that was settled could be no other.
    assert told.high - told.low >= min((high - low) * judged / (settled + judged), told.high, 1 - told.low) - 1e-9
    mirrored = with_settled(Bounded(1 - value, 1 - high, 1 - low), judged, settled - right, settled)
    assert mirrored == pytest.approx((1 - told.value, 1 - told.high, 1 - told.low))


def test_where_nearly_everything_is_settled_the_interval_is_that_of_the_sample() -> None:
    told = with_settled(Bounded(0.5, 0.1, 0.9), 1, 700, 999)
    assert told == pytest.approx((700.5 / 1000, *wilson(700, 999)), abs=0.002)

"""Agreement with the truth, against published values and independent formulas."""

from __future__ import annotations

from math import sqrt

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from evaluation.statistics.agreement import Confusion
from evaluation.statistics.interval import difference, wilson

COUNTS = st.integers(0, 400)
tables = st.builds(Confusion, COUNTS, COUNTS, COUNTS, COUNTS)


def swapped(table: Confusion) -> Confusion:
    """Judge and truth in each other's place."""
    return Confusion(table.both_correct, table.harsh, table.lenient, table.both_incorrect)


def test_every_pair_has_its_cell() -> None:
    pairs = [(True, True)] * 4 + [(True, False)] * 3 + [(False, True)] * 2 + [(False, False)]
    table = Confusion.of(pairs)
    assert table == Confusion(both_correct=4, lenient=3, harsh=2, both_incorrect=1)
    assert (table.total, table.correct, table.incorrect, table.judged_correct) == (10, 6, 4, 7)
    assert table.lenient_rate == (0.75, *wilson(3, 4))
    assert table.harsh_rate == (2 / 6, *wilson(2, 6))
    assert table.agreement == (0.5, *wilson(5, 10))
    assert table.base_rate == (0.6, *wilson(6, 10))
    assert table.judged_rate == (0.7, *wilson(7, 10))


@pytest.mark.parametrize(
    ("table", "kappa"),
    [
        (
            Confusion(20, 5, 10, 15),
            0.4,
        ),  # by hand: (0.7 - 0.5) / (1 - 0.5)
        (Confusion(45, 15, 25, 15), 0.1304),  # the same agreement of 0.6 …
        (Confusion(25, 35, 5, 35), 0.2593),  # … and more beyond chance
        (Confusion(22, 2, 4, 11), 0.67),  # J. Sim and C. C. Wright, Physical Therapy 85 (2005), table 1
    ],
)
def test_published_kappas(table: Confusion, kappa: float) -> None:
    assert table.kappa is not None
    assert table.kappa.value == pytest.approx(kappa, abs=5e-3 if kappa == 0.67 else 5e-5)


@given(tables)
def test_kappa_by_another_formula(table: Confusion) -> None:
    a, b, c, d = table.both_correct, table.lenient, table.harsh, table.both_incorrect
    below = (a + b) * (b + d) + (a + c) * (c + d)
    if not below:
        assert table.kappa is None
        return
    assert table.kappa is not None
    assert table.kappa.value == pytest.approx(2 * (a * d - b * c) / below, abs=1e-9)
    assert -1 <= table.kappa.low <= table.kappa.value <= table.kappa.high <= 1


@given(tables)
def test_the_width_of_kappas_interval_is_that_of_the_delta_method(table: Confusion) -> None:
    cells = [table.both_correct + 0.5, table.lenient + 0.5, table.harsh + 0.5, table.both_incorrect + 0.5]
    total = sum(cells)
    shares = [cell / total for cell in cells]

    def kappa(p: list[float]) -> float:
        a, b, c, d = (one / sum(p) for one in p)
        return 2 * (a * d - b * c) / ((a + b) * (b + d) + (a + c) * (c + d))

    def moved(cell: int, step: float) -> float:
        return kappa([share + step * (cell == one) for one, share in enumerate(shares)])

    slopes = [(moved(cell, 1e-6) - moved(cell, -1e-6)) / 2e-6 for cell in range(4)]
    mean = sum(slope * share for slope, share in zip(slopes, shares, strict=True))
    variance = sum(slope**2 * share for slope, share in zip(slopes, shares, strict=True)) - mean**2
    half = 1.959964 * sqrt(max(variance, 0.0) / total)
    found = table.kappa
    assume(found is not None)
    assert found is not None
    middle = kappa(shares)
    assert found.low == pytest.approx(max(-1.0, min(found.value, middle - half)), abs=1e-4)
    assert found.high == pytest.approx(min(1.0, max(found.value, middle + half)), abs=1e-4)


def test_few_items_without_an_error_do_not_prove_a_perfect_judge() -> None:
    table = Confusion(10, 0, 0, 10)
    assert table.kappa is not None
    assert (table.kappa.value, table.kappa.high) == (1, 1)
    assert table.kappa.low < 0.8
    assert table.lenient_rate == (0, 0, wilson(0, 10)[1])


def test_the_same_rates_have_a_lower_kappa_where_one_kind_is_rare() -> None:
    even, rare = Confusion(475, 60, 25, 440), Confusion(38, 115, 2, 845)
    assert even.lenient_rate is not None
    assert rare.lenient_rate is not None
    assert (even.lenient_rate.value, rare.lenient_rate.value) == (pytest.approx(0.12), pytest.approx(0.12, abs=1e-3))
    assert even.kappa is not None
    assert rare.kappa is not None
    assert even.kappa.value > 0.8
    assert rare.kappa.value < 0.4


@pytest.mark.parametrize(
    "table", [Confusion(0, 0, 0, 0), Confusion(5, 0, 0, 0), Confusion(0, 0, 0, 5)], ids=["empty", "right", "wrong"]
)
def test_what_cannot_be_known(table: Confusion) -> None:
    assert table.kappa is None
    assert table.youden is None
    assert (table.harsh_rate is None) == (table.correct == 0)
    assert (table.lenient_rate is None) == (table.incorrect == 0)
    assert (table.agreement is None) == (table.total == 0)


@given(tables)
def test_judge_and_truth_in_each_others_place_agree_as_much(table: Confusion) -> None:
    other = swapped(table)
    assert other.agreement == table.agreement
    assert other.judged_rate == table.base_rate
    if table.kappa is None:
        assert other.kappa is None
    else:
        assert other.kappa == pytest.approx(table.kappa, abs=1e-9)


@given(tables)
def test_youdens_index_is_what_is_let_pass_rightly_less_what_is_let_pass_wrongly(table: Confusion) -> None:
    assume(table.correct and table.incorrect)
    assert table.youden is not None
    assert table.harsh_rate is not None
    assert table.lenient_rate is not None
    assert table.youden.value == pytest.approx(1 - table.harsh_rate.value - table.lenient_rate.value)
    assert -1 - 1e-9 <= table.youden.low <= table.youden.value <= table.youden.high <= 1 + 1e-9


# R. G. Newcombe, Statistics in Medicine 17 (1998), 873-890, table II, method 10.
@pytest.mark.parametrize(
    ("counts", "low", "high"),
    [
        ((56, 70, 48, 80), 0.0524, 0.3339),
        ((9, 10, 3, 10), 0.1705, 0.8090),
        ((6, 7, 2, 7), 0.0582, 0.8062),
        ((5, 56, 0, 29), -0.0381, 0.1926),
        ((10, 10, 0, 10), 0.6075, 1.0),
    ],
)
def test_published_differences(counts: tuple[int, int, int, int], low: float, high: float) -> None:
    found = difference(*counts)
    assert found.value == pytest.approx(counts[0] / counts[1] - counts[2] / counts[3])
    assert (found.low, found.high) == (pytest.approx(low, abs=5e-5), pytest.approx(high, abs=5e-5))


def test_a_difference_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="0 of 0 is no share"):
        difference(1, 2, 0, 0)

"""Where things stand in a plot."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.reports.html.plots import (
    Axis,
    CostPlot,
    Point,
    Spread,
    amount_axis,
    difference_axis,
    duration,
    pareto,
    share_axis,
)

shares = st.floats(0, 1)
amounts = st.floats(0, 1e9)


def holds(axis: Axis, values: list[float]) -> None:
    """Every value is on the axis, in its order, and what is labelled is spread over it."""
    places = [axis.at(value) for value in sorted(values)]
    assert places == sorted(places)
    assert all(0 <= place <= 100 for place in places)
    assert axis.low <= min(values) + 1e-9
    assert axis.high >= max(values) - 1e-9
    ticks = [axis.at(tick.value) for tick in axis.ticks]
    assert 2 <= len(ticks) <= 6
    assert ticks == sorted(set(ticks))
    assert len({tick.label for tick in axis.ticks}) == len(ticks)


@given(st.lists(shares, min_size=1))
def test_an_axis_of_shares_holds_them(values: list[float]) -> None:
    holds(share_axis(values), values)


@given(st.lists(st.floats(-1, 1), min_size=1))
def test_an_axis_of_differences_holds_them_and_0_in_the_middle(values: list[float]) -> None:
    axis = difference_axis(values)
    holds(axis, values)
    assert axis.at(0) == 50


@given(st.lists(st.floats(0, 1e6).filter(lambda amount: amount == 0 or amount > 1e-6), min_size=1))
def test_an_axis_of_amounts_holds_them(values: list[float]) -> None:
    axis = amount_axis(values)
    holds(axis, [max(value, axis.low) for value in values])


@pytest.mark.parametrize(
    ("values", "labels"),
    [
        ([], ["0", "25", "50", "75", "100 %"]),
        ([0.0, 1.0], ["0", "25", "50", "75", "100 %"]),
        ([0.72, 0.85], ["70", "80", "90 %"]),
        ([0.31, 0.85], ["30", "50", "70", "90 %"]),
        ([0.5], ["40", "50", "60 %"]),
        ([1.0], ["90", "100 %"]),
    ],
)
def test_shares_are_labelled_in_percent(values: list[float], labels: list[str]) -> None:
    assert [tick.label for tick in share_axis(values).ticks] == labels


@pytest.mark.parametrize(
    ("values", "labels"),
    [
        ([0.0], ["0", "0.25", "0.5", "0.75", "1"]),
        ([0.0, 3.0], ["0", "1", "2", "3"]),
        ([0.3, 300.0], ["0.1", "1", "10", "100", "1,000"]),
        ([2.0, 39.0], ["0", "10", "20", "30", "40"]),
        ([3.0, 4e6], ["1", "100", "10 k", "1 M"]),
    ],
)
def test_amounts_are_labelled_without_needless_digits(values: list[float], labels: list[str]) -> None:
    assert [tick.label for tick in amount_axis(values).ticks] == labels


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.0000123, "12.3 µs"), (0.0446, "44.6 ms"), (0.5, "500 ms"), (1.234, "1.23 s"), (4321.0, "4,321 s")],
)
def test_durations_have_three_digits(seconds: float, words: str) -> None:
    assert duration(seconds) == words


points = st.builds(lambda number, cost, score: Point(number, cost, score, score, score), st.integers(), amounts, shares)


@given(st.lists(points))
def test_of_the_pareto_line_none_is_beaten_and_everything_else_is(found: list[Point]) -> None:
    line = pareto(found)
    for point in found:
        matched = [one for one in line if one.cost <= point.cost and one.score >= point.score]
        assert matched
        beaten = [one for one in matched if (one.cost, one.score) != (point.cost, point.score)]
        assert (point in line) <= (not beaten)


def test_no_point_no_plot() -> None:
    assert CostPlot.of([]) is None


@pytest.mark.parametrize("seconds", [[], [0.0, 0.0]])
def test_nothing_timed_no_spread(seconds: list[float]) -> None:
    assert Spread.of(seconds) is None


def test_a_spread_by_nearest_rank() -> None:
    spread = Spread.of([float(number) for number in range(100, 0, -1)])
    assert spread == Spread(100, 5, 25, 50, 75, 95, 100)
    assert Spread.of([2.0]) == Spread(1, 2, 2, 2, 2, 2, 2)

"""Percentiles are values that were there."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sqlassay.percentile import percentile


@given(st.lists(st.integers(0, 100), min_size=1, max_size=300).map(sorted), st.integers(1, 100))
def test_the_least_that_so_many_do_not_exceed(ordered: list[int], percent: int) -> None:
    found = percentile(ordered, percent)
    assert found in ordered
    assert 100 * sum(one <= found for one in ordered) >= percent * len(ordered)
    assert 100 * sum(one < found for one in ordered) < percent * len(ordered)


def test_no_rounding_moves_the_rank() -> None:
    """As a float, 0.07 * 100 is more than 7."""
    assert percentile(range(1, 101), 7) == 7
    assert percentile([1, 2], 0) == 1

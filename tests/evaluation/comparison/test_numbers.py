"""When two numbers are the same number."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.comparison.cells import Number
from evaluation.comparison.numbers import Clusters, Tolerance

NEAR = Tolerance()
numbers = st.one_of(
    st.integers(-(10**20), 10**20),
    st.floats(allow_nan=False, allow_infinity=False),
    st.decimals(allow_nan=False, allow_infinity=False, places=6),
)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (0.3, 0.1 + 0.2),
        (0.1, Decimal("0.1")),
        (3.3333332538604736, 3.3333333333333335),
        (1e-10, 0),
        (0.5 + 1e-10, Decimal("0.5")),
        (1e300, 1e300),
        (2.0, 2),
        (10**30, float(10**30) if float(10**30) == 10**30 else 10**30),
    ],
)
def test_near(left: Number, right: Number) -> None:
    assert NEAR.near(left, right)
    assert NEAR.near(right, left)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (0.001, 0.009),
        (9.9999, 10.001),
        (10.0 / 3, 3.33),
        (45.0, 0.45),
        (1_000_000, 1_000_001),
        (1_000_000.0, 1_000_001),
        (2**53 + 1, float(2**53)),
        (Decimal("0.1"), Decimal("0.1000000001")),
        (Decimal("1000000"), Decimal("1000000.5")),
        (10**400, 1.5),
    ],
)
def test_not_near(left: Number, right: Number) -> None:
    assert not NEAR.near(left, right)
    assert not NEAR.near(right, left)


@given(numbers, numbers)
def test_symmetric(left: Number, right: Number) -> None:
    assert NEAR.near(left, right) == NEAR.near(right, left)


@given(st.lists(numbers, min_size=1, max_size=12), st.lists(st.floats(-1e-7, 1e-7), max_size=12))
def test_numbers_that_are_near_are_in_one_cluster(values: list[Number], shifts: list[float]) -> None:
    cells: list[Number] = [*values]
    for value, shift in zip(values, shifts, strict=False):
        if abs(value) < 1e300:
            cells.append(float(value) * (1 + shift))
    clusters = Clusters(cells, NEAR)
    for left in cells:
        for right in cells:
            if NEAR.near(left, right):
                assert clusters.label(left) == clusters.label(right)
            elif clusters.exact:
                assert clusters.label(left) != clusters.label(right)


def test_numbers_without_floats_need_no_cluster() -> None:
    assert not Clusters([1, 2, Decimal("2.5"), 1_000_000, 1_000_001, "text", None], NEAR)


def test_numbers_within_lists_are_labelled_as_well() -> None:
    clusters = Clusters([("list", (0.1 + 0.2,)), ("list", (0.3,))], NEAR)
    assert clusters.label(("list", (0.1 + 0.2,))) == clusters.label(("list", (0.3,)))


def test_a_chain_of_near_numbers_is_said_to_be_inexact() -> None:
    chain = [1.0 + k * 0.9e-6 for k in range(1, 4)]
    clusters = Clusters(chain, NEAR)
    assert len({clusters.label(value) for value in chain}) == 1
    assert not clusters.exact

"""Rows whose floats are near each other, found without the canonical form."""

from __future__ import annotations

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from database_backends.result import ResultTable
from evaluation.comparison.mechanism import Mechanism
from evaluation.comparison.numbers import Tolerance
from evaluation.comparison.rows import near_multiset
from evaluation.comparison.tables import compare_tables
from evaluation.verdicts import Reason

Rows = list[tuple[object, ...]]
NEAR = Tolerance()
CELLS = st.sampled_from([0, 1, "a", 0.5, 0.5 + 1e-8, 0.5 + 4e-7, 0.5 + 8e-7, 2.0, 2.5])


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        ([("a", 0.5), ("b", 1.5)], [("b", 1.5 + 1e-9), ("a", 0.5 - 1e-9)], True),
        ([("a", 0.5), ("a", 1.5)], [("a", 1.5 + 1e-9), ("a", 0.5 - 1e-9)], True),
        ([(0.5,), (1.5,), (1.5,)], [(1.5,), (0.5 - 1e-9,), (1.5,)], True),
        ([("a", 0.5, 2.5)], [("a", 0.5 + 1e-9, 2.5 + 1e-9)], True),
        ([("a", 0.5), ("b", 1.5)], [("a", 1.5), ("b", 0.5)], False),
        ([("a", 0.5)], [("a", 0.6)], False),
        ([("a", 0.5), ("a", 0.5)], [("a", 0.5), ("b", 0.5)], False),
        ([("a", 0.5)], [("a", 0.5), ("a", 0.5)], False),
        ([("a", 1e7)], [("a", 1e7 + 1)], False),
        ([("a", 1)], [("a", 1)], False),  # nothing to be near
        ([(0.5, "a")], [("a", 0.5)], False),
        ([], [], False),
    ],
)
def test_yes_or_no(left: Rows, right: Rows, expected: bool) -> None:
    assert near_multiset(left, right, NEAR) is expected


@given(st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=4), st.data())
def test_a_yes_is_never_wrong(left: Rows, data: st.DataObject) -> None:
    right = data.draw(st.lists(st.tuples(CELLS, CELLS), min_size=len(left), max_size=len(left)))
    try:
        found = near_multiset(left, right, NEAR)
    except TypeError:  # numbers beside text in one column
        return
    if found:
        assert any(all(map(_alike, left, other)) for other in permutations(right))


def _alike(row: tuple[object, ...], other: tuple[object, ...]) -> bool:
    pairs = zip(row, other, strict=True)
    return all(a == b or (not isinstance(a, str) and not isinstance(b, str) and NEAR.near(a, b)) for a, b in pairs)  # type: ignore[arg-type]


def test_noise_beside_nulls_is_found_in_the_canonical_form() -> None:
    gold: Rows = [("a", None), ("a", 0.5), ("b", 1.5)]
    noisy: Rows = [("b", 1.5 + 1e-9), ("a", 0.5), ("a", None)]
    found = compare_tables(_table(gold), _table(noisy), NEAR)
    assert (found.reason, found.mechanism) == (Reason.MATCH, Mechanism.NUMBER)


def _table(rows: Rows) -> ResultTable:
    return ResultTable(("x", "y"), ("", ""), rows)

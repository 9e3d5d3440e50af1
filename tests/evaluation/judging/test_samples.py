"""Results as judges are shown them."""

from __future__ import annotations

import json
import random

from hypothesis import given
from hypothesis import strategies as st

from database_backends.errors import FailureKind
from database_backends.result import ExecutionFailure, ResultTable
from evaluation.judging.samples import LONGEST_ROW, sample


def table(*rows: tuple[object, ...], truncated: bool = False) -> ResultTable:
    return ResultTable(("a", "b"), ("", ""), list(rows), truncated)


def test_a_small_result_is_shown_whole() -> None:
    assert sample(table((1, "x"), (None, 2.5)), 20, ordered=True).split("\n") == [
        'columns: ["a", "b"]',
        '[1, "x"]',
        "[null, 2.5]",
        "(2 rows)",
    ]


def test_a_large_one_says_what_is_left_out() -> None:
    rows = [(number, "") for number in range(1_500)]
    assert sample(table(*rows), 3, ordered=True).split("\n")[1:] == [
        '[0, ""]',
        '[1, ""]',
        '[2, ""]',
        "(1,500 rows, of which 3 are shown)",
    ]
    assert sample(table(*rows, truncated=True), 3, ordered=True).endswith(
        "(more than 1,500 rows, of which 3 are shown)"
    )


@given(st.lists(st.tuples(st.integers(), st.text()), max_size=30), st.integers(1, 30), st.randoms())
def test_without_an_order_the_same_rows_are_shown_however_they_come(
    rows: list[tuple[object, ...]], height: int, chance: random.Random
) -> None:
    other = rows.copy()
    chance.shuffle(other)
    assert sample(table(*rows), height, ordered=False) == sample(table(*other), height, ordered=False)


@given(st.lists(st.tuples(st.text(), st.text()), max_size=5))
def test_no_cell_can_be_taken_for_another_or_for_a_row(rows: list[tuple[object, ...]]) -> None:
    lines = sample(table(*rows), 20, ordered=True).split("\n")
    assert len(lines) == len(rows) + 2
    assert [len(json.loads(line)) for line in lines[1:-1]] == [2] * len(rows)


def test_a_wide_row_is_cut() -> None:
    (line,) = sample(ResultTable(("a",), ("",), [("x" * 150,) * 50]), 1, ordered=True).split("\n")[1:-1]
    assert len(line) == LONGEST_ROW + 1


def test_a_failure_says_why() -> None:
    failure = ExecutionFailure(FailureKind.UNKNOWN_COLUMN, "no such column: nope")
    assert sample(failure, 5, ordered=True) == "it failed: unknown column: no such column: nope"

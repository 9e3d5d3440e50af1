"""Defog's two verdicts on written-down results. Each pair was also given to its script, under pandas 2.3.3."""

from __future__ import annotations

from decimal import Decimal

import pytest

from database_backends.result import ResultTable
from evaluation.conventions.base import Statements
from evaluation.conventions.defog import Defog
from evaluation.conventions.defog_exact import DefogExact
from evaluation.verdicts import Reason
from tests.evaluation.conventions.results import statements, table

PLAIN = statements(question="List them.")
SORTED = statements("SELECT a FROM t ORDER BY a ASC", "SELECT a FROM t ORDER BY a DESC", "Sort them by a.")
UNSORTED = statements(question="Sort them by a.")
HALF_SORTED = statements("SELECT a FROM t ORDER BY a ASC", "SELECT a FROM t", "In order of a.")
NAN = float("nan")


@pytest.mark.parametrize(
    ("gold", "predicted", "behind", "exact", "subset"),
    [
        (table((1,), (2,)), table((2,), (1,)), PLAIN, True, True),
        (table((1,), (2,)), table((2,), (1,), (1,)), PLAIN, True, True),
        (table((1,)), table((2,)), PLAIN, False, False),
        (table((1,), (2,)), table((1,)), PLAIN, False, False),
        # numpy broadcasts: one row equals any number like it, and none
        (table((3,)), table((3,), (3,), (3,)), PLAIN, True, True),
        (table((3,)), table((3, 3, 3)), PLAIN, True, True),
        (table((3, 3), (3, 3)), table((3,)), PLAIN, True, True),
        (table(names="a"), table((1,)), PLAIN, True, True),
        (table((1,)), table(names="a"), PLAIN, True, True),
        (table((1,)), table(names="abc"), PLAIN, True, True),
        (table(names="ab"), table(names="ab"), PLAIN, True, True),
        (table(names="ab"), table(names="abc"), PLAIN, False, False),
        (table((1,), (2,)), table(names="a"), PLAIN, False, False),
        # columns by name for the exact verdict, by content for the other
        (table((1, "x")), table(("x", 1), names="ba"), PLAIN, True, True),
        (table((1, "x"), (2, "y")), table(("x", 1), ("y", 2)), PLAIN, False, True),
        (table((1, "x"), (2, "y")), table(("x", 1), ("y", 2), names="zy"), PLAIN, True, True),
        (table((3, 1), (0, 2)), table((1, 3), (2, 0)), PLAIN, False, True),
        (table((1,), (2,)), table((1, "x"), (2, "y")), PLAIN, False, True),
        (table((1, "x"), (2, "y")), table((1,), (2,)), PLAIN, False, False),
        (table(("a", 1), ("b", 2)), table(("a", 2), ("b", 1)), PLAIN, False, False),
        (table((1, 1), (2, 2)), table((1, 5), (2, 6)), PLAIN, False, False),
        # numbers: floats are close only for the subset
        (table((1,)), table((1.0,)), PLAIN, True, True),
        (table((0.3,)), table((0.1 + 0.2,)), PLAIN, False, True),
        (table((100.0,)), table((100.0009,)), PLAIN, False, True),
        (table((100,)), table((100.0009,)), PLAIN, False, False),
        (table((100,)), table((101,)), PLAIN, False, False),
        (table((Decimal("6.90"),)), table((6.9,)), PLAIN, True, True),
        (table((1,)), table(("1",)), PLAIN, False, False),
        (table((True,)), table((1,)), PLAIN, True, True),
        # whole numbers beside NULL are floats
        (table((2**53 + 1,), (None,)), table((2.0**53,), (None,)), PLAIN, True, True),
        (table((2**53 + 1,), (7,)), table((2**53,), (7,)), PLAIN, False, False),
        # NULL is -99999, and never 0 or ''
        (table((None,), (1,)), table((1,), (None,)), PLAIN, True, True),
        (table((None,)), table((None,)), PLAIN, True, True),
        (table((NAN,)), table((None,)), PLAIN, True, True),
        (table((None,), (1,)), table((-99999,), (1,)), PLAIN, False, False),
        (table((None,)), table((-99999,)), PLAIN, True, True),
        (table((None,)), table((0,)), PLAIN, False, False),
        (table((None,)), table(("",)), PLAIN, False, False),
        # asked for an order: each side is sorted by its own ORDER BY
        (table((1,), (2,)), table((2,), (1,)), SORTED, False, False),
        (table((2,), (1,)), table((1,), (2,)), SORTED, False, False),
        (table((1,), (2,)), table((1,), (2,)), SORTED, True, True),
        (table((1,), (2,)), table((2,), (1,)), UNSORTED, False, False),
        (table((2,), (1,)), table((1,), (2,)), HALF_SORTED, True, True),
        (table((2,), (1,)), table((2,), (1,)), HALF_SORTED, True, True),
        (table((2, 0), (1, 0)), table((1,), (2,)), HALF_SORTED, False, False),
        # the script ends in an error: names that repeat, types that do not mix
        (table((1, 2), (3, 4), names="ba"), table((3, 4), (1, 2), names="aa"), PLAIN, False, False),
        (table((1, 2), names="aa"), table((1, 2), names="aa"), PLAIN, True, True),
        (table((None, 2), names="aa"), table((None, 2), names="aa"), PLAIN, True, True),
        (table((None, 2), (1, 2), names="aa"), table((None, 2), (1, 2), names="aa"), PLAIN, False, False),
        (table((1,), ("x",)), table(("x",), (1,)), PLAIN, False, False),
        (table((1, 1), ("x", 1)), table(("x", 1), (1, 1)), PLAIN, True, True),
        (table(([2], 1), ([1], 1)), table(([1], 1), ([2], 1)), PLAIN, False, False),
        (table(([2], 1)), table(([2], 1)), PLAIN, True, True),
    ],
)
def test_verdicts(gold: ResultTable, predicted: ResultTable, behind: Statements, exact: bool, subset: bool) -> None:
    assert (DefogExact().compare(gold, predicted, behind).score == 1) is exact
    assert (Defog().compare(gold, predicted, behind).score == 1) is subset


@pytest.mark.parametrize(
    ("question", "tags", "asks"),
    [
        ("Sort by name.", "", True),
        ("In ORDER of age", "", True),
        ("arrange them", "", True),
        ("all orders, sorted", "", False),
        ("list them", "", False),
        ("list them", "order_by", True),
    ],
)
def test_the_question_asks_for_an_order(question: str, tags: str, asks: bool) -> None:
    verdict = DefogExact().compare(table((1,), (2,)), table((2,), (1,)), statements(question=question, tags=tags))
    assert (verdict.score == 0) is asks


@pytest.mark.parametrize(
    ("clause", "score"),
    [
        ("ORDER BY a ASC", 1),
        ("order by t.a asc, b DESC", 1),
        ("ORDER BY lower(a) ASC", 0),  # cut at the parenthesis, where no ASC has been read
        ("ORDER BY a", 0),  # descending, as the script has it
        ("ORDER BY a ASC DESC", 0),
        ("ORDER\nBY a ASC", 0),
        ("", 0),
    ],
)
def test_the_direction_is_read_from_the_first_key(clause: str, score: float) -> None:
    behind = statements("SELECT a FROM t ORDER BY a ASC", f"SELECT a FROM t {clause}", "sort by a")
    assert Defog().compare(table((1,), (2,), (3,)), table((3,), (1,), (2,)), behind).score == score


def test_floats_can_be_rounded() -> None:
    gold, predicted = table((1.239, 5)), table((1.24, 5))
    assert DefogExact().compare(gold, predicted, PLAIN).reason is Reason.WRONG_ROWS
    rounding = DefogExact(decimal_points=2)
    assert rounding.compare(gold, predicted, PLAIN).reason is Reason.MATCH
    assert rounding.settings == {"decimal_points": 2}


def test_an_error_of_the_script_is_told() -> None:
    verdict = Defog().compare(table((1, 2), (3, 4), names="aa"), table((3, 4), (1, 2), names="aa"), PLAIN)
    assert verdict.reason is Reason.WRONG_ROWS
    assert verdict.evidence == {"error": "FrameError: 2 columns are called 'a'"}

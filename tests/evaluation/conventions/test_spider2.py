"""Spider 2.0's score on written-down results. Each pair was also given to its script, under pandas 2.3.3."""

from __future__ import annotations

from pathlib import Path

import pytest

from database_backends.result import ResultTable
from evaluation.conventions.spider2 import Spider2
from evaluation.datasets.base import GoldResult
from evaluation.verdicts import Reason
from tests.evaluation.conventions.results import statements, table

FREE = "SELECT a FROM t"
ORDERED = "SELECT a FROM t order by a"
NAN = float("nan")


@pytest.mark.parametrize(
    ("gold", "predicted", "sql", "reason"),
    [
        (table((1,), (2,)), table((2,), (1,)), FREE, Reason.MATCH),
        (table((1,), (2,)), table((2,), (1,)), ORDERED, Reason.WRONG_ORDER),
        (table((1,)), table((1,), (1,)), FREE, Reason.EXTRA_ROWS),
        (table((1,)), table(), FREE, Reason.EMPTY),
        (table(names="a"), table(names="ab"), FREE, Reason.MATCH_VACUOUS),
        # columns are looked for one by one: rows may be scrambled, one column may serve twice, more are free
        (table(("a", 1), ("b", 2)), table(("a", 2), ("b", 1)), FREE, Reason.MATCH),
        (table(("a", 1), ("b", 2)), table(("a", 2), ("b", 1)), ORDERED, Reason.WRONG_ROWS),
        (table((1, 4), (2, 3)), table((1, 3), (2, 4)), FREE, Reason.MATCH),
        (table((1, 2)), table((2, 1, 5)), FREE, Reason.MATCH),
        (table((1, 1)), table((1, 7)), FREE, Reason.MATCH),
        (table((1, 1)), table((1,)), FREE, Reason.MATCH),
        (table((1, 2)), table((1,)), FREE, Reason.MISSING_COLUMNS),
        # numbers within 0.01, but sorted as text
        (table((0.001,)), table((0.009,)), FREE, Reason.MATCH),
        (table((1.0,)), table((1.02,)), FREE, Reason.WRONG_ROWS),
        (table((9.9999,), (5.0,)), table((10.001,), (5.0,)), FREE, Reason.WRONG_ROWS),
        (table((9.9999,), (5.0,)), table((10.001,), (5.0,)), ORDERED, Reason.MATCH),
        # CSV keeps no types, and a missing value is 0
        (table(("007",)), table((7,)), FREE, Reason.MATCH),
        (table(("1e2",)), table((100,)), FREE, Reason.MATCH),
        (table(("007",), ("x",)), table((7,), ("x",)), FREE, Reason.WRONG_ROWS),
        (table((None,)), table((0,)), FREE, Reason.MATCH),
        (table((None,)), table(("",)), FREE, Reason.MATCH),
        (table((None,)), table(("None",)), FREE, Reason.MATCH),
        (table((NAN,)), table(("NA",)), FREE, Reason.MATCH),
        (table(("true",)), table((1,)), FREE, Reason.MATCH),
        (table(("a",)), table(("A",)), FREE, Reason.WRONG_ROWS),
        (table((b"x",)), table(("b'x'",)), FREE, Reason.MATCH),
        (table(([1],)), table(("[1]",)), FREE, Reason.MATCH),
        # the script cannot read a result without columns back
        (ResultTable((), (), [()]), ResultTable((), (), [()]), FREE, Reason.WRONG_ROWS),
    ],
)
def test_verdicts(gold: ResultTable, predicted: ResultTable, sql: str, reason: Reason) -> None:
    verdict = Spider2().compare(gold, predicted, statements(sql))
    assert verdict.reason is reason
    assert verdict.score == (reason in (Reason.MATCH, Reason.MATCH_VACUOUS))


def test_order_is_the_settings_then_the_questions_then_the_texts() -> None:
    gold, predicted = table((1,), (2,)), table((2,), (1,))
    behind = statements(ORDERED)
    marked = type(behind)("", "", "sqlite", result=GoldResult(Path("gold.csv"), ignore_order=True))
    assert Spider2().compare(gold, predicted, behind).score == 0
    assert Spider2().compare(gold, predicted, marked).score == 1
    assert Spider2(ignore_order=True).compare(gold, predicted, behind).score == 1
    assert Spider2(ignore_order=False).compare(gold, predicted, marked).score == 0
    assert Spider2(ignore_order=False).settings == {"ignore_order": False, "tolerance": 0.01}


def test_tolerance_is_a_setting() -> None:
    assert Spider2(tolerance=0.05).compare(table((1.0,)), table((1.02,)), statements()).score == 1

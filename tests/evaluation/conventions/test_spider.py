"""Spider's execution accuracy on written-down results: what its script does, right or wrong."""

from __future__ import annotations

import time
from decimal import Decimal

import pytest

from database_backends.result import ResultTable
from evaluation.conventions.spider import Spider
from evaluation.conventions.spider_keep_distinct import SpiderKeepDistinct
from evaluation.verdicts import Reason
from tests.evaluation.conventions.results import statements, table

UNORDERED = "SELECT a FROM t"
ORDERED = "SELECT a FROM t Order By a"
NAN = float("nan")


@pytest.mark.parametrize(
    ("gold", "predicted", "sql", "reason"),
    [
        # rows are a multiset
        (table((1,), (2,)), table((2,), (1,)), UNORDERED, Reason.MATCH),
        (table((1,)), table((1,), (1,)), UNORDERED, Reason.EXTRA_ROWS),
        (table((1,), (1,), (2,)), table((1,), (2,), (2,)), UNORDERED, Reason.WRONG_ROWS),
        (table((1,), (2,)), table((1,)), UNORDERED, Reason.MISSING_ROWS),
        (table((1,)), table(), UNORDERED, Reason.EMPTY),
        (table(names="a"), table(names="ab"), UNORDERED, Reason.MATCH_VACUOUS),
        # order is looked for in the text, wherever it is
        (table((1,), (2,)), table((2,), (1,)), ORDERED, Reason.WRONG_ORDER),
        (table((1,), (2,)), table((2,), (1,)), "SELECT a FROM t WHERE b <> 'order by'", Reason.WRONG_ORDER),
        (table((1,), (2,)), table((2,), (1,)), "SELECT a FROM t ORDER  BY a", Reason.MATCH),
        # cells that cannot even be compared
        (table((1,), names="a"), table((Decimal("sNaN"), 1)), ORDERED, Reason.EXTRA_COLUMNS),
        (table((1,)), table((Decimal("sNaN"),)), ORDERED, Reason.WRONG_ROWS),
        # columns are free, names do not count, a row stays together
        (table((1, "x"), (2, "y")), table(("y", 2), ("x", 1), names="cd"), UNORDERED, Reason.MATCH),
        (table((1, "x"), (2, "y")), table(("x", 1), ("y", 2)), ORDERED, Reason.MATCH),
        (table((3, 1), (0, 2)), table((1, 3), (2, 0)), UNORDERED, Reason.MATCH),
        (table(("a", 1), ("b", 2)), table(("a", 2), ("b", 1)), UNORDERED, Reason.WRONG_ROWS),
        (table((1, 4), (2, 3)), table((1, 3), (2, 4)), UNORDERED, Reason.WRONG_ROWS),
        (table((1, 2)), table((1,)), UNORDERED, Reason.MISSING_COLUMNS),
        (table((1,)), table((1, 1)), UNORDERED, Reason.EXTRA_COLUMNS),
        # cells are Python's
        (table((1,)), table((1.0,)), UNORDERED, Reason.MATCH),
        (table((1,)), table(("1",)), UNORDERED, Reason.WRONG_ROWS),
        (table((None,)), table((0,)), UNORDERED, Reason.WRONG_ROWS),
        (table((None,)), table((None,)), UNORDERED, Reason.MATCH),
        (table((0.3,)), table((0.1 + 0.2,)), UNORDERED, Reason.WRONG_ROWS),
        (table((Decimal("6.90"),)), table((6.9,)), UNORDERED, Reason.WRONG_ROWS),
        (table((NAN,)), table((NAN,)), UNORDERED, Reason.TYPE),
        # equal cells that print differently change places in the sorted row, and the row is rejected
        (table((1, 10)), table((1.0, 10)), UNORDERED, Reason.TYPE),
        (table((1, 10)), table((1.0, 10)), ORDERED, Reason.TYPE),
        (table((1, 9)), table((1.0, 9)), UNORDERED, Reason.MATCH),
        # bytes that are not UTF-8 are left out of text
        (table(("caf\udce9",)), table(("caf",)), UNORDERED, Reason.MATCH),
        (table(("café",)), table(("caf",)), UNORDERED, Reason.WRONG_ROWS),
        # the script ends in an error
        (table(([1],)), table(([1],)), UNORDERED, Reason.WRONG_ROWS),
        (table(([1],)), table(([1],)), ORDERED, Reason.WRONG_ROWS),
    ],
)
@pytest.mark.parametrize("convention", [Spider(), SpiderKeepDistinct()], ids=lambda convention: convention.name)
def test_verdicts(convention: Spider, gold: ResultTable, predicted: ResultTable, sql: str, reason: Reason) -> None:
    verdict = convention.compare(gold, predicted, statements(sql))
    assert verdict.reason is reason
    assert verdict.score == (reason in (Reason.MATCH, Reason.MATCH_VACUOUS))


@pytest.mark.parametrize("sql", [UNORDERED, ORDERED])
def test_many_columns_that_look_alike_take_no_time(sql: str) -> None:
    one_hot = [tuple(int(row == column) for column in range(26)) for row in range(26)]
    backwards = [row[::-1] for row in one_hot]
    ring = [tuple(int(column in (row, (row + 1) % 26)) for column in range(26)) for row in range(26)]
    two_rings = [
        tuple(int(column in (row, (row + 1) % 13 + row // 13 * 13)) for column in range(26)) for row in range(26)
    ]
    start = time.process_time()
    assert Spider().compare(table(*one_hot), table(*backwards), statements(sql)).score == 1
    assert Spider().compare(table(*ring), table(*two_rings), statements(sql)).score == 0
    assert time.process_time() - start < 5


def test_evidence_shows_rows() -> None:
    verdict = Spider().compare(table((1,), (2,), (2,)), table((1,), (1,), (3,)), statements())
    assert verdict.evidence == {
        "gold_rows": 3,
        "predicted_rows": 3,
        "missing": [[2], [2]],
        "extra": [[1], [3]],
        "missing_rows": 2,
        "extra_rows": 2,
    }


def test_only_the_default_removes_distinct() -> None:
    sql = "SELECT DISTINCT value FROM t WHERE a > = 1"
    assert Spider().rewrite(sql, "gold", "sqlite") == "SELECT  value FROM t WHERE a >= 1"
    assert Spider().rewrite(sql, "predicted", "sqlite") == "SELECT  1 FROM t WHERE a >= 1"
    assert SpiderKeepDistinct().rewrite(sql, "gold", "sqlite") == "SELECT DISTINCT value FROM t WHERE a >= 1"
    assert SpiderKeepDistinct().rewrite(sql, "predicted", "sqlite") == "SELECT DISTINCT 1 FROM t WHERE a >= 1"

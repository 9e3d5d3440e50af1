"""BIRD's EX on written-down results."""

from __future__ import annotations

from decimal import Decimal

import pytest

from database_backends.result import ResultTable, Row
from evaluation.conventions.base import Statements
from evaluation.conventions.bird import Bird
from evaluation.verdicts import Reason

STATEMENTS = Statements("SELECT 1", "SELECT 1", "sqlite")


def table(*rows: Row, width: int = 1) -> ResultTable:
    width = len(rows[0]) if rows else width
    return ResultTable(tuple("abc"[:width]), ("",) * width, list(rows))


@pytest.mark.parametrize(
    ("gold", "predicted", "reason"),
    [
        (table((1,), (2,)), table((2,), (1,)), Reason.MATCH),
        (table((1,)), table((1,), (1,)), Reason.MATCH),
        (table((1,)), table((1.0,)), Reason.MATCH),
        (table((None,)), table((None,)), Reason.MATCH),
        (table(), table(width=2), Reason.MATCH_VACUOUS),
        (table((1, 2)), table((2, 1)), Reason.WRONG_ROWS),
        (table((0.3,)), table((0.1 + 0.2,)), Reason.WRONG_ROWS),
        (table((Decimal("6.90"),)), table((6.9,)), Reason.WRONG_ROWS),
        (table((1,)), table((1, 1)), Reason.EXTRA_COLUMNS),
        (table((1, 1)), table((1,)), Reason.MISSING_COLUMNS),
        (table((1,), (2,)), table((1,)), Reason.MISSING_ROWS),
        (table((1,)), table((1,), (2,)), Reason.EXTRA_ROWS),
        (table((1,)), table(), Reason.EMPTY),
        (table(([1],)), table(([1],)), Reason.WRONG_ROWS),
    ],
)
def test_verdicts(gold: ResultTable, predicted: ResultTable, reason: Reason) -> None:
    verdict = Bird().compare(gold, predicted, STATEMENTS)
    assert verdict.reason is reason
    assert verdict.score == (1.0 if reason in (Reason.MATCH, Reason.MATCH_VACUOUS) else 0.0)


def test_evidence_shows_the_first_rows_in_the_order_of_the_results() -> None:
    verdict = Bird().compare(table(*((k,) for k in range(9, 0, -1))), table((9,), (0,)), STATEMENTS)
    assert verdict.evidence == {
        "missing": [[8], [7], [6], [5], [4]],
        "extra": [[0]],
        "missing_rows": 8,
        "extra_rows": 1,
    }

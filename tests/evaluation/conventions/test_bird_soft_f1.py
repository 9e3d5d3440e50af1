"""BIRD's Soft-F1 on written-down results."""

from __future__ import annotations

import pytest

from database_backends.result import ResultTable
from evaluation.conventions.bird_soft_f1 import BirdSoftF1
from evaluation.verdicts import Reason, Status
from tests.evaluation.conventions.results import statements, table

NAN = float("nan")


@pytest.mark.parametrize(
    ("gold", "predicted", "score", "reason"),
    [
        (table((1, 2)), table((1, 2)), 1, Reason.MATCH),
        (table(names="a"), table(names="ab"), 1, Reason.MATCH_VACUOUS),
        (table((1,)), table(), 0, Reason.EMPTY),
        (table(), table((1,)), 0, Reason.EXTRA_ROWS),
        # a cell counts wherever it is in the row, and however often
        (table((1, 2)), table((2, 1)), 1, Reason.MATCH),
        (table((1, 2)), table((1, 2, 1)), 1, Reason.MATCH),
        (table((1, 2)), table((1, 1)), 0.8, Reason.WRONG_ROWS),
        (table((1, 2)), table((1,)), 2 / 3, Reason.MISSING_COLUMNS),
        (table((1, 2)), table((1, 2, 3)), 0.8, Reason.EXTRA_COLUMNS),
        # rows have their place; repeated ones are dropped first
        (table((1,), (2,)), table((2,), (1,)), 0, Reason.WRONG_ORDER),
        (table((1,), (2,)), table((1,), (1,), (2,)), 1, Reason.MATCH),
        (table((1,), (2,)), table((1,)), 2 / 3, Reason.MISSING_ROWS),
        (table((1,)), table((1,), (2,), (3,)), 0.5, Reason.EXTRA_ROWS),
        # the example of mini_dev's README, which says 0.8: its code counts the missing cell
        (
            table(("Apple", 325), ("Orange", None), ("Banana", 119)),
            table((325, "Apple"), (191, "Orange"), (None, "Banana")),
            2 / 3,
            Reason.WRONG_ROWS,
        ),
        (table((1,)), table((1.0,)), 1, Reason.MATCH),
        (table((1,)), table(("1",)), 0, Reason.WRONG_ROWS),
        (table((None,)), table((None,)), 1, Reason.MATCH),
        (table((NAN,)), table((NAN,)), 0, Reason.WRONG_ORDER),
        # the script ends in an error
        (table(([1],)), table(([1],)), 0, Reason.WRONG_ROWS),
        (ResultTable((), (), [()]), ResultTable((), (), [()]), 0, Reason.WRONG_ROWS),
    ],
)
def test_scores(gold: ResultTable, predicted: ResultTable, score: float, reason: Reason) -> None:
    verdict = BirdSoftF1().compare(gold, predicted, statements())
    assert verdict.score == pytest.approx(score)
    assert verdict.reason is reason
    assert (verdict.status is Status.CORRECT) == (verdict.score == 1)

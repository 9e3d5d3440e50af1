"""Why tables differ is only said of rows that do."""

from __future__ import annotations

from collections import Counter

import pytest

from evaluation.comparison.causes import cause, rounded
from evaluation.comparison.rows import Row
from evaluation.verdicts import Reason


@pytest.mark.parametrize(
    ("missing", "extra"),
    [([], []), ([(1,)], []), ([], [(1,)]), ([("a", 0.5)], [("a", 0.5)]), ([(1,), (2,)], [(2,), (1,)])],
)
def test_nothing_that_differs_has_no_cause(missing: list[Row], extra: list[Row]) -> None:
    assert cause(missing, extra) is Reason.WRONG_ROWS


def test_nothing_that_differs_is_not_rounded() -> None:
    assert not rounded(Counter(), Counter())
    assert rounded(Counter([(10 / 3,)]), Counter([(3.33,)]))

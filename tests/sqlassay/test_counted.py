"""Numbers and names in messages."""

from __future__ import annotations

import pytest

from sqlassay.counted import counted, some


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (counted(0, "row"), "0 rows"),
        (counted(1, "row"), "1 row"),
        (counted(1034, "row"), "1,034 rows"),
        (counted(2, "query", "queries"), "2 queries"),
        (some([], 2), ""),
        (some(["a", "b"], 2), "a, b"),
        (some(["a", "b", "c"], 2), "a, b and 1 more"),
        (some(["a", "b", *map(str, range(1031))], 2, "; "), "a; b and 1,031 more"),
    ],
)
def test_in_words(told: str, expected: str) -> None:
    assert told == expected

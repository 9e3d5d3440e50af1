"""A run by slices, and what statements are made of."""

from __future__ import annotations

import pytest

from evaluation.records import ExecutionRecord, ItemRecord, VerdictRecord
from evaluation.reports.slices import Slices
from evaluation.sql_features import COUNTED, features
from evaluation.verdicts import Reason
from sqlassay.errors import UnknownName


def item(number: int, reason: Reason, gold: str | None = "SELECT 1", **fields: object) -> ItemRecord:
    verdict = VerdictRecord("execution_match", reason.status, float(reason is Reason.MATCH), reason)
    golds = () if gold is None else (ExecutionRecord(gold, 1),)
    return ItemRecord(str(number), number, "shop", "?", golds=golds, verdicts=(verdict,), **fields)  # type: ignore[arg-type]


RECORDS = [
    item(0, Reason.MATCH, difficulty="hard", tags=("join", "date")),
    item(1, Reason.WRONG_ROWS, "SELECT a FROM t JOIN u USING (a) GROUP BY a", difficulty="easy", tags=("join",)),
    item(2, Reason.MATCH, None),
    item(3, Reason.GOLD_FAILED, "this is ( no SQL", difficulty="easy"),
]


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("difficulty", {"easy": (2, 0), "hard": (1, 1), "not graded": (1, 1)}),
        ("db_id", {"shop": (4, 2)}),
        ("tag", {"date": (1, 1), "join": (2, 1), "no tag": (2, 1)}),
        ("feature", {"gold not read": (2, 1), "grouping": (1, 0), "joins: 0": (1, 1), "joins: 1": (1, 0)}),
    ],
)
def test_slices(key: str, expected: dict[str, tuple[int, int]]) -> None:
    sliced = Slices(key, "sqlite")
    for record in RECORDS:
        sliced.add(record)
    found = {s.title: (s.items, s.strategies["execution_match"].correct) for s in sliced.summaries}
    assert found == expected
    assert list(found) == list(expected)


def test_an_unknown_key_suggests_the_nearest() -> None:
    with pytest.raises(UnknownName, match=r"--by: unknown slice 'diffculty' \(did you mean 'difficulty'\?\)"):
        Slices("diffculty", "sqlite")


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT 1", {}),
        ("SELECT a FROM t JOIN u ON t.x = u.x LEFT JOIN v ON v.y = u.y", {"joins": 2}),
        ("SELECT a FROM t, u", {"joins": 1}),
        ("SELECT a FROM t WHERE b IN (SELECT c FROM u)", {"conditions": 1, "subqueries": 1}),
        ("SELECT a FROM t WHERE EXISTS (SELECT 1 FROM u)", {"conditions": 1, "subqueries": 1}),
        ("SELECT a FROM (SELECT a FROM t) s", {"subqueries": 1}),
        ("SELECT a FROM t UNION SELECT b FROM u EXCEPT SELECT c FROM v", {"set operations": 2}),
        ("WITH x AS (SELECT 1) SELECT * FROM x", {"CTEs": 1}),
        (
            "SELECT COUNT(*), SUM(b) FROM t GROUP BY a HAVING COUNT(*) > 1",
            {"aggregates": 3, "grouping": 1, "having": 1},
        ),
        ("SELECT RANK() OVER (ORDER BY a) FROM t", {"windows": 1, "ordering": 1, "aggregates": 1}),
        ("SELECT DISTINCT a FROM t ORDER BY a LIMIT 3", {"distinct": 1, "ordering": 1, "limit": 1}),
        ("SELECT CASE WHEN a THEN 1 ELSE 2 END FROM t", {"cases": 1}),
    ],
)
def test_features(sql: str, expected: dict[str, int]) -> None:
    counts = features(sql, "sqlite")
    assert counts is not None
    assert {name: count for name, count in counts.items() if count} == expected
    assert set(counts) == set(COUNTED)


def test_what_cannot_be_read_has_no_features() -> None:
    assert features("SELECT (", "sqlite") is None

"""What holds of every registered convention, whatever the cells are."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from database_backends.result import ResultTable
from evaluation.conventions.base import CONVENTIONS, Convention
from evaluation.verdicts import Reason, Status
from tests.evaluation.conventions.results import statements

NAMES = sorted(CONVENTIONS.names())
CELLS: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 2),
    st.sampled_from([2**53, 2**53 + 1, 2**63, 2**64, -(2**63), 10**30]),
    st.floats(),
    st.sampled_from([0.0, -0.0, 1.0, 0.1 + 0.2, 0.3]),
    st.sampled_from(
        ["", "a", "A", "1", "007", "1.0", "NA", "true", "inf", "é", "caf\udce9", "\x00", "a\nb", "2020-01-01"]
    ),
    st.binary(max_size=2),
    st.sampled_from([Decimal("1.0"), Decimal("0.1"), Decimal("NaN"), Decimal("sNaN"), Decimal("Infinity")]),
    st.sampled_from(
        [
            dt.date(2020, 1, 1),
            dt.datetime(2020, 1, 1),
            dt.datetime(2020, 1, 1, tzinfo=dt.UTC),
            dt.timedelta(1),
            dt.time(),
        ]
    ),
    st.sampled_from([[1], [], {"a": [1]}, (1, 2), {1, 2}]),
)
TEXTS = st.sampled_from(
    ["SELECT", "SELECT a FROM t ORDER BY a", "SELECT DISTINCT value FROM t order by b DESC LIMIT 1", "", "no SQL ("]
)
QUESTIONS = st.sampled_from(["", "Sort by a.", "List them."])


@st.composite
def results(draw: st.DrawFn) -> ResultTable:
    width = draw(st.integers(0, 4))
    names = draw(st.lists(st.sampled_from(["a", "b", "A", "a_0", ""]), min_size=width, max_size=width))
    pool = draw(st.lists(CELLS, min_size=1, max_size=4))
    rows = draw(st.lists(st.tuples(*[st.sampled_from(pool)] * width), max_size=5))
    return ResultTable(tuple(names), ("",) * width, rows)


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=150)
@given(results(), results(), TEXTS, TEXTS, QUESTIONS)
def test_there_is_always_a_verdict(
    name: str, gold: ResultTable, predicted: ResultTable, gold_sql: str, sql: str, question: str
) -> None:
    convention: Convention = CONVENTIONS.make(name, {})
    behind = statements(gold_sql, sql, question)
    verdict = convention.compare(gold, predicted, behind)
    assert verdict.status is not Status.UNSCORED
    assert 0 <= verdict.score <= 1
    assert (verdict.status is Status.CORRECT) == (verdict.score == 1)
    json.dumps(dict(verdict.evidence), allow_nan=False)
    assert convention.compare(gold, predicted, behind) == verdict


@pytest.mark.parametrize("name", ["bird", "defog_exact", "spider", "spider_keep_distinct"])
@settings(max_examples=200)
@given(results(), results(), TEXTS, QUESTIONS)
def test_sides_can_change_places(name: str, gold: ResultTable, predicted: ResultTable, sql: str, question: str) -> None:
    convention: Convention = CONVENTIONS.make(name, {})
    behind = statements(sql, sql, question)
    there, back = convention.compare(gold, predicted, behind), convention.compare(predicted, gold, behind)
    assert there.score == back.score


WELL_BEHAVED = st.one_of(
    st.none(), st.integers(-9, 9), st.sampled_from(["a", "b", "", "x y"]), st.sampled_from([0.5, 2.25])
)


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=100)
@given(st.data())
def test_a_result_equals_itself(name: str, data: st.DataObject) -> None:
    width = data.draw(st.integers(1, 4))
    columns = [
        data.draw(st.sampled_from([st.integers(-9, 9), st.sampled_from("abc"), WELL_BEHAVED])) for _ in range(width)
    ]
    rows = data.draw(st.lists(st.tuples(*columns), max_size=6))
    gold, again = (ResultTable(tuple("abcd"[:width]), ("",) * width, list(rows)) for _ in range(2))
    verdict = CONVENTIONS.make(name, {}).compare(gold, again, statements())
    mixed = name.startswith("defog") and any(None in row for row in rows)
    assert verdict.score == 1 or mixed


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=100)
@given(st.text() | TEXTS)
def test_rewriting_never_fails_and_is_done_once(name: str, sql: str) -> None:
    convention: Convention = CONVENTIONS.make(name, {})
    for side in ("gold", "predicted"):
        once = convention.rewrite(sql, side, "sqlite")  # type: ignore[arg-type]
        assert isinstance(once, str)


CUT = {
    "its rows are the gold's": ([(1,), (2,), (1,)], {"bird", "bird_soft_f1"}),
    "it has a row that the gold lacks": ([(1,), (9,), (1,)], {"bird_soft_f1"}),
    "its cells have no hash": ([([1],), (2,), (2,)], {"bird_soft_f1"}),
}


@pytest.mark.parametrize("convention", NAMES)
@pytest.mark.parametrize(("rows", "unknown"), CUT.values(), ids=CUT)
def test_a_cut_result_is_wrong_unless_repeated_rows_are_dropped(
    convention: str, rows: list[tuple[object, ...]], unknown: set[str]
) -> None:
    cut = ResultTable(("a",), ("",), rows, truncated=True)
    verdict = CONVENTIONS.make(convention, {}).judge_cut(ResultTable(("a",), ("",), [(1,), (2,)]), cut)
    assert verdict.reason is (Reason.ROWS_TRUNCATED if convention in unknown else Reason.EXTRA_ROWS)

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.spider_sql.annotation import read_annotation
from evaluation.spider_sql.clauses import Column, Compound, Condition, Conditions, Order, Query, Selected, Term
from evaluation.spider_sql.hardness import hardness_of

EMPTY: dict[str, Any] = {
    "select": [False, []],
    "from": {"table_units": [["table_unit", 1]], "conds": []},
    "where": [],
    "groupBy": [],
    "having": [],
    "orderBy": [],
    "limit": None,
    "intersect": None,
    "union": None,
    "except": None,
}
THREE = [0, [0, 3, False], None]
PLAIN = Query(tables=("1",))

READ: dict[str, tuple[dict[str, Any], Query]] = {
    "nothing": ({}, PLAIN),
    "select": (
        {"select": [True, [[3, [0, [0, 0, True], None]], [0, [1, [0, 3, False], [1, 4, False]]]]]},
        Query(
            (
                Selected(Term(Column("*", None, distinct=True)), "count"),
                Selected(Term(Column("3"), "-", Column("4", "max"))),
            ),
            distinct=True,
            tables=("1",),
        ),
    ),
    "from": (
        {
            "from": {
                "table_units": [["sql", EMPTY], ["table_unit", 0]],
                "conds": [[False, 2, THREE, [0, 4, False], None]],
            }
        },
        Query(tables=(PLAIN, "0"), joined=Conditions((Condition(Term(Column("3")), "=", Column("4")),))),
    ),
    "where": (
        {"where": [[False, 1, THREE, 1.0, 2.0], "or", [True, 8, THREE, EMPTY, None]]},
        Query(
            tables=("1",),
            where=Conditions(
                (
                    Condition(Term(Column("3")), "between", 1.0, 2.0),
                    Condition(Term(Column("3")), "in", PLAIN, negated=True),
                ),
                ("or",),
            ),
        ),
    ),
    "the rest": (
        {"groupBy": [[0, 3, False]], "orderBy": ["desc", [THREE]], "limit": 5, "except": EMPTY},
        Query(
            tables=("1",),
            group=(Column("3"),),
            order=Order("desc", (Term(Column("3")),)),
            limited=True,
            compound=Compound("except", PLAIN),
        ),
    ),
}


@pytest.mark.parametrize(("parts", "query"), READ.values(), ids=READ)
def test_read(parts: dict[str, Any], query: Query) -> None:
    assert read_annotation({**EMPTY, **parts}) == query


BAD = {
    "nothing": None,
    "text": "SELECT 1",
    "a list": [],
    "keys are missing": {"from": []},
    "no such operator": {**EMPTY, "where": [[False, 99, THREE, 1.0, None]]},
    "too short": {**EMPTY, "where": [[False]]},
    "text for numbers": {**EMPTY, "select": [False, "ab"]},
    "an object for a number": {**EMPTY, "select": [False, [[{}, THREE], [[1], THREE]]]},
    "an object for clauses": {**EMPTY, "where": {"a": 1}},
}


@pytest.mark.parametrize("value", BAD.values(), ids=BAD)
def test_no_annotation(value: object) -> None:
    assert read_annotation(value) is None


def test_nested_without_end() -> None:
    value = EMPTY
    for _ in range(5_000):
        value = {**EMPTY, "union": value}
    assert read_annotation(value) is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 12) | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.sampled_from([*EMPTY, "x"]), inner, max_size=3),
)


@given(st.dictionaries(st.sampled_from(list(EMPTY)), JSON))
def test_no_value_breaks_it(parts: dict[str, Any]) -> None:
    query = read_annotation({**EMPTY, **parts})
    assert query is None or hardness_of(query) in ("easy", "medium", "hard", "extra")

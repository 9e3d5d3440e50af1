from __future__ import annotations

from typing import Any

import pytest

from database_backends.result import ResultTable
from evaluation.comparison.json_text import with_json
from evaluation.conventions.base import CONVENTIONS, Statements
from evaluation.verdicts import Reason

STATEMENTS = Statements("SELECT a FROM t", "SELECT a FROM t", "duckdb")


def table(*cells: object) -> ResultTable:
    return ResultTable(("a",), ("",), [(cell,) for cell in cells])


PAIRS: dict[str, tuple[list[Any], list[Any], Reason]] = {
    "an object and its text": ([{"a": 1, "b": [2, None]}], ['{"b": [2, null], "a": 1}'], Reason.MATCH),
    "its text and an object": (['{"a":1}'], [{"a": 1}], Reason.MATCH),
    "a list and its text": ([[1, 2.5, "x"], None], ['[1, 2.5, "x"]', None], Reason.MATCH),
    "another value inside": ([{"a": 1}], ['{"a": 2}'], Reason.WRONG_ROWS),
    "the order of a list": ([[1, 2]], ["[2, 1]"], Reason.WRONG_ROWS),
    "some text that is no JSON": ([{"a": 1}, {"a": 2}], ['{"a": 1}', "{a: 2}"], Reason.WRONG_ROWS),
    "text that is JSON of a number": ([[1], [2]], ["[1]", "2"], Reason.WRONG_ROWS),
    "text on both sides stays text": (['{"a":1}'], ['{"a": 1}'], Reason.WRONG_ROWS),
    "dates inside": ([["2020-01-01"]], ['["2020-01-01 00:00:00"]'], Reason.MATCH),
    "very deep": ([[1]], ["[" * 100_000 + "]" * 100_000], Reason.WRONG_ROWS),
}


@pytest.mark.parametrize(("gold", "predicted", "reason"), PAIRS.values(), ids=PAIRS)
def test_json_equals_its_text_where_an_engine_has_no_type_for_it(
    gold: list[Any], predicted: list[Any], reason: Reason
) -> None:
    verdict = CONVENTIONS.make("sqlassay", {}).compare(table(*gold), table(*predicted), STATEMENTS)
    assert (verdict.reason is Reason.MATCH) == (reason is Reason.MATCH), verdict


def test_tables_without_nested_values_are_left_alone() -> None:
    tables = [table("{}", None), table(1, "[]"), table()]
    assert all(new is old for new, old in zip(with_json(tables), tables, strict=True))


def test_only_the_columns_that_are_json_are_read() -> None:
    mixed = ResultTable(("a", "b", "c"), ("", "", ""), [('{"x": 1}', "{", None), (None, "[1]", None)])
    assert with_json([mixed, table([1])])[0].rows == [({"x": 1}, "{", None), (None, "[1]", None)]

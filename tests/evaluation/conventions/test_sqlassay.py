"""The default convention: reasons that need the statements, settings, evidence."""

from __future__ import annotations

import json

import pytest

from database_backends.result import ResultTable
from evaluation.conventions.base import CONVENTIONS, Statements, show_cell
from evaluation.conventions.sqlassay import SqlAssay
from evaluation.verdicts import Reason, Status
from sqlassay.errors import UnknownName, UserError

ONE = ResultTable(("a",), ("",), [("x",), ("y",)])
TWICE = ResultTable(("a",), ("",), [("x",), ("y",), ("y",)])


@pytest.mark.parametrize(
    ("gold", "reason"),
    [
        ("SELECT DISTINCT a FROM t", Reason.MISSING_DISTINCT),
        ("select a from t", Reason.ROW_COUNT_FANOUT),
        ("SELECT a FROM t WHERE a IN (SELECT DISTINCT a FROM u)", Reason.ROW_COUNT_FANOUT),
        ("SELECT count(DISTINCT a) FROM t", Reason.ROW_COUNT_FANOUT),
        ("this is no SQL at all (", Reason.ROW_COUNT_FANOUT),
    ],
)
def test_repeated_rows_are_named_after_the_gold(gold: str, reason: Reason) -> None:
    assert SqlAssay().compare(ONE, TWICE, Statements(gold, "", "sqlite")).reason is reason


def test_tolerance_is_a_setting() -> None:
    gold, predicted = (ResultTable(("a",), ("",), [(value,)]) for value in (1.5, 1.51))
    statements = Statements("", "", "sqlite")
    assert SqlAssay().compare(gold, predicted, statements).reason is Reason.ROUNDING
    assert SqlAssay(relative_tolerance=0.01).compare(gold, predicted, statements).reason is Reason.MATCH
    assert SqlAssay(relative_tolerance=0.01).settings["relative_tolerance"] == 0.01


def table(names: str, *rows: tuple[object, ...]) -> ResultTable:
    columns = tuple(names.split())
    return ResultTable(columns, ("",) * len(columns), list(rows))


KNOBS = {
    "an extra column": ({"extra_columns": "accept"}, table("a", ("x",), ("y",)), table("b c", (1, "x"), (2, "y"))),
    "an extra column, by name": (
        {"extra_columns": "accept"},
        table("a b", (1, 2), (3, 3)),
        table("b c a", (2, 9, 1), (3, 9, 3)),
    ),
    "numeric text": ({"numeric_text": "accept"}, table("a", ("2014",), ("0.5",)), table("a", (2014,), (0.5,))),
    "a rounded number": ({"rounding": "accept"}, table("a b", ("x", 10 / 3)), table("a b", ("x", 3.33))),
    "order of rows": (
        {"row_order": "ignore"},
        table("a", (1,), (2,)),
        table("a", (2,), (1,)),
    ),
}
STILL_WRONG = {
    "an extra column and other values": (
        {"extra_columns": "accept"},
        table("a", ("x",), ("y",)),
        table("b c", (1, "x"), (2, "z")),
    ),
    "an extra column, values swapped under their names": (
        {"extra_columns": "accept"},
        table("a b", (1, 2), (3, 4)),
        table("b c a", (1, 9, 2), (3, 9, 4)),
    ),
    "a missing column": ({"extra_columns": "accept"}, table("a b", (1, 2)), table("a", (1,))),
    "a padded code": ({"numeric_text": "accept"}, table("a", ("007",)), table("a", (7,))),
    "a number that is not rounded but cut": ({"rounding": "accept"}, table("a", (2 / 3,)), table("a", (0.66,))),
    "a gold that is rounded": ({"rounding": "accept"}, table("a", (3.33,)), table("a", (10 / 3,))),
    "order of columns": ({"column_order": "strict"}, table("a b", (1, 2)), table("b a", (2, 1))),
    "order of columns, other names": ({"column_order": "strict"}, table("a b", (1, 2)), table("c d", (2, 1))),
}


@pytest.mark.parametrize("name", KNOBS)
def test_knobs_accept_what_is_refused_without_them(name: str) -> None:
    settings, gold, predicted = KNOBS[name]
    statements = Statements("SELECT a FROM t ORDER BY a", "", "sqlite")
    further = ResultTable(("a", "k", "r"), ("",) * 3, [(*row, row[0], n) for n, row in enumerate(gold.rows, 1)])
    strict = SqlAssay().compare(gold, predicted, statements, further if name == "order of rows" else None)
    assert strict.status is Status.INCORRECT
    assert CONVENTIONS.make("sqlassay", settings).compare(gold, predicted, statements).status is Status.CORRECT


@pytest.mark.parametrize("name", STILL_WRONG)
def test_knobs_accept_no_more_than_they_say(name: str) -> None:
    settings, gold, predicted = STILL_WRONG[name]
    convention = CONVENTIONS.make("sqlassay", settings)
    assert convention.compare(gold, predicted, Statements("", "", "sqlite")).status is Status.INCORRECT


@pytest.mark.parametrize("knob", ["extra_columns", "numeric_text", "rounding", "column_order", "row_order"])
def test_a_knob_with_an_unknown_value_is_refused(knob: str) -> None:
    with pytest.raises(UnknownName, match=f"unknown value of {knob}: 'acept'"):
        CONVENTIONS.make("sqlassay", {knob: "acept"})


def test_an_unknown_setting_is_an_error_that_names_the_nearest() -> None:
    with pytest.raises(UnknownName, match=r"relative_tolerence.*did you mean 'relative_tolerance'"):
        CONVENTIONS.make("sqlassay", {"relative_tolerence": 1})


def test_evidence_is_json_and_capped() -> None:
    rows = [("é" * 1000, b"\x00" * 1000, float("nan"), 2**60, "\udc80", None, True)] * 40
    names = tuple("abcdefg")
    verdict = SqlAssay().compare(
        ResultTable(names, ("",) * 7, rows), ResultTable(names, ("",) * 7, []), Statements("", "", "sqlite")
    )
    assert verdict.reason is Reason.EMPTY
    assert len(json.dumps(dict(verdict.evidence), allow_nan=False).encode()) < 12_000
    assert verdict.evidence["missing_rows"] == 40
    assert len(verdict.evidence["missing"]) == 5  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("cell", "shown"),
    [
        (None, None),
        (1.5, 1.5),
        (float("inf"), "inf"),
        (2**53 + 1, "9007199254740993"),
        (b"\x01\xff", "x'01ff'"),
        ("x" * 201, "x" * 200 + "… (201 characters)"),
        ("\ud800", "\\ud800"),
        ("\x1b[31mred\x07", "\\x1b[31mred\\x07"),
        ("two\nlines", "two\nlines"),
        (("list", (1, ("list", ("a", None)))), "[1, ['a', None]]"),
        (("map", frozenset({("b", 2), ("a", ("timestamp", "2020-01-01", 0))})), "{'a': '2020-01-01', 'b': 2}"),
        (("nan",), "nan"),
        (("other", "Point", "(1, 2)"), "(1, 2)"),
    ],
)
def test_cells_as_a_person_reads_them(cell: object, shown: object) -> None:
    assert show_cell(cell) == shown


@pytest.mark.parametrize("value", ["x", None, -1, float("nan"), float("inf"), True])
def test_a_tolerance_that_is_no_share_is_refused(value: object) -> None:
    with pytest.raises(UserError, match=r"absolute_tolerance'? "):
        CONVENTIONS.make("sqlassay", {"absolute_tolerance": value})


@pytest.mark.parametrize(
    ("gold", "part"),
    [
        ("SELECT a FROM t WHERE d > CURRENT_DATE", "CURRENT_DATE"),
        ("SELECT a FROM t WHERE d > date('now', '-30 days')", "'now'"),
        ("SELECT a FROM t ORDER BY random() LIMIT 1", "RANDOM()"),
        ("SELECT date(d), time, 'now' FROM t", None),
        ("SELECT a FROM t", None),
        ("SELECT ( now", None),
    ],
)
def test_a_gold_that_changes_by_itself_is_flagged(gold: str, part: str | None) -> None:
    for predicted in (ONE, TWICE):
        evidence = SqlAssay().compare(ONE, predicted, Statements(gold, "", "sqlite")).evidence
        assert evidence.get("nondeterministic") == part

"""The default convention: reasons that need the statements, settings, evidence."""

from __future__ import annotations

import json

import pytest

from database_backends.result import ResultTable
from evaluation.conventions.base import CONVENTIONS, Statements, show_cell
from evaluation.conventions.sqlassay import SqlAssay
from evaluation.verdicts import Reason
from sqlassay.errors import UnknownName

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
    assert SqlAssay(relative_tolerance=0.01).settings == {"relative_tolerance": 0.01, "absolute_tolerance": 1e-9}


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
    ],
)
def test_cells_as_a_person_reads_them(cell: object, shown: object) -> None:
    assert show_cell(cell) == shown

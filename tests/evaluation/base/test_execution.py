"""What is the same under every rule of comparison: failures, several golds, cut results."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence

import pytest

from database_backends.errors import FailureKind
from database_backends.result import ExecutionFailure, Outcome, ResultTable
from evaluation.base.case import Case, Executed
from evaluation.base.execution import LARGE, ExecutionEvaluator
from evaluation.datasets.base import Question
from evaluation.verdicts import Reason, Status, Verdict


class Same(ExecutionEvaluator):
    """Equal rows match; where they compare."""

    name = "same"
    version = "1"

    def __init__(self) -> None:
        self.compared: list[str] = []
        self.threads: set[threading.Thread] = set()

    def compare(
        self, gold: ResultTable, predicted: ResultTable, expected: Executed, case: Case, further: Outcome | None = None
    ) -> Verdict:
        self.compared.append(expected.sql)
        self.threads.add(threading.current_thread())
        if gold.rows == predicted.rows:
            return Verdict.of(Reason.MATCH)
        shared = sum(row in gold.rows for row in predicted.rows)
        return Verdict(Reason.MISSING_ROWS, shared / 10, {"shared": shared})


def table(*values: object, cut: bool = False) -> ResultTable:
    return ResultTable(("a",), ("",), [(value,) for value in values], truncated=cut)


def failed(kind: FailureKind) -> ExecutionFailure:
    return ExecutionFailure(kind, "the engine's words", line=2)


def judge(
    golds: Sequence[Outcome], predicted: Outcome | None, settled: Verdict | None = None, strategy: Same | None = None
) -> Verdict:
    case = Case(
        Question("q", "?", "show"),
        "sqlite",
        golds=tuple(Executed(f"gold {number}", outcome) for number, outcome in enumerate(golds)),
        predicted=None if predicted is None else Executed("predicted", predicted),
        settled=settled,
    )
    return asyncio.run((strategy or Same()).evaluate(case))


OF_PREDICTION = {
    FailureKind.NO_SQL: Reason.NO_SQL,
    FailureKind.MULTIPLE_STATEMENTS: Reason.MULTIPLE_STATEMENTS,
    FailureKind.NOT_A_QUERY: Reason.NOT_A_QUERY,
    FailureKind.WRITE_ATTEMPT: Reason.WRITE_ATTEMPT,
    FailureKind.SYNTAX: Reason.SYNTAX,
    FailureKind.UNKNOWN_TABLE: Reason.UNKNOWN_TABLE,
    FailureKind.UNKNOWN_COLUMN: Reason.UNKNOWN_COLUMN,
    FailureKind.PERMISSION: Reason.RUNTIME_ERROR,
    FailureKind.OTHER: Reason.RUNTIME_ERROR,
    FailureKind.TIMEOUT: Reason.TIMEOUT,
    FailureKind.MEMORY: Reason.RUNTIME_ERROR,
    FailureKind.ROWS_EXCEEDED: Reason.RUNTIME_ERROR,
    FailureKind.CONNECTION: Reason.BACKEND_DOWN,
    FailureKind.DATABASE_MISSING: Reason.DATABASE_MISSING,
}
OF_GOLD = {
    **dict.fromkeys(FailureKind, Reason.GOLD_FAILED),
    FailureKind.TIMEOUT: Reason.GOLD_TIMEOUT,
    FailureKind.CONNECTION: Reason.BACKEND_DOWN,
    FailureKind.DATABASE_MISSING: Reason.DATABASE_MISSING,
}


def test_the_tables_know_every_kind() -> None:
    assert set(OF_PREDICTION) == set(OF_GOLD) == set(FailureKind)


@pytest.mark.parametrize("kind", FailureKind)
def test_a_prediction_that_fails_is_incorrect_unless_the_instrument_failed(kind: FailureKind) -> None:
    verdict = judge([table(1)], failed(kind))
    assert verdict.reason is OF_PREDICTION[kind]
    assert verdict.status is (Status.UNSCORED if kind.is_instrument else Status.INCORRECT)
    assert verdict.evidence == {"kind": kind.value, "message": "the engine's words", "line": 2}


@pytest.mark.parametrize("kind", FailureKind)
@pytest.mark.parametrize("predicted", [table(1), failed(FailureKind.SYNTAX), None], ids=["runs", "fails", "no SQL"])
def test_a_gold_that_fails_is_never_held_against_anybody(kind: FailureKind, predicted: Outcome | None) -> None:
    verdict = judge([failed(kind)], predicted)
    assert verdict.reason is OF_GOLD[kind]
    assert verdict.status is Status.UNSCORED


@pytest.mark.parametrize(
    ("settled", "gold", "expected"),
    [
        (Reason.REFUSED, table(1), Reason.REFUSED),
        (Reason.TRUNCATED, table(1), Reason.TRUNCATED),
        (Reason.PROMPT_TOO_LONG, table(1), Reason.PROMPT_TOO_LONG),
        (Reason.REFUSED, failed(FailureKind.SYNTAX), Reason.GOLD_FAILED),
        (Reason.PROVIDER_DOWN, table(1), Reason.PROVIDER_DOWN),
        (Reason.PROVIDER_DOWN, failed(FailureKind.TIMEOUT), Reason.PROVIDER_DOWN),
        (Reason.DATABASE_MISSING, None, Reason.DATABASE_MISSING),
        (Reason.NO_SQL, None, Reason.GOLD_MISSING),
    ],
)
def test_what_is_settled_stands_unless_the_instrument_failed_as_well(
    settled: Reason, gold: Outcome | None, expected: Reason
) -> None:
    assert judge([] if gold is None else [gold], None, Verdict.of(settled)).reason is expected


def test_without_a_statement_there_is_no_sql() -> None:
    assert judge([table(1)], None).reason is Reason.NO_SQL


def test_without_a_gold_nothing_can_be_said() -> None:
    assert judge([], table(1)).reason is Reason.GOLD_MISSING


def test_a_missing_gold_names_the_dialects_that_have_one() -> None:
    question = Question("0", "", "db", gold_by_dialect={"postgres": ("SELECT 1",), "mysql": ("SELECT 1",)})
    verdict = Case(question, "duckdb").without_gold()
    assert verdict == Verdict.of(Reason.GOLD_MISSING, dialect="duckdb", golds_for=["mysql", "postgres"])


SEVERAL = {
    "the first": ([table(1), table(2)], Reason.MATCH),
    "the last": ([table(2), table(1)], Reason.MATCH),
    "none": ([table(2), table(3)], Reason.MISSING_ROWS),
    "one is not SQL here, the other matches": ([failed(FailureKind.SYNTAX), table(1)], Reason.MATCH),
    "one is not SQL here, the other differs": ([failed(FailureKind.SYNTAX), table(2)], Reason.MISSING_ROWS),
    "one differs, the other is not SQL here": ([table(2), failed(FailureKind.UNKNOWN_COLUMN)], Reason.MISSING_ROWS),
    "one was stopped, the other matches": ([failed(FailureKind.TIMEOUT), table(1)], Reason.MATCH),
    "one was stopped, the other differs": ([failed(FailureKind.TIMEOUT), table(2)], Reason.GOLD_TIMEOUT),
    "one took too much memory, the other differs": ([table(2), failed(FailureKind.MEMORY)], Reason.GOLD_FAILED),
    "one lost its connection, the other differs": ([table(2), failed(FailureKind.CONNECTION)], Reason.BACKEND_DOWN),
    "one was cut, the other matches": ([table(2, cut=True), table(1)], Reason.MATCH),
    "one was cut, the other differs": ([table(2, cut=True), table(2)], Reason.ROWS_TRUNCATED),
    "all fail": ([failed(FailureKind.TIMEOUT), failed(FailureKind.SYNTAX)], Reason.GOLD_TIMEOUT),
}


@pytest.mark.parametrize(("golds", "expected"), SEVERAL.values(), ids=SEVERAL)
def test_any_of_several_golds_may_be_met(golds: list[Outcome], expected: Reason) -> None:
    assert judge(golds, table(1)).reason is expected


@pytest.mark.parametrize("other", [table(2), failed(FailureKind.TIMEOUT), failed(FailureKind.SYNTAX)])
def test_a_prediction_that_fails_meets_none_of_several(other: Outcome) -> None:
    assert judge([table(1), other], failed(FailureKind.UNKNOWN_TABLE)).reason is Reason.UNKNOWN_TABLE
    assert judge([other, table(1)], failed(FailureKind.UNKNOWN_TABLE)).reason is Reason.UNKNOWN_TABLE


def test_the_nearest_of_several_golds_counts() -> None:
    verdict = judge([table(7), table(1, 2, 3), table(1)], table(1, 2))
    assert (verdict.score, verdict.evidence) == (0.2, {"shared": 2})


def test_no_gold_is_compared_after_a_match() -> None:
    strategy = Same()
    judge([table(2), table(1), table(1)], table(1), strategy=strategy)
    assert strategy.compared == ["gold 0", "gold 1"]


@pytest.mark.parametrize(
    ("gold", "predicted", "expected"),
    [
        (table(1), table(1, cut=True), Reason.EXTRA_ROWS),
        (table(1, cut=True), table(1, cut=True), Reason.ROWS_TRUNCATED),
        (table(1, cut=True), table(1), Reason.ROWS_TRUNCATED),
        (table(1, cut=True), failed(FailureKind.SYNTAX), Reason.SYNTAX),
    ],
)
def test_a_cut_result_is_never_compared(gold: Outcome, predicted: Outcome, expected: Reason) -> None:
    strategy = Same()
    assert judge([gold], predicted, strategy=strategy).reason is expected
    assert strategy.compared == []


@pytest.mark.parametrize(("rows", "here"), [(LARGE // 2 - 1, True), (LARGE // 2, False)])
def test_large_results_are_compared_off_the_event_loop(rows: int, here: bool) -> None:
    strategy = Same()
    judge([table(*range(rows))], table(*range(rows)), strategy=strategy)
    assert (strategy.threads == {threading.current_thread()}) is here


def test_a_long_message_is_cut() -> None:
    verdict = judge([table(1)], ExecutionFailure(FailureKind.OTHER, "x" * 10_000))
    assert len(str(verdict.evidence["message"])) == 500

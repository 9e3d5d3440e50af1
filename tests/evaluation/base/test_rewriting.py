"""A convention that wants other statements executed gets them, on each side within its own limits."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from database_backends.result import ExecutionFailure, Limits, Outcome, ResultTable
from database_backends.sqlite import SQLiteBackend
from evaluation.base.case import Case, Executed
from evaluation.base.execution import ExecutionEvaluator, Side
from evaluation.datasets.base import Question
from evaluation.verdicts import Reason, Verdict


class WithoutDistinct(ExecutionEvaluator):
    name = "without_distinct"
    version = "1"

    def rewrite(self, sql: str, side: Side, case: Case) -> str:
        return sql.replace("DISTINCT ", "") if side == "predicted" else sql.replace("BROKEN ", "")

    def compare(
        self, gold: ResultTable, predicted: ResultTable, expected: Executed, case: Case, further: Outcome | None
    ) -> Verdict:
        return Verdict.of(Reason.MATCH if gold.rows == predicted.rows else Reason.WRONG_ROWS)


@pytest.mark.parametrize(
    ("gold", "predicted", "reason", "asked"),
    [
        ("SELECT x FROM t", "SELECT DISTINCT x FROM t", Reason.MATCH, ["SELECT x FROM t"]),
        ("SELECT DISTINCT x FROM t", "SELECT x FROM t", Reason.WRONG_ROWS, []),
        ("BROKEN SELECT x FROM t", "SELECT x FROM t", Reason.MATCH, ["SELECT x FROM t"]),
    ],
)
def test_only_statements_that_differ_run_again(
    gold: str, predicted: str, reason: Reason, asked: list[str], tmp_path: Path
) -> None:
    target = str(tmp_path / "t.sqlite")
    SQLiteBackend.build(target, ["CREATE TABLE t(x); INSERT INTO t VALUES (1), (1), (2)"])
    ran: list[str] = []
    with SQLiteBackend(target) as database:

        def outcome(sql: str) -> Outcome:
            try:
                return database.execute(sql, Limits())
            except Exception as error:  # noqa: BLE001
                return ExecutionFailure.of(error)  # type: ignore[arg-type]

        async def run(sql: str) -> Outcome:
            ran.append(sql)
            return outcome(sql)

        case = Case(
            Question("q", "?", "t", (gold,)),
            "sqlite",
            golds=(Executed(gold, outcome(gold)),),
            predicted=Executed(predicted, outcome(predicted)),
            run_gold=run,
            run_predicted=run,
        )
        verdict = asyncio.run(WithoutDistinct().evaluate(case))
    assert verdict.reason is reason
    assert ran == asked

"""A rule that compares for too long loses its own verdict, and no other's."""

from __future__ import annotations

import asyncio
import threading

import pytest

from database_backends.result import Outcome, ResultTable
from evaluation.base import execution
from evaluation.base.case import Case, Executed
from evaluation.base.execution import ExecutionEvaluator
from evaluation.datasets.base import Question
from evaluation.verdicts import Reason, Status, Verdict


class Slow(ExecutionEvaluator):
    name = "slow"
    version = "1"

    def __init__(self) -> None:
        self.enough = threading.Event()

    def compare(
        self, gold: ResultTable, predicted: ResultTable, expected: Executed, case: Case, further: Outcome | None
    ) -> Verdict:
        self.enough.wait(30)
        return Verdict.of(Reason.MATCH)


class Quick(Slow):
    name = "quick"

    def compare(
        self, gold: ResultTable, predicted: ResultTable, expected: Executed, case: Case, further: Outcome | None
    ) -> Verdict:
        return Verdict.of(Reason.MATCH)


def test_over_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(execution, "COMPARISON_SECONDS", 0.2)
    table = ResultTable(("a",), ("",), [(k,) for k in range(execution.LARGE)])
    case = Case(Question("q", "?", "t"), "sqlite", golds=(Executed("g", table),), predicted=Executed("p", table))
    slow, quick = Slow(), Quick()

    async def judge() -> list[Verdict]:
        try:
            return [await strategy.evaluate(case) for strategy in (slow, quick)]
        finally:
            slow.enough.set()

    lost, kept = asyncio.run(judge())
    assert (lost.reason, lost.status) == (Reason.OVER_BUDGET, Status.UNSCORED)
    assert kept.reason is Reason.MATCH

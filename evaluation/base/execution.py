"""Strategies that compare what statements return."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from dataclasses import replace
from operator import is_
from typing import Literal

from database_backends.errors import FailureKind
from database_backends.result import ExecutionFailure, Outcome, ResultTable
from evaluation.base.case import Case, Executed, Run
from evaluation.base.strategy import EvaluationStrategy
from evaluation.comparison.untyped import untyped
from evaluation.conventions.base import too_many_rows
from evaluation.verdicts import Reason, Status, Verdict

Side = Literal["gold", "predicted"]
"""Whose statement it is."""
COMPARISON_SECONDS = 120.0
"""How long one rule may compare two large results before it loses its own verdict; the others are not touched."""
LARGE = 20_000
"""Rows in both results together from which a comparison leaves the event loop."""

PREDICTION_REASON = {
    FailureKind.NO_SQL: Reason.NO_SQL,
    FailureKind.MULTIPLE_STATEMENTS: Reason.MULTIPLE_STATEMENTS,
    FailureKind.NOT_A_QUERY: Reason.NOT_A_QUERY,
    FailureKind.WRITE_ATTEMPT: Reason.WRITE_ATTEMPT,
    FailureKind.SYNTAX: Reason.SYNTAX,
    FailureKind.UNKNOWN_TABLE: Reason.UNKNOWN_TABLE,
    FailureKind.UNKNOWN_COLUMN: Reason.UNKNOWN_COLUMN,
    FailureKind.TIMEOUT: Reason.TIMEOUT,
    FailureKind.CONNECTION: Reason.BACKEND_DOWN,
    FailureKind.DATABASE_MISSING: Reason.DATABASE_MISSING,
}
"""What a failed prediction is called; every other kind is a `runtime_error`."""

GOLD_REASON = {
    FailureKind.TIMEOUT: Reason.GOLD_TIMEOUT,
    FailureKind.CONNECTION: Reason.BACKEND_DOWN,
    FailureKind.DATABASE_MISSING: Reason.DATABASE_MISSING,
}
"""What a failed gold is called; every other kind is `gold_failed`."""

GOLD_STOPPED = {*GOLD_REASON, FailureKind.MEMORY, FailureKind.ROWS_EXCEEDED}
"""Failures of a gold that say nothing about what it would have returned."""


class ExecutionEvaluator(EvaluationStrategy):
    """Judges by the results of the gold and the predicted statement.

    This class settles everything that is the same under every rule (a gold that fails is unscored, a prediction
    that fails is incorrect, what a cut result counts as, several golds); a subclass only compares two tables.
    """

    def rewrite(self, sql: str, side: Side, case: Case) -> str:
        """The statement to execute in the place of `sql`, where the rule wants another one."""
        return sql

    def further_gold(self, gold: ResultTable, predicted: ResultTable, expected: Executed, case: Case) -> str | None:
        """A further statement on the gold's side that `compare` needs for this pair; `None` when it needs none."""
        return None

    @abstractmethod
    def compare(
        self, gold: ResultTable, predicted: ResultTable, expected: Executed, case: Case, further: Outcome | None
    ) -> Verdict:
        """Compare two complete results. Called off the event loop when they are large.

        Args:
            gold: The expected result.
            predicted: The result under test.
            expected: Where the expected result is from: the statement, or the gold result in a file.
            case: The item.
            further: What came of the statement that `further_gold` asked for; `None` when it asked for none.
        """

    async def evaluate(self, case: Case) -> Verdict:
        """The best verdict over the golds."""
        if case.settled is not None and case.settled.status is Status.UNSCORED:
            return case.settled
        case = await self._rewritten(case)
        failed = _gold_verdict(case)
        if failed is not None:
            return failed
        if case.settled is not None:
            return case.settled
        best: Verdict | None = None
        for gold in case.golds:
            verdict = await self._against(gold, case)
            if verdict is None:
                continue
            if best is None or _rank(verdict) > _rank(best):
                best = verdict
            if best.status is Status.CORRECT and best.score >= 1:
                break
        return best if best is not None else case.without_gold()

    def judge_cut(self, gold: ResultTable, predicted: ResultTable) -> Verdict:
        """The verdict on a result that was cut at the row limit, where the gold's was not."""
        return too_many_rows(gold, predicted)

    async def _rewritten(self, case: Case) -> Case:
        """The case with the statements that the rule wants executed."""

        async def executed(before: Executed, side: Side, run: Run | None) -> Executed:
            sql = before.sql if before.result is not None else self.rewrite(before.sql, side, case)
            return before if run is None or sql == before.sql else Executed(sql, await run(sql))

        golds = tuple([await executed(gold, "gold", case.run_gold) for gold in case.golds])
        predicted = case.predicted and await executed(case.predicted, "predicted", case.run_predicted)
        if predicted is case.predicted and all(map(is_, golds, case.golds)):
            return case
        return replace(case, golds=golds, predicted=predicted)

    async def _against(self, gold: Executed, case: Case) -> Verdict | None:
        """The verdict by one of the golds; `None` when it says nothing beside those that ran."""
        if case.predicted is None:
            return Verdict.of(Reason.NO_SQL)
        outcome = case.predicted.outcome
        if isinstance(outcome, ExecutionFailure):
            return failed_prediction(outcome)
        if isinstance(gold.outcome, ExecutionFailure):
            # Another gold ran. This one is no SQL of this engine and cannot be met; or it was stopped or is a file
            # that cannot be read, and might be.
            might_be = gold.outcome.kind in GOLD_STOPPED or gold.result is not None
            return _failed_gold(gold.outcome) if might_be else None
        if gold.outcome.truncated:
            return Verdict.of(Reason.ROWS_TRUNCATED, rows=len(gold.outcome.rows), side="gold")
        if outcome.truncated:
            return self.judge_cut(gold.outcome, outcome)
        large = len(gold.outcome.rows) + len(outcome.rows) >= LARGE
        if gold.result is not None:
            # The file has no types, so what it is compared with is read in the same way.
            outcome = await asyncio.to_thread(untyped, outcome) if large else untyped(outcome)
        further = self.further_gold(gold.outcome, outcome, gold, case)
        more = None if further is None or case.run_gold is None else await case.run_gold(further)
        if not large:
            return self.compare(gold.outcome, outcome, gold, case, more)
        work = asyncio.to_thread(self.compare, gold.outcome, outcome, gold, case, more)
        try:
            return await asyncio.wait_for(work, COMPARISON_SECONDS)
        except TimeoutError:
            return Verdict.of(Reason.OVER_BUDGET, seconds=COMPARISON_SECONDS)


def failed_prediction(failure: ExecutionFailure) -> Verdict:
    """The verdict on a prediction that did not run."""
    return Verdict.of(PREDICTION_REASON.get(failure.kind, Reason.RUNTIME_ERROR), **describe(failure))


def describe(failure: ExecutionFailure) -> dict[str, object]:
    """A failure as evidence."""
    told = {
        "kind": failure.kind.value,
        "message": failure.message[:500],
        "sqlstate": failure.sqlstate,
        "line": failure.line,
        "column": failure.column,
    }
    return {key: value for key, value in told.items() if value is not None}


def _gold_verdict(case: Case) -> Verdict | None:
    """Unscored when there is no gold to compare with; `None` when at least one ran."""
    if not case.golds:
        return case.without_gold()
    failures = [gold.outcome for gold in case.golds if isinstance(gold.outcome, ExecutionFailure)]
    if len(failures) < len(case.golds):
        return None
    return _failed_gold(failures[0])


def _failed_gold(failure: ExecutionFailure) -> Verdict:
    return Verdict.of(GOLD_REASON.get(failure.kind, Reason.GOLD_FAILED), **describe(failure))


def _rank(verdict: Verdict) -> tuple[int, float]:
    order = {Status.CORRECT: 2, Status.UNSCORED: 1, Status.INCORRECT: 0}
    return order[verdict.status], verdict.score

"""Structural difference: which clause is another than the gold's?"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import ClassVar

from database_backends.errors import BackendError, FailureKind
from database_backends.result import ExecutionFailure
from evaluation.base.case import Case
from evaluation.base.execution import GOLD_REASON, PREDICTION_REASON, describe
from evaluation.base.strategy import EvaluationStrategy
from evaluation.structure.clauses import Clauses, Reading, differing
from evaluation.verdicts import Reason, Status, Verdict
from sqlassay.errors import UserError


class Structural(EvaluationStrategy):
    """Compares syntax trees clause by clause; nothing is executed.

    What is only spelling does not count: case, aliases, optional parentheses and qualifiers, the order of columns, of
    conditions and of inner joins. Everything else does: two statements that always return the same can differ, so this
    says where to look, not what is right. Of several golds, the nearest one counts.

    Statements are read in a worker. A prediction that it cannot read, or not in time, or that takes it down, is
    incorrect, since the gold could be read; a gold that cannot be read leaves the item unscored.

    Args:
        seconds: For reading one statement.

    Raises:
        ValueError: They are not positive.
    """

    name: ClassVar[str] = "structural"
    version: ClassVar[str] = "1"
    needs_execution: ClassVar[bool] = False

    def __init__(self, seconds: float = 5.0) -> None:
        if not 0 < seconds < float("inf"):
            raise ValueError("seconds must be positive")
        self.seconds = seconds

    @property
    def settings(self) -> Mapping[str, object]:
        """How long a statement may be read."""
        return {"seconds": self.seconds}

    async def evaluate(self, case: Case) -> Verdict:
        """The verdict by the nearest gold."""
        if case.settled is not None and case.settled.status is Status.UNSCORED:
            return case.settled
        texts = case.question.golds(case.dialect)
        if not texts:
            return case.without_gold()
        tables = _tables(case)
        golds = await asyncio.gather(*(self._read(text, tables, case) for text in texts))
        readable = [gold for gold in golds if not isinstance(gold, ExecutionFailure)]
        if not readable:
            failure = next(gold for gold in golds if isinstance(gold, ExecutionFailure))
            return Verdict.of(GOLD_REASON.get(failure.kind, Reason.GOLD_FAILED), **describe(failure))
        if case.settled is not None:
            return case.settled
        if case.sql is None:
            return Verdict.of(Reason.NO_SQL)
        predicted = await self._read(case.sql, tables, case)
        if isinstance(predicted, ExecutionFailure):
            reason = PREDICTION_REASON.get(predicted.kind, Reason.RUNTIME_ERROR)
            return Verdict.of(reason, **describe(predicted))
        return _compare(readable, predicted)

    async def _read(self, sql: str, tables: Mapping[str, frozenset[str]], case: Case) -> Clauses | ExecutionFailure:
        reading = Reading(sql, case.dialect, tables, self.seconds)
        if case.perform is None:
            return ExecutionFailure(FailureKind.CONNECTION, "there is no process in which to read statements")
        return await case.perform(reading)


def _compare(golds: list[Clauses], predicted: Clauses) -> Verdict:
    gold = min(golds, key=lambda gold: len(differing(gold, predicted)))
    differs = differing(gold, predicted)
    if not differs:
        return Verdict.of(Reason.MATCH)

    def text(clauses: Clauses, name: str) -> str | None:
        return clauses[name].text if name in clauses else None

    shown = {name: {"gold": text(gold, name), "predicted": text(predicted, name)} for name in differs}
    return Verdict.of(Reason.DIFFERENT_CLAUSES, differs=list(differs), clauses=shown)


def _tables(case: Case) -> Mapping[str, frozenset[str]]:
    """The columns of each table; none where they are not known, and then a few more qualifiers count."""
    if case.read_schema is None:
        return {}
    try:
        schema = case.read_schema()
    except (BackendError, UserError):
        return {}
    return {table.name.lower(): frozenset(column.name.lower() for column in table.columns) for table in schema.tables}

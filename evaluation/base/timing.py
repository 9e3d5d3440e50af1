"""Strategies that time a right answer beside the gold."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import ClassVar

from database_backends.errors import FailureKind
from database_backends.result import ExecutionFailure, Outcome, ResultTable
from database_backends.timing import Plan, Times
from evaluation.base.case import Case, Executed
from evaluation.base.execution import GOLD_REASON, PREDICTION_REASON, ExecutionEvaluator, describe
from evaluation.conventions.base import Statements
from evaluation.conventions.bird import Bird
from evaluation.statistics.efficiency import ratios
from evaluation.verdicts import FIGURES, Reason, Status, Verdict

RIGHT = "of right answers"
ITSELF = "gold against itself"
"""What a prediction that is the gold, to the letter, would get on this machine and at this time."""


class TimedEvaluator(ExecutionEvaluator):
    """Judges how fast a right answer is; right is what BIRD's EX calls right.

    The published figure of an item has no place between 0 and 1, so the score is that figure by 100, and 1 where it is
    more. The figure itself is in the evidence, and its mean beside the results.

    Both statements run in turns in one worker, and nothing of this process runs beside them. An item is unscored when
    the gold fails while it is timed, and incorrect when only the prediction does.

    Args:
        repeats: How many times each statement runs.
        seconds: After that long no further pair of runs begins; the times there are count.
        against_itself: Whether the gold is timed against itself too, which takes as long again.

    Raises:
        ValueError: A number is out of its range.
    """

    figure: ClassVar[str]
    """The name of the published figure."""

    def __init__(self, repeats: int, seconds: float, *, against_itself: bool) -> None:
        if repeats < 1 or repeats != int(repeats):
            raise ValueError("repeats must be a whole number from 1")
        if not seconds >= 0:
            raise ValueError("seconds must not be negative")
        self.repeats = int(repeats)
        self.seconds = seconds
        self.against_itself = against_itself
        self._convention = Bird()

    @property
    def settings(self) -> Mapping[str, object]:
        """How often, for how long, and by which convention right is right."""
        return {
            "repeats": self.repeats,
            "seconds": self.seconds,
            "against_itself": self.against_itself,
            "convention": self._convention.name,
            "convention_version": self._convention.version,
        }

    @property
    @abstractmethod
    def plan(self) -> Plan:
        """How a pair is measured."""

    @abstractmethod
    def ratio(self, values: Sequence[float]) -> float:
        """One ratio for those of all pairs; above 1, the prediction is faster."""

    @abstractmethod
    def points(self, ratio: float) -> float:
        """The published figure of a right answer; 100 is as fast as the gold."""

    def judge_cut(self, gold: ResultTable, predicted: ResultTable) -> Verdict:
        """Ask the convention."""
        return self._convention.judge_cut(gold, predicted)

    def compare(
        self, gold: ResultTable, predicted: ResultTable, expected: Executed, case: Case, further: Outcome | None
    ) -> Verdict:
        """Compare as BIRD's EX does."""
        sql = "" if case.predicted is None else case.predicted.sql
        return self._convention.compare(gold, predicted, Statements(expected.sql, sql, case.dialect))

    async def evaluate(self, case: Case) -> Verdict:
        """Time the prediction beside the first gold that it meets."""
        verdict = await super().evaluate(case)
        if verdict.status is Status.UNSCORED:
            return verdict
        if verdict.status is Status.INCORRECT or case.predicted is None:
            return self._wrong(verdict)
        gold = await self._met(case)
        if gold is None or case.time is None:
            return Verdict.of(Reason.GOLD_MISSING, message="a gold that is a result in a file cannot be timed")
        times = await case.time(gold.sql, case.predicted.sql, self.plan)
        if isinstance(times, ExecutionFailure):
            return await self._failed(times, gold, case)
        itself = await case.time(gold.sql, gold.sql, self.plan) if self.against_itself else None
        return self._right(verdict, times, itself)

    async def _met(self, case: Case) -> Executed | None:
        """The first gold statement that the prediction meets."""
        golds = [gold for gold in case.golds if gold.result is None]
        if len(golds) == len(case.golds) == 1:
            return golds[0]
        for gold in golds:
            verdict = await super().evaluate(replace(case, golds=(gold,)))
            if verdict.status is Status.CORRECT:
                return gold
        return None

    def _right(self, verdict: Verdict, times: Times, itself: Times | ExecutionFailure | None) -> Verdict:
        ratio = self.ratio(ratios(times.first, times.second))
        points = self.points(ratio)
        figures = {self.figure: points, RIGHT: points}
        evidence = {"ratio": ratio, "repeats": len(times.first)}
        if isinstance(itself, Times):
            evidence["ratio_of_itself"] = self.ratio(ratios(itself.first, itself.second))
            figures[ITSELF] = self.points(evidence["ratio_of_itself"])
        return Verdict(verdict.reason, min(1.0, points / 100), {**verdict.evidence, **evidence, FIGURES: figures})

    def _wrong(self, verdict: Verdict) -> Verdict:
        return replace(verdict, evidence={**verdict.evidence, FIGURES: {self.figure: 0.0}})

    async def _failed(self, failure: ExecutionFailure, gold: Executed, case: Case) -> Verdict:
        """Whose failure it is: both had run before, and one of them, or its process, did not again."""
        assert case.time is not None  # noqa: S101 - `evaluate` has asked
        again = await case.time(gold.sql, gold.sql, replace(self.plan, repeats=1))
        evidence = {"while": "timed", **describe(failure)}
        if isinstance(again, ExecutionFailure):
            return Verdict.of(GOLD_REASON.get(again.kind, Reason.GOLD_FAILED), **evidence)
        verdict = Verdict.of(PREDICTION_REASON.get(failure.kind, Reason.RUNTIME_ERROR), **evidence)
        return (
            verdict if failure.kind in (FailureKind.CONNECTION, FailureKind.DATABASE_MISSING) else self._wrong(verdict)
        )

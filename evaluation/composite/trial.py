"""Trying a statement out: composite models look at what comes of an answer before they give it."""

from __future__ import annotations

from dataclasses import dataclass

from database_backends.result import ExecutionFailure, Limits, Outcome, ResultTable
from database_backends.runner import Runner, Statement
from evaluation.answers import Answer
from evaluation.verdicts import Status


@dataclass(frozen=True)
class Trial:
    """Runs statements as those under test are run.

    Attributes:
        runner: Where.
        backend: The registered name of the engine.
        limits: Of one statement.
    """

    runner: Runner
    backend: str
    limits: Limits

    async def run(self, answer: Answer, target: str) -> Outcome | None:
        """What comes of an answer's statement; `None` when it has none to run."""
        if answer.sql is None or answer.settled is not None:
            return None
        if answer.outcome is not None:
            return answer.outcome
        return await self.runner.run(Statement(self.backend, target, answer.sql, self.limits))


def shortcoming(answer: Answer, outcome: Outcome | None) -> str | None:
    """What is wrong with an answer, as far as can be told without a gold; `None` when it runs and returns rows."""
    if answer.settled is not None:
        return answer.settled.reason.words
    if outcome is None:
        return "no SQL"
    if isinstance(outcome, ExecutionFailure):
        return outcome.kind.value.replace("_", " ")
    return None if outcome.rows else "no rows"


def rank(answer: Answer, outcome: Outcome | None) -> int:
    """How far an answer came: 4 it returned rows, 3 it ran, 2 it is SQL, 1 a model said something, 0 none did."""
    if isinstance(outcome, ResultTable):
        return 4 if outcome.rows else 3
    if answer.settled is None:
        return 2 if answer.sql is not None else 1
    return int(answer.settled.status is not Status.UNSCORED)

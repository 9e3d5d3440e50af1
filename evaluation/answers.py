"""Where the statement under test comes from: a model that is asked, or predictions that are given."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import ClassVar

from database_backends.result import Outcome
from evaluation.datasets.base import Question
from evaluation.records import AnswerRecord, CallRecord, ExecutionRecord, RouteRecord
from evaluation.verdicts import Verdict
from sqlassay.errors import SqlAssayError


@dataclass(frozen=True)
class Answer:
    """One answer to one question.

    Attributes:
        sql: The statement; `None` when there is none.
        settled: A verdict that stands already: refused, truncated, no SQL, provider down.
        record: What was asked and said; `None` when nothing was asked.
        extraction: How the SQL was found.
        removed: What else was in the text, and was taken off.
        outcome: What came of the statement, where it was run already to choose the answer.
        calls: What else was asked on the way to this answer.
        answered_by: The name of the model that gave it, where several could have.
        route: The class of question that chose the model, where one did, and who decided on it.
        note: How this answer was chosen, in words.
        first: The answer before its statement was repaired, where it was.
    """

    sql: str | None
    settled: Verdict | None = None
    record: AnswerRecord | None = None
    extraction: str | None = None
    removed: tuple[str, ...] = ()
    outcome: Outcome | None = None
    calls: tuple[CallRecord, ...] = ()
    answered_by: str | None = None
    route: RouteRecord | None = None
    note: str | None = None
    first: Answer | None = None

    def after(self, calls: Iterable[CallRecord]) -> Answer:
        """This answer, with what was asked before it."""
        return replace(self, calls=(*calls, *self.calls))

    def as_call(self, role: str, why: str) -> tuple[CallRecord, ...]:
        """This answer as something that was asked on the way to another, with its own way to it."""
        outcome = self.outcome
        return (
            *self.calls,
            CallRecord(
                role,
                self.answered_by or (self.record.model if self.record is not None else ""),
                why,
                self.record,
                self.sql,
                None if outcome is None or self.sql is None else ExecutionRecord.of(self.sql, outcome),
            ),
        )


class RunStopped(SqlAssayError):
    """Every further question must fail as this one did; the run is stopped and can be resumed.

    Attributes:
        cause: What the provider said.
    """

    at_once: ClassVar[bool] = True
    """Whether what is under way is given up; what was answered already is finished otherwise."""

    def __init__(self, cause: str) -> None:
        self.cause = cause
        super().__init__(cause)


class ModelStopped(RunStopped):
    """A model answers no question any more; where another one may, the run goes on."""


class AnswerSource(ABC):
    """Gives the statement under test for a question."""

    @abstractmethod
    async def answer(self, position: int, question: Question, target: str) -> Answer:
        """The answer to one question.

        Args:
            position: The question's place in the selection.
            question: The question.
            target: Its database.

        Raises:
            RunStopped: No question can be answered any more.
        """

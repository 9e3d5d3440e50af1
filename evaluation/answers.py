"""Where the statement under test comes from: a model that is asked, or predictions that are given."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

from evaluation.datasets.base import Question
from evaluation.records import AnswerRecord
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
    """

    sql: str | None
    settled: Verdict | None = None
    record: AnswerRecord | None = None
    extraction: str | None = None


class RunStopped(SqlAssayError):
    """Every further question must fail as this one did; the run is stopped and can be resumed.

    Attributes:
        cause: What the provider said.
    """

    def __init__(self, cause: str) -> None:
        self.cause = cause
        super().__init__(cause)


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

"""Everything that is known about one item when it is judged."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar

from database_backends.result import ExecutionFailure, Outcome
from database_backends.task import Task
from database_backends.timing import Plan, Times
from evaluation.datasets.base import GoldResult, Question
from evaluation.gold_text import UNKEPT, GoldTexts
from evaluation.verdicts import GOLDS_FOR, Reason, Verdict
from sqlassay.schema import Schema

Run = Callable[[str], Awaitable[Outcome]]
"""Executes a further statement on the item's database."""
Time = Callable[[str, str, Plan], Awaitable[Times | ExecutionFailure]]
"""Times a gold and another statement beside each other, on the item's database."""
ReadSchema = Callable[[], Schema]
"""Reads the tables of the item's database; may raise `BackendError` or `UserError`."""

T = TypeVar("T")


class Perform(Protocol):
    """Does a task where it can be stopped."""

    async def __call__(self, task: Task[T], /) -> T | ExecutionFailure:
        """What came of it."""


@dataclass(frozen=True)
class Executed:
    """One statement and what came of it, or a gold result and its rows.

    Attributes:
        sql: The statement; empty when there is none.
        outcome: What came of it, or what the file holds.
        result: The gold result that stands in the place of a statement; `None` for a statement.
    """

    sql: str
    outcome: Outcome
    result: GoldResult | None = None


@dataclass(frozen=True)
class Case:
    """One item, ready to be judged.

    Attributes:
        question: The question.
        dialect: The sqlglot dialect of all SQL here.
        golds: The acceptable statements and their results, then acceptable results from files; empty when the
            dataset has none.
        sql: The statement under test; `None` when there is none.
        predicted: The same with its result; `None` when it was not executed.
        settled: A verdict that stands before any comparison, since a step of the flow failed: no SQL in the answer,
            the database missing, the provider down. `None` when there is something to judge.
        run_gold: Runs a further statement as golds are run: within their limits, and its result is kept.
        run_predicted: Runs a further statement as the one under test is run.
        time: Times two statements beside each other, within the limits of golds.
        perform: Does other work that hostile text could keep busy, in a process that may die.
        texts: Answers what the texts of the golds say.
        read_schema: Gives the tables of the database, as the dataset describes them or as they are.
        target: The database, as its engine finds it.
    """

    question: Question
    dialect: str
    golds: tuple[Executed, ...] = ()
    sql: str | None = None
    predicted: Executed | None = None
    settled: Verdict | None = None
    run_gold: Run | None = None
    run_predicted: Run | None = None
    time: Time | None = None
    perform: Perform | None = None
    texts: GoldTexts = UNKEPT
    read_schema: ReadSchema | None = None
    target: str = ""

    def without_gold(self) -> Verdict:
        """The verdict where the dataset has no gold for this dialect: it names the dialects that have one."""
        others = sorted(self.question.gold_by_dialect)
        return Verdict.of(Reason.GOLD_MISSING, dialect=self.dialect, **({GOLDS_FOR: others} if others else {}))

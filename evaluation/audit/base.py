"""The contract of every probe."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import ClassVar

from database_backends.errors import FailureKind
from database_backends.result import ExecutionFailure, ResultTable
from evaluation.audit.subject import Subject
from evaluation.conventions.base import SHOWN_ROWS, show_cell
from sqlassay.registry import Registry

Rows = list[list[object]]
"""Rows as JSON values."""


class Answer(StrEnum):
    """What a probe says."""

    FIRED = "fired"
    QUIET = "quiet"
    NOT_APPLICABLE = "not_applicable"


@dataclass(frozen=True)
class Finding:
    """The answer of one probe about one gold.

    Attributes:
        answer: Whether the flaw is there.
        reason: Why, in one line.
        sql: The statement that shows it; `None` when no statement does.
        rows: The rows that show it, the first few of them.
    """

    answer: Answer
    reason: str
    sql: str | None = None
    rows: Sequence[Sequence[object]] = ()

    @property
    def fired(self) -> bool:
        """Whether the flaw is there."""
        return self.answer is Answer.FIRED


def fired(reason: str, sql: str | None = None, rows: Iterable[Iterable[object]] = ()) -> Finding:
    """The flaw is there."""
    return Finding(Answer.FIRED, reason, sql, shown(rows))


def quiet(reason: str, sql: str | None = None) -> Finding:
    """The flaw was looked for and is not there."""
    return Finding(Answer.QUIET, reason, sql)


def not_applicable(reason: str, sql: str | None = None) -> Finding:
    """The flaw cannot be there, or cannot be looked for."""
    return Finding(Answer.NOT_APPLICABLE, reason, sql)


def shown(rows: Iterable[Iterable[object]], most: int = SHOWN_ROWS) -> Rows:
    """The first rows as JSON values, long text cut."""
    found: Rows = []
    for row in rows:
        if len(found) == most:
            break
        found.append([show_cell(cell) for cell in row])
    return found


class Needs(IntEnum):
    """What must be there before a probe can say anything; each includes those before it."""

    QUESTION = 0
    """The question; such a probe answers once per question, whatever golds there are."""
    GOLD = 1
    """A gold."""
    TREE = 2
    """A gold that sqlglot can read."""
    OUTCOME = 3
    """A database on which the gold was executed; the tree is not needed."""
    RESULT = 4
    """A complete result; the tree is not needed."""


class Probe(ABC):
    """Looks for one flaw."""

    name: ClassVar[str]
    """What it is called on the command line and in reports."""
    description: ClassVar[str]
    """What it looks for, in one line."""
    needs: ClassVar[Needs]
    fatal: ClassVar[bool] = False
    """Whether no dataset may have the flaw: with it a question cannot be scored, or not twice alike."""

    async def answer(self, subject: Subject) -> Finding:
        """Look for the flaw in one gold. Never raises an `Exception`."""
        try:
            obstacle = await self.obstacle(subject)
            return not_applicable(obstacle) if obstacle else await self.examine(subject)
        except RecursionError:
            return not_applicable("the gold is nested too deeply to be looked into")
        except Exception as error:  # noqa: BLE001 - golds are written by others; one never ends the audit
            return not_applicable(f"the probe failed: {type(error).__name__}: {error}"[:300])

    async def obstacle(self, subject: Subject) -> str:
        """Why the probe does not apply; empty when it does."""
        if self.needs >= Needs.GOLD and subject.sql is None:
            return "the question has no gold statement"
        if self.needs is Needs.TREE:
            return "" if subject.tree is not None else "sqlglot cannot read the gold as one query"
        if self.needs < Needs.OUTCOME:
            return ""
        outcome = await subject.outcome()
        if outcome is None:
            return "its database is not there"
        if isinstance(outcome, ExecutionFailure) and outcome.kind.is_instrument:
            return f"its database cannot be used: {outcome.message}"
        if self.needs < Needs.RESULT:
            return ""
        if isinstance(outcome, ExecutionFailure):
            return "the gold times out" if outcome.kind is FailureKind.TIMEOUT else "the gold fails"
        return f"its result has more than {len(outcome.rows):,} rows" if outcome.truncated else ""

    @abstractmethod
    async def examine(self, subject: Subject) -> Finding:
        """Look for the flaw in a gold that has what the probe needs."""


PROBES: Registry[Probe] = Registry("probe", "sqlassay.probes", Probe)


async def result_of(subject: Subject) -> ResultTable:
    """The result of a gold, for probes that need one.

    Raises:
        TypeError: There is none.
    """
    outcome = await subject.outcome()
    if not isinstance(outcome, ResultTable):
        raise TypeError("the gold has no result")
    return outcome

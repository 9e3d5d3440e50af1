"""What a probe looks at: one gold of one question, and what comes of executing it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from sqlglot import exp

from database_backends.base import DatabaseBackend
from database_backends.result import Limits, Outcome
from database_backends.runner import Runner, Statement
from evaluation.audit.copies import ShuffledCopies
from evaluation.audit.trees import read
from evaluation.datasets.base import Question


@dataclass(frozen=True)
class Entry:
    """One question and where it is in the dataset.

    Attributes:
        position: From 0.
        question: Its id is the dataset's own, which another question may have as well.
    """

    position: int
    question: Question


@dataclass(frozen=True)
class Bench:
    """Where golds are executed.

    Attributes:
        backend: The engine.
        runner: Runs the statements, outside of this process where the engine is embedded.
        limits: Of each.
        copies: Makes the copies with their rows in another order.
    """

    backend: type[DatabaseBackend]
    runner: Runner
    limits: Limits
    copies: ShuffledCopies


@dataclass
class Subject:
    """One gold; statements about it run once each, whichever probe asks.

    Attributes:
        entry: The question.
        number: Which of its golds, from 1.
        sql: The gold; `None` when the question has none.
        target: Its database; `None` when that is not there.
        bench: Where it is executed.
        namesakes: The other questions that have its id.
        repeated: The other questions that ask the same of the same database.
    """

    entry: Entry
    number: int
    sql: str | None
    target: str | None
    bench: Bench
    namesakes: tuple[Entry, ...] = ()
    repeated: tuple[Entry, ...] = ()
    _again: Outcome | None = field(default=None, repr=False)
    _known: dict[tuple[str, str], Outcome] = field(default_factory=dict, repr=False)

    @property
    def question(self) -> Question:
        """The question."""
        return self.entry.question

    @property
    def gold(self) -> str:
        """The gold, for probes that need one."""
        return self.sql or ""

    @property
    def dialect(self) -> str:
        """The sqlglot dialect of the gold."""
        return self.bench.backend.dialect

    @cached_property
    def tree(self) -> exp.Query | None:
        """The gold's syntax tree; `None` when sqlglot cannot read it as one query."""
        return read(self.gold, self.dialect)

    async def outcome(self) -> Outcome | None:
        """What came of the gold; `None` when its database is not there."""
        return None if self.target is None else await self.run(self.gold)

    async def run(self, sql: str) -> Outcome:
        """What comes of a statement about the gold's database."""
        return await self._run(sql, self.target or "")

    async def outcome_again(self) -> Outcome:
        """What comes of the gold when it is executed a second time."""
        if self._again is None:
            self._again = await self._execute(self.gold, self.target or "")
        return self._again

    async def run_shuffled(self, *, bare: bool) -> Outcome | str:
        """What comes of the gold on a copy with its rows in another order, or why there is no such copy.

        Args:
            bare: Whether the copy has no keys, indexes and statistics.
        """
        copy = await self.bench.copies.of(self.target or "", bare=bare)
        return copy if isinstance(copy, str) else await self._run(self.gold, str(copy))

    async def _run(self, sql: str, target: str) -> Outcome:
        outcome = self._known.get((target, sql))
        if outcome is None:
            outcome = self._known[target, sql] = await self._execute(sql, target)
        return outcome

    async def _execute(self, sql: str, target: str) -> Outcome:
        return await self.bench.runner.run(Statement(self.bench.backend.name, target, sql, self.bench.limits))

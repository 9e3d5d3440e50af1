"""Probes of what executing a gold gives."""

from __future__ import annotations

from database_backends.errors import FailureKind
from database_backends.result import ExecutionFailure
from evaluation.audit.base import Finding, Needs, Probe, fired, quiet, result_of
from evaluation.audit.subject import Subject
from evaluation.audit.trees import complaint


class Failing(Probe):
    """The engine refuses the gold."""

    name = "failing"
    description = "the gold fails"
    needs = Needs.OUTCOME
    fatal = True

    async def examine(self, subject: Subject) -> Finding:
        """Look at the outcome."""
        outcome = await subject.outcome()
        if isinstance(outcome, ExecutionFailure) and outcome.kind is not FailureKind.TIMEOUT:
            return fired(f"{outcome.kind.value.replace('_', ' ')}: {outcome.message}", subject.sql)
        return quiet("it gives a result" if outcome and not isinstance(outcome, ExecutionFailure) else "it times out")


class TimingOut(Probe):
    """The gold takes too long."""

    name = "timing_out"
    description = "the gold reaches its time limit"
    needs = Needs.OUTCOME
    fatal = True

    async def examine(self, subject: Subject) -> Finding:
        """Look at the outcome."""
        outcome = await subject.outcome()
        if isinstance(outcome, ExecutionFailure) and outcome.kind is FailureKind.TIMEOUT:
            return fired(outcome.message, subject.sql)
        return quiet(f"it ends within {subject.bench.limits.seconds:g} s")


class NotParsing(Probe):
    """The engine, or without a database sqlglot, does not understand the gold."""

    name = "not_parsing"
    description = "the gold does not parse in its dialect"
    needs = Needs.GOLD
    fatal = True

    async def examine(self, subject: Subject) -> Finding:
        """Ask the engine first: it knows its dialect best."""
        outcome = await subject.outcome()
        problem = complaint(subject.gold, subject.dialect)
        if outcome is not None and not isinstance(outcome, ExecutionFailure):
            return quiet(
                f"the engine runs it; sqlglot does not read it: {problem}" if problem else "the engine runs it"
            )
        if isinstance(outcome, ExecutionFailure) and outcome.kind in (FailureKind.SYNTAX, FailureKind.NO_SQL):
            return fired(f"{subject.bench.backend.title}: {outcome.message}", subject.sql)
        return fired(f"sqlglot: {problem}", subject.sql) if problem else quiet("sqlglot reads it")


class Empty(Probe):
    """The gold returns no row: any other empty result matches it."""

    name = "empty"
    description = "the gold returns nothing"
    needs = Needs.RESULT

    async def examine(self, subject: Subject) -> Finding:
        """Count the rows."""
        result = await result_of(subject)
        return quiet(f"{len(result.rows):,} rows") if result.rows else fired("it returns no row", subject.sql)


class AllNull(Probe):
    """The gold returns nothing but NULL, as an aggregate over no rows does."""

    name = "all_null"
    description = "the gold returns nothing but NULL"
    needs = Needs.RESULT

    async def obstacle(self, subject: Subject) -> str:
        """It takes a row."""
        return await super().obstacle(subject) or ("" if (await result_of(subject)).rows else "it returns no row")

    async def examine(self, subject: Subject) -> Finding:
        """Look for a value."""
        rows = (await result_of(subject)).rows
        if any(cell is not None for row in rows for cell in row):
            return quiet("it returns a value")
        return fired(f"every cell of its {len(rows):,} rows is NULL", subject.sql, rows)

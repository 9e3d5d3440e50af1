"""Probes that execute the gold again: as it is, and on copies with their rows in another order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import ClassVar

from sqlglot import exp

from database_backends.result import ExecutionFailure, Outcome, ResultTable, Row
from evaluation.audit.base import Finding, Needs, Probe, fired, not_applicable, quiet, result_of
from evaluation.audit.subject import Subject
from evaluation.comparison.cells import canonical, is_number
from evaluation.comparison.numbers import Tolerance
from evaluation.conventions.base import SHOWN_ROWS, Statements
from evaluation.conventions.sqlassay import SqlAssay
from evaluation.verdicts import Status, Verdict
from evaluation.volatility import draws_lots

_ROW_NUMBERS = frozenset({"rowid", "oid", "_rowid_"})
_ADDING = tuple(
    getattr(exp, name)
    for name in ("Sum", "Avg", "Stddev", "StddevPop", "StddevSamp", "Variance", "VariancePop", "Corr", "CovarSamp")
    if hasattr(exp, name)
)
_ADDING_FUNCTIONS = frozenset({"total", "fsum", "favg", "kahan_sum", "sumkahan"})


class Unrepeatable(Probe):
    """Two executions of the gold, one right after the other, give different results."""

    name = "unrepeatable"
    description = "the gold gives another result when it is executed again"
    needs = Needs.RESULT
    fatal = True

    async def examine(self, subject: Subject) -> Finding:
        """Execute it once more."""
        return await _compared(subject, await subject.outcome_again(), "when it is executed again")


class _Shuffled(Probe):
    """Executes the gold on a copy."""

    needs = Needs.RESULT
    bare: ClassVar[bool]
    where: ClassVar[str]

    async def obstacle(self, subject: Subject) -> str:
        """It takes a gold that does not change by itself, and reads no row numbers."""
        return await super().obstacle(subject) or await _no_shuffle(subject)

    async def examine(self, subject: Subject) -> Finding:
        """Execute it there, and compare."""
        other = await subject.run_shuffled(bare=self.bare)
        if isinstance(other, str):
            return not_applicable(other)
        return await _compared(subject, other, self.where)


class RowShuffle(_Shuffled):
    """The result depends on the order in which rows are stored."""

    name = "row_shuffle"
    description = "the gold gives another result when the rows of the tables are stored in another order"
    bare = False
    where = "on a copy of the database whose rows are stored in another order"


class OtherPlan(_Shuffled):
    """The result depends on how the engine goes about it."""

    name = "other_plan"
    description = "the gold gives another result when keys and indexes are gone, and rows are stored in another order"
    bare = True
    where = "on a copy of the database without keys and indexes, whose rows are stored in another order"


class FloatSum(Probe):
    """Floats are added up, and the order in which that is done shows in the last digits."""

    name = "float_sum"
    description = "the gold adds up floats, and the last digits depend on the order of the rows"
    needs = Needs.RESULT

    async def obstacle(self, subject: Subject) -> str:
        """It takes a sum, and a float."""
        obstacle = await super().obstacle(subject)
        if obstacle:
            return obstacle
        if subject.tree is None:
            return "sqlglot cannot read the gold as one query"
        if not any(map(_adds, subject.tree.walk())):
            return "it adds nothing up"
        if not any(isinstance(cell, float) for row in (await result_of(subject)).rows for cell in row):
            return "its result has no float"
        return await _no_shuffle(subject)

    async def examine(self, subject: Subject) -> Finding:
        """Compare the last digits of the results on both copies."""
        first = await result_of(subject)
        obstacle = ""
        for bare in (False, True):
            other = await subject.run_shuffled(bare=bare)
            if isinstance(other, str):
                obstacle = other
            elif isinstance(other, ResultTable) and not other.truncated:
                found = _last_digits(first.rows, other.rows)
                if found is not None:
                    return fired("the last digits depend on the order of the rows", subject.sql, found)
        return not_applicable(obstacle) if obstacle else quiet("the last digits stay the same")


async def _no_shuffle(subject: Subject) -> str:
    """Why a result on a copy says nothing; empty when it does."""
    if subject.tree is not None and any(
        isinstance(node, exp.Column | exp.Pseudocolumn) and node.name.casefold() in _ROW_NUMBERS
        for node in subject.tree.walk()
    ):
        return "it reads row numbers, which are others in a copy"
    if subject.tree is not None and any(map(draws_lots, subject.tree.walk())):  # which may be the same ones twice
        return "it draws lots"
    again = await _compared(subject, await subject.outcome_again(), "")
    return "it gives another result each time" if again.fired else ""


async def _compared(subject: Subject, other: Outcome, where: str) -> Finding:
    """Whether another result of the gold is one that the default convention accepts."""
    first = await result_of(subject)
    if isinstance(other, ExecutionFailure):
        return not_applicable(f"it fails {where}: {other.message}", subject.sql)
    if other.truncated:
        return not_applicable(f"its result is too long {where}", subject.sql)
    verdict = await _verdict(subject, first, other)
    if verdict.status is Status.CORRECT:
        return quiet(f"the same result, or another right one, {where}", subject.sql)
    reason = f"{verdict.reason.words} {where}"
    return fired(reason, subject.sql, _differing(first.rows, other.rows))


async def _verdict(subject: Subject, first: ResultTable, other: ResultTable) -> Verdict:
    convention = SqlAssay()
    statements = Statements(subject.gold, subject.gold, subject.dialect, subject.question.text)
    further = convention.further_gold(first, other, statements)
    return convention.compare(first, other, statements, None if further is None else await subject.run(further))


def _differing(first: Sequence[Row], other: Sequence[Row]) -> list[tuple[object, ...]]:
    """The first differing rows, each behind the execution that it is of."""
    before, after = (Counter(tuple(map(canonical, row)) for row in rows) for rows in (first, other))
    if before != after:
        gone, new = before - after, after - before
        lost = [row for row in first if tuple(map(canonical, row)) in gone]
        found = [row for row in other if tuple(map(canonical, row)) in new]
    else:
        pairs = [(left, right) for left, right in zip(first, other, strict=True) if left != right]
        lost, found = [left for left, _ in pairs], [right for _, right in pairs]
    half = (SHOWN_ROWS + 1) // 2
    return [*(("first", *row) for row in lost[:half]), *(("then", *row) for row in found[: SHOWN_ROWS - half])]


def _last_digits(first: Sequence[Row], other: Sequence[Row]) -> list[tuple[object, ...]] | None:
    """Two rows that are equal within tolerance and not alike; `None` when there are none."""
    before, after = (Counter(tuple(map(canonical, row)) for row in rows) for rows in (first, other))
    if before == after:
        return None
    near = Tolerance()
    new = list(after - before)[:1000]
    for row in list(before - after)[:1000]:
        for candidate in new:
            if all(
                one == two or (is_number(one) and is_number(two) and near.near(one, two))  # type: ignore[arg-type]
                for one, two in zip(row, candidate, strict=True)
            ):
                return [("first", *map(_exact, row)), ("then", *map(_exact, candidate))]
    return None


def _exact(cell: object) -> object:
    return repr(cell) if isinstance(cell, float) else cell


def _adds(node: exp.Expr) -> bool:
    return isinstance(node, _ADDING) or (isinstance(node, exp.Anonymous) and node.name.casefold() in _ADDING_FUNCTIONS)

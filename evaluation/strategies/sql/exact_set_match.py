"""Exact set match: does the statement consist of the gold's clauses?"""

from __future__ import annotations

from typing import ClassVar

from database_backends.errors import BackendError
from evaluation.base.case import Case
from evaluation.base.execution import GOLD_REASON
from evaluation.base.strategy import EvaluationStrategy
from evaluation.spider_sql.clauses import Query
from evaluation.spider_sql.components import differing
from evaluation.spider_sql.errors import NotParsed
from evaluation.spider_sql.names import Names
from evaluation.spider_sql.parse import parse
from evaluation.verdicts import Reason, Status, Verdict
from sqlassay.errors import UserError


class ExactSetMatch(EvaluationStrategy):
    """Spider's exact set match: clause by clause, the same parts in any order; nothing is executed.

    Literals and DISTINCT do not count, and columns that are equal by foreign keys are one. A prediction outside
    Spider's grammar differs in every component that the gold has. Of several golds, any one may be met; those outside
    the grammar are passed over.

    Source: Yu et al. 2018, https://arxiv.org/abs/1809.08887; https://github.com/taoyds/test-suite-sql-eval.
    """

    name: ClassVar[str] = "exact_set_match"
    version: ClassVar[str] = "1"
    needs_execution: ClassVar[bool] = False

    async def evaluate(self, case: Case) -> Verdict:
        """The verdict by the nearest gold."""
        if case.settled is not None and case.settled.status is Status.UNSCORED:
            return case.settled
        golds = case.question.golds(case.dialect)
        if not golds:
            return case.without_gold()
        names = _names(case)
        if isinstance(names, Verdict):
            return names
        parsed, faults = _parse_each(golds, names)
        if not parsed:
            return Verdict.of(Reason.GOLD_FAILED, message=faults[0])
        if case.settled is not None:
            return case.settled
        if case.sql is None:
            return Verdict.of(Reason.NO_SQL)
        return _judge(parsed, case.sql, names)


def _judge(golds: list[Query], sql: str, names: Names) -> Verdict:
    evidence: dict[str, object] = {}
    try:
        # `value` stands for a literal in the predictions of systems that generate none.
        predicted = parse(sql.replace(" value ", " 1 "), names)
    except NotParsed as error:
        predicted = Query()
        evidence["not_parsed"] = str(error)
    components = min((differing(gold, predicted, names) for gold in golds), key=len)
    if not components:
        return Verdict.of(Reason.MATCH)
    return Verdict.of(Reason.DIFFERENT_CLAUSES, components=list(components), **evidence)


def _names(case: Case) -> Names | Verdict:
    """The names of the database, or why they are not known."""
    if case.read_schema is None:
        return Verdict.of(Reason.GOLD_FAILED, message="the tables of the database are not known")
    try:
        return Names.of(case.read_schema())
    except BackendError as error:
        return Verdict.of(GOLD_REASON.get(error.kind, Reason.GOLD_FAILED), message=str(error)[:500])
    except UserError as error:
        return Verdict.of(Reason.GOLD_FAILED, message=str(error)[:500])


def _parse_each(golds: tuple[str, ...], names: Names) -> tuple[list[Query], list[str]]:
    """What could be parsed, and why the others could not."""
    parsed, faults = [], []
    for gold in golds:
        try:
            parsed.append(parse(gold, names))
        except NotParsed as error:
            faults.append(str(error))
    return parsed, faults

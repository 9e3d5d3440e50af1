from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from database_backends.errors import BackendError, FailureKind
from evaluation.base.case import Case
from evaluation.datasets.base import Question
from evaluation.strategies.making import make_strategy
from evaluation.verdicts import Reason, Verdict
from sqlassay.errors import UserError
from sqlassay.schema import Schema
from tests.evaluation.spider_sql.world import SCHEMA

GOLD = "SELECT name FROM singer WHERE age > 1"
OUTSIDE = "SELECT name FROM singer WHERE age IS NULL"
ALL = ["select", "select(no AGG)", "where", "where(no OP)", "keywords", "from"]


def judge(
    sql: str | None,
    *golds: str,
    settled: Verdict | None = None,
    read_schema: Callable[[], Schema] | None = lambda: SCHEMA,
) -> Verdict:
    question = Question("q", "?", "show", golds)
    case = Case(question, "sqlite", sql=sql, settled=settled, read_schema=read_schema)
    return asyncio.run(make_strategy("exact_set_match").evaluate(case))


VERDICTS: dict[str, tuple[Callable[[], Verdict], Verdict]] = {
    "same": (lambda: judge("select NAME from singer where AGE > 9", GOLD), Verdict.of(Reason.MATCH)),
    "different": (
        lambda: judge("SELECT name FROM singer WHERE age < 1", GOLD),
        Verdict.of(Reason.DIFFERENT_CLAUSES, components=["where"]),
    ),
    "outside the grammar": (
        lambda: judge(OUTSIDE, GOLD),
        Verdict.of(Reason.DIFFERENT_CLAUSES, components=ALL, not_parsed="no column 'null'"),
    ),
    "value in the place of a literal": (
        lambda: judge("SELECT name FROM singer WHERE age > value ;", GOLD),
        Verdict.of(Reason.MATCH),
    ),
    "one of two golds": (lambda: judge(GOLD, "SELECT age FROM singer", GOLD), Verdict.of(Reason.MATCH)),
    "the nearest gold": (
        lambda: judge("SELECT name FROM singer WHERE age < 1", "SELECT age FROM concert JOIN singer", GOLD),
        Verdict.of(Reason.DIFFERENT_CLAUSES, components=["where"]),
    ),
    "a gold outside the grammar beside another": (lambda: judge(GOLD, OUTSIDE, GOLD), Verdict.of(Reason.MATCH)),
    "a gold outside the grammar": (
        lambda: judge(GOLD, OUTSIDE),
        Verdict.of(Reason.GOLD_FAILED, message="no column 'null'"),
    ),
    "no gold": (lambda: judge(GOLD), Verdict.of(Reason.GOLD_MISSING, dialect="sqlite")),
    "no SQL": (lambda: judge(None, GOLD), Verdict.of(Reason.NO_SQL)),
    "settled": (lambda: judge(None, GOLD, settled=Verdict.of(Reason.REFUSED)), Verdict.of(Reason.REFUSED)),
    "settled, and a bad gold": (
        lambda: judge(None, OUTSIDE, settled=Verdict.of(Reason.REFUSED)),
        Verdict.of(Reason.GOLD_FAILED, message="no column 'null'"),
    ),
    "settled as unscored": (
        lambda: judge(None, settled=Verdict.of(Reason.PROVIDER_DOWN)),
        Verdict.of(Reason.PROVIDER_DOWN),
    ),
    "no schema": (
        lambda: judge(GOLD, GOLD, read_schema=None),
        Verdict.of(Reason.GOLD_FAILED, message="the tables of the database are not known"),
    ),
}


@pytest.mark.parametrize(("found", "expected"), VERDICTS.values(), ids=VERDICTS)
def test_verdicts(found: Callable[[], Verdict], expected: Verdict) -> None:
    assert found() == expected


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (BackendError(FailureKind.DATABASE_MISSING, "gone"), Reason.DATABASE_MISSING),
        (BackendError(FailureKind.CONNECTION, "refused"), Reason.BACKEND_DOWN),
        (UserError("broken JSON"), Reason.GOLD_FAILED),
    ],
)
def test_a_schema_that_cannot_be_read(error: Exception, reason: Reason) -> None:
    def read_schema() -> Schema:
        raise error

    assert judge(GOLD, GOLD, read_schema=read_schema) == Verdict.of(reason, message=str(error))


@pytest.mark.parametrize("sql", ["(" * 1_000_000, f"{GOLD} AND age > (" * 30_000, "\0\udc80'"])
def test_hostile_predictions_are_wrong(sql: str) -> None:
    found = judge(sql, GOLD)
    assert (found.reason, found.evidence["components"]) == (Reason.DIFFERENT_CLAUSES, ALL)
    assert "not_parsed" in found.evidence

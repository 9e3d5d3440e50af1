"""Scoring predictions that are given: the same flow as a run, without a model."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from database_backends.result import Limits
from database_backends.runner import Runner
from evaluation.answers import Answer, AnswerSource
from evaluation.base.strategy import EvaluationStrategy
from evaluation.databases import Databases
from evaluation.datasets.base import Question
from evaluation.golds import GoldStore
from evaluation.orchestrator import Orchestrator
from evaluation.records import ItemRecord
from evaluation.store import Store
from evaluation.verdicts import Reason, Verdict


@dataclass(frozen=True)
class GivenAnswers(AnswerSource):
    """Answers that are given as SQL.

    Attributes:
        sql_by_id: The SQL of each question; empty where there is none.
    """

    sql_by_id: Mapping[str, str]

    async def answer(self, position: int, question: Question, target: str) -> Answer:
        """The prediction as it is."""
        sql = self.sql_by_id[question.id]
        return Answer(sql) if sql.strip() else Answer(None, Verdict.of(Reason.NO_SQL))


async def score(
    questions: Iterable[Question],
    sql_by_id: Mapping[str, str],
    databases: Databases,
    strategies: Sequence[EvaluationStrategy],
    runner: Runner,
    on_item: Callable[[ItemRecord], None],
    *,
    limits: Limits,
    gold_limits: Limits,
    cache: Store | None = None,
) -> None:
    """Score predictions.

    Args:
        questions: Those to score.
        sql_by_id: The prediction of each.
        databases: Where their databases are.
        strategies: Judge each item.
        runner: Runs the statements.
        on_item: Called with each record, as items finish.
        limits: Of predicted statements.
        gold_limits: Of gold statements.
        cache: Keeps gold results from call to call.
    """

    async def sink(record: ItemRecord) -> None:
        on_item(record)

    golds = GoldStore(runner, databases, gold_limits, cache)
    in_flight = 32 * runner.workers
    orchestrator = Orchestrator(databases, GivenAnswers(sql_by_id), golds, runner, strategies, limits, in_flight)
    await orchestrator.run(enumerate(questions), sink)

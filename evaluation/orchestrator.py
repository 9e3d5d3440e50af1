"""The flow, written down once: a question becomes an answer, results, verdicts and one record."""

from __future__ import annotations

import asyncio
import time
import traceback
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from database_backends.result import ExecutionFailure, Limits, Outcome
from database_backends.runner import Runner, Statement
from database_backends.timing import Plan, Times
from evaluation.answers import Answer, AnswerSource, RunStopped
from evaluation.base.case import Case, Executed
from evaluation.base.strategy import EvaluationStrategy
from evaluation.databases import Databases
from evaluation.datasets.base import Question
from evaluation.golds import Gold, GoldStore
from evaluation.history import History, NoHistory, Placed
from evaluation.jsonl import line_of
from evaluation.records import CallRecord, ExecutionRecord, FirstRecord, ItemRecord, VerdictRecord
from evaluation.verdicts import Reason, Verdict
from sqlassay.errors import SqlAssayError, UserError

Sink = Callable[[ItemRecord], Awaitable[None]]
"""Takes a finished item; when it returns, the item is safe."""
Judged = list[tuple[EvaluationStrategy, Verdict]]
"""What each strategy said."""


@dataclass(frozen=True)
class Orchestrator:
    """Runs questions through one cell of an experiment.

    Attributes:
        databases: Where each question's database is.
        source: Gives the statement under test.
        golds: Gives the results of the golds.
        runner: Runs the statement under test.
        strategies: Judge each item, in this order.
        limits: Of the statement under test.
        in_flight: How many items may be under way at once; memory grows with it, not with the dataset.
        history: What prompts show of the turns before, and so which questions wait for which.
    """

    databases: Databases
    source: AnswerSource
    golds: GoldStore
    runner: Runner
    strategies: Sequence[EvaluationStrategy]
    limits: Limits
    in_flight: int = 64
    history: History = field(default_factory=NoHistory)

    async def run(self, questions: Iterable[Placed], sink: Sink) -> None:
        """Run every question; each ends as exactly one record, whatever happens to it.

        Args:
            questions: With their positions; read one at a time, as places become free.
            sink: Called with each record, in the order in which items finish.

        Raises:
            RunStopped: No question can be answered any more; those that were not finished have no record.
            UserError: A mistake that every further question would meet as well.
        """
        places = asyncio.Semaphore(self.in_flight)
        ended: list[RunStopped] = []
        try:
            async with asyncio.TaskGroup() as group:
                for strand in self.history.strands(questions):
                    await places.acquire()
                    if ended:
                        break
                    task = group.create_task(self._strand(strand, sink, ended))
                    task.add_done_callback(lambda _: places.release())
        except* SqlAssayError as errors:
            raise _first(errors) from None
        if ended:
            raise ended[0]

    async def _strand(self, strand: Iterator[Placed], sink: Sink, ended: list[RunStopped]) -> None:
        """Questions one after another, until the run has ended."""
        try:
            for position, question in strand:
                if ended:
                    break
                record = await self.item(position, question)
                await sink(record)
                self.history.heard(record)
        except RunStopped as stopped:
            if stopped.at_once:
                raise
            ended.append(stopped)

    async def item(self, position: int, question: Question) -> ItemRecord:
        """One question, from start to record."""
        started, clock = datetime.now(UTC), time.perf_counter()
        answer = Answer(None)
        golds: tuple[Gold, ...] = ()
        predicted: Executed | None = None
        first: FirstRecord | None = None
        judging: list[CallRecord] = []
        try:
            target = self.databases.target(question.db_id)
            if target is None:
                answer = Answer(None, _missing(question, self.databases))
            elif question.history is not None and question.history.unanswered is not None:
                answer = Answer(None, Verdict.of(Reason.EARLIER_TURN_UNANSWERED, turn=question.history.unanswered))
            else:
                answer = await self._answer(position, question, target)
                golds = await self._run_golds(question, target)
                predicted = await self._run_predicted(answer, target)
            verdicts = await self._judge(question, answer, golds, predicted, target or "", judging)
            if answer.first is not None:
                first = await self._first(question, answer, golds, predicted, verdicts, target or "", judging)
        except (RunStopped, UserError):
            raise
        except Exception as error:  # noqa: BLE001 - one bad item never takes the run with it
            verdicts = [(strategy, unforeseen(error)) for strategy in self.strategies]
        return ItemRecord(
            id=question.id,
            position=position,
            db_id=question.db_id,
            question=question.text,
            evidence=question.evidence,
            difficulty=question.difficulty,
            tags=question.tags,
            conversation=question.conversation,
            turn=question.turn,
            turns=question.turns,
            history=None if question.history is None else question.history.record,
            answer=answer.record,
            extraction=answer.extraction,
            removed=answer.removed,
            sql=answer.sql,
            golds=tuple(gold.record for gold in golds),
            predicted=None if predicted is None else ExecutionRecord.of(predicted.sql, predicted.outcome),
            verdicts=_recorded(verdicts),
            calls=answer.calls,
            answered_by=answer.answered_by,
            route=answer.route,
            note=answer.note,
            first=first,
            judging=tuple(judging),
            started=started.isoformat(timespec="milliseconds"),
            seconds=round(time.perf_counter() - clock, 6),
        )

    async def _answer(self, position: int, question: Question, target: str) -> Answer:
        answer = await self.source.answer(position, question, target)
        line_of(answer.record)  # an adapter that puts into it what cannot be recorded costs one item
        return answer

    async def _run_golds(self, question: Question, target: str) -> tuple[Gold, ...]:
        if not any(strategy.needs_gold and strategy.needs_execution for strategy in self.strategies):
            return ()
        ran = [await self.golds.run(sql, target) for sql in question.golds(self.databases.backend.dialect)]
        return (*ran, *[await self.golds.read(result) for result in question.gold_results])

    async def _run_predicted(self, answer: Answer, target: str) -> Executed | None:
        needed = any(strategy.needs_execution for strategy in self.strategies)
        if answer.sql is None or answer.settled is not None or not needed:
            return None
        if answer.outcome is not None:
            return Executed(answer.sql, answer.outcome)
        statement = Statement(self.databases.backend.name, target, answer.sql, self.limits)
        return Executed(answer.sql, await self.runner.run(statement))

    async def _first(
        self,
        question: Question,
        answer: Answer,
        golds: Sequence[Gold],
        predicted: Executed | None,
        verdicts: Judged,
        target: str,
        judging: list[CallRecord],
    ) -> FirstRecord:
        """The first attempt, judged as the last one is; where there was no other, what was said of it already."""
        first = answer.first
        if first is None or (first.sql, first.settled) == (answer.sql, answer.settled):
            sql = answer.sql
        else:
            sql, predicted = first.sql, await self._run_predicted(first, target)
            verdicts = await self._judge(question, first, golds, predicted, target, judging)
        ran = None if predicted is None else ExecutionRecord.of(predicted.sql, predicted.outcome)
        return FirstRecord(sql, ran, _recorded(verdicts))

    async def _judge(
        self,
        question: Question,
        answer: Answer,
        golds: Sequence[Gold],
        predicted: Executed | None,
        target: str,
        judging: list[CallRecord],
    ) -> Judged:
        """What each strategy says; what models were asked for it is added to `judging`."""

        async def run_gold(sql: str) -> Outcome:
            return (await self.golds.run(sql, target)).outcome

        async def run_predicted(sql: str) -> Outcome:
            return await self.runner.run(Statement(self.databases.backend.name, target, sql, self.limits))

        async def time_beside(gold: str, predicted: str, plan: Plan) -> Times | ExecutionFailure:
            return await self.golds.time(gold, predicted, target, plan)

        case = Case(
            question,
            self.databases.backend.dialect,
            golds=tuple(gold.executed for gold in golds),
            sql=answer.sql,
            predicted=predicted,
            settled=answer.settled,
            run_gold=run_gold,
            run_predicted=run_predicted,
            time=time_beside,
            perform=self.runner.run,
            texts=self.golds.texts,
            read_schema=lambda: self.databases.schema(question.db_id),
            target=target,
        )
        verdicts = []
        for strategy in self.strategies:
            try:
                verdict = _checked(await strategy.evaluate(case))
                judging += verdict.calls
            except RunStopped:
                raise
            except Exception as error:  # noqa: BLE001 - a strategy that fails loses its own verdict, not the others'
                verdict = unforeseen(error)
            verdicts.append((strategy, verdict))
        return verdicts


def _checked(verdict: object) -> Verdict:
    """A verdict that can be counted and recorded; strategies are written by others.

    Raises:
        TypeError: It is none, or its evidence is not made of JSON types.
        ValueError: Its score is not between 0 and 1, or its evidence holds NaN.
    """
    if not isinstance(verdict, Verdict):
        raise TypeError(f"the strategy returned {type(verdict).__name__}, not a Verdict")
    if not 0 <= verdict.score <= 1:
        raise ValueError(f"the score is {verdict.score}, not between 0 and 1")
    if verdict.evidence != {}:
        line_of(dict(verdict.evidence))
    return verdict


def _recorded(verdicts: Judged) -> tuple[VerdictRecord, ...]:
    return tuple(VerdictRecord.of(strategy.label, verdict) for strategy, verdict in verdicts)


def _missing(question: Question, databases: Databases) -> Verdict:
    return Verdict.of(Reason.DATABASE_MISSING, db_id=question.db_id, backend=databases.backend.name)


def unforeseen(error: Exception) -> Verdict:
    """The verdict on an item whose judging raised an error that nobody foresaw."""
    last = traceback.extract_tb(error.__traceback__)[-1:]
    where = [f"{frame.filename}:{frame.lineno} in {frame.name}" for frame in last]
    return Verdict.of(Reason.INTERNAL_ERROR, error=f"{type(error).__name__}: {error}"[:500], where="".join(where))


def _first(group: BaseExceptionGroup[SqlAssayError]) -> BaseException:
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error

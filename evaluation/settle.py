"""Settling a dispute about one pair of statements, or a list of them."""

from __future__ import annotations

import asyncio
import atexit
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from database_backends.base import BACKENDS, DatabaseBackend
from database_backends.dsn import shown
from database_backends.errors import FailureKind
from database_backends.result import ExecutionFailure, Limits, Outcome
from database_backends.runner import Runner, Statement
from database_backends.spec import engine_and_target
from database_backends.timing import Plan, Times, Timing
from evaluation.base.case import Case, Executed
from evaluation.base.strategy import EvaluationStrategy
from evaluation.datasets.base import Question
from evaluation.orchestrator import unforeseen
from evaluation.strategies.making import make_strategy
from evaluation.verdicts import Verdict
from sqlassay.errors import UserError
from sqlassay.schema import Schema


@dataclass(frozen=True)
class Settlement:
    """What was found about one pair.

    Attributes:
        golds: The acceptable statements and their outcomes.
        predicted: The statement under test and its outcome.
        verdicts: By the label of each strategy.
    """

    golds: tuple[Executed, ...]
    predicted: Executed
    verdicts: Mapping[str, Verdict]


def find_database(spec: str) -> tuple[type[DatabaseBackend], str]:
    """The engine and the target that `ENGINE:TARGET` names.

    Raises:
        UserError: It is not of this form, or there is no such file.
        UnknownName: There is no such engine.
    """
    name, target = engine_and_target(spec)
    if not (name and target):
        raise UserError(f"database {shown(spec)!r} is not ENGINE:TARGET", remedy="such as sqlite:shop.sqlite")
    backend = BACKENDS.get(name)
    if backend.embedded:
        path = Path(target).expanduser()
        if not path.is_file():
            raise UserError("no such database file", place=target)
        target = str(path)
    return backend, target


async def settle(
    runner: Runner,
    database: str,
    golds: Sequence[str],
    predicted: str,
    strategies: Sequence[EvaluationStrategy],
    *,
    question: str = "",
    limits: Limits | None = None,
) -> Settlement:
    """Execute both sides and judge.

    Args:
        runner: Runs the statements.
        database: `ENGINE:TARGET`.
        golds: Acceptable SQL, one or several.
        predicted: The SQL under test.
        strategies: Judge the pair.
        question: In natural language, where it is known.
        limits: Of every statement.

    Raises:
        UserError: The database is not there or cannot be used, or a gold holds no SQL.
    """
    backend, target = find_database(database)
    wanted = limits or Limits()

    async def run(sql: str) -> Outcome:
        return await runner.run(Statement(backend.name, target, sql, wanted))

    async def time(gold: str, other: str, plan: Plan) -> Times | ExecutionFailure:
        return await runner.run(Timing(backend.name, target, gold, other, plan, wanted))

    def read_schema() -> Schema:
        with backend(target) as opened:
            return opened.schema()

    executed = [Executed(sql, await run(sql)) for sql in (*golds, predicted)]
    for ran in executed:
        if isinstance(ran.outcome, ExecutionFailure) and ran.outcome.kind.is_instrument:
            raise UserError(
                f"{backend.title}: {ran.outcome.message}",
                place=shown(database),
                remedy="name a database that it can read",
            )
    for ran in executed[:-1]:
        if isinstance(ran.outcome, ExecutionFailure) and ran.outcome.kind is FailureKind.NO_SQL:
            raise UserError("a gold holds no SQL", remedy="give the right statement")
    case = Case(
        Question("0", question, target, tuple(golds)),
        backend.dialect,
        golds=tuple(executed[:-1]),
        sql=predicted,
        predicted=executed[-1],
        run_gold=run,
        run_predicted=run,
        time=time,
        perform=runner.run,
        read_schema=read_schema,
    )
    verdicts = {}
    for strategy in strategies:
        try:
            verdicts[strategy.label] = await strategy.evaluate(case)
        except Exception as error:  # noqa: BLE001 - as in a run: it loses its own verdict, not the others'
            verdicts[strategy.label] = unforeseen(error)
    return Settlement(case.golds, executed[-1], verdicts)


def verdict(
    database: str,
    gold: str | Sequence[str],
    predicted: str,
    *,
    convention: str = "sqlassay",
    question: str = "",
    limits: Limits | None = None,
) -> Verdict:
    """Is the predicted statement right?

    Works in scripts, in notebooks and beside a running event loop. The statements run in a worker process that is
    kept for the next call.

    Args:
        database: `ENGINE:TARGET`, such as `sqlite:shop.sqlite`.
        gold: Acceptable SQL, one or several.
        predicted: The SQL under test.
        convention: By which convention results are compared.
        question: In natural language, where it is known.
        limits: Of every statement.

    Returns:
        The verdict: `status`, `score`, `reason` and `evidence`.

    Raises:
        UserError: The database is not there or cannot be used, a gold holds no SQL, or there is no such convention.
    """
    golds = (gold,) if isinstance(gold, str) else tuple(gold)
    strategy = make_strategy("execution_match", {"convention": convention})
    work = settle(_runner(), database, golds, predicted, (strategy,), question=question, limits=limits)
    # A thread of its own: the caller's may have an event loop that runs already, as in a notebook.
    with ThreadPoolExecutor(1) as thread:
        settlement = thread.submit(asyncio.run, work).result()
    return settlement.verdicts[strategy.label]


@cache
def _runner() -> Runner:
    runner = Runner(1, megabytes=Limits().megabytes)
    atexit.register(runner.close)
    return runner

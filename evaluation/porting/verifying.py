"""Does a rewritten gold give on another engine what the gold gives on its own? Only then it counts there."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from sqlglot.errors import SqlglotError

from database_backends.result import Limits, Outcome
from database_backends.runner import Runner, Statement
from evaluation.base.case import Case, Executed
from evaluation.base.strategy import EvaluationStrategy
from evaluation.datasets.base import Question
from evaluation.porting.rewriting import Rewriter
from evaluation.strategies.making import make_strategy
from evaluation.verdicts import Reason, Status, Verdict


class Standing(StrEnum):
    """What became of a gold."""

    VERIFIED = "verified"
    """Its plain translation gives the same result."""
    REPAIRED = "repaired"
    """A repaired translation does."""
    EXCLUDED = "excluded"
    """None does."""

    @property
    def counts(self) -> bool:
        """Whether the gold counts on the other engine."""
        return self is not Standing.EXCLUDED


@dataclass(frozen=True)
class Ported:
    """One gold on another engine.

    Attributes:
        question: The question.
        gold: The gold, as the dataset has it.
        standing: What became of it.
        sql: The text for the other engine; `None` when none gives the result.
        vacuous: Whether both results have no rows: that they are equal says little.
        repairs: What was repaired.
        reason: Why the best text does not count, or why the gold itself cannot be compared; empty when it counts.
    """

    question: Question
    gold: str
    standing: Standing
    sql: str | None = None
    vacuous: bool = False
    repairs: tuple[str, ...] = ()
    reason: str = ""


class Verifier:
    """Compares golds with their rewritings, by the default convention: ties and choices at a LIMIT are free.

    Args:
        runner: Runs the statements.
        engine: The registered name of the other engine.
        limits: Of every statement.
    """

    def __init__(self, runner: Runner, engine: str, limits: Limits) -> None:
        self._runner = runner
        self._engine = engine
        self._limits = limits
        self._strategy: EvaluationStrategy = make_strategy("execution_match", {})

    async def port(self, question: Question, gold: str, rewriter: Rewriter, original: str, target: str) -> Ported:
        """Find the first rewriting that gives what the gold gives.

        Args:
            question: What the gold answers.
            gold: The gold.
            rewriter: Of the gold's database.
            original: The SQLite file of the gold's database.
            target: The same database on the other engine.
        """

        async def run(sql: str) -> Outcome:
            return await self._runner.run(Statement("sqlite", original, sql, self._limits))

        expected = Executed(gold, await run(gold))
        reasons: list[str] = []
        try:
            for rewriting in rewriter.rewritings(gold):
                found = await self._runner.run(Statement(self._engine, target, rewriting.sql, self._limits))
                case = Case(
                    question,
                    "sqlite",
                    golds=(expected,),
                    sql=rewriting.sql,
                    predicted=Executed(rewriting.sql, found),
                    run_gold=run,
                    run_predicted=run,
                    perform=self._runner.run,
                )
                verdict = await self._strategy.evaluate(case)
                if verdict.status is Status.CORRECT:
                    standing = Standing.REPAIRED if rewriting.repairs else Standing.VERIFIED
                    vacuous = verdict.reason is Reason.MATCH_VACUOUS
                    return Ported(question, gold, standing, rewriting.sql, vacuous, rewriting.repairs)
                reasons.append(_words(verdict, found))
                if verdict.status is Status.UNSCORED:
                    break
        except SqlglotError as error:
            reasons.append(f"cannot be read: {error}")
        except RecursionError:
            reasons.append("cannot be read: it is nested too deeply")
        # The last text is the one with most repairs; what is wrong with it is what is left to mend.
        return Ported(question, gold, Standing.EXCLUDED, reason=reasons[-1] if reasons else "no translation")


def _words(verdict: Verdict, found: Outcome) -> str:
    reason = verdict.reason.replace("_", " ")
    message = getattr(found, "message", "")
    return f"{reason}: {message}" if message else reason

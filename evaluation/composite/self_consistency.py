"""The same question several times: what most answers return is the answer.

Source: Wang et al., Self-Consistency Improves Chain of Thought Reasoning in Language Models, ICLR 2023
(https://arxiv.org/abs/2203.11171), with results of execution in the place of answers.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

from database_backends.result import Outcome, ResultTable
from evaluation.answers import Answer, AnswerSource
from evaluation.comparison.numbers import Tolerance
from evaluation.comparison.tables import compare_tables
from evaluation.composite.trial import Trial, rank, shortcoming
from evaluation.datasets.base import Question
from evaluation.verdicts import Status


@dataclass(frozen=True)
class SelfConsistency(AnswerSource):
    """Asks for several samples and answers with the statement whose result most of them share.

    Results are the same when they hold the same rows, as the default convention has it, in any order. Of groups of
    the same size the one whose first sample came first wins. Samples that do not run have no vote; where none runs,
    the first that holds SQL answers.

    Attributes:
        samples: One source per sample, each asking for another answer.
        trial: Runs their statements.
    """

    samples: Sequence[AnswerSource]
    trial: Trial

    async def answer(self, position: int, question: Question, target: str) -> Answer:
        """The answer that most samples agree on."""

        async def one(source: AnswerSource) -> Answer:
            answer = await source.answer(position, question, target)
            return replace(answer, outcome=await self.trial.run(answer, target))

        tasks = [asyncio.create_task(one(source)) for source in self.samples]
        try:
            answers = await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
        groups = await asyncio.to_thread(_grouped, [answer.outcome for answer in answers])
        chosen = max(groups, key=len)[0] if groups else _first_of_the_best(answers)
        size = {index: len(members) for members in groups for index in members}
        voters = sum(map(len, groups))
        calls = [
            call
            for index, answer in enumerate(answers)
            if index != chosen
            for call in answer.as_call(f"sample {index + 1}", _vote(answer, size.get(index), voters))
        ]
        best = answers[chosen]
        return replace(best, note=f"sample {chosen + 1}: {_vote(best, size.get(chosen), voters)}").after(calls)


def _grouped(outcomes: Sequence[Outcome | None]) -> list[list[int]]:
    """The places of results that are the same, in the order in which their first came."""
    groups: list[tuple[ResultTable, list[int]]] = []
    for index, outcome in enumerate(outcomes):
        if not isinstance(outcome, ResultTable) or outcome.truncated:
            continue
        for first, members in groups:
            if compare_tables(first, outcome, Tolerance()).reason.status is Status.CORRECT:
                members.append(index)
                break
        else:
            groups.append((outcome, [index]))
    return [members for _, members in groups]


def _first_of_the_best(answers: Sequence[Answer]) -> int:
    """Where none runs: the first sample with SQL, else the first that a model gave at all, else the first."""
    return max(range(len(answers)), key=lambda index: (rank(answers[index], None), -index))


def _vote(answer: Answer, agreeing: int | None, voters: int) -> str:
    if agreeing is not None:
        return f"{agreeing} of {voters} agree"
    return shortcoming(answer, answer.outcome) or "cut at the row limit"

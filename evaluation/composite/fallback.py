"""One model after another, until one gives an answer that will do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from evaluation.answers import Answer, AnswerSource, ModelStopped
from evaluation.composite.trial import Trial, rank, shortcoming
from evaluation.datasets.base import Question
from evaluation.records import CallRecord
from evaluation.verdicts import Status


@dataclass(frozen=True)
class Member:
    """One of the models of a composite one.

    Attributes:
        name: Its name in tables.
        source: Gives its answers.
    """

    name: str
    source: AnswerSource


@dataclass(frozen=True)
class Fallback(AnswerSource):
    """Asks the next model where the one before it gave no answer, or none that will do.

    Without a trial, only a provider's failure moves a question on: a wrong or refused answer is the system's answer.
    With a trial, so does an answer whose statement does not parse, does not run or returns no rows; where no model
    does better, the one that came furthest answers, the later one where two came as far.

    A model whose account is empty or whose key is wrong is not asked again.

    Attributes:
        members: In the order in which they are asked.
        trial: Runs their statements, where quality counts.
    """

    members: Sequence[Member]
    trial: Trial | None = None
    _stopped: dict[int, ModelStopped] = field(default_factory=dict, init=False)

    async def answer(self, position: int, question: Question, target: str) -> Answer:
        """The first answer that will do."""
        calls: list[CallRecord] = []
        found: list[tuple[int, int, Answer]] = []
        for index, member in enumerate(self.members):
            if index in self._stopped:
                calls.append(CallRecord("fallback", member.name, f"not asked: {self._stopped[index].cause}"))
                continue
            try:
                answer = await member.source.answer(position, question, target)
            except ModelStopped as stopped:
                self._stopped[index] = stopped
                calls.append(CallRecord("fallback", member.name, stopped.cause))
                continue
            outcome = await self.trial.run(answer, target) if self.trial is not None else None
            answer = replace(answer, outcome=outcome, answered_by=answer.answered_by or member.name)
            problem = self._problem(answer)
            if problem is None:
                return answer.after(calls)
            found.append((rank(answer, outcome), index, answer))
            calls += answer.as_call("fallback", problem)
        if not found:
            raise next(reversed(self._stopped.values()))
        _, _, best = max(found, key=lambda one: one[:2])
        return replace(
            best, calls=tuple(call for call in calls if call.answer is None or call.answer is not best.record)
        )

    def _problem(self, answer: Answer) -> str | None:
        if self.trial is not None:
            return shortcoming(answer, answer.outcome)
        settled = answer.settled
        return settled.reason.words if settled is not None and settled.status is Status.UNSCORED else None

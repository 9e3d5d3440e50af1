"""A model that is told what the engine said about its statement, and may mend it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from database_backends.result import ExecutionFailure, Outcome
from evaluation.answers import Answer, AnswerSource
from evaluation.composite.trial import Trial
from evaluation.datasets.base import Question
from evaluation.generation import ModelSource
from evaluation.records import CallRecord
from evaluation.verdicts import Reason
from prompts.template import PromptTemplate
from sqlassay.messages import Message

_LONGEST_ERROR = 2_000


@dataclass(frozen=True)
class Repair(AnswerSource):
    """Feeds the error of execution back to the model, up to a number of times.

    What it answered at first is kept beside the final answer, so that both can be judged: a repaired answer is never
    counted as a first one. A statement that runs is never touched, whatever it returns.

    Attributes:
        source: The model.
        template: The prompt of a correction, given `sql` and `error`; it follows the conversation so far.
        attempts: Corrections at most.
        trial: Runs the statements.
    """

    source: ModelSource
    template: PromptTemplate
    attempts: int
    trial: Trial

    async def answer(self, position: int, question: Question, target: str) -> Answer:
        """The last answer, with the first one and every one between."""
        asked = await self.source.ask(self.source.template, question, target)
        answer = await self._tried(self.source.read(asked), target)
        first, calls = answer, list[CallRecord]()
        for attempt in range(1, self.attempts + 1):
            error = _error(answer)
            if error is None or asked.prompt is None or asked.completion is None:
                break
            before = (*asked.prompt.messages, Message("assistant", asked.completion.text))
            variables: Mapping[str, object] = {"sql": answer.sql or "", "error": error}
            again = await self.source.ask(self.template, question, target, before=before, variables=variables)
            if again.completion is None:  # the provider gave no correction: what there was stands
                calls += self.source.read(again).as_call(f"attempt {attempt + 1}", "no correction")
                break
            calls += answer.as_call(f"attempt {attempt}", error)
            asked = again
            answer = await self._tried(self.source.read(asked), target)
        return replace(answer, first=first).after(calls)

    async def _tried(self, answer: Answer, target: str) -> Answer:
        return replace(answer, outcome=await self.trial.run(answer, target))


def _error(answer: Answer) -> str | None:
    """What the model is told; `None` where there is nothing that it could mend."""
    if answer.settled is not None:
        return "no SQL" if answer.settled.reason is Reason.NO_SQL else None
    outcome: Outcome | None = answer.outcome
    if not isinstance(outcome, ExecutionFailure) or outcome.kind.is_instrument:
        return None
    return outcome.message[:_LONGEST_ERROR] or outcome.kind.value

"""Strategies that ask a model."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import ClassVar

from adapters.base import Completion, GenerationRequest, ModelAdapter
from evaluation.base.case import Case
from evaluation.base.strategy import EvaluationStrategy
from evaluation.verdicts import Reason, Verdict
from sqlassay.messages import Message
from sqlassay.resilience import GaveUp, RetryPolicy


class JudgeUnreadable(Exception):
    """The judge's answer holds no verdict, or one that was not offered."""


class LLMEvaluator(EvaluationStrategy):
    """Judges by asking a model, which must be named: it is never the model under test by default.

    Args:
        judge: The model that judges.
        retry: How often and how patiently it is asked again when its provider fails.
        parameters: Sampling settings of the judge.
    """

    needs_model: ClassVar[bool] = True

    def __init__(
        self,
        judge: ModelAdapter,
        *,
        retry: RetryPolicy | None = None,
        parameters: Mapping[str, object] | None = None,
    ) -> None:
        self.judge = judge
        self.retry = retry or RetryPolicy()
        self.parameters = dict(parameters or {"temperature": 0})

    @property
    def settings(self) -> Mapping[str, object]:
        """The judge's identity and its sampling settings."""
        return {"judge": dict(self.judge.identity), "parameters": self.parameters}

    @abstractmethod
    def messages(self, case: Case) -> tuple[Message, ...]:
        """What the judge is asked. Everything from the case is data: it is quoted, never obeyed."""

    @abstractmethod
    def read(self, completion: Completion, case: Case) -> Verdict:
        """The verdict in the judge's answer.

        Raises:
            JudgeUnreadable: There is none, or it is not one of the grades that were offered.
        """

    async def evaluate(self, case: Case) -> Verdict:
        """Ask the judge; a judge that fails or cannot be read leaves the item unscored."""
        if case.settled is not None:
            return case.settled
        request = GenerationRequest(self.messages(case), self.parameters, question_id=case.question.id)
        try:
            completion, _ = await self.retry.call(lambda: self.judge.generate(request))
        except GaveUp as failure:
            return Verdict.of(Reason.PROVIDER_DOWN, judge=self.judge.model, error=str(failure.error))
        try:
            return self.read(completion, case)
        except JudgeUnreadable as error:
            return Verdict.of(Reason.JUDGE_UNREADABLE, error=str(error), answer=completion.text[:500])

"""Strategies that ask a model: a judge that fails or cannot be read says nothing about the answer."""

from __future__ import annotations

import asyncio

import pytest

from adapters.base import Completion, GenerationRequest
from adapters.errors import AdapterError, AuthFailed, PromptTooLong, ProviderUnavailable, RateLimited
from evaluation.base.case import Case
from evaluation.base.llm import JudgeUnreadable, LLMEvaluator
from evaluation.datasets.base import Question
from evaluation.verdicts import Reason, Status, Verdict
from sqlassay.messages import Message
from sqlassay.resilience import RetryPolicy
from tests.evaluation.script import Script

GRADES = {"right": Reason.MATCH, "wrong": Reason.WRONG_ROWS}
CASE = Case(Question("q7", "How many singers?", "show"), "sqlite")


class Judge(Script):
    provider = "judge"

    def __init__(self, *lines: str | Exception) -> None:
        super().__init__(*lines, model="judge-1")


class Graded(LLMEvaluator):
    name = "graded"
    version = "1"

    def messages(self, case: Case) -> tuple[Message, ...]:
        return (Message("user", f"Is this right: {case.question.text}"),)

    def read(self, completion: Completion, case: Case) -> Verdict:
        if completion.text not in GRADES:
            raise JudgeUnreadable(f"no grade in {completion.text[:20]!r}")
        return Verdict.of(GRADES[completion.text])


async def no_wait(seconds: float) -> None:
    """Waiting is the retry policy's own test."""


RETRY = RetryPolicy(attempts=3, initial=0, sleep=no_wait)


def judged(*lines: str | Exception, case: Case = CASE) -> Verdict:
    return asyncio.run(Graded(Judge(*lines), retry=RETRY).evaluate(case))


def failure(kind: type[AdapterError]) -> AdapterError:
    return kind("judge", "judge-1", "no luck")


@pytest.mark.parametrize(("line", "reason"), GRADES.items())
def test_a_grade_is_the_verdict(line: str, reason: Reason) -> None:
    assert judged(line) == Verdict.of(reason)


@pytest.mark.parametrize("line", ["", "maybe", "right and wrong", "RIGHT" * 1000])
def test_an_answer_that_cannot_be_read_leaves_the_item_unscored(line: str) -> None:
    verdict = judged(line)
    assert (verdict.status, verdict.reason) == (Status.UNSCORED, Reason.JUDGE_UNREADABLE)
    assert verdict.evidence == {"error": f"no grade in {line[:20]!r}", "answer": line[:500]}


@pytest.mark.parametrize(
    "lines",
    [
        [failure(RateLimited)] * 3,
        [failure(ProviderUnavailable)] * 3,
        [failure(AuthFailed)],
        [failure(PromptTooLong)],
    ],
    ids=lambda lines: type(lines[0]).__name__,
)
def test_a_judge_that_fails_leaves_the_item_unscored(lines: list[Exception]) -> None:
    verdict = judged(*lines, "right")
    assert (verdict.status, verdict.reason) == (Status.UNSCORED, Reason.PROVIDER_DOWN)
    assert verdict.evidence == {"judge": "judge-1", "error": "judge judge-1: no luck"}


def test_a_judge_that_comes_back_is_heard() -> None:
    assert judged(failure(RateLimited), failure(ProviderUnavailable), "right").reason is Reason.MATCH


def test_what_is_settled_is_not_asked() -> None:
    judge = Judge()
    settled = Verdict.of(Reason.REFUSED)
    case = Case(CASE.question, "sqlite", settled=settled)
    assert asyncio.run(Graded(judge).evaluate(case)) is settled
    assert judge.heard == []


def test_what_the_judge_is_asked() -> None:
    judge = Judge("right")
    asyncio.run(Graded(judge, parameters={"temperature": 0.5}).evaluate(CASE))
    messages = (Message("user", "Is this right: How many singers?"),)
    assert judge.heard == [GenerationRequest(messages, {"temperature": 0.5}, question_id="q7")]


def test_the_record_says_who_judged_and_how() -> None:
    strategy = Graded(Judge())
    assert strategy.needs_model
    assert strategy.settings == {
        "judge": {"provider": "judge", "model": "judge-1"},
        "parameters": {"temperature": 0},
    }

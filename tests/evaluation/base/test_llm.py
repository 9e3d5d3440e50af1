"""Strategies that ask models: a judge that fails or cannot be read says nothing about the answer."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from adapters.base import Completion, FinishReason
from adapters.errors import AuthFailed, PromptTooLong, ProviderUnavailable, RateLimited, RequestTimeout
from adapters.prices import Prices
from database_backends.result import ResultTable
from evaluation.answers import ModelStopped
from evaluation.base.case import Case, Executed
from evaluation.base.llm import GRADE, LLMEvaluator
from evaluation.base.strategy import EvaluationStrategy
from evaluation.budget import Budget, OverBudget
from evaluation.datasets.base import Question
from evaluation.generation import ResponseCache
from evaluation.judging.bench import Bench, Judge
from evaluation.store import Store
from evaluation.strategies.making import make_strategy
from evaluation.verdicts import JUDGES, Reason, Status, Verdict
from prompts.library import load
from prompts.schema_text.text import Shown
from sqlassay.errors import UserError
from tests.evaluation.judging.court import ballot, bench, source
from tests.evaluation.script import Script
from tests.evaluation.world import World

RAN = ResultTable(("n",), ("",), [(3,)])
CASE = Case(Question("q7", "How many singers?", "show"), "sqlite", sql="SELECT 3", predicted=Executed("SELECT 3", RAN))
YES, NO = ballot("correct"), ballot("incorrect", "wrong_filter")
REFUSED = Completion("I will not.", FinishReason.REFUSED)
FILTERED = Completion("", FinishReason.FILTERED)
CUT = Completion(YES, FinishReason.LENGTH)
Line = str | Completion | Exception


class Graded(LLMEvaluator):
    """The least that a strategy has to say."""

    name = "graded"
    version = "1"
    own_prompt = "judge_reference_free"
    shows = frozenset({"candidate_sql", "candidate_result"})

    async def beforehand(self, case: Case) -> Verdict | None:
        return case.settled

    def shown(self, case: Case) -> Sequence[Mapping[str, str]]:
        return [{"candidate_sql": case.sql or "", "candidate_result": ""}]

    def verdict(self, case: Case, grades: Mapping[str, str]) -> Verdict:
        return Verdict.of({"correct": Reason.JUDGED_CORRECT, "incorrect": Reason.JUDGED_WRONG}[grades[GRADE]])


def judged(world: World, *panel: Sequence[Line], vote: str = "majority", case: Case = CASE) -> Verdict:
    strategy = Graded(vote=vote)
    strategy.appoint(bench(*(source(world, Script(*lines)) for lines in panel)))
    return asyncio.run(strategy.evaluate(replace(case, target=str(world.database))))


def down(kind: type[Exception] = ProviderUnavailable) -> Exception:
    return kind("script", "m", "no luck")


@pytest.mark.parametrize(("line", "reason"), [(YES, Reason.JUDGED_CORRECT), (NO, Reason.JUDGED_WRONG)])
def test_a_grade_is_the_verdict(world: World, line: str, reason: Reason) -> None:
    verdict = judged(world, [line])
    assert verdict.reason is reason
    assert verdict.evidence[JUDGES] == {"judge 1": "correct" if line == YES else "incorrect"}
    assert verdict.evidence["judge_why"] == "so it is"
    assert verdict.evidence.get("judge_categories") == ([] if line == YES else ["wrong_filter"])
    (call,) = verdict.calls
    assert (call.role, call.model) == ("graded", "judge 1")
    assert call.answer is not None
    assert call.answer.text == line


@pytest.mark.parametrize(
    ("lines", "reason", "words"),
    [
        (["The grade is correct."], Reason.JUDGE_UNREADABLE, "the answer is not one JSON object"),
        ([ballot("excellent")], Reason.JUDGE_UNREADABLE, "'grade' is 'excellent', offered were correct, incorrect"),
        (["{}"], Reason.JUDGE_UNREADABLE, "'grade' is missing"),
        ([CUT], Reason.JUDGE_UNREADABLE, "its answer ended by: length"),
        ([REFUSED], Reason.JUDGE_UNREADABLE, "its answer ended by: refused"),
        ([FILTERED] * 2, Reason.JUDGE_UNREADABLE, "its answer ended by: filtered"),
        ([down(PromptTooLong)], Reason.JUDGE_UNREADABLE, "script m: no luck"),
        ([down(RateLimited)] * 2, Reason.PROVIDER_DOWN, "script m: no luck"),
        ([down()] * 2, Reason.PROVIDER_DOWN, "script m: no luck"),
        ([down(RequestTimeout)] * 2, Reason.PROVIDER_DOWN, "script m: no luck"),
    ],
    ids=str,
)
def test_a_judge_that_fails_leaves_the_item_unscored(
    world: World, lines: list[Line], reason: Reason, words: str
) -> None:
    verdict = judged(world, lines)
    assert (verdict.status, verdict.reason, verdict.score) == (Status.UNSCORED, reason, 0)
    assert verdict.evidence == {JUDGES: {"judge 1": f"no verdict: {words}"}}


def test_a_judge_that_comes_back_is_heard(world: World) -> None:
    verdict = judged(world, [down(RateLimited), YES])
    assert verdict.reason is Reason.JUDGED_CORRECT
    assert verdict.calls[0].answer is not None
    assert [attempt.error for attempt in verdict.calls[0].answer.attempts] == ["RateLimited"]


@pytest.mark.parametrize(
    ("panel", "vote", "reason", "differ"),
    [
        ([[YES], [YES], [NO]], "majority", Reason.JUDGED_CORRECT, 100.0),
        ([[YES], [YES], [NO]], "unanimous", Reason.JUDGES_DISAGREE, 100.0),
        ([[NO], [NO], [NO]], "unanimous", Reason.JUDGED_WRONG, 0.0),
        ([[YES], [NO]], "majority", Reason.JUDGES_DISAGREE, 100.0),
        ([[YES], [YES], [REFUSED]], "majority", Reason.JUDGED_CORRECT, 0.0),
        ([[YES], [YES], [REFUSED]], "unanimous", Reason.JUDGE_UNREADABLE, 0.0),
        ([[YES], [down()] * 2, ["?"]], "majority", Reason.PROVIDER_DOWN, None),
    ],
)
def test_panels(world: World, panel: list[list[Line]], vote: str, reason: Reason, differ: float | None) -> None:
    verdict = judged(world, *panel, vote=vote)
    assert verdict.reason is reason
    told = verdict.evidence.get("figures", {})
    assert told == ({} if differ is None else {"judges disagree in %": differ})
    assert list(verdict.evidence[JUDGES]) == [f"judge {number}" for number in range(1, len(panel) + 1)]  # type: ignore[call-overload]


def test_categories_are_of_those_who_went_with_the_verdict(world: World) -> None:
    panel = [[ballot("incorrect", "wrong_join")], [ballot("incorrect", "wrong_filter")], [ballot("correct", "other")]]
    assert judged(world, *panel).evidence["judge_categories"] == ["wrong_join", "wrong_filter"]


def test_what_is_known_beforehand_is_not_asked(world: World) -> None:
    settled = Verdict.of(Reason.REFUSED)
    assert judged(world, [], case=replace(CASE, settled=settled)) is settled


def test_a_judge_that_can_answer_nothing_more_stops_the_run(world: World) -> None:
    with pytest.raises(ModelStopped, match="AuthFailed"):
        judged(world, [down(AuthFailed)])


def test_judges_count_into_the_budget(world: World) -> None:
    budget = Budget(tokens=10)
    strategy = Graded()
    strategy.appoint(bench(source(world, Script(YES), budget=budget, prices=Prices(1.0, 1.0))))
    with pytest.raises(OverBudget):
        asyncio.run(strategy.evaluate(replace(CASE, target=str(world.database))))


def test_a_verdict_is_reused_and_what_is_none_is_asked_for_again(world: World, tmp_path: Path) -> None:
    store = Store(tmp_path / "answers.sqlite")
    try:
        script = Script("?", CUT, YES, NO)
        strategy = Graded()
        strategy.appoint(bench(source(world, script, cache=ResponseCache(store))))
        case = replace(CASE, target=str(world.database))

        def reason(**changes: str) -> Reason:
            return asyncio.run(strategy.evaluate(replace(case, **changes))).reason

        assert [reason() for _ in range(4)] == [
            Reason.JUDGE_UNREADABLE,
            Reason.JUDGE_UNREADABLE,
            Reason.JUDGED_CORRECT,
            Reason.JUDGED_CORRECT,
        ]
        assert reason(sql="SELECT 4") is Reason.JUDGED_WRONG  # another prompt, another verdict
        script.lines.append(down())
        assert reason() is Reason.JUDGED_CORRECT  # what is known is not asked again, so that it cannot fail
        assert len(script.heard) == 4
    finally:
        store.close()


def test_the_judge_is_held_to_a_schema_where_its_provider_can(world: World) -> None:
    from adapters.base import Feature

    script = Script(YES)
    script.features = frozenset({Feature.SCHEMA})
    strategy = Graded()
    strategy.appoint(bench(source(world, script, parameters={"temperature": 0})))
    asyncio.run(strategy.evaluate(replace(CASE, target=str(world.database))))
    (request,) = script.heard
    assert request.schema is not None
    assert request.schema["properties"]["grade"]["enum"] == ["correct", "incorrect"]  # type: ignore[index]
    assert request.parameters == {"temperature": 0}
    assert (request.prompt, request.question_id) == ("judge_reference_free@1", "q7")
    assert "| How many singers?" in request.messages[1].content


def test_a_schema_is_shown_whole_and_a_statement_only_so_far(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    script = Script(YES)
    strategy = Graded()
    asking = source(world, script)
    whole = SimpleNamespace(about=lambda *of: Shown("a" * 100_000 + " is the schema"))
    monkeypatch.setattr(asking.databases, "schema_text", lambda *of: whole)
    strategy.appoint(bench(asking))
    long = replace(CASE, target=str(world.database), sql="b" * 100_000 + " is the statement")
    asyncio.run(strategy.evaluate(long))
    shown = script.heard[0].messages[1].content
    assert "is the schema" in shown
    assert "is the statement" not in shown
    assert "| … (80,017 more characters)" in shown


def test_the_record_says_who_judged_and_how() -> None:
    strategy = Graded(vote="unanimous", rows=5, variant="strict")
    identity = {"model": {"provider": "p", "model": "m"}, "parameters": {"temperature": 0}}
    strategy.appoint(Bench((Judge("m", identity),), load, bench().rival))
    assert strategy.needs_model
    assert strategy.label == "graded:strict"
    assert strategy.settings == {
        "judges": [{"name": "m", **identity}],
        "prompt": {"ref": "judge_reference_free@1", "sha256": load("judge_reference_free@1").sha256},
        "vote": "unanimous",
        "rows": 5,
    }


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"vote": "most"}, "vote is 'most' (one of majority, unanimous)"),
        ({"rows": 0}, "rows is 0 (a whole number from 1)"),
        ({"rows": 1.5}, "rows is 1.5 (a whole number from 1)"),
        ({"rows": "many"}, "rows is 'many' (a whole number from 1)"),
        ({"prompt": "judge_gold"}, "prompt judge_gold@1 shows gold_result, gold_sql, ordered"),
        ({"prompt": "zero_shot@1"}, "prompt zero_shot@1 offers fewer than two grades"),
        ({"prompt": "judge_golf"}, "unknown prompt 'judge_golf' (did you mean 'judge_gold'?)"),
    ],
)
def test_a_mistake_is_named(settings: dict[str, str], problem: str) -> None:
    with pytest.raises(UserError) as caught:
        Graded(**settings).appoint(Bench((Judge("m", {}),), load, bench().rival))  # type: ignore[arg-type]
    assert problem in str(caught.value)


def test_a_judge_must_be_named_and_only_once() -> None:
    with pytest.raises(UserError, match="graded has no judge"):
        Graded().appoint(bench())
    with pytest.raises(UserError, match="two judges are named 'm'"):
        Graded().appoint(Bench((Judge("m", {}), Judge("m", {})), load, bench().rival))


def test_one_who_asks_nobody_takes_no_judge() -> None:
    assert isinstance(make_strategy("structural", bench=bench()), EvaluationStrategy)
    with pytest.raises(UserError, match="structural asks no judge"):
        make_strategy("structural", bench=Bench((Judge("m", {}),), load, bench().rival))

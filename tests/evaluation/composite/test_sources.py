"""Composite models: which answer counts, what was asked on the way, and what a failing part does."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from adapters.base import Completion, FinishReason, GenerationRequest, Usage
from adapters.errors import AuthFailed, ProviderUnavailable
from database_backends.result import Limits
from database_backends.runner import Runner
from evaluation.answers import Answer, AnswerSource, RunStopped
from evaluation.budget import Budget, OverBudget
from evaluation.composite.fallback import Fallback, Member
from evaluation.composite.repair import Repair
from evaluation.composite.router import Route, Router
from evaluation.composite.self_consistency import SelfConsistency
from evaluation.composite.trial import Trial
from evaluation.databases import Databases
from evaluation.datasets.opening import open_dataset
from evaluation.generation import ModelSource
from evaluation.verdicts import Reason
from prompts.library import load
from sqlassay.resilience import CallLimits, Circuit, Endpoint, RetryPolicy
from tests.evaluation.script import Script
from tests.evaluation.world import World

ALL = "SELECT name FROM singer"
COUNT = "SELECT count(*) FROM singer"
NONE = "SELECT name FROM singer WHERE age > 99"
BROKEN = "SELECT nme FROM singer"
UNPARSED = "SELEC name FROM singer"
WRITES = "DROP TABLE singer"
DOWN = ProviderUnavailable("script", "m", "overloaded", status=503)
NO_KEY = AuthFailed("script", "m", "bad key", status=401)
REFUSED = Completion("No.", FinishReason.REFUSED)

Line = str | Completion | Exception


class Persistent(Script):
    """Says its last line again and again. Text is SQL."""

    def next_line(self) -> Line:
        line = self.lines.pop(0) if len(self.lines) > 1 else self.lines[0]
        return Completion(f"```sql\n{line}\n```", usage=Usage(100, 10)) if isinstance(line, str) else line


Make = Callable[..., ModelSource]


@pytest.fixture
def trial(runner: Runner) -> Trial:
    return Trial(runner, "sqlite", Limits(seconds=10, rows=100, megabytes=512))


@pytest.fixture
def source(world: World) -> Make:
    world.questions([{"id": "q0", "question": "How many singers are there per age?"}])
    databases = Databases(open_dataset(f"jsonl:{world.folder / 'questions.jsonl'}"), "sqlite")

    def make(*lines: Line, **more: Any) -> ModelSource:
        made = ModelSource(
            Persistent(*lines),
            load("zero_shot@1"),
            databases,
            Endpoint(Circuit("script"), RetryPolicy(attempts=1), CallLimits(8)),
        )
        return replace(made, **more)

    return make


def ask(source: AnswerSource, world: World) -> Answer:
    (question,) = open_dataset(f"jsonl:{world.folder / 'questions.jsonl'}").questions()
    return asyncio.run(source.answer(0, question, str(world.database)))


def heard(source: ModelSource) -> list[GenerationRequest]:
    assert isinstance(source.adapter, Script)
    return source.adapter.heard


@pytest.mark.parametrize(
    ("first", "sql", "by"),
    [
        (COUNT, COUNT, "a"),
        (BROKEN, BROKEN, "a"),  # a wrong answer is the system's answer
        (NONE, NONE, "a"),
        (REFUSED, None, "a"),
        (DOWN, ALL, "b"),
        (NO_KEY, ALL, "b"),
    ],
)
def test_fallback_by_failure(world: World, source: Make, first: Line, sql: str | None, by: str) -> None:
    answer = ask(Fallback([Member("a", source(first)), Member("b", source(ALL))]), world)
    assert (answer.sql, answer.answered_by) == (sql, by)
    assert [call.model for call in answer.calls] == (["a"] if by == "b" else [])


@pytest.mark.parametrize(
    ("first", "why"),
    [
        (BROKEN, "unknown column"),
        (UNPARSED, "not a query"),
        (WRITES, "write attempt"),
        (NONE, "no rows"),
        (REFUSED, "refused"),
        (Completion("I cannot say."), "no sql"),
        (DOWN, "provider down"),
    ],
)
def test_fallback_by_quality(world: World, source: Make, trial: Trial, first: Line, why: str) -> None:
    answer = ask(Fallback([Member("a", source(first)), Member("b", source(ALL))], trial), world)
    assert (answer.sql, answer.answered_by) == (ALL, "b")
    assert [call.why for call in answer.calls] == [why]
    assert answer.outcome is not None, "what was run to choose is not run again"


@pytest.mark.parametrize(
    ("lines", "sql", "by"),
    [
        ((NONE, BROKEN), NONE, "a"),
        ((BROKEN, NONE), NONE, "b"),
        ((BROKEN, UNPARSED), UNPARSED, "b"),
        ((BROKEN, REFUSED), BROKEN, "a"),
        ((REFUSED, DOWN), None, "a"),  # a refusal is the system's answer, an outage is none
    ],
)
def test_where_none_will_do_the_one_that_came_furthest_answers(
    world: World, source: Make, trial: Trial, lines: tuple[Line, ...], sql: str | None, by: str
) -> None:
    members = [Member(name, source(line)) for name, line in zip("ab", lines, strict=True)]
    answer = ask(Fallback(members, trial), world)
    assert (answer.sql, answer.answered_by) == (sql, by)
    assert len(answer.calls) == 1


def test_a_member_without_a_key_is_asked_once(world: World, source: Make) -> None:
    broken = source(NO_KEY)
    fallback = Fallback([Member("a", broken), Member("b", source(ALL))])
    answers = [ask(fallback, world) for _ in range(3)]
    assert [answer.sql for answer in answers] == [ALL] * 3
    assert len(heard(broken)) == 1
    (call,) = answers[-1].calls
    assert call.why == "not asked: AuthFailed: script m (HTTP 401): bad key"


def test_a_fallback_stops_when_all_its_members_have(world: World, source: Make) -> None:
    fallback = Fallback([Member("a", source(NO_KEY)), Member("b", source(NO_KEY))])
    for _ in range(2):
        with pytest.raises(RunStopped, match="bad key"):
            ask(fallback, world)


@pytest.mark.parametrize("role", ["fallback", "classifier"])
def test_an_empty_purse_is_no_failing_model(role: str, world: World, source: Make) -> None:
    """Else a cheaper model would answer in its place, and the run would not stop."""
    dear, cheap = replace(source(ALL), budget=Budget(tokens=0)), source(COUNT)
    system: AnswerSource = Fallback([Member("dear", dear), Member("cheap", cheap)])
    if role == "classifier":
        system = Router(dear, "dear", load("router_classify"), [Route("a", "cheap", cheap)], "a", 0.7)
    with pytest.raises(OverBudget):
        ask(system, world)
    assert heard(cheap) == []


def decides(route: object, confidence: object) -> Completion:
    return Completion(json.dumps({"route": route, "confidence": confidence}))


@pytest.mark.parametrize(
    ("line", "route", "by", "confidence"),
    [
        (decides("easy", 0.9), "easy", "classifier", 0.9),
        (decides("hard", 0.7), "hard", "classifier", 0.7),
        (decides("easy", 0.69), "hard", "keywords", 0.69),
        (decides("easy", "high"), "hard", "keywords", None),
        (decides("easy", True), "hard", "keywords", None),
        (decides("easy", 7), "hard", "keywords", None),
        (decides("other", 1), "hard", "keywords", None),
        (decides(["easy"], 1), "hard", "keywords", None),
        (Completion("easy, I think"), "hard", "keywords", None),
        (Completion('Sure:\n```json\n{"route": "easy", "confidence": 1}\n```'), "easy", "classifier", 1.0),
        (REFUSED, "hard", "keywords", None),
        (DOWN, "hard", "keywords", None),
        (NO_KEY, "hard", "keywords", None),
    ],
)
def test_router(world: World, source: Make, line: Line, route: str, by: str, confidence: float | None) -> None:
    routes = [
        Route("easy", "small", source(COUNT), "one table"),
        Route("hard", "large", source(ALL), "groups and joins", ("per", "join")),
    ]
    answer = ask(Router(source(line), "sorter", load("router_classify"), routes, "easy", 0.7), world)
    assert answer.route is not None
    assert (answer.route.route, answer.route.decided_by, answer.route.confidence) == (route, by, confidence)
    assert (answer.sql, answer.answered_by) == ((COUNT, "small") if route == "easy" else (ALL, "large"))
    assert [(call.role, call.model) for call in answer.calls] == [("classifier", "sorter")]


@pytest.mark.parametrize(
    ("keywords", "route"),
    [
        ((["Singers"], []), "easy"),
        (([], ["sing"]), "default"),  # whole words
        ((["singers"], ["age"]), "default"),  # as many
        ((["singers"], ["age", "per"]), "hard"),
        (([], []), "default"),
    ],
)
def test_keywords(world: World, source: Make, keywords: tuple[list[str], list[str]], route: str) -> None:
    routes = [
        Route("easy", "a", source(COUNT), keywords=keywords[0]),
        Route("hard", "b", source(ALL), keywords=keywords[1]),
        Route("default", "c", source(NONE)),
    ]
    answer = ask(Router(None, "", load("router_classify"), routes, "default", 0.5), world)
    assert answer.route is not None
    assert answer.route.route == route
    assert answer.calls == ()


def test_the_classifier_sees_the_routes_and_is_asked_once_without_a_key(world: World, source: Make) -> None:
    classifier = source(NO_KEY)
    routes = [Route("easy", "a", source(COUNT), "only one table"), Route("hard", "b", source(ALL), "the rest")]
    router = Router(classifier, "sorter", load("router_classify"), routes, "hard", 0.5)
    assert [ask(router, world).sql for _ in range(3)] == [ALL] * 3
    (request,) = heard(classifier)
    text = "\n".join(message.content for message in request.messages)
    assert "- easy: only one table" in text
    assert "How many singers are there per age?" in text


@pytest.mark.parametrize(
    ("lines", "sql", "note"),
    [
        ((COUNT, ALL, COUNT), COUNT, "sample 1: 2 of 3 agree"),
        ((ALL, COUNT, "SELECT 3"), COUNT, "sample 2: 2 of 3 agree"),
        ((BROKEN, ALL, UNPARSED), ALL, "sample 2: 1 of 1 agree"),
        ((ALL, COUNT, NONE), ALL, "sample 1: 1 of 3 agree"),
        ((NONE, "SELECT age FROM singer WHERE 0", ALL), NONE, "sample 1: 2 of 3 agree"),
        ((REFUSED, BROKEN, UNPARSED), BROKEN, "sample 2: unknown column"),
        ((DOWN, REFUSED, DOWN), None, "sample 2: refused"),
        ((f"{ALL} ORDER BY 1 DESC", COUNT, ALL), f"{ALL} ORDER BY 1 DESC", "sample 1: 2 of 3 agree"),
        (("SELECT 1.0", "SELECT 2", "SELECT 1"), "SELECT 1.0", "sample 1: 2 of 3 agree"),
    ],
)
def test_self_consistency(
    world: World, source: Make, trial: Trial, lines: tuple[Line, ...], sql: str | None, note: str
) -> None:
    answer = ask(SelfConsistency([source(line) for line in lines], trial), world)
    assert (answer.sql, answer.note) == (sql, note)
    assert len(answer.calls) == len(lines) - 1


def test_a_sample_that_stops_stops_all(world: World, source: Make, trial: Trial) -> None:
    with pytest.raises(RunStopped, match="bad key"):
        ask(SelfConsistency([source(ALL), source(NO_KEY), source(ALL)], trial), world)


@pytest.mark.parametrize(
    ("lines", "sql", "first", "roles"),
    [
        ((COUNT,), COUNT, COUNT, []),
        ((NONE,), NONE, NONE, []),  # it runs: nothing says that it is wrong
        ((BROKEN, COUNT), COUNT, BROKEN, ["attempt 1"]),
        ((BROKEN, UNPARSED, COUNT), COUNT, BROKEN, ["attempt 1", "attempt 2"]),
        ((BROKEN, BROKEN, BROKEN, COUNT), BROKEN, BROKEN, ["attempt 1", "attempt 2"]),
        ((Completion("Which one?"), COUNT), COUNT, None, ["attempt 1"]),
        ((BROKEN, REFUSED), None, BROKEN, ["attempt 1"]),
        ((REFUSED, COUNT), None, None, []),
        ((DOWN, COUNT), None, None, []),
        ((BROKEN, DOWN), BROKEN, BROKEN, ["attempt 2"]),
    ],
)
def test_repair(
    world: World, source: Make, trial: Trial, lines: tuple[Line, ...], sql: str | None, first: str | None, roles: object
) -> None:
    answer = ask(Repair(source(*lines), load("self_correct"), 2, trial), world)
    assert answer.sql == sql
    assert answer.first is not None
    assert answer.first.sql == first
    assert [call.role for call in answer.calls] == roles


def test_a_correction_follows_the_conversation(world: World, source: Make, trial: Trial) -> None:
    model = source(BROKEN, COUNT)
    ask(Repair(model, load("self_correct"), 1, trial), world)
    before, after = heard(model)
    assert after.messages[: len(before.messages)] == before.messages
    said, asked = after.messages[len(before.messages) :]
    assert (said.role, asked.role) == ("assistant", "user")
    assert BROKEN in said.content
    assert "no such column: nme" in asked.content
    assert after.prompt == "self_correct@1"


def test_an_outage_takes_back_nothing_that_was_answered_before(world: World, source: Make, trial: Trial) -> None:
    answer = ask(Repair(source(BROKEN, DOWN), load("self_correct"), 2, trial), world)
    assert answer.settled is None
    assert [call.why for call in answer.calls] == ["no correction"]
    down = ask(Repair(source(DOWN), load("self_correct"), 2, trial), world)
    assert down.settled is not None
    assert down.settled.reason is Reason.PROVIDER_DOWN

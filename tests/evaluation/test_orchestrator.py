"""The flow: every question ends as exactly one record, whatever happens to it, and nothing collects records."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from database_backends.result import Limits
from database_backends.runner import Runner
from evaluation.answers import Answer, AnswerSource, RunStopped
from evaluation.base.case import Case
from evaluation.base.strategy import EvaluationStrategy
from evaluation.databases import Databases
from evaluation.datasets.base import Question
from evaluation.datasets.opening import open_dataset
from evaluation.golds import GoldStore
from evaluation.jsonl import line_of
from evaluation.orchestrator import Orchestrator
from evaluation.records import AnswerRecord, ItemRecord
from evaluation.strategies.making import make_strategy
from evaluation.verdicts import Reason, Verdict
from sqlassay.errors import UserError
from tests.evaluation.world import GOLD, World

LIMITS = Limits(seconds=20)


@dataclass(frozen=True)
class Given(AnswerSource):
    """Answers by question id; an error is raised."""

    answers: dict[str, object]
    otherwise: object = Answer(GOLD)

    async def answer(self, position: int, question: Question, target: str) -> Answer:
        await asyncio.sleep(0)
        answer = self.answers.get(question.id, self.otherwise)
        if isinstance(answer, BaseException):
            raise answer
        return answer  # type: ignore[return-value]


class Says(EvaluationStrategy):
    """Gives the verdict that it was made with; an error is raised."""

    name = "says"
    version = "1"

    def __init__(self, verdict: object) -> None:
        self.verdict = verdict

    async def evaluate(self, case: Case) -> Verdict:
        if isinstance(self.verdict, Exception):
            raise self.verdict
        return self.verdict  # type: ignore[return-value]


class TextOnly(Says):
    name = "text_only"
    needs_gold = False
    needs_execution = False


def question(question_id: str, gold: str | Sequence[str] = GOLD, db_id: str = "show") -> Question:
    golds = (gold,) if isinstance(gold, str) else tuple(gold)
    return Question(question_id, f"Question {question_id}?", db_id, golds, difficulty="easy", tags=("a", "b"))


def orchestrator(
    world: World,
    runner: Runner,
    source: AnswerSource,
    strategies: Sequence[EvaluationStrategy] = (),
    in_flight: int = 8,
) -> Orchestrator:
    world.questions(1)
    databases = Databases(open_dataset(f"jsonl:{world.folder / 'questions.jsonl'}"), "sqlite")
    golds = GoldStore(runner, databases, LIMITS, None)
    strategies = strategies or (make_strategy("execution_match"),)
    return Orchestrator(databases, source, golds, runner, strategies, LIMITS, in_flight)


def records(flow: Orchestrator, questions: Iterable[Question]) -> list[ItemRecord]:
    found: list[ItemRecord] = []

    async def sink(record: ItemRecord) -> None:
        line_of(record)
        found.append(record)

    asyncio.run(flow.run(enumerate(questions), sink))
    return sorted(found, key=lambda record: record.position)


def told(records: Iterable[ItemRecord]) -> list[list[str]]:
    return [[verdict.reason.value for verdict in record.verdicts] for record in records]


def test_a_record_says_everything(world: World, runner: Runner) -> None:
    asked = AnswerRecord("abc", "short@1", "def", "```sql…", "stop", "m", 1, 2)
    answer = Answer(GOLD, None, asked, "fence", ("reasoning",))
    (record,) = records(orchestrator(world, runner, Given({}, answer)), [question("q0")])
    assert (record.id, record.position, record.db_id, record.question) == ("q0", 0, "show", "Question q0?")
    assert (record.difficulty, record.tags, record.sql, record.extraction) == ("easy", ("a", "b"), GOLD, "fence")
    assert record.removed == ("reasoning",)
    assert record.answer == answer.record
    assert [(gold.sql, gold.rows, gold.failure, gold.cached) for gold in record.golds] == [(GOLD, 1, None, False)]
    assert record.predicted is not None
    assert (record.predicted.sql, record.predicted.rows, record.predicted.failure) == (GOLD, 1, None)
    assert told([record]) == [["match"]]
    assert record.seconds > 0
    assert record.started.endswith("+00:00")


OUTCOMES: dict[str, tuple[Question, object, str]] = {
    "right": (question("x"), Answer(GOLD), "match"),
    "wrong": (question("x"), Answer("SELECT 7"), "wrong_rows"),
    "broken": (question("x"), Answer("SELECT FROM"), "syntax"),
    "no such table": (question("x"), Answer("SELECT * FROM nope"), "unknown_table"),
    "no such column": (question("x"), Answer("SELECT nope FROM singer"), "unknown_column"),
    "a write": (question("x"), Answer("DELETE FROM singer"), "write_attempt"),
    "two statements": (question("x"), Answer("SELECT 1; SELECT 2"), "multiple_statements"),
    "nothing": (question("x"), Answer(None, Verdict.of(Reason.NO_SQL)), "no_sql"),
    "refused": (question("x"), Answer(None, Verdict.of(Reason.REFUSED)), "refused"),
    "cut off": (question("x"), Answer("SELECT", Verdict.of(Reason.TRUNCATED)), "truncated"),
    "provider down": (question("x"), Answer(None, Verdict.of(Reason.PROVIDER_DOWN)), "provider_down"),
    "no database": (question("x", db_id="nope"), Answer(GOLD), "database_missing"),
    "no gold": (question("x", gold=()), Answer(GOLD), "gold_missing"),
    "bad gold": (question("x", gold="SELECT nope"), Answer(GOLD), "gold_failed"),
    "bad gold, refused": (question("x", gold="SELECT"), Answer(None, Verdict.of(Reason.REFUSED)), "gold_failed"),
    "one of two golds": (question("x", gold=("SELECT 7", GOLD)), Answer(GOLD), "match"),
    "source breaks": (question("x"), RuntimeError("boom"), "internal_error"),
    "source returns nonsense": (question("x"), 5, "internal_error"),
    "record that is no JSON": (question("x"), Answer(GOLD, None, AnswerRecord(object())), "internal_error"),  # type: ignore[arg-type]
    "text with lone surrogates": (question("x"), Answer("SELECT '\udc80'"), "syntax"),
}


def test_every_question_ends_as_exactly_one_record(world: World, runner: Runner) -> None:
    questions = [Question(**{**vars(asked), "id": name}) for name, (asked, _, _) in OUTCOMES.items()]
    given = Given({name: answer for name, (_, answer, _) in OUTCOMES.items()})
    found = records(orchestrator(world, runner, given), questions)
    assert [record.id for record in found] == list(OUTCOMES)
    reasons = {record.id: record.verdicts[0].reason.value for record in found}
    assert reasons == {name: reason for name, (_, _, reason) in OUTCOMES.items()}
    assert all(len(record.verdicts) == 1 for record in found)


BAD_VERDICTS: dict[str, tuple[object, str]] = {
    "raises": (ZeroDivisionError("division by zero"), "ZeroDivisionError: division by zero"),
    "raises a mistake of the user's": (UserError("no such setting"), "UserError: no such setting"),
    "nothing": (None, "TypeError: the strategy returned NoneType, not a Verdict"),
    "a bool": (True, "TypeError: the strategy returned bool, not a Verdict"),
    "too much": (Verdict(Reason.MATCH, 1.5), "ValueError: the score is 1.5, not between 0 and 1"),
    "negative": (Verdict(Reason.MATCH, -0.1), "ValueError: the score is -0.1, not between 0 and 1"),
    "NaN": (Verdict(Reason.MATCH, float("nan")), "ValueError: the score is nan, not between 0 and 1"),
    "a set": (Verdict.of(Reason.MATCH, rows={1}), "TypeError: set is no JSON type"),
    "NaN as evidence": (Verdict.of(Reason.MATCH, x=float("nan")), "ValueError: Out of range float values are not"),
}


@pytest.mark.parametrize(("verdict", "expected"), BAD_VERDICTS.values(), ids=BAD_VERDICTS)
def test_a_strategy_that_fails_loses_its_own_verdict_only(
    verdict: object, expected: str, world: World, runner: Runner
) -> None:
    strategies = [make_strategy("execution_match"), Says(verdict), make_strategy("execution_match:bird")]
    (record,) = records(orchestrator(world, runner, Given({}), strategies), [question("q0")])
    assert told([record]) == [["match", "internal_error", "match"]]
    assert str(record.verdicts[1].evidence["error"]).startswith(expected)
    assert record.verdicts[1].status == "unscored"


@pytest.mark.parametrize("stop", [RunStopped("AuthFailed: bad key"), UserError("the prompt needs a variable")])
def test_what_every_question_would_meet_ends_the_run(stop: Exception, world: World, runner: Runner) -> None:
    given = Given({"q3": stop})
    with pytest.raises(type(stop)) as caught:
        records(orchestrator(world, runner, given), [question(f"q{n}") for n in range(50)])
    assert caught.value is stop


def test_a_sink_that_cannot_write_ends_the_run(world: World, runner: Runner) -> None:
    async def sink(record: ItemRecord) -> None:
        raise UserError("disk full")

    flow = orchestrator(world, runner, Given({}))
    with pytest.raises(UserError, match="disk full"):
        asyncio.run(flow.run(enumerate([question("q0"), question("q1")]), sink))


def test_nothing_runs_that_no_strategy_needs(world: World, runner: Runner) -> None:
    strategies = [TextOnly(Verdict.of(Reason.MATCH))]
    (record,) = records(orchestrator(world, runner, Given({}), strategies), [question("q0")])
    assert (record.golds, record.predicted, told([record])) == ((), None, [["match"]])


@pytest.mark.parametrize("in_flight", [1, 5])
def test_questions_are_read_as_places_become_free_and_records_are_let_go(
    in_flight: int, world: World, runner: Runner
) -> None:
    count = 300
    read = finished = most_waiting = most_alive = 0
    made: list[weakref.ref[Any]] = []

    def questions() -> Iterator[tuple[int, Question]]:
        nonlocal read, most_waiting
        for number in range(count):
            read += 1
            most_waiting = max(most_waiting, read - finished)
            asked = question(f"q{number}")
            made.append(weakref.ref(asked))
            yield number, asked

    async def sink(record: ItemRecord) -> None:
        nonlocal finished, most_alive
        finished += 1
        made.append(weakref.ref(record))
        if finished % 50 == 0:
            gc.collect()
        most_alive = max(most_alive, sum(one() is not None for one in made))

    strategies = [TextOnly(Verdict.of(Reason.MATCH))]
    flow = orchestrator(world, runner, Given({}), strategies, in_flight)
    asyncio.run(flow.run(questions(), sink))
    assert finished == read == count
    assert most_waiting <= in_flight + 1
    assert most_alive < 2 * 50 + 4 * in_flight + 4  # what awaits the next collection, and what is under way


def test_a_missing_database_is_named(world: World, runner: Runner) -> None:
    (record,) = records(orchestrator(world, runner, Given({})), [question("q0", db_id="nope")])
    assert record.verdicts[0].evidence == {"db_id": "nope", "backend": "sqlite"}
    assert record.predicted is None


def test_the_place_of_an_unforeseen_error_is_told(world: World, runner: Runner) -> None:
    (record,) = records(orchestrator(world, runner, Given({}, KeyError("x"))), [question("q0")])
    assert record.verdicts[0].evidence["error"] == "KeyError: 'x'"
    assert f"{Path(__file__).name}:" in str(record.verdicts[0].evidence["where"])

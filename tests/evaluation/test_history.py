"""What a turn is shown of those before it: the window, whose statements they are, and who waits for whom."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from database_backends.runner import Runner
from evaluation.answers import Answer, AnswerSource, RunStopped
from evaluation.databases import Databases
from evaluation.datasets.base import Question
from evaluation.datasets.conversations import linked
from evaluation.datasets.opening import open_dataset
from evaluation.golds import GoldStore
from evaluation.history import (
    GoldHistory,
    History,
    NoHistory,
    OwnHistory,
    Turn,
    Window,
    is_unanswered,
    refuse_gaps,
    shown_to_others,
    shows_history,
    still_valid,
)
from evaluation.orchestrator import Orchestrator
from evaluation.records import AnswerRecord, HistoryRecord, ItemRecord, VerdictRecord
from evaluation.strategies.making import make_strategy
from evaluation.verdicts import Reason, Verdict
from prompts.library import load
from sqlassay.errors import UserError
from sqlassay.tokens import count
from tests.evaluation.test_orchestrator import LIMITS, TextOnly
from tests.evaluation.world import World

TURNS = st.lists(st.builds(Turn, st.text(max_size=40), st.none() | st.text(max_size=40)), max_size=8)


def size(turns: Iterable[Turn]) -> int:
    return sum(count(text).tokens for turn in turns for text in (turn.question, turn.sql or ""))


@given(TURNS, st.integers(0, 60))
def test_the_window_holds_as_many_of_the_newest_as_fit(turns: list[Turn], most: int) -> None:
    kept = Window(most).of(turns)
    left_out = turns[: len(turns) - len(kept)]
    assert (*left_out, *kept) == tuple(turns)
    assert size(kept) <= most
    if left_out:
        assert size((left_out[-1], *kept)) > most


@given(TURNS)
def test_without_a_budget_every_turn_is_shown(turns: list[Turn]) -> None:
    assert Window().of(turns) == tuple(turns)


def conversation(name: str, turns: int) -> list[Question]:
    made = [
        Question(f"{name}.{k}", f"Question {name}.{k}?", "show", (f"SELECT '{name}', {k}",), conversation=name, turn=k)
        for k in range(turns)
    ]
    return list(linked(("", question) for question in made))


SINGLE = Question("single", "Alone?", "show", ("SELECT 1",))


def test_gold_history_is_the_golds_of_the_dialect() -> None:
    first, second = (
        Question("0", "A?", "show", ("SELECT 1", "SELECT 2"), {"duckdb": ("FROM t",)}, conversation="a", turn=0),
        Question("1", "B?", "show", conversation="a", turn=1),
    )
    questions = [*linked([("", first), ("", second), ("", SINGLE)])]
    for dialect, gold in (("sqlite", "SELECT 1"), ("duckdb", "FROM t")):
        strands = [list(one) for one in GoldHistory(Window(), dialect).strands(enumerate(questions))]
        assert [[position for position, _ in strand] for strand in strands] == [[0], [1], [2]]
        shown = [strand[0][1].history for strand in strands]
        assert shown[0] is not None
        assert shown[0].turns == ()
        assert shown[1] is not None
        assert shown[1].variable == [{"question": "A?", "sql": gold}]
        assert shown[2] is None


def test_a_turn_without_gold_is_shown_as_one_without_sql() -> None:
    first, second = (Question(str(k), "?", "show", conversation="a", turn=k) for k in range(2))
    _, last = linked([("", first), ("", second)])
    shown = GoldHistory(Window(), "sqlite").foreseen(last).history
    assert shown is not None
    assert shown.record == HistoryRecord("gold", 1, 0, 1)


def record(question: Question, sql: str | None, reason: Reason = Reason.MATCH, *, answered: bool = True) -> ItemRecord:
    answer = AnswerRecord("", finish_reason="stop" if answered else None)
    verdict = VerdictRecord("x", reason.status, 0.0, reason)
    return ItemRecord(question.id, 0, "show", "?", answer=answer, sql=sql, verdicts=(verdict,))


UNANSWERED = {
    "right": ("SELECT 1", Reason.MATCH, True, False),
    "no SQL": (None, Reason.NO_SQL, True, False),
    "no SQL, and the gold fails": (None, Reason.GOLD_FAILED, True, False),
    "the gold fails": ("SELECT 1", Reason.GOLD_FAILED, True, False),
    "too long a prompt": (None, Reason.PROMPT_TOO_LONG, False, False),
    "provider down": (None, Reason.PROVIDER_DOWN, False, True),
    "no database": (None, Reason.DATABASE_MISSING, False, True),
    "a turn before": (None, Reason.EARLIER_TURN_UNANSWERED, False, True),
}


@pytest.mark.parametrize(("sql", "reason", "answered", "expected"), UNANSWERED.values(), ids=UNANSWERED)
def test_what_is_no_answer(sql: str | None, reason: Reason, answered: bool, expected: bool) -> None:
    assert is_unanswered(record(SINGLE, sql, reason, answered=answered)) is expected


def test_own_history_is_what_was_answered() -> None:
    history = OwnHistory(Window(), "sqlite")
    first, second = history.strands(enumerate([*conversation("a", 3), SINGLE]))
    found = []
    for (position, question), sql in zip(first, ("SELECT 0", None, "SELECT 2"), strict=True):
        found.append((position, question.history and question.history.variable))
        history.heard(record(question, sql, Reason.NO_SQL))
    a, b = {"question": "Question a.0?", "sql": "SELECT 0"}, {"question": "Question a.1?", "sql": None}
    assert found == [(0, []), (1, [a]), (2, [a, b])]
    ((position, question),) = second
    assert (position, question.history) == (3, None)


def test_nothing_is_kept_of_a_conversation_that_is_over() -> None:
    history = OwnHistory(Window(), "sqlite", {"a.0": "SELECT 0"})
    for strand in history.strands(enumerate([*conversation("a", 3)[1:], SINGLE, *conversation("b", 2)])):
        for _, question in strand:
            history.heard(record(question, None, Reason.PROVIDER_DOWN, answered=False))
    assert (history.recorded, history.failed) == ({}, set())


def test_a_selection_may_not_tear_a_conversation() -> None:
    a, b = conversation("a", 3), conversation("b", 2)
    whole = [*a[:2], SINGLE, *b]
    assert list(refuse_gaps(whole)) == whole
    for torn in ([a[1]], [a[0], a[2]], [a[0], *b, a[1]]):
        with pytest.raises(UserError, match="and the turns before it are not selected"):
            list(refuse_gaps(torn))


@given(st.lists(st.integers(1, 5), max_size=5), st.data())
def test_what_follows_a_turn_that_is_asked_again_is_asked_again(lengths: list[int], drawn: st.DataObject) -> None:
    questions = [question for i, n in enumerate(lengths) for question in conversation(f"c{i}", n)]
    places = drawn.draw(st.permutations(range(len(questions))))
    recorded = {
        question.id: place for question, place in zip(questions, places, strict=True) if drawn.draw(st.booleans())
    }
    valid = still_valid(recorded, questions)
    for question in questions:
        line = [recorded.get(one.id) for one in (*question.earlier, question)]
        assert (question.id in valid) == (None not in line and line == sorted(line))  # type: ignore[type-var]
    asked = [question for question in questions if question.id not in valid]
    assert shown_to_others(valid, questions) == {turn.id for one in asked for turn in one.earlier} & valid


@dataclass
class Telling(AnswerSource):
    """Answers after a while; its statement tells the history that it was asked with."""

    slow: random.Random = field(default_factory=lambda: random.Random(1))
    stops_at: str = ""
    fails_at: str = ""
    under_way: set[str] = field(default_factory=set)
    most: int = 0
    asked: list[str] = field(default_factory=list)

    async def answer(self, position: int, question: Question, target: str) -> Answer:
        self.asked.append(question.id)
        self.under_way.add(question.id)
        self.most = max(self.most, len(self.under_way))
        for _ in range(self.slow.randrange(5)):
            await asyncio.sleep(0)
        self.under_way.remove(question.id)
        if question.id == self.stops_at:
            raise Ending("enough")
        if question.id == self.fails_at:
            return Answer(None, Verdict.of(Reason.PROVIDER_DOWN), AnswerRecord(""))
        turns = question.history.turns if question.history is not None else ()
        return Answer(f"SELECT '{question.id} after {', '.join(turn.question for turn in turns)}'")


class Ending(RunStopped):
    """What is under way is finished."""

    at_once = False


def run(
    world: World,
    runner: Runner,
    source: AnswerSource,
    history: History,
    questions: Sequence[Question],
    in_flight: int,
    *,
    executed: bool = False,
) -> list[ItemRecord]:
    world.questions(1)
    databases = Databases(open_dataset(f"jsonl:{world.folder / 'questions.jsonl'}"), "sqlite")
    golds = GoldStore(runner, databases, LIMITS, None)
    strategy = make_strategy("execution_match") if executed else TextOnly(Verdict.of(Reason.MATCH))
    flow = Orchestrator(databases, source, golds, runner, [strategy], LIMITS, in_flight, history)
    found: list[ItemRecord] = []

    async def sink(record: ItemRecord) -> None:
        await asyncio.sleep(0)
        found.append(record)

    async def limited() -> None:
        async with asyncio.timeout(60):
            await flow.run(enumerate(questions), sink)

    with suppress(Ending):
        asyncio.run(limited())
    return found


@pytest.mark.parametrize("in_flight", [1, 2, 7])
def test_many_conversations_and_few_places(in_flight: int, world: World, runner: Runner) -> None:
    shape = random.Random(in_flight)
    lengths = [shape.randint(1, 6) for _ in range(400)]
    source = Telling()
    questions = [question for i, n in enumerate(lengths) for question in conversation(f"c{i}", n)]
    found = run(world, runner, source, OwnHistory(Window(), "sqlite"), questions, in_flight)
    assert len(found) == len({record.id for record in found}) == sum(lengths)
    assert source.most == in_flight, "conversations run side by side"
    by_conversation: dict[str | None, list[ItemRecord]] = {}
    for one in found:
        by_conversation.setdefault(one.conversation, []).append(one)
    for name, records in by_conversation.items():
        assert [one.turn for one in records] == list(range(len(records)))
        for one in records:
            before = ", ".join(f"Question {name}.{k}?" for k in range(one.turn or 0))
            assert one.sql == f"SELECT '{one.id} after {before}'"
            assert one.history == HistoryRecord("own", one.turn or 0)


def test_without_history_turns_run_side_by_side(world: World, runner: Runner) -> None:
    source = Telling()
    found = run(world, runner, source, NoHistory(), conversation("a", 30), 7)
    assert len(found) == 30
    assert source.most > 1
    assert {record.history for record in found} == {None}


def test_a_run_that_ends_within_a_conversation_asks_nothing_more_of_it(world: World, runner: Runner) -> None:
    source = Telling(stops_at="b.1")
    questions = [question for name in "abcdefghijkl" for question in conversation(name, 4)]
    found = run(world, runner, source, OwnHistory(Window(), "sqlite"), questions, 3)
    assert not {"b.2", "b.3", "l.0"} & set(source.asked)
    assert {"b.0"} == {record.id for record in found if record.conversation == "b"}


def test_after_a_turn_without_an_answer_the_conversation_is_unscored(world: World, runner: Runner) -> None:
    source = Telling(fails_at="a.1")
    questions = [*conversation("a", 4), *conversation("b", 2)]
    found = run(world, runner, source, OwnHistory(Window(1), "sqlite"), questions, 1, executed=True)
    assert source.asked == ["a.0", "a.1", "b.0", "b.1"]
    earlier = Reason.EARLIER_TURN_UNANSWERED
    assert [record.verdicts[0].reason for record in found[1:4]] == [Reason.PROVIDER_DOWN, earlier, earlier]
    assert [record.verdicts[0].evidence for record in found[2:4]] == [{"turn": 1}, {"turn": 1}]


def test_a_prompt_that_is_linked_by_one_that_shows_history_shows_it() -> None:
    plain, talk = load("zero_shot@1"), load("conversational@1")
    linked = replace(plain, linker=talk)
    assert [shows_history(one) for one in (plain, talk, linked, replace(plain, linker=linked))] == [False, *[True] * 3]

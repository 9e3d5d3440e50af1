"""Interaction accuracy: conversations whose every turn is right."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.records import ItemRecord, VerdictRecord
from evaluation.reports.interactions import InteractionCounter, Interactions
from evaluation.reports.slices import Slices
from evaluation.reports.summary import RunSummary
from evaluation.statistics.interval import wilson
from evaluation.verdicts import Reason, Status

REASONS = {"c": Reason.MATCH, "i": Reason.WRONG_ROWS, "u": Reason.PROVIDER_DOWN}


def items(conversations: list[str], *, strategies: tuple[str, ...] = ("x",)) -> list[ItemRecord]:
    """A letter per turn: correct, incorrect, unscored, or `-` for one that has no record."""
    return [
        ItemRecord(
            f"{number}.{turn}",
            0,
            "shop",
            "?",
            conversation=str(number),
            turn=turn,
            turns=len(letters),
            verdicts=tuple(VerdictRecord(s, REASONS[one].status, 0.0, REASONS[one]) for s in strategies),
        )
        for number, letters in enumerate(conversations)
        for turn, one in enumerate(letters)
        if one != "-"
    ]


def counted(records: list[ItemRecord]) -> dict[str, Interactions]:
    counter = InteractionCounter()
    for record in records:
        counter.add(record)
    return counter.by_strategy


CASES = {
    "all right": (["ccc"], Interactions(correct=1)),
    "one wrong": (["ccc", "cic"], Interactions(correct=1, incorrect=1)),
    "one turn": (["c", "i", "u"], Interactions(1, 1, 1)),
    "unscored": (["cuc"], Interactions(unscored=1)),
    "unscored and wrong": (["iu", "ui"], Interactions(unscored=2)),
    "the end is missing": (["cc-", "ii-"], Interactions(incomplete=2)),
    "the beginning is missing": (["-c"], Interactions(incomplete=1)),
}


@pytest.mark.parametrize(("conversations", "expected"), CASES.values(), ids=CASES)
def test_a_conversation_is_as_right_as_all_its_turns(conversations: list[str], expected: Interactions) -> None:
    assert counted(items(conversations)) == {"x": expected}


@given(
    st.lists(st.text("ciu-", min_size=1, max_size=5).filter(lambda text: text.strip("-")), max_size=12), st.randoms()
)
def test_in_any_order_and_every_conversation_once(conversations: list[str], order: random.Random) -> None:
    records = items(conversations)
    order.shuffle(records)
    found = counted(records).get("x", Interactions())
    assert found.scored + found.unscored + found.incomplete == len(conversations)
    assert found.correct == sum(set(letters) == {"c"} for letters in conversations)
    assert found.accuracy == (found.correct / found.scored if found.scored else None)
    assert found.interval == (wilson(found.correct, found.scored) if found.scored else None)


def test_questions_of_no_conversation_are_none() -> None:
    verdict = VerdictRecord("x", Status.CORRECT, 1.0, Reason.MATCH)
    assert counted([ItemRecord("0", 0, "shop", "?", turn=3, verdicts=(verdict,))]) == {}


def test_a_summary_has_them_for_each_strategy() -> None:
    summary = RunSummary("run")
    for record in items(["cc", "ci"], strategies=("x", "y")):
        summary.add(record)
    shown = summary.to_json()["interactions"]
    assert [(one["strategy"], one["accuracy"], one["scored"], one["correct"]) for one in shown] == [
        ("x", 0.5, 2, 1),
        ("y", 0.5, 2, 1),
    ]


def test_turns_are_slices_in_their_order_and_not_conversations() -> None:
    sliced = {key: Slices(key, "sqlite") for key in ("turn", "db_id")}
    for record in [*items(["c" * 11, "c"]), ItemRecord("alone", 0, "shop", "?")]:
        for one in sliced.values():
            one.add(record)
    by_turn = sliced["turn"].summaries
    assert [(one.title, one.items) for one in by_turn] == [
        ("no turn", 1),
        ("0", 2),
        *((str(turn), 1) for turn in range(1, 11)),
    ]
    assert not any(one.interactions for one in by_turn), "a slice cuts through conversations"
    (shop,) = sliced["db_id"].summaries
    assert shop.interactions == {"x": Interactions(correct=2)}


def test_old_records_have_no_conversation() -> None:
    record = ItemRecord.from_json({"id": "q", "position": 0, "db_id": "shop", "question": "?"})
    assert (record.conversation, record.turn, record.turns, record.history) == (None, None, None, None)

"""Turns are put together in their order, and no file can mix them up unnoticed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.datasets.base import Question
from evaluation.datasets.conversations import linked
from evaluation.datasets.csv import CsvDataset
from evaluation.datasets.jsonl import JsonlDataset
from sqlassay.errors import UserError


def turn(number: int, conversation: str | None, turn: int | None) -> tuple[str, Question]:
    return f"line {number}", Question(str(number), "?", "shop", conversation=conversation, turn=turn)


@given(st.lists(st.integers(0, 5)))
def test_turns_are_linked(lengths: list[int]) -> None:
    """A length of 0 stands for a single question."""
    shape = [(f"c{i}" if n else None, k if n else None) for i, n in enumerate(lengths) for k in range(n or 1)]
    placed = [turn(number, *one) for number, one in enumerate(shape)]
    found = list(linked(placed))
    assert [(q.conversation, q.turn) for q in found] == shape
    for question in found:
        mates = [q for q in found if q.conversation == question.conversation and q.conversation is not None]
        assert question.turns == (len(mates) or None)
        assert [q.id for q in question.earlier] == [q.id for q in mates[: question.turn or 0]]


WRONG = {
    "a turn is missing": ((("a", 0), ("a", 2)), "line 1: is turn 2 of conversation 'a', after turn 0"),
    "a turn is there twice": ((("a", 0), ("a", 0)), "line 1: is turn 0 of conversation 'a', after turn 0"),
    "the first is missing": ((("a", 1),), "line 0: is turn 1 of conversation 'a', where it begins"),
    "none is said": ((("a", None),), "line 0: is of conversation 'a', but has no 'turn'"),
    "mixed": (
        (("a", 0), ("b", 0), ("a", 1)),
        "line 2: is turn 1 of conversation 'a', where it begins",
    ),
    "begun again": (
        (("a", 0), (None, None), ("a", 0)),
        "line 2: is turn 0 of conversation 'a', once more",
    ),
}


@pytest.mark.parametrize(("shape", "problem"), WRONG.values(), ids=WRONG)
def test_turns_out_of_order_are_one_line(shape: tuple[tuple[str | None, int | None], ...], problem: str) -> None:
    with pytest.raises(UserError) as caught:
        list(linked(turn(number, *one) for number, one in enumerate(shape)))
    remedy = "the turns of a conversation stand one after another and are counted from 0"
    assert str(caught.value) == f"{problem} ({remedy})"


def test_our_own_formats_have_conversations(tmp_path: Path) -> None:
    lines = [{"question": f"Q{k}?", "db_id": "shop", "conversation": 7, "turn": k} for k in range(3)]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, lines)))
    (tmp_path / "a.csv").write_text(
        "question,db_id,conversation,turn\n" + "".join(f"Q{k}?,shop,7,{k}\n" for k in range(3))
    )
    for dataset in (JsonlDataset(tmp_path / "a.jsonl"), CsvDataset(tmp_path / "a.csv")):
        told = [(q.conversation, q.turn, q.turns) for q in dataset.questions()]
        assert told == [("7", 0, 3), ("7", 1, 3), ("7", 2, 3)]


def test_a_turn_of_no_conversation_is_only_a_label(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"question": "Q?", "db_id": "shop", "turn": 3}')
    (question,) = JsonlDataset(tmp_path / "a.jsonl").questions()
    assert (question.turn, question.conversation, question.turns, question.earlier) == (3, None, None, ())

"""Turns that are put together: each is told how long its conversation is, and which turn was before it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from evaluation.datasets.base import Question
from sqlassay.errors import UserError


def linked(questions: Iterable[tuple[str, Question]]) -> Iterator[Question]:
    """Questions in their order, the turns of each conversation linked.

    Holds no more questions than the longest conversation has turns.

    Args:
        questions: Each with its place, for messages.

    Raises:
        UserError: A turn does not follow the one before it, or its conversation was over already.
    """
    begun: set[str] = set()
    turns: list[Question] = []
    for place, question in questions:
        name = question.conversation
        if turns and turns[0].conversation != name:
            yield from _conversation(turns)
            turns = []
        if name is None:
            yield question
            continue
        if question.turn != len(turns) or (not turns and name in begun):
            raise _out_of_order(question, turns, place)
        begun.add(name)
        turns.append(question)
    yield from _conversation(turns)


def _conversation(turns: list[Question]) -> Iterator[Question]:
    before = None
    for turn in turns:
        before = replace(turn, turns=len(turns), before=before)
        yield before


def _out_of_order(question: Question, turns: list[Question], place: str) -> UserError:
    if question.turn is None:
        problem = f"is of conversation {question.conversation!r}, but has no 'turn'"
    else:
        after = f"after turn {turns[-1].turn}" if turns else "where it begins" if question.turn else "once more"
        problem = f"is turn {question.turn} of conversation {question.conversation!r}, {after}"
    return UserError(
        problem,
        place=place,
        remedy="the turns of a conversation stand one after another and are counted from 0",
    )

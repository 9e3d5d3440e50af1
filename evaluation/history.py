"""What a prompt shows of a conversation: earlier questions with their golds, or with the system's own answers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Literal

from evaluation.datasets.base import Question
from evaluation.records import HistoryRecord, ItemRecord
from evaluation.verdicts import Status
from prompts.template import PromptTemplate
from sqlassay import tokens
from sqlassay.errors import UserError

By = Literal["gold", "own"]
Placed = tuple[int, Question]
"""A question with its place in the selection."""


@dataclass(frozen=True)
class Turn:
    """An earlier turn as a prompt shows it.

    Attributes:
        question: In natural language.
        sql: The statement that answered it; `None` where there was none.
    """

    question: str
    sql: str | None


@dataclass(frozen=True)
class Shown:
    """What a prompt shows of the turns before.

    Attributes:
        by: Whose statements they are: the golds, or the system's own.
        turns: Those that are shown, the oldest first.
        left_out: How many older ones are not.
        unanswered: The number of the first turn that the instrument left without an answer: what came after it in
            the conversation cannot be asked as it should be. `None` where there is none.
    """

    by: By
    turns: tuple[Turn, ...] = ()
    left_out: int = 0
    unanswered: int | None = None

    @property
    def variable(self) -> list[dict[str, str | None]]:
        """As a template reads it."""
        return [{"question": turn.question, "sql": turn.sql} for turn in self.turns]

    @property
    def record(self) -> HistoryRecord:
        """What is written down about it."""
        return HistoryRecord(self.by, len(self.turns), self.left_out, sum(turn.sql is None for turn in self.turns))


@dataclass(frozen=True)
class Window:
    """How much of a conversation is shown: as many of the newest turns as the budget holds.

    Attributes:
        max_tokens: Of the questions and statements together; `None` shows every turn.
        model: Whose tokens they are.
    """

    max_tokens: int | None = None
    model: str = ""

    def of(self, turns: Sequence[Turn]) -> tuple[Turn, ...]:
        """The turns that are shown: all but some of the oldest."""
        if self.max_tokens is None:
            return tuple(turns)
        kept, used = len(turns), 0
        while kept:
            used += self._size(turns[kept - 1])
            if used > self.max_tokens:
                break
            kept -= 1
        return tuple(turns[kept:])

    def _size(self, turn: Turn) -> int:
        return sum(tokens.count(text, self.model).tokens for text in (turn.question, turn.sql or ""))


class History(ABC):
    """Tells each question what its prompt shows of the turns before, and which questions wait for which."""

    @abstractmethod
    def strands(self, questions: Iterable[Placed]) -> Iterator[Iterator[Placed]]:
        """Questions with their history, in strands: one after another within a strand, strands side by side.

        Args:
            questions: In the order of the dataset; read as strands are.
        """

    def heard(self, record: ItemRecord) -> None:  # noqa: B027 - only own answers are listened for
        """A question of a strand has its record; told before the strand's next question is taken."""

    @abstractmethod
    def foreseen(self, question: Question) -> Question:
        """The question with its history as far as it can be told before anything is asked."""


class NoHistory(History):
    """Prompts show nothing of a conversation."""

    def strands(self, questions: Iterable[Placed]) -> Iterator[Iterator[Placed]]:
        """Each question by itself."""
        return (iter((placed,)) for placed in questions)

    def foreseen(self, question: Question) -> Question:
        """The question as it is."""
        return question


@dataclass(frozen=True)
class GoldHistory(History):
    """Prompts show the golds of the turns before, whatever was answered to them.

    Attributes:
        window: How much is shown.
        dialect: Of the golds; the first of several is shown.
    """

    window: Window
    dialect: str

    def strands(self, questions: Iterable[Placed]) -> Iterator[Iterator[Placed]]:
        """Each question by itself: what it is shown is known."""
        return (iter(((position, self.foreseen(question)),)) for position, question in questions)

    def foreseen(self, question: Question) -> Question:
        """The question with the golds before it."""
        return _showing("gold", question, self.window, lambda turn: next(iter(turn.golds(self.dialect)), None))


@dataclass(frozen=True)
class OwnHistory(History):
    """Prompts show what the system itself answered to the turns before.

    The turns of a conversation are a strand, so that each has its record before the next is asked. What a turn is
    shown is made of records alone: a run that is resumed shows what it would have shown.

    Attributes:
        window: How much is shown.
        dialect: Of the golds, which stand in for answers that are not there yet.
        recorded: The statements of turns that were answered before.
        failed: The ids of turns that the instrument left without an answer.
    """

    window: Window
    dialect: str
    recorded: dict[str, str | None] = field(default_factory=dict)
    failed: set[str] = field(default_factory=set)

    def strands(self, questions: Iterable[Placed]) -> Iterator[Iterator[Placed]]:
        """The turns of each conversation, one after another."""
        for _, turns in groupby(questions, key=lambda placed: placed[1].conversation or placed):
            yield self._strand(list(turns))

    def _strand(self, turns: Sequence[Placed]) -> Iterator[Placed]:
        for position, question in turns:
            shown = _showing("own", question, self.window, lambda turn: self.recorded[turn.id])
            failed = next((turn.turn for turn in question.earlier if turn.id in self.failed), None)
            if shown.history is not None and failed is not None:
                shown = replace(shown, history=replace(shown.history, unanswered=failed))
            yield position, shown
        _, last = turns[-1]
        for turn in (*last.earlier, last):
            self.recorded.pop(turn.id, None)
            self.failed.discard(turn.id)

    def heard(self, record: ItemRecord) -> None:
        """Keep the statement for the turns that follow."""
        self.recorded[record.id] = record.sql
        if is_unanswered(record):
            self.failed.add(record.id)

    def foreseen(self, question: Question) -> Question:
        """The question with golds in the place of answers."""
        return _showing("own", question, self.window, lambda turn: next(iter(turn.golds(self.dialect)), None))


def _showing(by: By, question: Question, window: Window, sql: Callable[[Question], str | None]) -> Question:
    if question.conversation is None:
        return question
    turns = [Turn(turn.text, sql(turn)) for turn in question.earlier]
    shown = window.of(turns)
    return replace(question, history=Shown(by, shown, len(turns) - len(shown)))


def shows_history(template: PromptTemplate) -> bool:
    """Whether a prompt, or the one that it is linked by, shows the turns before."""
    return "history" in template.variables or (template.linker is not None and shows_history(template.linker))


def is_unanswered(record: ItemRecord) -> bool:
    """Whether the instrument, not the system under test, left a question without an answer."""
    answered = record.answer is not None and record.answer.finish_reason is not None
    unscored = any(verdict.status is Status.UNSCORED for verdict in record.verdicts)
    return record.sql is None and unscored and not answered


def refuse_gaps(questions: Iterable[Question]) -> Iterator[Question]:
    """Questions as they are, none of them selected without the turns before it.

    Raises:
        UserError: One is; it is named.
    """
    last = None
    for question in questions:
        before = question.before
        if before is not None and (last is None or last.id != before.id):
            raise UserError(
                f"history by own answers: question {question.id!r} is turn {question.turn} of conversation"
                f" {question.conversation!r}, and the turns before it are not selected",
                remedy="select whole conversations (`filter: {conversation: …}`), or take `history: gold`",
            )
        last = question
        yield question


def still_valid(recorded: Mapping[str, int], questions: Iterable[Question]) -> set[str]:
    """The turns that need not be asked again, when each is to be shown the answers before it.

    A turn that was recorded before the one that it follows was asked with an answer that no longer counts.

    Args:
        recorded: The questions that need not be asked again by themselves, each with the place of its record.
        questions: All that are selected.
    """
    valid: set[str] = set()
    for question in questions:
        before = question.before
        if question.id in recorded and (
            before is None or (before.id in valid and recorded[before.id] < recorded[question.id])
        ):
            valid.add(question.id)
    return valid


def shown_to_others(done: set[str], questions: Iterable[Question]) -> set[str]:
    """Of the questions that are not asked again, those that a turn that is to be asked is shown."""
    return {
        turn.id for question in questions if question.id not in done for turn in question.earlier if turn.id in done
    }

"""What must not be shown with a question: its own answer, and those of the turns before it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from evaluation.datasets.base import Question
from evaluation.few_shot.example import Example, plain_code, plain_words


@dataclass(frozen=True)
class Secret:
    """What an example may not tell: the question itself, and its golds in every dialect, on any database.

    Nor may it tell an earlier turn of the conversation: a prompt that shows the system's own answers to them would
    mend these with the golds.

    Spelling does not matter: case, spaces, quotes and a `;` are looked past. A gold that stands within a longer query
    is told as well. The same answer in other words is not recognised.

    Attributes:
        words: Of the question, and of each turn before it.
        golds: Each as words and signs.
    """

    words: frozenset[str]
    golds: tuple[str, ...]

    @classmethod
    def of(cls, question: Question) -> Secret:
        """That of a question."""
        turns = (question, *question.earlier)
        plain = (plain_code(gold) for gold in dict.fromkeys(gold for turn in turns for gold in _golds(turn)))
        return cls(frozenset(plain_words(turn.text) for turn in turns), tuple(gold for gold in plain if gold.strip()))

    def told_by(self, example: Example) -> bool:
        """Whether an example tells it."""
        return example.words in self.words or any(gold in example.shown_code for gold in self.golds)


def _golds(turn: Question) -> Iterator[str]:
    yield from turn.golds("")
    for golds in turn.gold_by_dialect.values():
        yield from golds

"""What must not be shown with a question: its own answer."""

from __future__ import annotations

from dataclasses import dataclass

from evaluation.datasets.base import Question
from evaluation.few_shot.example import Example, plain_code, plain_words


@dataclass(frozen=True)
class Secret:
    """What an example may not tell: the question itself, and its golds in every dialect, on any database.

    Spelling does not matter: case, spaces, quotes and a `;` are looked past. A gold that stands within a longer query
    is told as well. The same answer in other words is not recognised.

    Attributes:
        words: Of the question.
        golds: Each as words and signs.
    """

    words: str
    golds: tuple[str, ...]

    @classmethod
    def of(cls, question: Question) -> Secret:
        """That of a question."""
        golds = (*question.golds(""), *(gold for golds in question.gold_by_dialect.values() for gold in golds))
        plain = (plain_code(gold) for gold in dict.fromkeys(golds))
        return cls(plain_words(question.text), tuple(gold for gold in plain if gold.strip()))

    def told_by(self, example: Example) -> bool:
        """Whether an example tells it."""
        return self.words == example.words or any(gold in example.shown_code for gold in self.golds)

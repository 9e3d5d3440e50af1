"""The examples of an experiment, and the choice among them for each question."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass
from functools import cached_property
from heapq import heapify, heappop
from itertools import count, pairwise
from operator import sub
from typing import Any

from database_backends.errors import BackendError
from evaluation.databases import Databases
from evaluation.datasets.base import Question
from evaluation.few_shot.example import Example, plain_words
from evaluation.few_shot.leakage import Secret
from evaluation.few_shot.masking import masked, name_words
from evaluation.few_shot.similarity import Index
from prompts.template import Shots
from sqlassay.errors import UserError

SCHEMA_SHARE = 0.25
"""What the likeness of the schemas adds to that of the questions: it decides between questions of one structure."""


@dataclass(frozen=True)
class Chosen:
    """The examples that one question is shown.

    Attributes:
        examples: In the order of the prompt.
        withheld: The ids of those that would be among them, had they not told the answer.
    """

    examples: tuple[Example, ...] = ()
    withheld: tuple[str, ...] = ()

    @property
    def ids(self) -> tuple[str, ...]:
        """Of the examples."""
        return tuple(example.id for example in self.examples)

    @property
    def variable(self) -> list[dict[str, str]]:
        """What the prompt is given."""
        return [example.variable for example in self.examples]


class Pool:
    """The examples that prompts choose from.

    Args:
        questions: The train split; a question without a gold in the dialect is no example.
        dialect: Of the golds.
        databases: Tell the names that the examples' questions are about.
    """

    def __init__(self, questions: Collection[Question], dialect: str, databases: Databases) -> None:
        self.examples: Sequence[Example] = [
            Example(one.id, one.text, golds[0], one.db_id, one.evidence)
            for one in questions
            if (golds := one.golds(dialect))
        ]
        self._databases = databases

    def choose(self, shots: Shots, question: Question, databases: Databases) -> Chosen:
        """The examples for a question, none of which tells its answer.

        `static` takes the first ones. `similar` takes those most like it, see `masking` and `SCHEMA_SHARE`, the
        earlier one where two are as much, and puts the most similar last, next to the question.

        Args:
            shots: How to choose, and how many; there may be fewer.
            question: The question.
            databases: Tell the names that the question is about.

        Raises:
            BackendError: The question's database cannot be read.
        """
        ranked = iter(self.examples) if shots.select == "static" else self._ranked(question, databases)
        secret = Secret.of(question)
        chosen: list[Example] = []
        withheld: list[str] = []
        for example in ranked:
            if secret.told_by(example):
                withheld.append(example.id)
                continue
            chosen.append(example)
            if len(chosen) == shots.count:
                break
        return Chosen(tuple(chosen if shots.select == "static" else reversed(chosen)), tuple(withheld))

    def shared(self, questions: Iterable[Question]) -> tuple[int, int]:
        """How many of these questions are examples themselves, and how many there are."""
        words = {example.words for example in self.examples}
        found = [plain_words(question.text) in words for question in questions]
        return sum(found), len(found)

    def identity(self, shots: Collection[Shots]) -> dict[str, Any]:
        """Everything that can change which examples are shown, as JSON types."""
        names = self._names if any(one.select == "similar" for one in shots) else {}
        content = json.dumps([[astuple(example) for example in self.examples], names])
        return {"examples": len(self.examples), "sha256": hashlib.sha256(content.encode("ascii")).hexdigest()}

    @cached_property
    def unread(self) -> tuple[str, ...]:
        """The databases of examples whose names are unknown, so that only the questions' own words count there."""
        return tuple(db_id for db_id, names in self._names.items() if not names)

    def _ranked(self, question: Question, databases: Databases) -> Iterator[Example]:
        """All examples, the most similar first."""
        names = name_words(databases.schema(question.db_id))
        schemas = dict(zip(self._names, self._schemas.scores(names), strict=True))
        shares = (-SCHEMA_SHARE * schemas[example.db_id] for example in self.examples)
        scores = self._questions.scores(_features(question.text, names))
        heap = list(zip(map(sub, shares, scores), count(), strict=False))  # the most similar is the least
        heapify(heap)
        while heap:
            yield self.examples[heappop(heap)[1]]

    @cached_property
    def _names(self) -> Mapping[str, tuple[str, ...]]:
        """The words of each database's names; none where there is neither a description nor a database."""
        found = {}
        for db_id in dict.fromkeys(example.db_id for example in self.examples):
            try:
                found[db_id] = name_words(self._databases.schema(db_id))
            except (BackendError, UserError):
                found[db_id] = ()
        return found

    @cached_property
    def _schemas(self) -> Index:
        return Index(list(self._names.values()))

    @cached_property
    def _questions(self) -> Index:
        names = {db_id: frozenset(words) for db_id, words in self._names.items()}
        return Index([_features(example.question, names[example.db_id]) for example in self.examples])


def _features(question: str, names: Collection[str]) -> list[str]:
    """The words of a masked question, and the pairs of words that follow each other."""
    words = masked(question, frozenset(names))
    return [*words, *map(" ".join, pairwise(words))]

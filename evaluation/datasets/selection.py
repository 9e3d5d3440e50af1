"""Which questions of a dataset a run is about."""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, Self

from evaluation.datasets.base import Question
from evaluation.datasets.unknown_id import unknown_id
from sqlassay.errors import UnknownName, UserError

_VALUES: dict[str, Callable[[Question], tuple[str | None, ...]]] = {
    "db_id": lambda question: (question.db_id,),
    "difficulty": lambda question: (question.difficulty,),
    "tag": lambda question: question.tags,
    "conversation": lambda question: (question.conversation,),
    "turn": lambda question: (None if question.turn is None else str(question.turn),),
}

FILTER_KEYS = tuple(_VALUES)
"""What questions can be filtered by."""


@dataclass(frozen=True)
class Selection:
    """Which questions to take: first `filters`, then `ids`, then `sample`, then `limit`.

    Attributes:
        limit: Take the first so many; `None` takes all.
        sample: Take so many at random, in the order of the dataset; all when it has no more. The choice
            depends on `seed` and on the questions' ids only, not on their order, and a smaller sample is part of
            a larger one.
        seed: Which random sample.
        filters: Pairs of a key of `FILTER_KEYS` and a value. Values of one key are alternatives, keys must all
            be met.
        ids: Take these only; empty takes all.

    Raises:
        UserError: `limit` or `sample` is not positive.
        UnknownName: A filter key that does not exist.
    """

    limit: int | None = None
    sample: int | None = None
    seed: int = 0
    filters: tuple[tuple[str, str], ...] = ()
    ids: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name, value in (("limit", self.limit), ("sample", self.sample)):
            if value is not None and value < 1:
                raise UserError(f"{name} is {value}", remedy="give a whole number from 1")
        for key, _ in self.filters:
            if key not in _VALUES:
                raise UnknownName("filter key", key, FILTER_KEYS)

    @classmethod
    def recorded(cls, told: Mapping[str, Any]) -> Self:
        """The selection that a run has recorded."""
        return cls(**{**told, "filters": tuple(map(tuple, told["filters"])), "ids": tuple(told["ids"])})

    def apply(self, questions: Iterable[Question]) -> Iterator[Question]:
        """The selected questions, in the order of the dataset.

        Streams, and with `limit` alone reads no further than it has to; holds no more questions than `ids` or
        `sample` select.

        Raises:
            UserError: Nothing is selected; the condition that left nothing is named.
            UnknownName: An id that is not in the dataset, before anything is returned.
        """
        scan = _Scan(self, questions)
        selected: Iterable[Question] = scan.filtered()
        if self.ids:
            selected = scan.identified(selected)
        if self.sample is not None:
            selected = _sampled(selected, self.sample, self.seed)
        count = 0
        for question in islice(selected, self.limit):
            count += 1
            yield question
        if not count:
            raise scan.nothing_left()


def parse_filter(text: str) -> tuple[str, str]:
    """A pair for `Selection.filters` from `KEY=VALUE`.

    Raises:
        UserError: Not of this form.
        UnknownName: No such key.
    """
    key, sign, value = text.partition("=")
    if not (sign and value):
        raise UserError(f"filter {text!r} is not of the form KEY=VALUE", remedy="such as db_id=world_1")
    if key not in _VALUES:
        raise UnknownName("filter key", key, FILTER_KEYS)
    return key, value


class _Scan:
    """One pass over a dataset, with what is needed to say why nothing was left of it."""

    def __init__(self, selection: Selection, questions: Iterable[Question]) -> None:
        self._questions = questions
        self._ids = frozenset(selection.ids)
        self._wanted: dict[str, set[str]] = {}
        for key, value in selection.filters:
            self._wanted.setdefault(key, set()).add(value)
        self._seen: dict[str, set[str]] = {key: set() for key in self._wanted}
        self._known_ids: list[str] = []

    def filtered(self) -> Iterator[Question]:
        """The questions that meet the filters."""
        for question in self._questions:
            if self._ids:
                self._known_ids.append(question.id)
            if self._meets_filters(question):
                yield question

    def identified(self, questions: Iterable[Question]) -> Iterator[Question]:
        """Those of the questions that are asked for by id, once it is sure that every id exists."""
        found = [question for question in questions if question.id in self._ids]
        missing = self._ids.difference(self._known_ids)
        if missing:
            raise unknown_id(min(missing), self._known_ids)
        yield from found

    def nothing_left(self) -> UserError:
        """Why nothing was selected."""
        for key, wanted in self._wanted.items():
            if not wanted & self._seen[key]:
                return UnknownName(f"{key} in the filter:", min(wanted), self._seen[key])
        conditions = [f"{key}={' or '.join(sorted(wanted))}" for key, wanted in self._wanted.items()]
        if self._ids:
            conditions.append(f"id={' or '.join(sorted(self._ids))}")
        if not conditions:
            return UserError("the dataset has no questions")
        return UserError(f"no question has {' and '.join(conditions)}", remedy="leave one of the conditions out")

    def _meets_filters(self, question: Question) -> bool:
        meets = True
        for key, wanted in self._wanted.items():
            values = {value for value in _VALUES[key](question) if value is not None}
            self._seen[key] |= values
            meets = meets and not wanted.isdisjoint(values)
        return meets


def _sampled(questions: Iterable[Question], size: int, seed: int) -> Iterator[Question]:
    keyed = ((_sample_key(question, seed), place, question) for place, question in enumerate(questions))
    for _, _, question in sorted(heapq.nsmallest(size, keyed), key=lambda entry: entry[1]):
        yield question


def _sample_key(question: Question, seed: int) -> bytes:
    return hashlib.sha256(f"{seed}:{question.id}".encode("utf-8", "surrogatepass")).digest()

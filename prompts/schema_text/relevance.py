"""How much the parts of a schema have to do with a question: matched words, rare ones weighing more.

No model is asked, so that the same question always gets the same answer.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from operator import mul

from sqlassay.schema import Column, Schema, Table

_RUN = re.compile(r"[^\W\d_]+|\d+")
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_SHORTEST_PART = 4
"""Letters of a question's word that is looked for within a name."""
_SHORTEST_ABBREVIATION = 3
"""Letters of a name's word that may begin a question's word."""
_SHORTEST_NUMBER = 4
"""Digits of a number that is looked for in descriptions and values; shorter ones are everywhere."""
_SAYS_NOTHING = frozenset(
    """
    a all an and any are as at be been by did do does each every find for from get give had has have how i if in into
    is it its list many me more most much of on one or out please return show than that the their them there these
    they this those to us was we were what when where which who whom whose will with you
    """.split()  # noqa: SIM905 - read as a sentence
)

IN_TABLE_NAME = 2.0
IN_COLUMN_NAME = 1.0
IN_CONTENT = 0.5
"""Strength of a word that is in a description, a value or a row."""
PARTLY = 0.5
"""Of the strength in a name, where only a part of it matches."""


def words(text: str) -> list[str]:
    """The words of a text or a name, in order, as stems; `snake_case` and `camelCase` are taken apart."""
    return [stem(word) for run in _RUN.findall(text) for word in _HUMP.split(run)]


def stem(word: str) -> str:
    """A word in lower case without the usual English endings; plural and singular have the same stem."""
    word = _singular(word.lower())
    for ending in ("ing", "ed"):
        if word.endswith(ending) and len(word) > len(ending) + 2:
            word = word.removesuffix(ending)
            break
    return word.removesuffix("e") if len(word) > 3 else word


def _singular(word: str) -> str:
    if len(word) > 3 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word


@dataclass(frozen=True)
class Scores:
    """What each part of a schema has to do with a question; 0 is nothing.

    Attributes:
        tables: One per table.
        columns: One per column, per table.
    """

    tables: tuple[float, ...]
    columns: tuple[tuple[float, ...], ...]


class Relevance:
    """Scores the parts of one schema.

    A word of the question is as strong in a table as where it is strongest there: in the table's name, in that of a
    column, in what describes a column or stands in it. It counts once per table, so that a wide table does not win by
    its width, and weighs log(1 + tables / tables that have it). Two neighbouring words of the question are also one
    word ("birth date", `birthdate`). Half as strong are a part of a name ("date" in `birthdate`) and an abbreviation
    (`cust` for "customer").

    Args:
        schema: The schema.
    """

    def __init__(self, schema: Schema) -> None:
        self._tables = [
            (_Name.of(table.name), [_Part.of(table, number) for number in range(len(table.columns))])
            for table in schema.tables
        ]

    def of(self, question: str) -> Scores:
        """The scores for a question, with its evidence."""
        asked = _asked(question)
        columns = [[[part.strength(word) for word in asked] for part in parts] for _, parts in self._tables]
        tables = [
            [
                max([IN_TABLE_NAME * name.strength(word), *(strengths[number] for strengths in of_table)])
                for number, word in enumerate(asked)
            ]
            for (name, _), of_table in zip(self._tables, columns, strict=True)
        ]
        having = [sum(strengths[number] > 0 for strengths in tables) for number in range(len(asked))]
        weights = [math.log(1 + len(tables) / count) if count else 0.0 for count in having]
        return Scores(
            tuple(sum(map(mul, one, weights)) for one in tables),
            tuple(tuple(sum(map(mul, one, weights)) for one in of_table) for of_table in columns),
        )


@dataclass(frozen=True)
class _Asked:
    """A word of the question.

    Attributes:
        stem: As in `words`.
        part: What it looks like within a name.
    """

    stem: str
    part: str


def _asked(question: str) -> list[_Asked]:
    found = [word.lower() for run in _RUN.findall(question) for word in _HUMP.split(run)]
    telling = [word for word in found if word not in _SAYS_NOTHING]
    both = [*telling, *(one + other for one, other in pairwise(telling))]
    return list({stem(word): _Asked(stem(word), _singular(word)) for word in both}.values())


def _tells(word: str) -> bool:
    return len(word) >= (_SHORTEST_NUMBER if word.isdigit() else 2)


@dataclass(frozen=True)
class _Name:
    words: frozenset[str]
    joined: str

    @classmethod
    def of(cls, name: str) -> _Name:
        joined = "".join(_RUN.findall(name)).lower()
        return cls(frozenset((*words(name), stem(joined))), joined)

    def strength(self, word: _Asked) -> float:
        if word.stem in self.words:
            return 1.0
        within = len(word.part) >= _SHORTEST_PART and word.part in self.joined
        short = any(len(one) >= _SHORTEST_ABBREVIATION and word.stem.startswith(one) for one in self.words)
        return PARTLY if within or short else 0.0


@dataclass(frozen=True)
class _Part:
    name: _Name
    content: frozenset[str]

    @classmethod
    def of(cls, table: Table, number: int) -> _Part:
        column: Column = table.columns[number]
        content: Sequence[str] = (column.description, *column.values, *(row[number] for row in table.rows))
        return cls(_Name.of(column.name), frozenset(word for text in content for word in words(text) if _tells(word)))

    def strength(self, word: _Asked) -> float:
        return max(IN_COLUMN_NAME * self.name.strength(word), IN_CONTENT if word.stem in self.content else 0.0)

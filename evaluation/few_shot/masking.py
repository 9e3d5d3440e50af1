"""The structure of a question: what is left when names of the schema and values are masked.

Source: Gao et al., Text-to-SQL Empowered by Large Language Models: A Benchmark Evaluation (DAIL-SQL), VLDB 2024
(https://arxiv.org/abs/2308.15363), section 4.2: examples are chosen by questions whose words of the schema and whose
values are masked, so that questions about other databases can be alike. There, names are linked by n-grams, and values
by looking into the database; here, words are linked one by one, and values are what looks like one: numbers, quoted
texts, and words with a capital letter that do not begin a sentence.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from functools import lru_cache

from sqlassay.schema import Schema

NAME = "<name>"
"""Stands for words of the schema."""
VALUE = "<value>"
"""Stands for a value."""

_TOKEN = re.compile(
    r"""(?P<quoted>"[^"]+"|“[^”]+”|(?<!\w)['‘][^'’]+['’](?!\w))|(?P<number>\d[\d.,:/%-]*)|(?P<word>\w+)|(?P<end>[.?!])"""
)
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")
_PIECE = re.compile(r"[^\W\d_]+")
_KEPT = frozenset(
    """
    a all an and any are as at average be by count did different distinct do does each every for from give had has have
    highest how if in is it its least list lowest many maximum minimum more most much no not number of on one or order
    per percentage show sum than that the their there to total was were what when where which who whose with
    """.split()  # noqa: SIM905 - as words they can be read
)
"""What makes a question a question, and what is counted by: a column called number_of_shops is no name of these."""


def masked(question: str, names: Collection[str]) -> list[str]:
    """The words of a question, names and values replaced by `NAME` and `VALUE`; several in a row are one.

    Args:
        question: The text.
        names: Words of the schema, see `name_words`.
    """
    found: list[str] = []
    for word in _masked(question, names):
        if word not in (NAME, VALUE) or found[-1:] != [word]:
            found.append(word)
    return found


def _masked(question: str, names: Collection[str]) -> Iterator[str]:
    begins = True
    for token in _TOKEN.finditer(question):
        word = stem(token[0])
        if token.lastgroup in ("quoted", "number"):
            yield VALUE
        elif token.lastgroup == "word" and word in names:
            yield NAME
        elif token.lastgroup == "word":
            yield VALUE if token[0][0].isupper() and not begins and word not in _KEPT else word
        begins = token.lastgroup == "end"


def name_words(schema: Schema) -> tuple[str, ...]:
    """The words that the names of tables and columns are made of, each once, in the order of the schema."""
    names: Iterable[str] = (
        name for table in schema.tables for name in (table.name, *(column.name for column in table.columns))
    )
    words = (stem(piece) for name in names for piece in _PIECE.findall(_HUMP.sub(" ", name)) if len(piece) > 1)
    return tuple(dict.fromkeys(word for word in words if word not in _KEPT))


@lru_cache(maxsize=65536)
def stem(word: str) -> str:
    """A word in lower case without the ending of a plural."""
    # `schema_text.relevance` has another rule ("ties", "ß"). Both decide what released prompts show, examples here and
    # schema there: with one rule for both, the same question would get another prompt than it did.
    word = word.casefold()
    if len(word) > 4 and word.endswith("ies"):
        return f"{word[:-3]}y"
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")) else word

"""One example: a question whose query may be shown."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cached_property, lru_cache

_WORDS = re.compile(r"\w+")
_SYMBOLS = re.compile(r"\w+|[^\w\s;'\"`\[\]]")
"""Words and signs, without the quotes of names and values: some are left out, some stand for each other."""


@dataclass(frozen=True)
class Example:
    """A question of the train split with its query.

    Attributes:
        id: The dataset's own id.
        question: In natural language.
        sql: The first of its golds.
        db_id: The database.
        evidence: A hint that belongs to the question; empty when there is none.
    """

    id: str
    question: str
    sql: str
    db_id: str
    evidence: str = ""

    @property
    def variable(self) -> dict[str, str]:
        """What a prompt is given of it."""
        return {"question": self.question, "sql": self.sql, "db_id": self.db_id, "evidence": self.evidence}

    @cached_property
    def words(self) -> str:
        """The question, see `plain_words`."""
        return plain_words(self.question)

    @cached_property
    def shown_code(self) -> str:
        """All that is shown of it, see `plain_code`."""
        return "\n".join(map(plain_code, (self.question, self.evidence, self.sql)))


@lru_cache(maxsize=4096)
def plain_words(text: str) -> str:
    """The words of a text alone, whatever the case, the spaces and the punctuation."""
    return " ".join(_WORDS.findall(_folded(text)))


@lru_cache(maxsize=4096)
def plain_code(text: str) -> str:
    """The words and signs of a statement, whatever the case, the spaces, the quotes and a `;`; spaces around each."""
    return f" {' '.join(_SYMBOLS.findall(_folded(text)))} "


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()

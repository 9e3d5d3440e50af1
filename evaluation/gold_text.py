"""What is read from the texts of golds, kept from run to run.

Reading takes sqlglot, whose import alone takes as long as comparing some hundred results.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from functools import cached_property, lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar

from evaluation.conventions.ranking import Ranking
from evaluation.store import Store, digest

T = TypeVar("T")

KEPT_IN_MEMORY = 4096
"""Answers to each question that stay in memory."""

_MAY_CHOOSE = re.compile("order|limit|offset|fetch", re.IGNORECASE)
_MAY_CHANGE = re.compile(
    "now|current|clock|local_?time|sys|utc|date|time|today|julian|epoch|rand|uuid|newid|nextval", re.IGNORECASE
)
_MAY_SAY_DISTINCT = re.compile("distinct", re.IGNORECASE)
_READERS = (
    "volatility.py",
    *(f"conventions/{name}.py" for name in ("derived_table", "outputs", "ranking", "ranking_query")),
)
"""The files beside this one that an answer comes from: when they change, it is looked for again."""


class GoldTexts:
    """Answers questions about golds, which are trusted texts. One without the words it would take is not even read.

    Args:
        store: Keeps the answers from run to run; `None` keeps them in memory only.
    """

    def __init__(self, store: Store | None = None) -> None:
        self._store = store
        self.ranking = lru_cache(maxsize=KEPT_IN_MEMORY)(self._ranking)
        self.volatile_part = lru_cache(maxsize=KEPT_IN_MEMORY)(self._volatile_part)
        self.says_distinct = lru_cache(maxsize=KEPT_IN_MEMORY)(self._says_distinct)

    def _ranking(self, gold: str, dialect: str, names: tuple[str, ...], height: int) -> Ranking | str | None:
        """How to ask for the rows that a gold chooses from: see `ranking_of`."""
        if _MAY_CHOOSE.search(gold) is None:
            return None

        def read() -> dict[str, Any] | str | None:
            from evaluation.conventions.ranking_query import ranking_of

            found = ranking_of(gold, dialect, names, height)
            return vars(found) if isinstance(found, Ranking) else found

        answer = self._answer("ranking", read, gold=gold, dialect=dialect, names=names, height=height)
        return Ranking(**answer) if isinstance(answer, dict) else answer

    def _volatile_part(self, gold: str, dialect: str) -> str | None:
        """The first part of a gold whose value changes by itself; `None` when there is none."""
        if _MAY_CHANGE.search(gold) is None:
            return None

        def read() -> str | None:
            from evaluation.volatility import volatile_part

            return volatile_part(gold, dialect)

        return self._answer("volatile part", read, gold=gold, dialect=dialect)

    def _says_distinct(self, gold: str, dialect: str) -> bool:
        """Whether a gold is a SELECT DISTINCT."""
        if _MAY_SAY_DISTINCT.search(gold) is None:
            return False

        def read() -> bool:
            from evaluation.conventions.outputs import says_distinct

            return says_distinct(gold, dialect)

        return self._answer("distinct", read, gold=gold, dialect=dialect)

    def _answer(self, what: str, read: Callable[[], T], **about: object) -> T:
        """What is known from before, else what is read now."""
        if self._store is None:
            return read()
        key = digest(kind="gold text", what=what, readers=self._readers, **about)
        known = self._store.get(key)
        answer: T = read() if known is None else json.loads(known)
        if known is None:
            self._store.put(key, json.dumps(answer).encode())
        return answer

    @cached_property
    def _readers(self) -> str:
        """What the answers depend on beside the question."""
        code = b"".join((Path(__file__).parent / name).read_bytes() for name in _READERS)
        return f"{hashlib.sha256(code).hexdigest()} sqlglot {version('sqlglot')}"


UNKEPT = GoldTexts()
"""Answers for those who have no store."""

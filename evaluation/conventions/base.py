"""The contract of every convention."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

from database_backends.result import Outcome, ResultTable
from evaluation.datasets.base import GoldResult
from evaluation.gold_text import UNKEPT, GoldTexts
from evaluation.verdicts import Reason, Verdict
from sqlassay.registry import Registry

SHOWN_ROWS = 5
"""Rows of each side that go into the evidence."""
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")
"""Characters that would command a terminal; cells are hostile."""
_SHOWN_INSIDE = ("timestamp", "instant", "zoned time", "interval")
"""Kinds of canonical cells whose value is what follows."""
SHOWN_TEXT = 200
"""Characters of one cell that go into the evidence."""


@dataclass(frozen=True)
class Statements:
    """What is behind two results.

    Attributes:
        gold: The expected statement; empty when there is none.
        predicted: The statement under test.
        dialect: The sqlglot dialect of both.
        question: The question in natural language; empty when unknown.
        tags: The dataset's labels of the question.
        result: The gold result, where the dataset has one in a file instead of a statement; it says whether the order
            of its rows counts, and a prediction may have columns beside those of the expected table.
        texts: Answers what the text of the gold says.
    """

    gold: str
    predicted: str
    dialect: str
    question: str = ""
    tags: tuple[str, ...] = ()
    result: GoldResult | None = None
    texts: GoldTexts = UNKEPT


class Convention(ABC):
    """A rule by which two results count as equal, made with keyword settings that all have defaults."""

    name: ClassVar[str]
    """The registered name."""
    version: ClassVar[str]
    """Changes whenever a verdict could."""

    @property
    def settings(self) -> Mapping[str, object]:
        """Everything that can change a verdict; goes into the run log."""
        return {}

    def rewrite(self, sql: str, side: Literal["gold", "predicted"], dialect: str) -> str:
        """The statement that the convention executes in the place of `sql`; most execute it as it is."""
        return sql

    def further_gold(self, gold: ResultTable, predicted: ResultTable, statements: Statements) -> str | None:
        """A further statement whose result `compare` needs to decide this pair; `None` when the two results do."""
        return None

    def judge_cut(self, gold: ResultTable, predicted: ResultTable) -> Verdict:
        """The verdict on a result that was cut at the row limit, where the gold's was not.

        It has more rows than the gold, which is wrong unless the convention drops repeated ones.
        """
        return too_many_rows(gold, predicted)

    @abstractmethod
    def compare(
        self, gold: ResultTable, predicted: ResultTable, statements: Statements, further: Outcome | None = None
    ) -> Verdict:
        """Compare two complete results. Pure; gives a verdict whatever the cells are.

        Args:
            gold: The expected result.
            predicted: The result under test.
            statements: What is behind both.
            further: What came of the statement that `further_gold` asked for.
        """


CONVENTIONS: Registry[Convention] = Registry("convention", "sqlassay.conventions", Convention)


def too_many_rows(gold: ResultTable, predicted: ResultTable) -> Verdict:
    """The verdict on a result that was cut at the row limit, where the gold's was not, and where every row counts."""
    return Verdict.of(Reason.EXTRA_ROWS, gold_rows=len(gold.rows), predicted_cut_at=len(predicted.rows))


def show_rows(rows: Mapping[tuple[object, ...], int]) -> list[list[object]]:
    """The first differing rows as JSON values, each as often as it differs."""
    shown: list[list[object]] = []
    for row, count in rows.items():
        for _ in range(min(count, SHOWN_ROWS - len(shown))):
            shown.append([show_cell(cell) for cell in row])
        if len(shown) == SHOWN_ROWS:
            break
    return shown


def show_cell(cell: object) -> object:
    """One cell as a JSON value that a person can read, long text cut with a mark."""
    if cell is None or isinstance(cell, bool):
        return cell
    if isinstance(cell, int):
        return cell if -(2**53) <= cell <= 2**53 else str(cell)
    if isinstance(cell, float):
        return cell if cell - cell == 0 else str(cell)
    if isinstance(cell, tuple) and cell:
        return show_cell(cell[1] if cell[0] in _SHOWN_INSIDE else _nested(cell))
    if isinstance(cell, bytes):
        text = f"x'{cell[:SHOWN_TEXT].hex()}'"
        return text if len(cell) <= SHOWN_TEXT else f"{text}… ({len(cell):,} bytes)"
    text = _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", str(cell))
    text = text.encode("utf-8", "backslashreplace").decode()
    return text if len(text) <= SHOWN_TEXT else f"{text[:SHOWN_TEXT]}… ({len(text):,} characters)"


def _nested(cell: tuple[object, ...]) -> str:
    """A list or a map in canonical form, as text."""
    match cell:
        case ("list", tuple(items)):
            return f"[{', '.join(map(_inside, items))}]"
        case ("map", frozenset(pairs)):
            return f"{{{', '.join(sorted(f'{_inside(key)}: {_inside(value)}' for key, value in pairs))}}}"
        case (*_, text):
            return str(text)
    return str(cell)


def _inside(cell: object) -> str:
    nested = isinstance(cell, tuple) and cell and cell[0] in ("list", "map")
    return str(show_cell(cell)) if nested else repr(show_cell(cell))

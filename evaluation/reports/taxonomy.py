"""Why answers are wrong: what execution found, and beside it what judges say."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from evaluation.records import ItemRecord
from evaluation.reports.disagreement import reference_of
from evaluation.verdicts import JUDGE_CATEGORIES, JUDGES, Reason


@dataclass
class Row:
    """The items that the judges of one strategy were asked about, of those with one reason of execution.

    Attributes:
        strategy: The label of the judges' strategy.
        reason: What execution says; `None` where nothing was executed.
        items: How many there are.
        categories: How often the judges named which fault; an item may have several.
        without: Items for which they named none.
        undecided: Items on which they gave no verdict.
    """

    strategy: str
    reason: Reason | None
    items: int = 0
    categories: Counter[str] = field(default_factory=Counter)
    without: int = 0
    undecided: int = 0

    def to_json(self) -> dict[str, Any]:
        """As JSON types."""
        return {**vars(self), "categories": dict(sorted(self.categories.items()))}


class Taxonomy:
    """The reasons of execution and the categories of judges side by side, added up item by item."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, Reason | None], Row] = {}

    def add(self, record: ItemRecord, times: int = 1) -> None:
        """Count one item, or so many whose verdicts are all alike."""
        judged = [verdict for verdict in record.verdicts if JUDGES in verdict.evidence]
        executed = reference_of([verdict for verdict in record.verdicts if verdict not in judged]) if judged else None
        reason = None if executed is None else executed.reason
        for verdict in judged:
            row = self._found.setdefault((verdict.strategy, reason), Row(verdict.strategy, reason))
            row.items += times
            told = verdict.evidence.get(JUDGE_CATEGORIES)
            if isinstance(told, list | tuple):
                for category in map(str, told):
                    row.categories[category] += times
                row.without += times * (not told)
            else:
                row.undecided += times

    @property
    def rows(self) -> list[Row]:
        """By strategy, the most frequent reason first; empty where no judge was asked."""
        return sorted(self._found.values(), key=lambda row: (row.strategy, -row.items, row.reason or ""))

"""Why answers are wrong: what execution found, and beside it what judges say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
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


def taxonomy(records: Iterable[ItemRecord]) -> list[Row]:
    """The reasons of execution and the categories of judges side by side.

    Args:
        records: The items of a run; they are read once and not kept.

    Returns:
        By strategy, the most frequent reason first; empty where no judge was asked.
    """
    found: dict[tuple[str, Reason | None], Row] = {}
    for record in records:
        judged = [verdict for verdict in record.verdicts if JUDGES in verdict.evidence]
        executed = reference_of([verdict for verdict in record.verdicts if verdict not in judged]) if judged else None
        reason = None if executed is None else executed.reason
        for verdict in judged:
            row = found.setdefault((verdict.strategy, reason), Row(verdict.strategy, reason))
            row.items += 1
            told = verdict.evidence.get(JUDGE_CATEGORIES)
            if isinstance(told, list | tuple):
                row.categories.update(map(str, told))
                row.without += not told
            else:
                row.undecided += 1
    return sorted(found.values(), key=lambda row: (row.strategy, -row.items, row.reason or ""))

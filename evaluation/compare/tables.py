"""Recall and precision of the tables that the answers of one side read, against those of the golds."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from database_backends.result import ExecutionFailure
from database_backends.runner import Runner
from evaluation.compare.answers import Told
from evaluation.compare.comparison import Comparison
from evaluation.structure.tables import TablesUsed

Used = Mapping[tuple[str, str], frozenset[str] | None]
"""The tables of a statement by its text and dialect; `None` where it cannot be read."""


class Share(NamedTuple):
    """Of two sets, how much of each is in the other.

    Attributes:
        precision: The share of the predicted tables that the gold has too.
        recall: The share of the gold's tables that were predicted.
    """

    precision: float
    recall: float


@dataclass(frozen=True)
class TableUse:
    """The tables of one side.

    Attributes:
        answers: Answers that were counted: both statements can be read, and name tables.
        micro: Over all tables of all answers; `None` where nothing was counted.
        macro: The mean over the answers.
        without_sql: Answers without a statement, which are left out.
        unread: Answers whose statement cannot be parsed, which are left out.
        without_gold: Answers to questions without a gold that can be parsed and names tables, which are left out.
    """

    answers: int
    micro: Share | None
    macro: Share | None
    without_sql: int = 0
    unread: int = 0
    without_gold: int = 0

    def to_json(self) -> dict[str, Any]:
        """As JSON types."""
        told = vars(self).copy()
        return {**told, **{key: share and share._asdict() for key, share in told.items() if key in ("micro", "macro")}}


def table_use(told: Iterable[Told], tables: Callable[[str], frozenset[str] | None]) -> TableUse:
    """Count the tables of answers. Of several golds, the one counts whose tables are nearest.

    Args:
        told: The answers.
        tables: The tables of a statement; `None` where it cannot be read.
    """
    counted: list[tuple[int, int, int]] = []  # tables in both, predicted, in the gold
    without_sql = unread = without_gold = 0
    for one in told:
        golds = [found for sql in one.golds if (found := tables(sql))]
        predicted = None if one.sql is None else tables(one.sql)
        if not golds:
            without_gold += 1
        elif one.sql is None:
            without_sql += 1
        elif predicted is None:
            unread += 1
        else:
            gold = max(golds, key=lambda gold: len(gold & predicted) / (len(gold) + len(predicted)))
            counted.append((len(gold & predicted), len(predicted), len(gold)))
    left_out = {"without_sql": without_sql, "unread": unread, "without_gold": without_gold}
    if not counted:
        return TableUse(0, None, None, **left_out)
    shares = [_share(*counts) for counts in counted]
    micro = _share(*(sum(column) for column in zip(*counted, strict=True)))
    macro = Share(*(sum(column) / len(shares) for column in zip(*shares, strict=True)))
    return TableUse(len(shares), micro, macro, **left_out)


def _share(both: int, predicted: int, gold: int) -> Share:
    """Who names no table names no wrong one."""
    return Share(both / predicted if predicted else 1.0, both / gold)


async def used(found: Sequence[Comparison], runner: Runner) -> Used:
    """The tables of every statement of these comparisons, each read once."""
    wanted = {
        (sql, arm.dialect): None
        for one in found
        for pair in one.answers
        for arm, told in ((one.baseline, pair.baseline), (one.candidate, pair.candidate))
        for sql in (*told.golds, *([told.sql] if told.sql else []))
    }
    read = await asyncio.gather(*(runner.run(TablesUsed(sql, dialect)) for sql, dialect in wanted))
    return {
        key: None if isinstance(tables, ExecutionFailure) else tables for key, tables in zip(wanted, read, strict=True)
    }


def table_uses(one: Comparison, tables: Used) -> tuple[TableUse, TableUse]:
    """Of the baseline and of the candidate."""
    baseline, candidate = one.baseline.dialect, one.candidate.dialect
    return (
        table_use((pair.baseline for pair in one.answers), lambda sql: tables.get((sql, baseline))),
        table_use((pair.candidate for pair in one.answers), lambda sql: tables.get((sql, candidate))),
    )

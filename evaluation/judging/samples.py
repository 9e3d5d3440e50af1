"""Results as a judge is shown them: one JSON array per row, so that no cell can be taken for two."""

from __future__ import annotations

import json
from heapq import nsmallest
from itertools import islice

from database_backends.result import ExecutionFailure, Outcome
from evaluation.conventions.base import show_cell
from sqlassay.counted import counted

LONGEST_ROW = 2_000
"""Characters of one row that are shown."""


def sample(outcome: Outcome, rows: int, *, ordered: bool) -> str:
    """The first rows of a result, or why there is none.

    Args:
        outcome: What came of a statement.
        rows: How many rows are shown.
        ordered: Whether the order of rows counts. Where it does not, those are shown that are first by their text,
            so that two results with the same rows show the same ones.
    """
    if isinstance(outcome, ExecutionFailure):
        return f"it failed: {outcome.kind.value.replace('_', ' ')}: {outcome.message[:500]}"
    texts = (_row(row) for row in outcome.rows)
    shown = list(islice(texts, rows)) if ordered else nsmallest(rows, texts)
    count = counted(len(outcome.rows), "row")
    if outcome.truncated:
        count = f"more than {count}"
    if len(shown) < len(outcome.rows):
        count += f", of which {len(shown):,} are shown"
    return "\n".join([f"columns: {_row(outcome.columns)}", *shown, f"({count})"])


def _row(cells: tuple[object, ...]) -> str:
    text = json.dumps([show_cell(cell) for cell in cells], ensure_ascii=False, default=str)
    return text if len(text) <= LONGEST_ROW else f"{text[:LONGEST_ROW]}…"

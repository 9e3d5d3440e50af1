"""What a gold with an order or a limit chooses from: how to ask the engine, and what its answer says."""

from __future__ import annotations

from dataclasses import dataclass

from database_backends.result import ResultTable
from evaluation.comparison.numbers import Tolerance
from evaluation.comparison.order import Choice, ranked


@dataclass(frozen=True)
class Ranking:
    """How to ask for the rows that a gold chooses from.

    Attributes:
        sql: The ranking query: the gold's columns, its ORDER BY keys, the rank; and the offset, if it is an expression.
        width: How many columns the gold has.
        keys: How many key columns there are.
        offset: Rows that the gold skips; `None` where the engine has to say.
        limited: Whether the gold may leave rows out.
        unknown: An ORDER BY key that cannot be computed and is left out; empty when there is none.
        ordered: Whether the order counts, not only what it leaves at a cut.
    """

    sql: str
    width: int
    keys: int
    offset: int | None
    limited: bool
    unknown: str
    ordered: bool = True

    def choice(self, gold: ResultTable, found: ResultTable, near: Tolerance) -> Choice | str:
        """What the gold may return, or why that is not known.

        Args:
            gold: The result of the gold.
            found: The result of the ranking query.
            near: When two keys are equal.
        """
        if self.limited and self.unknown:
            # A cut by a key that is not known leaves every row possible.
            return f"the key {self.unknown} cannot be computed"
        place = self.width + self.keys
        ranks = [row[place] for row in found.rows]
        before = ranks[0] - 1 if ranks and isinstance(ranks[0], int) else 0
        offset = self.offset if self.offset is not None else _rows(found.rows[0][-1] if found.rows else 0)
        start, length = offset - before, len(gold.rows)
        groups = ranked([row[self.width : place] for row in found.rows], ranks, near)
        table = ResultTable(gold.columns, gold.types, [row[: self.width] for row in found.rows])
        # Cut rows are only missed where the last of the groups is one that the gold takes rows of.
        whole = not found.truncated or (start + length <= len(groups) and groups[-1] != groups[start + length - 1])
        choice = Choice(table, groups, start, length, complete=not self.unknown, whole=whole, ordered=self.ordered)
        if choice.can_be_met:
            return choice
        return f"it chooses from more than {len(groups):,} rows" if found.truncated else "its number of rows changes"


def _rows(offset: object) -> int:
    """A number of rows, as an engine takes it: negative and NULL are none."""
    return max(0, offset) if isinstance(offset, int) else 0

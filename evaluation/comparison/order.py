"""What a gold with an order or a limit may return: rows that tie may come in any order, and any of them may be cut."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from database_backends.result import ResultTable
from evaluation.comparison.cells import canonical, is_number
from evaluation.comparison.numbers import Clusters, Tolerance
from evaluation.comparison.rows import Row, covered


@dataclass(frozen=True)
class Choice:
    """All rows that a gold chooses from.

    Attributes:
        table: The rows in the gold's order, without those that no result has.
        groups: A number per row, never falling; rows with the same number tie.
        start: How many of them the gold skips.
        length: How many rows it returns.
        complete: Whether the groups know every key of the order.
        whole: Whether the rows of every group that the result has rows of are all there.
        ordered: Whether the result comes in the order; else it only says which rows may be in it.
    """

    table: ResultTable
    groups: tuple[int, ...]
    start: int
    length: int
    complete: bool
    whole: bool = True
    ordered: bool = True

    @classmethod
    def of_sequence(cls, table: ResultTable) -> Choice:
        """No choice: all of the rows, in their order, none tied with another."""
        return cls(table, tuple(range(len(table.rows))), 0, len(table.rows), complete=True)

    def slices(self) -> list[tuple[slice, slice]]:
        """For each group that the result has rows of: where they are in the result, and where the group is here."""
        found = []
        stop = self.start + self.length
        end = 0
        for _, members in groupby(self.groups):
            begin, end = end, end + len(list(members))
            first, last = max(begin, self.start), min(end, stop)
            if first < last:
                found.append((slice(first - self.start, last - self.start), slice(begin, end)))
        return found

    @property
    def can_be_met(self) -> bool:
        """Whether there are as many rows as the gold returned."""
        return self.start >= 0 and self.start + self.length <= len(self.groups)

    def matters(self, rows: Sequence[Row]) -> bool:
        """Whether a cut goes through rows that tie and are not all alike, so that several results are legal.

        Args:
            rows: The rows of `table`, canonical.
        """
        return any(
            taken.stop - taken.start < group.stop - group.start and len(set(rows[group])) > 1
            for taken, group in self.slices()
        )

    def allows(self, rows: Sequence[Row], result: Sequence[Row], clusters: Clusters, near: Tolerance) -> bool:
        """Whether a result is one that the gold may return.

        Args:
            rows: The rows of `table`, canonical.
            result: The rows of the result, canonical, columns in the gold's order.
            clusters: Of the numbers in both.
            near: When two numbers are equal.
        """
        if len(result) != self.length:
            return False
        if self.ordered:
            return all(covered(result[taken], rows[group], clusters, near) for taken, group in self.slices())
        return self._holds(rows, result, clusters, near)

    def _holds(self, rows: Sequence[Row], result: Sequence[Row], clusters: Clusters, near: Tolerance) -> bool:
        """Whether a result has, in any order, the rows that it must, and others only from where the cuts are.

        Where one matching covers the rows that must be there, and another the result, there is one that covers both
        (Mendelsohn and Dulmage 1958).
        """
        pool: list[Row] = []
        needed: list[Row] = []
        cuts = []
        for taken, group in self.slices():
            pool.extend(rows[group])
            count = taken.stop - taken.start
            if count == group.stop - group.start:
                needed.extend(rows[group])
            else:
                cuts.append((count, rows[group]))
        if not (covered(result, pool, clusters, near) and covered(needed, result, clusters, near)):
            return False
        there, found = Counter(map(clusters.row, pool)), Counter(map(clusters.row, result))
        # What only one of two cuts can have given must not be more than it gives.
        return all((found - (there - Counter(map(clusters.row, group)))).total() <= count for count, group in cuts)


def ranked(keys: Sequence[Row], ranks: Sequence[object], near: Tolerance) -> tuple[int, ...]:
    """Group numbers from the engine's ranks: rows also tie whose keys are near those of the first of their group.

    Args:
        keys: The values of the ORDER BY keys of each row, as the driver gives them.
        ranks: The engine's rank of each row, never falling.
        near: When two numbers are equal.
    """
    groups: list[int] = []
    first = 0
    for index, rank in enumerate(ranks):
        if index == 0:
            groups.append(0)
        # Held against the first of the group, so that a long row of small steps does not become one tie.
        elif rank == ranks[index - 1] or (keys[index] and _tie(keys[first], keys[index], near)):
            groups.append(groups[-1])
        else:
            first = index
            groups.append(groups[-1] + 1)
    return tuple(groups)


def _tie(left: Row, right: Row, near: Tolerance) -> bool:
    for one, other in zip(map(canonical, left), map(canonical, right), strict=True):
        if is_number(one) and is_number(other):
            if not near.near(one, other):  # type: ignore[arg-type]
                return False
        elif one != other:
            return False
    return True

"""Two result tables: the same or not, and if not, how they differ."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from operator import itemgetter

from database_backends.result import ResultTable
from evaluation.comparison.causes import cause
from evaluation.comparison.grid import Column, Grid, Plain
from evaluation.comparison.mechanism import OF_REASON, Mechanism
from evaluation.comparison.numbers import Clusters, Tolerance, unlabelled
from evaluation.comparison.order import Choice
from evaluation.comparison.pairing import Columns, Pairing, assignments, find_pairing
from evaluation.comparison.rows import Row, difference, near_multiset, perfectly_matched, same_multiset
from evaluation.verdicts import Reason

CONTAINMENT_BUDGET = 10_000
"""Steps of the search for a pairing with a choice of other rows than the gold's."""
DIAGNOSED_ROWS = 2_000
"""Differing rows up to which the cause of a difference is looked for cell by cell."""


@dataclass(frozen=True)
class Comparison:
    """What was found.

    Attributes:
        reason: A match, or how the tables differ.
        pairing: The pairing of columns on which it rests; `None` when the column counts differ.
        missing: Rows that the prediction lacks, with multiplicity, as canonical cells.
        extra: Rows that the prediction has too much, columns in the gold's order where they could be paired.
        mechanism: What the results differ in; `None` when they are the same row by row and column by column.
    """

    reason: Reason
    pairing: Pairing | None = None
    missing: Counter[Row] = field(default_factory=Counter)
    extra: Counter[Row] = field(default_factory=Counter)
    mechanism: Mechanism | None = None


def compare_tables(
    gold: ResultTable, predicted: ResultTable, tolerance: Tolerance, choice: Choice | None = None
) -> Comparison:
    """Compare two results as multisets of rows, in the gold's order where it has one.

    Columns pair by name where both sides have the same names (without case), else by content. Any one pairing that
    makes the tables equal is enough.

    Args:
        gold: The expected result.
        predicted: The result under test.
        tolerance: When two numbers are equal, one of them being a float.
        choice: What the gold may return, when it has an order or a limit.

    Returns:
        The reason is a match or a difference; never an exception, whatever the cells are.
    """
    tables = _Tables(gold, predicted, tolerance, choice)
    found = tables.compare()
    return replace(found, mechanism=tables.mechanism(found))


class _Tables:
    """One comparison, its steps in the order in which they get dearer."""

    def __init__(
        self,
        gold: ResultTable,
        predicted: ResultTable,
        near: Tolerance,
        choice: Choice | None,
    ) -> None:
        self.raw = gold, predicted
        self.choice = choice
        self.near = near
        left = [name.casefold() for name in gold.columns]
        right = [name.casefold() for name in predicted.columns]
        self.names_bind = Counter(left) == Counter(right)
        self.names = left, right
        self._labelled: dict[int, Column] = {}

    def compare(self) -> Comparison:
        gold, predicted = self.raw
        width, other = len(gold.columns), len(predicted.columns)
        if width != other:
            return Comparison(Reason.EXTRA_COLUMNS if other > width else Reason.MISSING_COLUMNS)
        if not gold.rows and not predicted.rows:
            return Comparison(Reason.MATCH_VACUOUS, tuple(range(width)))
        if len(gold.rows) != len(predicted.rows):
            return self._differ()
        return self._compare_free() if self.choice is None else self._compare_ordered(self.choice)

    def _compare_free(self) -> Comparison:
        steps = (self._equal_as_they_are, self._equal_once_paired, self._near_as_they_are, self._equal_when_canonical)
        pairing = next((found for step in steps if (found := step()) is not None), None)
        return self._differ() if pairing is None else Comparison(Reason.MATCH, pairing)

    def _compare_ordered(self, choice: Choice) -> Comparison:
        pairing = self._pair(self._names, self._is_legal)
        if pairing is None and self.chooses:
            pairing = self._pair_by_containment()
        if pairing is not None:
            certain = choice.complete and choice.whole and not self.chooses
            return Comparison(Reason.MATCH if certain else Reason.MATCH_AMBIGUOUS, pairing)
        pairing = self._pair(self._names, self._rows_agree)
        return self._differ() if pairing is None else Comparison(Reason.WRONG_ORDER, pairing)

    def mechanism(self, found: Comparison) -> Mechanism | None:
        if found.reason in OF_REASON or found.pairing is None:
            return OF_REASON.get(found.reason)
        if found.reason is Reason.MATCH:
            return self._freedom(found.pairing)
        rows, others = self._both(found.pairing, labelled=True)
        return Mechanism.MULTIPLICITY if set(rows) == set(others) else Mechanism.ROWS

    def _freedom(self, pairing: Pairing) -> Mechanism | None:
        """What equal tables differ in all the same."""
        gold, predicted = self.raw
        if pairing != tuple(range(len(pairing))):
            return Mechanism.COLUMNS
        if self.same_rows:
            return None if gold.rows == predicted.rows else Mechanism.ORDER
        return Mechanism.NUMBER if self.near_rows or self.clusters else Mechanism.TYPE

    @cached_property
    def placed(self) -> tuple[Pairing, Sequence[Row]] | None:
        """The prediction's rows with the columns where names want them, or as they are; `None` when names repeat."""
        rows = self.raw[1].rows
        if not self.names_bind or self.names[0] == self.names[1]:
            return tuple(range(len(self.names[0]))), rows
        if len(set(self.names[0])) < len(self.names[0]):
            return None
        pairing = tuple(self.names[1].index(name) for name in self.names[0])
        return pairing, list(map(itemgetter(*pairing), rows))

    @cached_property
    def same_rows(self) -> bool:
        """Whether the placed rows are the gold's, each as often, by the driver's own values."""
        gold = self.raw[0].rows
        try:
            return self.placed is not None and (gold == self.placed[1] or same_multiset(gold, self.placed[1]))
        except (TypeError, ArithmeticError):  # lists and maps cannot be hashed, a signalling NaN not even compared
            return False

    @cached_property
    def near_rows(self) -> bool:
        """Whether they are, surely, but for floats that are near each other."""
        try:
            return self.placed is not None and near_multiset(self.raw[0].rows, self.placed[1], self.near)
        except (TypeError, ArithmeticError):
            return False

    def _equal_as_they_are(self) -> Pairing | None:
        """The cheap case: the driver's own values. Python's equality is never laxer than ours."""
        return self.placed[0] if self.placed is not None and self.same_rows else None

    def _near_as_they_are(self) -> Pairing | None:
        return self.placed[0] if self.placed is not None and self.near_rows else None

    def _equal_once_paired(self) -> Pairing | None:
        """The next cheap case: the driver's own values under other names, in another order of columns."""
        if self.names_bind:
            return None
        gold, predicted = self.raw
        columns, others = list(zip(*gold.rows, strict=True)), list(zip(*predicted.rows, strict=True))
        kinds = [""] * len(columns)
        try:
            return find_pairing(
                columns,
                others,
                (kinds, kinds),
                lambda pairing: same_multiset(gold.rows, list(zip(*(others[index] for index in pairing), strict=True))),
            )
        except (TypeError, ArithmeticError):
            return None

    def _equal_when_canonical(self) -> Pairing | None:
        return self._pair(self._names, self._rows_agree)

    @cached_property
    def grids(self) -> tuple[Grid, Grid]:
        gold, predicted = map(Grid, self.raw)
        return gold, predicted

    @cached_property
    def choice_grid(self) -> Grid | None:
        return Grid(self.choice.table) if self.choice is not None else None

    @cached_property
    def clusters(self) -> Clusters:
        grids = [*self.grids, *([self.choice_grid] if self.choice_grid is not None else [])]
        return Clusters((cell for grid in grids for column in grid.texts for cell in set(column)), self.near)

    @cached_property
    def alike(self) -> tuple[Columns, Columns, Columns]:
        """The columns of both sides, and those of what the gold chooses from, as much alike as they can be.

        Numbers are replaced by what stands for their cluster, and all text that could be a date is one: what is equal
        under a pairing is equal here.
        """
        gold, predicted, choice = map(self._alike, (*self.grids, self.choice_grid))
        return gold, predicted, choice

    def _alike(self, grid: Grid | None) -> Columns:
        return [self._labels(grid.column(k, frozenset())) for k in range(grid.width)] if grid is not None else []

    def _labels(self, column: Column) -> Column:
        """The column with every number replaced by what stands for its cluster."""
        if not self.clusters:
            return column
        known = self._labelled.get(id(column))  # grids keep their columns, so that no other takes the number
        if known is None:
            known = self._labelled[id(column)] = self.clusters.labels(column)
        return known

    def _plain(self, pairing: Pairing) -> list[Plain]:
        """Where each column of the gold has text that is no date: in either table, or in what the gold chooses from."""
        gold, predicted = self.grids
        more = self.choice_grid.plain if self.choice_grid is not None else gold.plain
        return [gold.plain[column] | more[column] | predicted.plain[other] for column, other in enumerate(pairing)]

    def _rows(
        self, grid: Grid, plain: Sequence[Plain], order: Pairing | None = None, *, labelled: bool = False
    ) -> list[Row]:
        """Canonical rows, columns in the given order, numbers replaced by what stands for their cluster or not."""
        places = range(grid.width) if order is None else order
        columns = [grid.column(place, texts) for place, texts in zip(places, plain, strict=True)]
        if labelled:
            columns = list(map(self._labels, columns))
        return list(zip(*columns, strict=True)) if columns else [()] * grid.height

    def _both(self, pairing: Pairing, *, labelled: bool = False) -> tuple[list[Row], list[Row]]:
        """The rows of gold and prediction, columns in the gold's order."""
        gold, predicted = self.grids
        plain = self._plain(pairing)
        return self._rows(gold, plain, labelled=labelled), self._rows(predicted, plain, pairing, labelled=labelled)

    @cached_property
    def chooses(self) -> bool:
        """Whether the gold leaves a choice between rows that differ."""
        if self.choice is None or self.choice_grid is None:
            return False
        plain = [one | other for one, other in zip(self.grids[0].plain, self.choice_grid.plain, strict=True)]
        return self.choice.matters(self._rows(self.choice_grid, plain, labelled=True))

    @property
    def _names(self) -> tuple[Sequence[str], Sequence[str]] | None:
        """The names by which columns have to pair; `None` when names do not bind."""
        return self.names if self.names_bind else None

    def _pair(
        self, names: tuple[Sequence[str], Sequence[str]] | None, accept: Callable[[Pairing], bool]
    ) -> Pairing | None:
        width = self.grids[0].width
        for pairing in _obvious(width, names):
            if accept(pairing):
                return pairing
        kinds = names or ([""] * width, [""] * width)
        return find_pairing(*self.alike[:2], kinds, accept)

    def _pair_by_containment(self) -> Pairing | None:
        """A legal choice of other rows than the gold's has columns of other content: pair by what could be chosen."""
        _, predicted, choice = self.alike
        contents = [Counter(column) for column in predicted]
        fits = []
        for place, column in enumerate(choice):
            holds = Counter(column)
            named = [k for k in range(len(contents)) if not self.names_bind or self.names[1][k] == self.names[0][place]]
            fits.append([k for k in named if contents[k] <= holds])
        steps = iter(range(CONTAINMENT_BUDGET))
        return next(filter(self._is_legal, assignments(fits, (), steps)), None)

    def _is_legal(self, pairing: Pairing) -> bool:
        assert self.choice is not None  # noqa: S101 - only asked where there is one
        assert self.choice_grid is not None  # noqa: S101
        plain = self._plain(pairing)
        rows, result = self._rows(self.choice_grid, plain), self._rows(self.grids[1], plain, pairing)
        return self.choice.allows(rows, result, self.clusters, self.near)

    def _rows_agree(self, pairing: Pairing) -> bool:
        if not same_multiset(*self._both(pairing, labelled=True)):
            return False
        return self.clusters.exact or perfectly_matched(*self._both(pairing), self.clusters, self.near)

    def _differ(self) -> Comparison:
        """Say how two tables of equal width that are not the same differ."""
        right = self.grids[1]
        pairing = self._likeliest_pairing()
        rows = self._both(pairing, labelled=True)
        missing, extra = difference(*rows)
        if not missing and not extra:
            # Every row has a partner by label, but no perfect matching exists: show what is not surely equal.
            missing, extra = difference(*self._both(pairing))
        reason = self._reason(missing, extra, rows[0], right.height)
        return Comparison(reason, pairing, self._unlabelled(missing), self._unlabelled(extra))

    def _unlabelled(self, rows: Counter[Row]) -> Counter[Row]:
        """Rows with a number again in place of its cluster's label."""
        if not self.clusters:
            return rows
        shown: Counter[Row] = Counter()
        for row, count in rows.items():
            shown[tuple(map(unlabelled, row))] += count
        return shown

    def _likeliest_pairing(self) -> Pairing:
        """By name where names bind; else columns of most common content first, then by position."""
        gold, predicted, _ = self.alike
        width = len(gold)
        free = list(range(width))
        pairing = [-1] * width
        if self.names_bind:
            for index, name in enumerate(self.names[0]):
                choice = next(k for k in free if self.names[1][k] == name)
                pairing[index] = choice
                free.remove(choice)
            return tuple(pairing)
        contents = [Counter(column) for column in predicted]
        for column in range(width):
            content = Counter(gold[column])
            # Its own place first: alike columns should stay where they are.
            fits = [k for k in free if contents[k] == content]
            if fits:
                choice = column if column in fits else fits[0]
                pairing[column] = choice
                free.remove(choice)
        for column in range(width):
            if pairing[column] < 0:
                choice = column if column in free else free[0]
                pairing[column] = choice
                free.remove(choice)
        return tuple(pairing)

    def _reason(self, missing: Counter[Row], extra: Counter[Row], gold: list[Row], other: int) -> Reason:
        if other == 0:
            return Reason.EMPTY
        if not missing and extra:
            known = set(gold)
            return Reason.EXTRA_ROWS if any(row not in known for row in extra) else Reason.ROW_COUNT_FANOUT
        if missing and not extra:
            return Reason.MISSING_ROWS
        if len(gold) == other:
            if self.names_bind and self._pair(None, self._rows_agree) is not None:
                return Reason.SWAPPED_COLUMNS
            if sum(missing.values()) <= DIAGNOSED_ROWS:
                return cause(list(missing.elements()), list(extra.elements()))
        return Reason.WRONG_ROWS


def _obvious(width: int, names: tuple[Sequence[str], Sequence[str]] | None) -> Iterator[Pairing]:
    """The pairings to try first: in place, and by names that are there once."""
    if names is None or names[0] == names[1]:
        yield tuple(range(width))
    elif len(set(names[0])) == width:
        yield tuple(names[1].index(name) for name in names[0])

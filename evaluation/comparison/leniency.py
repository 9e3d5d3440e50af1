"""Tables as a laxer or stricter reader would see them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice

from database_backends.result import ResultTable
from evaluation.comparison.cells import Cell
from evaluation.comparison.grid import Grid
from evaluation.comparison.numbers import Clusters, Tolerance
from evaluation.comparison.pairing import assignments

BUDGET = 1_000
"""Choices of columns that are tried."""


def with_numbers(table: ResultTable) -> ResultTable:
    """The table with every text that spells a number, as that number is written, as the number."""
    return replace(table, rows=[tuple(map(_number, row)) for row in table.rows])


def _number(cell: object) -> object:
    if type(cell) is not str or not cell or len(cell) > 40:
        return cell
    for convert in (int, float):
        try:
            number = convert(cell)
        except ValueError:
            continue
        if str(number) == cell:
            return number
    return cell


def by_position(table: ResultTable) -> ResultTable:
    """The table with its columns named by their places, so that they pair by place and in no other way."""
    return replace(table, columns=tuple(map(str, range(len(table.columns)))))


def narrowed(gold: ResultTable, predicted: ResultTable, tolerance: Tolerance) -> Iterator[ResultTable]:
    """The prediction with only as many columns as the gold has: those of its names, or those of its content."""
    names = [name.casefold() for name in predicted.columns]
    gold_names = [name.casefold() for name in gold.columns]
    if len(set(gold_names)) == len(gold_names) and set(gold_names) <= set(names):
        yield _only(predicted, tuple(map(names.index, gold_names)))
        return
    wanted, contents = _contents(Grid(gold), Grid(predicted), tolerance)
    fits = [[index for index, content in enumerate(contents) if content == one] for one in wanted]
    for chosen in islice(assignments(fits, (), iter(range(BUDGET))), BUDGET):
        yield replace(_only(predicted, chosen), columns=tuple(f"column {place}" for place in range(len(chosen))))


def _contents(gold: Grid, predicted: Grid, tolerance: Tolerance) -> tuple[list[Counter[Cell]], list[Counter[Cell]]]:
    """What each column holds, as much alike as it can be."""
    sides = [[grid.column(index, frozenset()) for index in range(grid.width)] for grid in (gold, predicted)]
    clusters = Clusters((cell for columns in sides for column in columns for cell in set(column)), tolerance)
    wanted, contents = ([Counter(clusters.labels(column)) for column in columns] for columns in sides)
    return wanted, contents


def _only(table: ResultTable, places: tuple[int, ...]) -> ResultTable:
    return ResultTable(
        tuple(table.columns[place] for place in places),
        tuple(table.types[place] for place in places),
        [tuple(row[place] for place in places) for row in table.rows],
        table.truncated,
        table.seconds,
    )

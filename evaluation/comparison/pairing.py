"""Which column of the prediction is which column of the gold?

Columns are told apart by what they hold, never by trying permutations: rows and columns colour each other until
nothing changes (colour refinement, as in graph isomorphism: Weisfeiler and Leman 1968), and only columns that are
still alike are tried in turn. Colours are sums of hashes, so equal tables always get equal colours; the final word
is a comparison of the rows themselves.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterator, Sequence

from evaluation.comparison.cells import Cell

Columns = Sequence[Sequence[Cell]]
Pairing = tuple[int, ...]
"""For each column of the gold, the index of the column of the prediction."""

BUDGET = 200
"""How many times columns that look alike are told apart by trial before the search is given up."""

_WORD = (1 << 64) - 1


def find_pairing(
    gold: Columns,
    predicted: Columns,
    kinds: tuple[Sequence[Hashable], Sequence[Hashable]],
    accept: Callable[[Pairing], bool],
) -> Pairing | None:
    """A pairing of columns of equal kind that `accept` takes.

    Args:
        gold: Columns of the gold, all of one length.
        predicted: As many columns of that length.
        kinds: A label per column of the gold and of the prediction; only columns of equal label pair (names, where
            names bind).
        accept: The final word on a pairing: do the rows agree?

    Returns:
        The first that is accepted; `None` when there is none.
    """
    colours = [hash(kind) for kind in kinds[0]], [hash(kind) for kind in kinds[1]]
    budget = iter(range(BUDGET))
    for pairing in _search(gold, predicted, colours, budget):
        if accept(pairing):
            return pairing
    return None


def assignments(options: Sequence[Sequence[int]], taken: Pairing, steps: Iterator[int]) -> Iterator[Pairing]:
    """The ways to give each place one of its options, none of them twice, as far as the steps go."""
    if len(taken) == len(options):
        yield taken
        return
    for option in options[len(taken)]:
        if option not in taken and next(steps, None) is not None:
            yield from assignments(options, (*taken, option), steps)


def _search(
    gold: Columns, predicted: Columns, colours: tuple[list[int], list[int]], budget: Iterator[int]
) -> Iterator[Pairing]:
    left, right = _refine(gold, colours[0]), _refine(predicted, colours[1])
    if Counter(left) != Counter(right):
        return
    classes: defaultdict[int, list[int]] = defaultdict(list)
    for index, colour in enumerate(right):
        classes[colour].append(index)
    doubtful = _first_doubtful(gold, left)
    if doubtful is None:
        waiting = {colour: iter(indices) for colour, indices in classes.items()}
        yield tuple(next(waiting[colour]) for colour in left)
        return
    marked = [*left]
    marked[doubtful] = mark = hash((left[doubtful], "marked"))
    tried: set[tuple[Cell, ...]] = set()
    for candidate in classes[left[doubtful]]:
        content = tuple(predicted[candidate])
        if content in tried:
            continue
        tried.add(content)
        if next(budget, None) is None:
            return
        other = [*right]
        other[candidate] = mark
        yield from _search(gold, predicted, (marked, other), budget)


def _first_doubtful(columns: Columns, colours: list[int]) -> int | None:
    """A column that shares its colour with one of other content; the smallest such class first."""
    classes: defaultdict[int, list[int]] = defaultdict(list)
    for index, colour in enumerate(colours):
        classes[colour].append(index)
    for indices in sorted(classes.values(), key=len):
        first = columns[indices[0]]
        if any(columns[index] != first for index in indices[1:]):
            return indices[0]
    return None


def _refine(columns: Columns, colours: list[int]) -> list[int]:
    """Colour columns by their cells and rows in turn, until no more of them can be told apart."""
    height = len(columns[0]) if columns else 0
    rows = [0] * height
    known = 0
    while True:
        colours = [
            hash((colour, sum(map(hash, zip(column, rows, strict=True))) & _WORD))
            for column, colour in zip(columns, colours, strict=True)
        ]
        distinct = len(set(colours))
        if distinct == len(columns) or distinct <= known:
            return colours
        known = distinct
        totals = [0] * height
        for column, colour in zip(columns, colours, strict=True):
            for index, cell in enumerate(column):
                totals[index] += hash((cell, colour))
        rows = [total & _WORD for total in totals]

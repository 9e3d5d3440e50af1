"""Two multisets of rows: equal or not, and what each side lacks."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from operator import itemgetter

from evaluation.comparison.cells import Cell, is_number
from evaluation.comparison.numbers import Clusters, Tolerance

Row = tuple[Cell, ...]

MATCHING_LIMIT = 500
"""Rows that hash alike and are still not surely equal, up to which a perfect matching is searched for."""


def same_multiset(left: Sequence[tuple[object, ...]], right: Sequence[tuple[object, ...]]) -> bool:
    """Whether two sequences hold the same rows equally often.

    Raises:
        TypeError: A row cannot be hashed.
    """
    if len(left) != len(right):
        return False
    distinct = set(left)
    if distinct != set(right):
        return False
    # Sets are quicker to build than counts, which are only needed where rows repeat.
    return len(distinct) == len(left) or Counter(left) == Counter(right)


def near_multiset(left: Sequence[Row], right: Sequence[Row], near: Tolerance) -> bool:
    """Whether two sequences of rows surely hold the same ones, but for floats that are near each other.

    Rows that are otherwise equal pair in the order of their floats. A no may be wrong where another pairing would do;
    a yes never is.

    Raises:
        TypeError: Cells cannot be hashed, or not be ordered.
    """
    places = _places_of_floats(left)
    if len(left) != len(right) or not places or places != _places_of_floats(right):
        return False
    rests = [place for place in range(len(left[0])) if place not in places]
    wanted, found = (_floats_by_rest(rows, places, rests) for rows in (left, right))
    for rest, rows in wanted.items():
        others = found.get(rest, ())
        if len(rows) != len(others):
            return False
        if len(rows) > 1:
            rows, others = sorted(rows), sorted(others)  # type: ignore[type-var]
        if not all(_near(row, other, near) for row, other in zip(rows, others, strict=True)):
            return False
    return True


def _places_of_floats(rows: Sequence[Row]) -> list[int]:
    return [place for place, column in enumerate(zip(*rows, strict=True)) if float in set(map(type, column))]


def _floats_by_rest(rows: Sequence[Row], floats: list[int], rests: list[int]) -> dict[Cell, list[Cell]]:
    groups: defaultdict[Cell, list[Cell]] = defaultdict(list)
    rest, numbers = itemgetter(*rests) if rests else len, itemgetter(*floats)
    for row in rows:
        groups[rest(row)].append(numbers(row))
    return groups


def difference(gold: Sequence[Row], predicted: Sequence[Row]) -> tuple[Counter[Row], Counter[Row]]:
    """The rows that the prediction lacks, and those it has too much, with multiplicities."""
    left, right = Counter(gold), Counter(predicted)
    return left - right, right - left


def perfectly_matched(gold: Sequence[Row], predicted: Sequence[Row], clusters: Clusters, near: Tolerance) -> bool:
    """Whether rows can be paired one to one so that both rows of every pair are equal within tolerance.

    Args:
        gold: Canonical rows.
        predicted: Canonical rows with the columns in the gold's order.
        clusters: Of the numbers in both.
        near: When two numbers are equal.
    """
    return len(gold) == len(predicted) and covered(predicted, gold, clusters, near)


def covered(rows: Sequence[Row], others: Sequence[Row], clusters: Clusters, near: Tolerance) -> bool:
    """Whether every row finds a row of its own among the others that is equal to it within tolerance."""
    left, right = _by_label(rows, clusters), _by_label(others, clusters)
    return all(
        len(group) <= len(right.get(label, ())) and (clusters.exact or _group_covered(group, right[label], near))
        for label, group in left.items()
    )


def _by_label(rows: Sequence[Row], clusters: Clusters) -> dict[Row, list[Row]]:
    groups: defaultdict[Row, list[Row]] = defaultdict(list)
    for row in rows:
        groups[clusters.row(row)].append(row)
    return groups


def _group_covered(left: list[Row], right: list[Row], near: Tolerance) -> bool:
    if len(left) > MATCHING_LIMIT:
        # Too many for a matching of all: equal rows are paired first, then sorted neighbours. Only contrived tables,
        # whose numbers chain at the very edge of the tolerance, would need another pairing.
        lacking, surplus = difference(left, right)
        left, right = sorted(lacking.elements(), key=repr), sorted(surplus.elements(), key=repr)
        if len(left) > MATCHING_LIMIT:
            return all(_near(row, other, near) for row, other in zip(left, right, strict=False))
    return _matching([[k for k, other in enumerate(right) if _near(row, other, near)] for row in left])


def _matching(edges: list[list[int]]) -> bool:
    """Whether every left node finds a partner of its own (Kuhn's augmenting paths)."""
    partner: dict[int, int] = {}

    def augment(start: int) -> bool:
        path: list[tuple[int, int]] = []
        stack = [(start, iter(edges[start]))]
        seen: set[int] = set()
        while stack:
            node, options = stack[-1]
            for right in options:
                if right in seen:
                    continue
                seen.add(right)
                path.append((node, right))
                if right not in partner:
                    for left, taken in path:
                        partner[taken] = left
                    return True
                stack.append((partner[right], iter(edges[partner[right]])))
                break
            else:
                stack.pop()
                if path:
                    path.pop()
        return False

    return all(augment(node) for node in range(len(edges)))


def _near(left: Cell, right: Cell, near: Tolerance) -> bool:
    if left == right:
        return True
    if is_number(left) and is_number(right):
        return near.near(left, right)  # type: ignore[arg-type]
    if isinstance(left, tuple) and isinstance(right, tuple) and len(left) == len(right):
        return all(_near(one, other, near) for one, other in zip(left, right, strict=True))
    if isinstance(left, frozenset) and isinstance(right, frozenset) and len(left) == len(right):
        return _matching([[k for k, b in enumerate(right) if _near(a, b, near)] for a in left])
    return False

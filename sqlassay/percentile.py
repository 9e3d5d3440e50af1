"""Percentiles by the nearest rank: of the values, not between them."""

from __future__ import annotations

from collections.abc import Sequence


def percentile(ordered: Sequence[float], percent: int) -> float:
    """The smallest value that at least so many percent of all do not exceed.

    Args:
        ordered: At least one, in ascending order.
        percent: From 0 to 100; a whole number, so that no rounding moves the rank.
    """
    return ordered[max(1, -(-percent * len(ordered) // 100)) - 1]

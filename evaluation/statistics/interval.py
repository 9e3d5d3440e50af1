"""Intervals of a share, and of the difference of two."""

from __future__ import annotations

from math import sqrt
from statistics import NormalDist
from typing import NamedTuple


class Bounded(NamedTuple):
    """A number that was estimated, and how far it can be believed.

    Attributes:
        value: The estimate.
        low: The lower end of its interval.
        high: The upper end.
    """

    value: float
    low: float
    high: float


def wilson(successes: float, total: float, confidence: float = 0.95) -> tuple[float, float]:
    """The score interval of a share of independent yes-or-no outcomes.

    Source: E. B. Wilson, "Probable inference, the law of succession, and statistical inference", Journal of the
    American Statistical Association 22 (1927), 209-212.

    Args:
        successes: How many outcomes were yes.
        total: How many outcomes there were; above 0, and no whole number where it is an effective sample size.
        confidence: Between 0 and 1.

    Returns:
        Lower and upper end, both between 0 and 1.

    Raises:
        ValueError: `total` is not positive, or `successes` is not between 0 and `total`.
    """
    if total <= 0 or not 0 <= successes <= total:
        raise ValueError(f"{successes} of {total} is no share")
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    share = successes / total
    scale = 1 + z * z / total
    middle = (share + z * z / (2 * total)) / scale
    half = z * sqrt(share * (1 - share) / total + z * z / (4 * total * total)) / scale
    low = middle - half if successes else 0.0  # exactly, where rounding would leave a trace
    high = middle + half if successes < total else 1.0
    return low, high


def difference(successes: int, total: int, other_successes: int, other_total: int, confidence: float = 0.95) -> Bounded:
    """The hybrid score interval of the difference of two independent shares.

    Source: R. G. Newcombe, "Interval estimation for the difference between independent proportions: comparison of
    eleven methods", Statistics in Medicine 17 (1998), 873-890, method 10.

    Args:
        successes: How many outcomes of the first sample were yes.
        total: How many outcomes it has; at least 1.
        other_successes: Of the second sample, whose share is taken away.
        other_total: As `total`.
        confidence: Between 0 and 1.

    Raises:
        ValueError: As `wilson`.
    """
    low, high = wilson(successes, total, confidence)
    other_low, other_high = wilson(other_successes, other_total, confidence)
    share, other = successes / total, other_successes / other_total
    value = share - other
    return Bounded(
        value,
        value - sqrt((share - low) ** 2 + (other_high - other) ** 2),
        value + sqrt((high - share) ** 2 + (other - other_low) ** 2),
    )

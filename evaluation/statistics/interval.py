"""Intervals of a share."""

from __future__ import annotations

from math import sqrt
from statistics import NormalDist


def wilson(successes: int, total: int, confidence: float = 0.95) -> tuple[float, float]:
    """The score interval of a share of independent yes-or-no outcomes.

    Source: E. B. Wilson, "Probable inference, the law of succession, and statistical inference", Journal of the
    American Statistical Association 22 (1927), 209-212.

    Args:
        successes: How many outcomes were yes.
        total: How many outcomes there were; at least 1.
        confidence: Between 0 and 1.

    Returns:
        Lower and upper end, both between 0 and 1.

    Raises:
        ValueError: `total` is not positive, or `successes` is not between 0 and `total`.
    """
    if total < 1 or not 0 <= successes <= total:
        raise ValueError(f"{successes} of {total} is no share")
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    share = successes / total
    scale = 1 + z * z / total
    middle = (share + z * z / (2 * total)) / scale
    half = z * sqrt(share * (1 - share) / total + z * z / (4 * total * total)) / scale
    low = middle - half if successes else 0.0  # exactly, where rounding would leave a trace
    high = middle + half if successes < total else 1.0
    return low, high

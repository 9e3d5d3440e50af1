"""From run times to scores of efficiency.

A ratio is the gold's time by the prediction's: above 1, the prediction is faster. Sources: VES, `evaluation_ves.py` in
`bird/llm/src` of AlibabaResearch/DAMO-ConvAI (Li et al. 2023, https://arxiv.org/abs/2305.03111); R-VES,
`evaluation/evaluation_ves.py` of bird-bench/mini_dev.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from statistics import fmean, median, pstdev

REWARDS = ((2.0, 1.25), (1.0, 1.0), (0.5, 0.75), (0.25, 0.5))
"""From which ratio on a right answer has which reward."""
LEAST_REWARD = 0.25
"""Of a right answer that is slower than all of these."""


def ratios(gold: Sequence[float], predicted: Sequence[float]) -> tuple[float, ...]:
    """The gold's time by the prediction's, pair by pair.

    Args:
        gold: Seconds; a clock that does not tick between start and end says 0.
        predicted: As many.
    """
    least = 1e-9
    return tuple(max(one, least) / max(other, least) for one, other in zip(gold, predicted, strict=True))


def without_outliers(values: Sequence[float]) -> tuple[float, ...]:
    """Those strictly within three (population) standard deviations of the mean; all, if that leaves none.

    The official scripts divide by zero where all ratios are equal, so that none is strictly within.
    """
    mean, deviation = fmean(values), pstdev(values)
    kept = tuple(value for value in values if mean - 3 * deviation < value < mean + 3 * deviation)
    return kept or tuple(values)


def mean_ratio(values: Sequence[float]) -> float:
    """The mean without outliers, as in the official scripts.

    Args:
        values: Ratios; at least one.
    """
    return fmean(without_outliers(values))


def median_ratio(values: Sequence[float]) -> float:
    """The median.

    Args:
        values: Ratios; at least one.
    """
    return median(values)


def ves(ratio: float) -> float:
    """VES of one right answer: 100 where it is as fast as the gold; there is no most."""
    return 100 * sqrt(ratio)


def reward(ratio: float, dead_band: float = 0.0) -> float:
    """What R-VES gives for a right answer.

    Args:
        ratio: The gold's time by the prediction's.
        dead_band: A prediction that takes longer than the gold by no more than this share of the gold's time counts as
            equally fast.
    """
    if ratio < 1 and 1 / ratio <= 1 + dead_band:
        return 1.0
    return next((given for least, given in REWARDS if ratio >= least), LEAST_REWARD)


def r_ves(ratio: float, dead_band: float = 0.0) -> float:
    """R-VES of one right answer: 100 where it is about as fast as the gold, 50 to 111.8 otherwise."""
    return 100 * sqrt(reward(ratio, dead_band))

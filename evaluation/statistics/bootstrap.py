"""The paired bootstrap: how much a difference varies when the same questions are drawn again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from evaluation.statistics.paired import Paired

if TYPE_CHECKING:
    from numpy import float64
    from numpy.typing import NDArray

RESAMPLES = 10_000
SEED = 20_241_101


def paired_bootstrap(paired: Paired, confidence: float = 0.95, seed: int = SEED) -> tuple[float, float]:
    """Where the difference may well be.

    Args:
        paired: What the questions say.
        confidence: Between 0 and 1.
        seed: The same seed, the same interval.

    Returns:
        Lower and upper end, both between -1 and 1.
    """
    import numpy as np

    tail = (1 - confidence) / 2
    low, high = np.quantile(_resampled(paired, seed), (tail, 1 - tail))
    return max(float(low), -1.0), min(float(high), 1.0)


def _resampled(paired: Paired, seed: int) -> NDArray[float64]:
    """Differences of as many questions, drawn with replacement from those there are and one more for either side."""
    import numpy as np

    full = -(-paired.pairs // paired.questions)
    counts = dict(paired.differences)
    for side in (-full, full):
        counts[side] = counts.get(side, 0) + 1
    values, questions = np.array(sorted(counts.items())).T
    drawn = np.random.default_rng(seed).multinomial(paired.questions + 2, questions / questions.sum(), RESAMPLES)
    found: NDArray[float64] = drawn @ values / (paired.pairs * (1 + 2 / paired.questions))
    return found

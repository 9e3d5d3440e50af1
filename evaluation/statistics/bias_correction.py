"""From what a judge says to what is true: an accuracy without the judge's known errors."""

from __future__ import annotations

from math import sqrt
from statistics import NormalDist

from evaluation.statistics.agreement import Confusion
from evaluation.statistics.interval import Bounded, wilson


def corrected_accuracy(
    judged_correct: int, judged: int, calibration: Confusion, confidence: float = 0.95
) -> Bounded | None:
    """The share of items that are correct in truth, from a judge's verdicts and its error rates.

    The estimate is (q + specificity − 1) / (sensitivity + specificity − 1), where q is the share that the judge calls
    correct, cut off at 0 and 1: W. J. Rogan and B. Gladen, "Estimating prevalence from the results of a screening
    test", American Journal of Epidemiology 107 (1978), 71-76.

    The interval holds the uncertainty of three samples, which must be independent: the judged items, and the correct
    and incorrect items of the calibration. Z. Lang and J. Reiczigel, "Confidence limits for prevalence of disease
    adjusted for estimated sensitivity and specificity", Preventive Veterinary Medicine 113 (2014), 13-22; C. Lee et
    al., "How to correctly report LLM-as-a-judge evaluations" (2025, https://arxiv.org/abs/2511.21140), use it for
    judges. It is stretched to the estimate where a rate of 0 or 1 puts that outside.

    Both hold only where the judge errs as often on the judged items as on those of the calibration; the share of
    correct items may differ.

    Args:
        judged_correct: Judged items that the judge calls correct.
        judged: All judged items.
        calibration: The judge on items of which the truth is known.
        confidence: Of the interval, between 0 and 1.

    Returns:
        Shares between 0 and 1. `None` where nothing was judged, where the calibration lacks correct or incorrect
        items, and where it does not show that the judge is better than chance, which is where the 95 % interval of
        Youden's J holds 0: then its verdicts tell nothing of the truth, and any interval would be invented.

    Raises:
        ValueError: `judged_correct` is not between 0 and `judged`.
    """
    if not 0 <= judged_correct <= judged:
        raise ValueError(f"{judged_correct} of {judged} is no share")
    youden = calibration.youden
    if not judged or youden is None or youden.low <= 0:
        return None
    specificity = calibration.both_incorrect / calibration.incorrect
    estimate = _within((judged_correct / judged + specificity - 1) / youden.value)

    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    said, said_of = (judged_correct + z * z / 2) / (judged + z * z), judged + z * z
    right, right_of = (calibration.both_correct + 1) / (calibration.correct + 2), calibration.correct + 2
    wrong, wrong_of = (calibration.both_incorrect + 1) / (calibration.incorrect + 2), calibration.incorrect + 2
    slope = right + wrong - 1
    middle = (said + wrong - 1) / slope
    of_right, of_wrong = right * (1 - right) / right_of, wrong * (1 - wrong) / wrong_of
    error = sqrt(said * (1 - said) / said_of + middle**2 * of_right + (1 - middle) ** 2 * of_wrong) / slope
    shifted = middle + 2 * z * z * (middle * of_right - (1 - middle) * of_wrong)
    return Bounded(estimate, min(estimate, _within(shifted - z * error)), max(estimate, _within(shifted + z * error)))


def with_settled(
    corrected: Bounded, judged: int, settled_correct: int, settled: int, confidence: float = 0.95
) -> Bounded:
    """The share of all items that are correct, where some of them needed no judge.

    It is w s + (1 − w) p: w is the share of the items that were settled, s the share of these that are correct, p the
    corrected share of the others. All three were sampled, so that the interval holds the uncertainty of each: how far
    its ends are from the estimate is the root of the sum of the squares of how far each of the three alone would move
    it. G. Y. Zou and A. Donner, "Construction of confidence limits about effect measures: a general approach",
    Statistics in Medicine 27 (2008), 1693-1702.

    Args:
        corrected: From `corrected_accuracy`, with the same confidence.
        judged: How many items were judged.
        settled_correct: Of those that were settled, how many are correct.
        settled: How many needed no judge.
        confidence: Of the interval, between 0 and 1.
    """
    if not settled:
        return corrected
    weight, weights = settled / (settled + judged), wilson(settled, settled + judged, confidence)
    share, shares = settled_correct / settled, wilson(settled_correct, settled, confidence)
    gap = share - corrected.value
    value = weight * share + (1 - weight) * corrected.value

    def end(other: float, of_settled: float, of_weight: float) -> float:
        moves = (1 - weight) * (other - corrected.value), weight * (of_settled - share), gap * (of_weight - weight)
        return sqrt(sum(move * move for move in moves))

    fewer, more = weights if gap > 0 else weights[::-1]
    low, high = end(corrected.low, shares[0], fewer), end(corrected.high, shares[1], more)
    return Bounded(value, _within(value - low), _within(value + high))


def _within(share: float) -> float:
    return min(1.0, max(0.0, share))

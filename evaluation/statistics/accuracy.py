"""The accuracy of one system, on questions that may come in clusters."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import NormalDist

from evaluation.statistics.design_effect import cluster_variance, effective_clusters, matters
from evaluation.statistics.interval import Bounded, wilson


def accuracy_interval(per_cluster: Mapping[str, tuple[int, int]], confidence: float = 0.95) -> Bounded:
    """The share of right answers, with Wilson's interval; where answers cluster, that of the effective sample size.

    The effective size is the number of answers by their design effect, less what few clusters know of it:
    (z/t)², where t is Student's with one degree of freedom less than there are clusters. Source: E. L. Korn and
    B. I. Graubard, "Confidence intervals for proportions with small expected number of positive counts estimated from
    survey data", Survey Methodology 24 (1998), 193-201, who do so with the exact interval; of Wilson's, C. Franco,
    R. J. A. Little, T. A. Louis and E. V. Slud, "Comparative study of confidence intervals for proportions in complex
    sample surveys", Journal of Survey Statistics and Methodology 7 (2019), 334-364.

    Args:
        per_cluster: How many answers of each cluster are right, and how many there are; at least one answer in all. A
            cluster is what the answers share: their database, their conversation, or the question.
        confidence: Between 0 and 1.

    Raises:
        ValueError: There are no answers, or more right ones than answers.
    """
    counted = [(right, total) for right, total in per_cluster.values() if total]
    right, total = sum(one for one, _ in counted), sum(one for _, one in counted)
    if any(not 0 <= one <= of for one, of in counted) or not total:
        raise ValueError(f"{right} of {total} is no share")
    effect = _design_effect(counted)
    if not matters(effect, effective_clusters([of for _, of in counted])):
        return Bounded(right / total, *wilson(right, total, confidence))
    from scipy.special import stdtrit

    tail = 0.5 + confidence / 2
    known = (NormalDist().inv_cdf(tail) / float(stdtrit(len(counted) - 1, tail))) ** 2
    scale = known / effect
    return Bounded(right / total, *wilson(right * scale, total * scale, confidence))


def _design_effect(counted: list[tuple[int, int]]) -> float:
    right, total = sum(one for one, _ in counted), sum(one for _, one in counted)
    if len(counted) < 2 or right in (0, total):
        return 1.0
    alone = right * (total - right) / total / total / (total - 1)
    return cluster_variance(*zip(*counted, strict=True)) / alone

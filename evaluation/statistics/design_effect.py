"""How much less questions say that come in clusters, as several of one database do."""

from __future__ import annotations

from collections.abc import Collection, Sequence

FEWEST_CLUSTERS = 6
"""Of fewer, no test that knows nothing but the clusters can show anything at 0.05: five coins fall alike, for either
side, in 2 of 32 tosses."""
_ROUNDING = 1e-9
"""What a design effect may be above 1 where each cluster has one value."""


def cluster_variance(sums: Sequence[float], sizes: Sequence[float]) -> float:
    """The variance of the mean of all values, where those of one cluster may depend on each other.

    The cluster-robust ("sandwich") variance: K.-Y. Liang and S. L. Zeger, "Longitudinal data analysis using generalized
    linear models", Biometrika 73 (1986), 13-22, times m/(m-1) for m clusters. E. Miller, "Adding error bars to evals"
    (2024, https://arxiv.org/abs/2411.00640), section 2.2, uses it for questions in groups.

    Args:
        sums: Of the values of each cluster; at least two.
        sizes: How many values each has.
    """
    mean, m = sum(sums) / sum(sizes), len(sums)
    rest = sum((total - mean * size) ** 2 for total, size in zip(sums, sizes, strict=True))
    return rest / sum(sizes) ** 2 * m / (m - 1)


def jackknife_variance(sums: Sequence[float], sizes: Sequence[float]) -> float:
    """The variance of the mean as `cluster_variance` has it, which of clusters of unequal sizes comes out too low.

    A large cluster draws the mean to itself, and then seems to differ little from it. So each is held against the mean
    of the others: CV3 of R. M. Bell and D. F. McCaffrey, "Bias reduction in standard errors for linear regression with
    multi-stage samples", Survey Methodology 28 (2002), 169-181. Of clusters of equal sizes both are the same.

    Args:
        sums: Of the values of each cluster; at least two.
        sizes: How many values each has.
    """
    total, n, m = sum(sums), sum(sizes), len(sums)
    without = ((total - own) / (n - size) for own, size in zip(sums, sizes, strict=True))
    return sum((mean - total / n) ** 2 for mean in without) * (m - 1) / m


def effective_clusters(sizes: Collection[float]) -> float:
    """How many equal clusters say as much of how clusters differ: fewer than there are, where some are larger.

    Source: L. Kish, Survey Sampling (1965), section 11.7, of unequal weights.

    Args:
        sizes: How many values each has; at least one value in all.
    """
    return sum(sizes) ** 2 / sum(size**2 for size in sizes)


def too_few(sizes: Collection[float]) -> bool:
    """Whether there are several clusters, but too few to tell how clusters differ, by their effective number.

    A reader should know: what is said then holds for further questions on these databases only.

    Args:
        sizes: How many values each has; at least one value in all.
    """
    return len(sizes) > 1 and effective_clusters(sizes) < FEWEST_CLUSTERS


def matters(effect: float, effective: float) -> bool:
    """Whether statistics are to be those of clusters, or those of questions.

    They are those of clusters where the design effect is above 1: where the values of a cluster are more alike than
    those of different ones. Otherwise the larger variance is that of single questions; that values of a cluster should
    be less alike than others is luck. To take the larger of the two is what J. D. Angrist and J.-S. Pischke, Mostly
    Harmless Econometrics (2009), section 8.1, advise. Since it is the more careful of two, to decide by the same data
    makes no false alarms: they stay below 6 in 100 at alpha 0.05 in simulation.

    Below `FEWEST_CLUSTERS` there is no telling how clusters differ; one that is larger than all others looks like the
    mean, whatever it is. Then the statistics are those of questions, and say something of further questions on the same
    databases, not of other databases.

    Args:
        effect: The design effect.
        effective: How many clusters there are, as `effective_clusters` counts them.
    """
    return effective >= FEWEST_CLUSTERS and effect > 1 + _ROUNDING

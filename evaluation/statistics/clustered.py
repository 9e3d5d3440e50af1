"""Two systems on the same questions, of which several are on one database."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from math import ceil, sqrt

from evaluation.statistics.bootstrap import RESAMPLES, SEED, paired_bootstrap
from evaluation.statistics.design_effect import cluster_variance, matters
from evaluation.statistics.paired import Paired


@dataclass(frozen=True)
class Clustered:
    """What the same questions say of two systems, A and B, cluster by cluster.

    Where a system is good at one database and bad at the next, a hundred questions on ten databases say less than a
    hundred on as many. Where that shows, which `clusters_matter` decides, all statistics are those of clusters: of
    databases like these. Where it does not, they are those of questions.

    Attributes:
        clusters: What the questions of each cluster say; at least one.
    """

    clusters: Mapping[str, Paired]

    @cached_property
    def whole(self) -> Paired:
        """What all questions say, as if there were no clusters."""
        differences: Counter[int] = Counter()
        for cluster in self.clusters.values():
            differences.update(cluster.differences)
        return Paired(differences, sum(cluster.pairs for cluster in self.clusters.values()))

    @property
    def difference(self) -> float:
        """B's share of right answers less A's, between -1 and 1."""
        return self.whole.difference

    @cached_property
    def design_effect(self) -> float:
        """How many times larger the variance of the difference is than without clusters.

        As many questions say as much as their number by this would without clusters. Source: L. Kish, Survey Sampling
        (1965), section 5.4. 1 where there is nothing to tell it by.
        """
        whole = self.whole
        if len(self.clusters) < 2 or whole.questions < 2:
            return 1.0
        alone = whole.variance
        return cluster_variance(self._sums, self._sizes) / alone if alone else 1.0

    @property
    def clusters_matter(self) -> bool:
        """Whether the statistics are those of clusters; `design_effect.matters` says why."""
        return matters(self.design_effect, len(self.clusters))

    @property
    def p(self) -> float:
        """How often luck alone makes a difference at least as large, if A and B are equally good; exact, two-sided.

        Of clusters, each cluster is one coin, which decides the sign of its sum, as in `Paired.p` each question is:
        then it does not matter how the questions of a cluster depend on each other. Otherwise that of `whole`, which
        is McNemar's.
        """
        return self._of_clusters.p if self.clusters_matter else self.whole.p

    def interval(self, confidence: float = 0.95) -> tuple[float, float]:
        """Where the difference may well be.

        Of clusters it is the wild bootstrap's, by inversion of the test of `p`: all differences that, once taken from
        each pair, leave sums whose signs might be luck. So it holds 0 where p is above 1 - confidence. Sources:
        A. C. Cameron, J. B. Gelbach and D. L. Miller, "Bootstrap-based improvements for inference with clustered
        errors", Review of Economics and Statistics 90 (2008), 414-427. Otherwise it is `paired_bootstrap` of `whole`.

        Args:
            confidence: Between 0 and 1.

        Returns:
            Lower and upper end, both between -1 and 1; the same every time.
        """
        if not self.clusters_matter:
            return paired_bootstrap(self.whole, confidence)
        import numpy as np

        sums, sizes = np.array(self._sums, float), np.array(self._sizes, float)
        signs = np.random.default_rng(SEED).choice((-1.0, 1.0), (RESAMPLES, len(sums)))
        up, of = signs @ sums, signs @ sizes
        with np.errstate(divide="ignore", invalid="ignore"):
            # |up - d·of| = |sum - d·size| at both; in between, these signs are no nearer to zero than what is seen
            ends = np.array([(sums.sum() - up) / (sizes.sum() - of), (sums.sum() + up) / (sizes.sum() + of)])
        alike = np.isnan(ends).any(axis=0)
        lows, highs = np.where(alike, -1.0, ends.min(axis=0)), np.where(alike, 1.0, ends.max(axis=0))
        low = np.quantile(lows, 1 - confidence, method="lower")
        high = np.quantile(highs, confidence, method="higher")
        return max(float(low), -1.0), min(float(high), 1.0)

    def detectable(self, alpha: float = 0.05, power: float = 0.8) -> float | None:
        """The smallest difference that so many questions would probably have shown.

        Of clusters, by Student's t with one degree of freedom less than there are clusters: no less than `whole`
        says.

        Args:
            alpha: A difference is shown when `p` is at most this.
            power: How probably.

        Returns:
            Between 0 and 1; `None` where nothing can be shown.
        """
        least = self.whole.detectable(alpha, power)
        if least is None or not self.clusters_matter:
            return least
        m = len(self.clusters)
        if 2.0 ** (1 - m) > alpha:
            return None
        error = sqrt(cluster_variance(self._sums, self._sizes))
        return min(1.0, max(least, _shift(m, alpha, power) * error))

    def needed(self, alpha: float = 0.05, power: float = 0.8) -> int | None:
        """How many questions would probably show the difference that is seen.

        Of clusters, as many as there are in as many clusters like these as it takes: further questions on the same
        databases would not do.

        Args:
            alpha: As of `detectable`.
            power: As of `detectable`.

        Returns:
            At least 1; `None` where no difference is seen.
        """
        least = self.whole.needed(alpha, power)
        if least is None or not self.clusters_matter:
            return least
        m = len(self.clusters)
        each = sqrt(m * cluster_variance(self._sums, self._sizes))
        few, enough = 1, 2
        while not _enough(enough, alpha, power, each, abs(self.difference)):
            few, enough = enough, 2 * enough
        while enough - few > 1:
            middle = (few + enough) // 2
            shown = _enough(middle, alpha, power, each, abs(self.difference))
            few, enough = (few, middle) if shown else (middle, enough)
        return max(least, ceil(enough * self.whole.questions / m))

    @property
    def _of_clusters(self) -> Paired:
        return Paired(Counter(self._sums), self.whole.pairs)

    @cached_property
    def _sums(self) -> list[int]:
        return [cluster.total for cluster in self.clusters.values()]

    @cached_property
    def _sizes(self) -> list[int]:
        return [cluster.pairs for cluster in self.clusters.values()]


def _enough(m: int, alpha: float, power: float, each: float, difference: float) -> bool:
    return 2.0 ** (1 - m) <= alpha and _shift(m, alpha, power) * each / sqrt(m) <= difference


def _shift(m: int, alpha: float, power: float) -> float:
    """By how many standard errors a mean of `m` must be off, for Student's test to show it probably."""
    from scipy.special import nctdtrinc, stdtrit

    return float(nctdtrinc(m - 1, 1 - power, stdtrit(m - 1, 1 - alpha / 2)))

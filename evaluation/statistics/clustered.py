"""Two systems on the same questions, of which several are on one database, or turns of one conversation."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from math import ceil, inf, sqrt
from typing import TYPE_CHECKING, NamedTuple

from evaluation.statistics.bootstrap import RESAMPLES, SEED, paired_bootstrap
from evaluation.statistics.design_effect import cluster_variance, effective_clusters, jackknife_variance, matters
from evaluation.statistics.paired import Paired

if TYPE_CHECKING:
    from numpy import float64
    from numpy.typing import NDArray


DATABASE, CONVERSATION, QUESTION = "db_id", "conversation", "question"
"""What the answers of one cluster share."""


class Outcome(NamedTuple):
    """Two answers to one question.

    Attributes:
        question: Which; the repeats of a question have the same.
        db_id: Its database.
        conversation: The conversation that it is a turn of; `None` where it is none.
        won: Who is right: -1 only A, 1 only B, 0 both or neither.
    """

    question: str
    db_id: str
    conversation: str | None
    won: int


@dataclass(frozen=True)
class Clustered:
    """What the same questions say of two systems, A and B, cluster by cluster.

    Where a system is good at one database and bad at the next, a hundred questions on ten databases say less than a
    hundred on as many. Where that shows, which `clusters_matter` decides, all statistics are those of clusters: of
    databases like these. Where it does not, they are those of questions.

    Attributes:
        clusters: What the questions of each cluster say; at least one.
        by: What clusters are: `DATABASE` or `CONVERSATION`.
    """

    clusters: Mapping[str, Paired]
    by: str = DATABASE

    @classmethod
    def of(cls, outcomes: Iterable[Outcome]) -> Clustered:
        """Of answers that are paired, by what they share: their database, or their conversation.

        The turns of a conversation are alike also on few databases, where nothing can be told of databases. Of both,
        those are the clusters that make the variance larger, as `design_effect.matters` takes the larger one of
        clusters and of questions.

        Args:
            outcomes: At least one.
        """
        found = list(outcomes)
        databases = cls._by(DATABASE, ((one.db_id, one) for one in found))
        if all(one.conversation is None for one in found):
            return databases
        conversations = cls._by(CONVERSATION, ((of_conversation(one.question, one.conversation), one) for one in found))
        ordered = sorted((conversations, databases), key=lambda one: (one.clusters_matter, one.design_effect))
        return ordered[-1]

    @classmethod
    def _by(cls, by: str, outcomes: Iterable[tuple[str, Outcome]]) -> Clustered:
        sums: defaultdict[str, Counter[str]] = defaultdict(Counter)
        pairs: Counter[str] = Counter()
        for cluster, outcome in outcomes:
            sums[cluster][outcome.question] += outcome.won
            pairs[cluster] += 1
        return cls({name: Paired(Counter(said.values()), pairs[name]) for name, said in sums.items()}, by)

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
        return matters(self.design_effect, effective_clusters(self._sizes))

    @property
    def clustered_by(self) -> str | None:
        """By what the statistics are clustered; `None` where they are those of questions."""
        return self.by if self.clusters_matter else None

    @cached_property
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
        each pair, leave sums whose signs might be luck. So it holds 0 where p is above 1 - confidence. Source:
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

        total, size = sum(self._sums), sum(self._sizes)
        up, of = self._tossed
        with np.errstate(divide="ignore", invalid="ignore"):
            # |up - d·of| = |total - d·size| at both; in between, these signs are no nearer to zero than what is seen.
            ends = np.array([(total - up) / (size - of), (total + up) / (size + of)])
        same = np.abs(of) == size  # all signs are alike: as far from zero as what is seen, whatever d
        lows = np.sort(np.where(same, -1.0, ends.min(axis=0)))
        highs = np.sort(np.where(same, 1.0, ends.max(axis=0)))
        beyond = int((1 - confidence) * len(lows))
        return max(float(lows[beyond]), -1.0), min(float(highs[-1 - beyond]), 1.0)

    def detectable(self, alpha: float = 0.05, power: float = 0.8) -> float | None:
        """The smallest difference that so many questions would probably have shown.

        Of clusters: as many standard errors as Student's quantiles of `alpha` and `power` add up to, no less than
        `whole` says. Source: H. S. Bloom, "Minimum detectable effects: a simple way to report the statistical power
        of experimental designs", Evaluation Review 19 (1995), 547-556. Where some clusters are larger than others,
        they count by Kish's effective number, and the standard error is that of `jackknife_variance`: with the one of
        `cluster_variance`, the power would be less than is said.

        Args:
            alpha: A difference is shown when `p` is at most this.
            power: How probably.

        Returns:
            Between 0 and 1; `None` where nothing can be shown.
        """
        least = self.whole.detectable(alpha, power)
        if least is None or not self.clusters_matter:
            return least
        found = max(least, self._detectable(len(self.clusters), alpha, power))
        return found if found <= 1 else None

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
        few, enough = 1, 2
        while self._detectable(enough, alpha, power) > abs(self.difference):
            few, enough = enough, 2 * enough
        while enough - few > 1:
            middle = (few + enough) // 2
            shown = self._detectable(middle, alpha, power) <= abs(self.difference)
            few, enough = (few, middle) if shown else (middle, enough)
        return max(least, ceil(enough * self.whole.questions / len(self.clusters)))

    def _detectable(self, clusters: int, alpha: float, power: float) -> float:
        """What so many clusters like these would probably show; infinite where they can show nothing."""
        sizes, more = self._sizes, clusters / len(self.clusters)
        effective = effective_clusters(sizes)
        freedom = effective * more - 1
        if 2.0 ** (1 - clusters) > alpha or freedom < 1:
            return inf
        from scipy.special import stdtrit

        quantiles = float(stdtrit(freedom, 1 - alpha / 2) + stdtrit(freedom, power))
        # A standard deviation of few comes out too low; and a step of the sums is as wide as two answers.
        error = sqrt(jackknife_variance(self._sums, sizes)) * (1 + 1 / (4 * effective))
        return quantiles * error / sqrt(more) + 1 / (self.whole.pairs * more)

    @property
    def _tossed(self) -> tuple[NDArray[float64], NDArray[float64]]:
        """The sums of all clusters, and of their sizes, under signs that coins decide: all signs, or many."""
        import numpy as np

        every = np.arange(min(2 ** len(self.clusters), RESAMPLES))
        up, of = np.zeros(len(every)), np.zeros(len(every))
        if len(every) < RESAMPLES:
            for nth, (total, size) in enumerate(zip(self._sums, self._sizes, strict=True)):
                signs = 2 * (every >> nth & 1) - 1
                up += total * signs
                of += size * signs
            return up, of
        chance = np.random.default_rng(SEED)
        for (total, size), alike in Counter(zip(self._sums, self._sizes, strict=True)).items():
            signs = 2 * chance.binomial(alike, 0.5, len(every)) - alike  # of so many conversations at once
            up += total * signs
            of += size * signs
        return up, of

    @property
    def _of_clusters(self) -> Paired:
        return Paired(Counter(self._sums), self.whole.pairs)

    @cached_property
    def _sums(self) -> list[int]:
        return [cluster.total for cluster in self.clusters.values()]

    @cached_property
    def _sizes(self) -> list[int]:
        return [cluster.pairs for cluster in self.clusters.values()]


def of_conversation(question: str, conversation: str | None) -> str:
    """The name of a question's cluster, where conversations are clusters: one that is no turn is by itself."""
    return f"question {question}" if conversation is None else f"turns of {conversation}"

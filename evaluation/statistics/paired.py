"""Two systems on the same questions: how much they differ, and whether that is luck."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil, comb, exp, fsum, lgamma, log, log2, sqrt
from statistics import NormalDist
from sys import float_info


@dataclass(frozen=True)
class Paired:
    """What the same questions say of two systems, A and B.

    A question that was asked once says -1 (only A was right), 0 (both or neither), or 1 (only B was). The repeats of a
    question are no further questions: a model without randomness would say the same again, and look ever surer. So a
    question that was asked several times says one number, the sum.

    Attributes:
        differences: How many questions say each number; at least one question.
        pairs: How many pairs of answers there are: the questions, where each was asked once.
    """

    differences: Mapping[int, int]
    pairs: int

    @classmethod
    def of(cls, only_a: int, only_b: int, alike: int) -> Paired:
        """Of questions that were asked once.

        Args:
            only_a: Those that only A has right.
            only_b: Those that only B has right.
            alike: Those that both or neither have right.
        """
        return cls({-1: only_a, 0: alike, 1: only_b}, only_a + only_b + alike)

    @property
    def questions(self) -> int:
        """How many questions there are."""
        return sum(self.differences.values())

    @property
    def difference(self) -> float:
        """B's share of right answers less A's, between -1 and 1."""
        return self._sum / self.pairs

    @property
    def p(self) -> float:
        """How often luck alone makes a difference at least as large, if A and B are equally good; exact, two-sided.

        Where each question was asked once, this is McNemar's test in its exact form: each of the questions that only
        one has right is the toss of a coin (Q. McNemar, "Note on the sampling error of the difference between
        correlated proportions or percentages", Psychometrika 12 (1947), 153-157). With repeats each question still is
        one coin, which decides the sign of what it says (R. A. Fisher, The Design of Experiments (1935), section 21).

        Returns:
            Above 0, at most 1; what is too small for a float is the smallest one.
        """
        coins: Counter[int] = Counter()
        for difference, questions in self.differences.items():
            coins[abs(difference)] += questions
        chances = [1.0]  # of every sum of what has come up
        for worth, tosses in coins.items():
            if worth:
                chances = _added(chances, _coins(tosses), worth)
        up = sum(difference * questions for difference, questions in self.differences.items() if difference > 0)
        tail = min(up, len(chances) - 1 - up)
        return min(1.0, max(2 * fsum(chances[: tail + 1]), float_info.min))

    def interval(self, confidence: float = 0.95) -> tuple[float, float]:
        """Where the difference may well be.

        The adjusted Wald interval: of what the questions say and two more, one for either side. Source: D. G. Bonett
        and R. M. Price, "Adjusted Wald confidence interval for a difference of binomial proportions based on paired
        data", Journal of Educational and Behavioral Statistics 37 (2012), 479-488. It is good for few questions too.

        Args:
            confidence: Between 0 and 1.

        Returns:
            Lower and upper end, both between -1 and 1.
        """
        more = self.questions + 2
        scale = self.questions / self.pairs
        mean = scale * self._sum / more
        variance = (scale * scale * self._squares + 2) / more - mean * mean
        half = NormalDist().inv_cdf(0.5 + confidence / 2) * sqrt(variance / more)
        return max(mean - half, -1.0), min(mean + half, 1.0)

    def detectable(self, alpha: float = 0.05, power: float = 0.8) -> float | None:
        """The smallest difference that so many questions would probably have shown.

        It depends on how often the two disagree, which is taken to be as seen; where they disagree too seldom for any
        difference to be shown, it is the smallest if all disagreements are for the same side.

        Source: J. E. Connett, J. A. Smith and R. B. McHugh, "Sample size and power for pair-matched case-control
        studies", Statistics in Medicine 6 (1987), 53-59, solved for the difference, with the correction for continuity
        of A. L. Edwards (Psychometrika 13 (1948), 185-187), since `p` is exact.

        Args:
            alpha: A difference is shown when `p` is at most this.
            power: How probably.

        Returns:
            Between 0 and 1; `None` where so few questions can show nothing.
        """
        n = self.questions
        needed = ceil(log2(2 / alpha))  # all for the same side, as few can be shown
        if n < needed:
            return None
        fewest = _share_with_tail(n, needed, power)
        seen = self._squares * n / self.pairs**2
        # n·d - 1 = a·√(n·seen) + b·√(n·(seen - d²)), where d is the difference
        a, b = NormalDist().inv_cdf(1 - alpha / 2), NormalDist().inv_cdf(power)
        side = a * sqrt(seen) + 1 / sqrt(n)
        under = n * seen + b * b * seen - side * side
        if under < 0:
            return fewest
        found = (side * sqrt(n) + b * sqrt(under)) / (n + b * b)
        return max(found, fewest) if found <= seen else fewest

    @property
    def _sum(self) -> int:
        return sum(difference * questions for difference, questions in self.differences.items())

    @property
    def _squares(self) -> int:
        return sum(difference**2 * questions for difference, questions in self.differences.items())


def holm(p_values: list[float]) -> list[float]:
    """The p-values of several tests, raised so that the chance of any false alarm is what one test's would be.

    Source: S. Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of Statistics 6
    (1979), 65-70.

    Args:
        p_values: One per test.

    Returns:
        As many, in the same order.
    """
    raised = list(p_values)
    highest = 0.0
    for rank, index in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[index]))
        raised[index] = highest
    return raised


def _coins(tosses: int) -> list[float]:
    """How probable each number of heads is."""
    every = lgamma(tosses + 1) - tosses * log(2)
    return [exp(every - lgamma(heads + 1) - lgamma(tosses - heads + 1)) for heads in range(tosses + 1)]


def _added(chances: list[float], coins: list[float], worth: int) -> list[float]:
    """How probable each sum is, when every head adds `worth` to it."""
    sums = [0.0] * (len(chances) + worth * (len(coins) - 1))
    for heads, chance in enumerate(coins):
        for before, other in enumerate(chances, start=heads * worth):
            sums[before] += chance * other
    return sums


def _share_with_tail(n: int, needed: int, power: float) -> float:
    """How probable each of `n` must be, for at least `needed` of them to be probable by `power`."""
    low, high = 0.0, 1.0
    for _ in range(60):
        share = (low + high) / 2
        fewer = fsum(comb(n, k) * share**k * (1 - share) ** (n - k) for k in range(needed))
        low, high = (share, high) if 1 - fewer < power else (low, share)
    return high

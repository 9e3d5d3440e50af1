"""Two systems on the same questions: how much they differ, and whether that is luck."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil, comb, fsum, log2, sqrt
from statistics import NormalDist
from sys import float_info
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from numpy import float64
    from numpy.typing import NDArray


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
    def total(self) -> int:
        """B's right answers less A's."""
        return sum(difference * questions for difference, questions in self.differences.items())

    @property
    def difference(self) -> float:
        """B's share of right answers less A's, between -1 and 1."""
        return self.total / self.pairs

    @property
    def variance(self) -> float:
        """That of the difference, of independent questions; of at least two."""
        n = self.questions
        return (self._squares - self.total**2 / n) * n / (n - 1) / self.pairs**2

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
            if difference and questions:
                coins[abs(difference)] += questions
        lowest, chances = _sums(coins)
        up = sum(difference * questions for difference, questions in self.differences.items() if difference > 0)
        tail = min(up, sum(worth * tosses for worth, tosses in coins.items()) - up)
        return min(1.0, max(2 * fsum(chances[: max(0, tail - lowest + 1)]), float_info.min))

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
        found = (side * sqrt(n) + b * sqrt(max(0.0, under))) / (n + b * b)
        # Squared, the equation has roots that it has not: with b's term below 0.
        solved = under >= 0 and found * sqrt(n) >= side
        least = max(min(found, seen) if solved else seen, fewest)
        return least if least <= 1 else None  # where some questions were asked much more often than others

    def needed(self, alpha: float = 0.05, power: float = 0.8) -> int | None:
        """How many questions would probably show the difference that is seen.

        It is `detectable` the other way round, from the same source: how often the two disagree is again taken to be
        as seen.

        Args:
            alpha: As of `detectable`.
            power: As of `detectable`.

        Returns:
            At least 1; `None` where no difference is seen.
        """
        difference = abs(self.difference)
        if not difference:
            return None
        seen = self._squares * self.questions / self.pairs**2
        a, b = NormalDist().inv_cdf(1 - alpha / 2), NormalDist().inv_cdf(power)
        side = a * sqrt(seen) + b * sqrt(max(0.0, seen - difference**2))
        enough = ceil(((side + sqrt(side**2 + 4 * difference)) / (2 * difference)) ** 2)
        least = ceil(log2(2 / alpha))
        return max(enough, _with_tail(difference, least, power))

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


def _sums(coins: Mapping[int, int]) -> tuple[int, NDArray[float64]]:
    """How probable each sum is, when every head adds what its coin is worth.

    Args:
        coins: How many there are of each worth, which is positive.

    Returns:
        The lowest sum that is not too improbable for a float, and how probable it and those above are.
    """
    import numpy as np  # where used: starting up must not wait for it

    lowest, chances = 0, np.ones(1)
    for worth, tosses in coins.items():
        fewest, heads = _heads(tosses)
        sums = np.zeros(len(chances) + worth * (len(heads) - 1))
        if len(chances) < len(heads):
            for before, chance in enumerate(chances):
                sums[before : before + worth * len(heads) : worth] += chance * heads
        else:
            for more, chance in enumerate(heads):
                sums[more * worth : more * worth + len(chances)] += chance * chances
        told = np.flatnonzero(sums)
        lowest, chances = lowest + worth * fewest + int(told[0]), sums[told[0] : told[-1] + 1]
    return lowest, chances


def _heads(tosses: int) -> tuple[int, NDArray[float64]]:
    """The fewest heads that are not too improbable for a float, and how probable these and each more are.

    By the ratio of neighbours from the middle outwards, which keeps what logarithms of factorials would lose.
    """
    import numpy as np

    middle = tosses // 2
    heads = np.arange(middle, tosses)
    upper = np.concatenate(([1.0], np.cumprod((tosses - heads) / (heads + 1))))  # of `middle` heads and more
    upper = upper[: np.count_nonzero(upper)]
    every = np.concatenate((upper[: tosses - 2 * middle : -1], upper))
    return middle - (len(every) - len(upper)), every / fsum(every)


def _share_with_tail(n: int, needed: int, power: float) -> float:
    """How probable each of `n` must be, for at least `needed` of them to be probable by `power`."""
    low, high = 0.0, 1.0
    for _ in range(60):
        share = (low + high) / 2
        low, high = (share, high) if _fewer(n, share, needed) > 1 - power else (low, share)
    return high


def _with_tail(share: float, needed: int, power: float) -> int:
    """How many there must be, for at least `needed` of them to be probable by `power`, when each is by `share`."""
    few, enough = needed - 1, needed
    while _fewer(enough, share, needed) > 1 - power:
        few, enough = enough, 2 * enough
    while enough - few > 1:
        middle = (few + enough) // 2
        few, enough = (few, middle) if _fewer(middle, share, needed) <= 1 - power else (middle, enough)
    return enough


def _fewer(n: int, share: float, needed: int) -> float:
    """How probable it is that fewer than `needed` of `n` come up, when each does by `share`."""
    return fsum(comb(n, k) * share**k * (1 - share) ** (n - k) for k in range(needed))

"""Questions that were asked several times: what one answer, any, or all of several are worth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import comb, sqrt
from statistics import fmean
from typing import NamedTuple

from evaluation.statistics.flips import Flips


def pass_at_k(samples: int, correct: int, k: int) -> float:
    """How probably at least one of `k` answers is right: 1 - C(n - c, k) / C(n, k), which has no bias.

    Source: M. Chen et al., "Evaluating large language models trained on code" (2021,
    https://arxiv.org/abs/2107.03374), equation 1.

    Args:
        samples: n, how many answers there are.
        correct: c, how many of them are right.
        k: At least 1, at most n.

    Raises:
        ValueError: `k` is not between 1 and `samples`, or `correct` not between 0 and `samples`.
    """
    _check(samples, correct, k)
    return 1 - comb(samples - correct, k) / comb(samples, k)


def pass_hat_k(samples: int, correct: int, k: int) -> float:
    """How probably all of `k` answers are right, pass^k: C(c, k) / C(n, k), which has no bias.

    Source: S. Yao, N. Shinn, P. Razavi and K. Narasimhan, "τ-bench: a benchmark for tool-agent-user interaction in
    real-world domains" (2024, https://arxiv.org/abs/2406.12045).

    Args:
        samples: n, how many answers there are.
        correct: c, how many of them are right.
        k: At least 1, at most n.

    Raises:
        ValueError: As `pass_at_k`.
    """
    _check(samples, correct, k)
    return comb(correct, k) / comb(samples, k)


class Passed(NamedTuple):
    """A mean over questions.

    Attributes:
        value: Between 0 and 1.
        questions: Of how many questions.
        left_out: How many have too few answers for it.
    """

    value: float
    questions: int
    left_out: int


@dataclass(frozen=True)
class Split:
    """Where the uncertainty of an accuracy comes from.

    Attributes:
        between: The variance between questions: of how probably each is answered right.
        within: The mean variance between the answers to one question.
        from_questions: The standard error of the accuracy that comes from which questions were asked. Only more
            questions make it smaller.
        from_samples: That which comes from which answers were drawn. More repeats make it smaller, too.
    """

    between: float
    within: float
    from_questions: float
    from_samples: float

    @property
    def error(self) -> float:
        """The standard error of the accuracy."""
        return sqrt(self.from_questions**2 + self.from_samples**2)

    @property
    def from_samples_share(self) -> float | None:
        """The share of the variance of the accuracy that comes from samples; `None` where there is no variance."""
        return self.from_samples**2 / self.error**2 if self.error else None


@dataclass(frozen=True)
class Repeats:
    """Answers of one system to questions that were asked several times.

    Attributes:
        answers: Whether each answer is right, by question. Questions need not have equally many; what needs more than
            a question has leaves it out, and says so.
    """

    answers: Mapping[str, Sequence[bool]]

    @property
    def most(self) -> int:
        """The most answers to one question."""
        return max(map(len, self.answers.values()), default=0)

    @property
    def fewest(self) -> int:
        """The fewest answers to one question."""
        return min(map(len, self.answers.values()), default=0)

    def pass_at(self, k: int) -> Passed | None:
        """The mean of `pass_at_k` over the questions with at least `k` answers; `None` where there are none."""
        return self._mean([pass_at_k(len(one), sum(one), k) for one in self._asked(k)])

    def pass_hat(self, k: int) -> Passed | None:
        """The mean of `pass_hat_k` over the questions with at least `k` answers; `None` where there are none."""
        return self._mean([pass_hat_k(len(one), sum(one), k) for one in self._asked(k)])

    @property
    def flips(self) -> Flips:
        """How often the same question, asked again, is not answered as well; one asked once tells nothing."""
        return Flips.of(self.answers.values())

    @property
    def flip_rates(self) -> dict[str, float]:
        """Of each question that was asked at least twice: how likely two of its answers are not equally good."""
        rates = {name: Flips.of([one]).rate for name, one in self.answers.items()}
        return {name: rate for name, rate in rates.items() if rate is not None}

    @property
    def split(self) -> Split | None:
        """The variance of the accuracy, split between questions and samples.

        One-way analysis of variance with random effects, of unequal numbers of answers: S. R. Searle, G. Casella and
        C. E. McCulloch, Variance Components (1992), section 3.6; for questions and samples, E. Miller, "Adding error
        bars to evals" (2024, https://arxiv.org/abs/2411.00640), section 3. The accuracy is that of all answers, so that
        a question with more of them counts for more. A variance between questions that comes out below 0 is 0.

        Returns:
            `None` where it cannot be told: fewer than two questions, or none that was asked twice.
        """
        groups = [one for one in self.answers.values() if one]
        n, total = len(groups), sum(map(len, groups))
        if n < 2 or total == n:
            return None
        mean = sum(map(sum, groups)) / total
        means = [fmean(one) for one in groups]
        within = sum(len(one) * own * (1 - own) for one, own in zip(groups, means, strict=True)) / (total - n)
        apart = sum(len(one) * (own - mean) ** 2 for one, own in zip(groups, means, strict=True)) / (n - 1)
        squares = sum(len(one) ** 2 for one in groups)
        between = max(0.0, (apart - within) * (n - 1) / (total - squares / total))
        return Split(between, within, sqrt(between * squares) / total, sqrt(within / total))

    def _asked(self, times: int) -> list[Sequence[bool]]:
        return [one for one in self.answers.values() if len(one) >= times]

    def _mean(self, values: list[float]) -> Passed | None:
        return Passed(fmean(values), len(values), len(self.answers) - len(values)) if values else None


def _check(samples: int, correct: int, k: int) -> None:
    if not 0 <= correct <= samples:
        raise ValueError(f"{correct} of {samples} is no share")
    if not 1 <= k <= samples:
        raise ValueError(f"k is {k}, and there are {samples} answers")

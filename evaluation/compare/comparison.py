"""Systems on the same questions, compared answer by answer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from math import ceil
from typing import Any

from evaluation.compare.accuracy import Accuracy
from evaluation.compare.answers import Asked, Pair
from evaluation.compare.arms import Arm, Recorded, blocks
from evaluation.compare.reading import Reading, read
from evaluation.compare.refusals import refusals
from evaluation.compare.spending import Spending
from evaluation.statistics.clustered import CONVERSATION, DATABASE, Clustered, Outcome
from evaluation.statistics.paired import Paired, holm
from evaluation.verdicts import Reason, Status

ALPHA = 0.05
"""A difference is shown when p is at most this."""


@dataclass(frozen=True)
class Comparison:
    """Two arms, over the questions that both have scored.

    Attributes:
        baseline: The first of the two.
        candidate: The other.
        strategy: The label of the strategy whose verdicts are compared.
        answers: Every question that both have scored, in their order.
        unscored: What could not be scored, of the baseline and of the candidate.
        common: How many answers both have, scored or not.
        missing: How many answers the baseline has that the candidate has not, and the other way round.
        spending: What the answers of each took.
        refusals: Why the two cannot be compared; empty when they can.
        by: What the slices of the answers are.
        comparisons: How many there are in all.
        adjusted_p: Holm's, over all of these; `None` when there is nothing to compare.
    """

    baseline: Arm
    candidate: Arm
    strategy: str
    answers: tuple[Pair, ...] = field(default=(), repr=False)
    unscored: tuple[tuple[Asked, ...], tuple[Asked, ...]] = ((), ())
    common: int = 0
    missing: tuple[int, int] = (0, 0)
    spending: tuple[Spending, Spending] = field(default_factory=lambda: (Spending(), Spending()), repr=False)
    refusals: tuple[str, ...] = ()
    by: str = "difficulty"
    comparisons: int = 1
    adjusted_p: float | None = None

    @property
    def refused(self) -> str:
        """Why the two cannot be compared, in words; empty when they can."""
        return "; ".join(self.refusals)

    @cached_property
    def lost(self) -> tuple[Pair, ...]:
        """Answers that only the baseline has right, in the order of the questions."""
        return tuple(pair for pair in self.answers if pair.won < 0)

    @cached_property
    def won(self) -> tuple[Pair, ...]:
        """Answers that only the candidate has right, in the order of the questions."""
        return tuple(pair for pair in self.answers if pair.won > 0)

    @cached_property
    def both_right(self) -> int:
        """Answers that both have right."""
        return sum(pair.baseline.right and pair.candidate.right for pair in self.answers)

    @property
    def both_wrong(self) -> int:
        """Answers that both have wrong."""
        return self.pairs - self.both_right - len(self.won) - len(self.lost)

    @property
    def pairs(self) -> int:
        """Answers that both have scored."""
        return len(self.answers)

    @cached_property
    def clustered(self) -> Clustered | None:
        """For the statistics, by what answers share; `None` when there is nothing to compare."""
        return clustered_of(self.answers) if self.answers else None

    @cached_property
    def paired(self) -> Paired | None:
        """The same as if there were no clusters."""
        return self.clustered.whole if self.clustered is not None else None

    @cached_property
    def interval(self) -> tuple[float, float] | None:
        """Where the difference may well be: the paired bootstrap's 95 % interval; of clusters, where these matter."""
        return self.clustered.interval() if self.clustered is not None else None

    @cached_property
    def accuracies(self) -> tuple[Accuracy, Accuracy] | None:
        """Of the baseline and of the candidate, over the answers that both have scored; `None` where there are none."""
        if not self.answers:
            return None
        return (
            Accuracy.of((pair.asked, pair.baseline) for pair in self.answers),
            Accuracy.of((pair.asked, pair.candidate) for pair in self.answers),
        )

    @property
    def shown(self) -> bool:
        """Whether there is a difference beyond luck."""
        return self.adjusted_p is not None and self.adjusted_p <= ALPHA

    @property
    def detectable(self) -> float | None:
        """The smallest difference that would probably have been shown; of several comparisons, as the strictest."""
        return self.clustered.detectable(ALPHA / self.comparisons) if self.clustered is not None else None

    @cached_property
    def needed(self) -> int | None:
        """How many questions would probably show the difference that is seen, by the same test; `None` if it is 0."""
        return self.clustered.needed(ALPHA / self.comparisons) if self.clustered is not None else None

    @property
    def needed_clusters(self) -> int | None:
        """On how many databases, or conversations, these would be.

        `None` where clusters do not matter, or nothing is needed.
        """
        if self.needed is None or self.clustered is None or not self.clustered.clusters_matter:
            return None
        return ceil(self.needed * len(self.clustered.clusters) / self.clustered.whole.questions)

    @cached_property
    def partings(self) -> Counter[tuple[Reason, Reason]]:
        """Of the answers that only one has right: how often which reason of the baseline's met which one."""
        return Counter((pair.baseline.reason, pair.candidate.reason) for pair in self.answers if pair.won)

    def to_json(self) -> dict[str, Any]:
        """As JSON types."""
        clustered, paired = self.clustered, self.paired
        accuracies = self.accuracies or (None, None)
        return {
            "strategy": self.strategy,
            "where": self.baseline.where,
            "baseline": _arm_json(self.baseline, self.unscored[0], accuracies[0]),
            "candidate": _arm_json(self.candidate, self.unscored[1], accuracies[1]),
            "not_compared": self.refused or None,
            "questions": paired.questions if paired else 0,
            "pairs": self.pairs,
            "both_right": self.both_right,
            "only_baseline": len(self.lost),
            "only_candidate": len(self.won),
            "both_wrong": self.both_wrong,
            "difference": paired.difference if paired else None,
            "interval_95": list(self.interval) if self.interval else None,
            "p": clustered.p if clustered else None,
            "p_mcnemar": paired.p if paired else None,
            "clustered_by": clustered.clustered_by if clustered else None,
            "design_effect": clustered.design_effect if clustered else None,
            "comparisons": self.comparisons,
            "p_holm": self.adjusted_p,
            "difference_shown": self.shown,
            "detectable": self.detectable,
            "questions_needed": self.needed,
            "databases_needed": self.needed_clusters if clustered and clustered.by == DATABASE else None,
            "conversations_needed": self.needed_clusters if clustered and clustered.by == CONVERSATION else None,
            "only_in_baseline": self.missing[0],
            "only_in_candidate": self.missing[1],
            "flips": {
                "only_baseline": [pair.to_json() for pair in self.lost],
                "only_candidate": [pair.to_json() for pair in self.won],
            },
            "partings": [
                {"baseline": one.value, "candidate": other.value, "answers": count}
                for (one, other), count in self.partings.most_common()
            ],
        }


def compare(runs: Sequence[Recorded], *, strategy: str | None = None, by: str | None = None) -> list[Comparison]:
    """Compare runs, each with the first that it differs from in one thing: see `blocks`.

    Args:
        runs: In their order; runs that differ in nothing but the repeat are one arm.
        strategy: The label of the strategy whose verdicts are compared; `None` is the first of each baseline.
        by: What to slice by; `None` is the difficulty where questions have one, else the database.

    Returns:
        None where there is nothing to compare.

    Raises:
        UserError: A record cannot be read.
        UnknownName: Nothing can be sliced by this.
    """
    found: list[Comparison] = []
    for baseline, candidates in blocks(runs):
        label = strategy or str(baseline.manifest["identity"]["strategies"][0]["label"])
        before = read(baseline, label, by)
        found += [_compared(baseline, before, candidate, label, by) for candidate in candidates]
    told = [clustered.p for one in found if (clustered := one.clustered) is not None]
    adjusted = iter(holm(told))
    return [replace(one, comparisons=len(told), adjusted_p=next(adjusted)) if one.pairs else one for one in found]


def clustered_of(answers: Sequence[Pair]) -> Clustered:
    """What answers say for the statistics, by what they share; at least one answer."""
    return Clustered.of(
        Outcome(pair.asked.id, pair.baseline.db_id, pair.baseline.conversation, pair.won) for pair in answers
    )


def _compared(baseline: Arm, before: Reading, candidate: Arm, strategy: str, by: str | None) -> Comparison:
    refused = refusals(baseline, candidate, strategy)
    if refused:
        return Comparison(baseline, candidate, strategy, refusals=refused)
    after = read(candidate, strategy, by)
    both = before.answers.keys() & after.answers.keys()
    pairs = (
        Pair(asked, before.answers[asked], after.answers[asked])
        for asked in sorted(both, key=lambda asked: (before.answers[asked].position, asked.repeat))
    )
    scored = [
        pair for pair in pairs if Status.UNSCORED not in (pair.baseline.reason.status, pair.candidate.reason.status)
    ]
    sliced = by or ("difficulty" if any(pair.baseline.slices for pair in scored) else "db_id")
    return Comparison(
        baseline,
        candidate,
        strategy,
        answers=tuple(scored),
        unscored=(before.unscored, after.unscored),
        common=len(both),
        missing=(len(before.answers) - len(both), len(after.answers) - len(both)),
        spending=(before.spending, after.spending),
        by=sliced,
    )


def _arm_json(arm: Arm, unscored: Sequence[Asked], accuracy: Accuracy | None) -> dict[str, Any]:
    return {
        "name": arm.name,
        "runs": [run.run_id for run in arm.runs],
        "accuracy": accuracy and accuracy.to_json(),
        "unscored": [asked._asdict() for asked in unscored],
    }

"""Where the difference comes from: the same comparison in every slice of the questions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from evaluation.compare.answers import Pair
from evaluation.compare.comparison import ALPHA, Comparison, clustered_of
from evaluation.reports.slices import place
from evaluation.statistics.clustered import Clustered
from evaluation.statistics.paired import Paired, holm


@dataclass(frozen=True)
class Slice:
    """The answers to some of the questions.

    Attributes:
        name: Which.
        right: How many the baseline has right, and the candidate.
        clustered: For the statistics, by what answers share.
        adjusted_p: Holm's, over all slices of all comparisons.
    """

    name: str
    right: tuple[int, int]
    clustered: Clustered
    adjusted_p: float = 1.0

    @property
    def paired(self) -> Paired:
        """The same as if there were no clusters."""
        return self.clustered.whole

    @cached_property
    def interval(self) -> tuple[float, float]:
        """Where the difference may well be: as of the whole comparison."""
        return self.clustered.interval()

    @property
    def shown(self) -> bool:
        """Whether there is a difference beyond luck."""
        return self.adjusted_p <= ALPHA

    def to_json(self) -> dict[str, Any]:
        """As JSON types."""
        paired = self.paired
        return {
            "slice": self.name,
            "questions": paired.questions,
            "pairs": paired.pairs,
            "baseline_correct": self.right[0],
            "candidate_correct": self.right[1],
            "difference": paired.difference,
            "interval_95": list(self.interval),
            "p": self.clustered.p,
            "p_mcnemar": paired.p,
            "clustered_by": self.clustered.clustered_by,
            "p_holm": self.adjusted_p,
            "difference_shown": self.shown,
        }


def slices(found: Sequence[Comparison]) -> list[list[Slice]]:
    """The slices of each comparison, grades from easy to hard, others by name.

    A question may be in several, where it has several tags or features.
    """
    of_each = [_slices(one) for one in found]
    adjusted = iter(holm([one.clustered.p for found in of_each for one in found]))
    return [[replace(one, adjusted_p=next(adjusted)) for one in found] for found in of_each]


def _slices(comparison: Comparison) -> list[Slice]:
    pairs: dict[str, list[Pair]] = defaultdict(list)
    for pair in comparison.answers:
        whole = (pair.baseline.db_id,) if comparison.by == "db_id" else ("not graded",)
        for name in pair.slices or whole:
            pairs[name].append(pair)
    return [
        Slice(
            name,
            (sum(pair.baseline.right for pair in found), sum(pair.candidate.right for pair in found)),
            clustered_of(found),
        )
        for name, found in sorted(pairs.items(), key=lambda entry: place(entry[0]))
    ]

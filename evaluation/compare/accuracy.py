"""The accuracy of one side, with an interval that knows what its answers share."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any, NamedTuple

from evaluation.compare.answers import Asked, Told
from evaluation.statistics.accuracy import accuracy_interval
from evaluation.statistics.design_effect import FEWEST_CLUSTERS
from evaluation.statistics.interval import wilson


class Accuracy(NamedTuple):
    """The share of right answers.

    Attributes:
        right: How many are right.
        answers: How many there are; at least one.
        interval: Wilson's 95 % interval.
        clustered_by: What the answers share by which the interval is wider: `db_id` or `question`; `None` where it
            is not.
    """

    right: int
    answers: int
    interval: tuple[float, float]
    clustered_by: str | None

    @classmethod
    def of(cls, told: Iterable[tuple[Asked, Told]]) -> Accuracy:
        """Clusters are databases where there are enough of them; else questions, where some were asked repeatedly."""
        databases: defaultdict[str, list[bool]] = defaultdict(list)
        questions: defaultdict[str, list[bool]] = defaultdict(list)
        for asked, one in told:
            databases[one.db_id].append(one.right)
            questions[asked.id].append(one.right)
        right, answers = sum(map(sum, databases.values())), sum(map(len, databases.values()))
        alone = wilson(right, answers)
        if len(databases) >= FEWEST_CLUSTERS:
            by, clusters = "db_id", databases
        elif len(questions) < answers:
            by, clusters = "question", questions
        else:
            return cls(right, answers, alone, None)
        found = accuracy_interval({name: (sum(one), len(one)) for name, one in clusters.items()})
        interval = (found.low, found.high)
        return cls(right, answers, interval, None if interval == alone else by)

    @property
    def share(self) -> float:
        """Between 0 and 1."""
        return self.right / self.answers

    def to_json(self) -> dict[str, Any]:
        """As JSON types."""
        return {
            "value": self.share,
            "correct": self.right,
            "answers": self.answers,
            "interval_95": list(self.interval),
            "clustered_by": self.clustered_by,
        }

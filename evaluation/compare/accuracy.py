"""The accuracy of one side, with an interval that knows what its answers share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any, NamedTuple

from evaluation.compare.answers import Asked, Told
from evaluation.statistics.accuracy import accuracy_interval
from evaluation.statistics.clustered import CONVERSATION, DATABASE, QUESTION, of_conversation
from evaluation.statistics.design_effect import FEWEST_CLUSTERS, effective_clusters
from evaluation.statistics.interval import wilson


class Accuracy(NamedTuple):
    """The share of right answers.

    Attributes:
        right: How many are right.
        answers: How many there are; at least one.
        interval: Wilson's 95 % interval.
        clustered_by: What the answers share by which the interval is widest: `db_id`, `conversation` or `question`;
            `None` where nothing makes it wider.
    """

    right: int
    answers: int
    interval: tuple[float, float]
    clustered_by: str | None

    @classmethod
    def of(cls, told: Iterable[tuple[Asked, Told]]) -> Accuracy:
        """Clusters are databases, conversations, or questions that were asked repeatedly: which makes it widest."""
        levels: dict[str, Counter[tuple[str, bool]]] = {by: Counter() for by in (DATABASE, QUESTION, CONVERSATION)}
        for asked, one in told:
            levels[DATABASE][one.db_id, one.right] += 1
            levels[CONVERSATION][of_conversation(asked.id, one.conversation), one.right] += 1
            levels[QUESTION][asked.id, one.right] += 1
        shared = {
            by: {name: (level[name, True], level[name, True] + level[name, False]) for name, _ in level}
            for by, level in levels.items()
        }
        repeats = [total for _, total in shared[QUESTION].values()]
        right, answers, questions = sum(one for one, _ in shared[QUESTION].values()), sum(repeats), len(repeats)
        if questions < answers and (right in (0, answers) or effective_clusters(repeats) < FEWEST_CLUSTERS):
            # Nothing varies, or too few questions do to tell how: repeats are no further questions.
            return cls(right, answers, wilson(right * questions / answers, questions), QUESTION)
        widest = wilson(right, answers)
        clustered_by = None
        for by, clusters in shared.items():
            if len(clusters) == answers:  # they share nothing
                continue
            found = accuracy_interval(clusters)
            if found.high - found.low > widest[1] - widest[0]:
                widest, clustered_by = (found.low, found.high), by
        return cls(right, answers, widest, clustered_by)

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

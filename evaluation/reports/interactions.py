"""Interaction accuracy: the share of conversations whose every turn is correct.

Source: Yu et al., SParC: Cross-Domain Semantic Parsing in Context, ACL 2019 (https://aclanthology.org/P19-1443),
"interaction match", with any strategy's verdict in the place of exact set match.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from evaluation.records import ItemRecord
from evaluation.statistics.interval import wilson
from evaluation.verdicts import Status


@dataclass
class Interactions:
    """What one strategy says of the conversations of a run.

    Attributes:
        correct: Conversations whose every turn is correct.
        incorrect: Conversations all of whose turns are scored, and not all correct.
        unscored: Conversations with an unscored turn, whatever the others are: to count only those that are wrong
            already would make the system look worse than it is.
        incomplete: Conversations of which some turns have no record.
    """

    correct: int = 0
    incorrect: int = 0
    unscored: int = 0
    incomplete: int = 0

    @property
    def scored(self) -> int:
        """Conversations that count."""
        return self.correct + self.incorrect

    @property
    def accuracy(self) -> float | None:
        """Between 0 and 1; `None` where no conversation counts."""
        return self.correct / self.scored if self.scored else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """The 95 % interval; conversations are taken to be independent of each other."""
        return wilson(self.correct, self.scored) if self.scored else None

    def to_json(self) -> dict[str, Any]:
        """As JSON types."""
        return {
            "accuracy": self.accuracy,
            "interval_95": None if self.interval is None else list(self.interval),
            "scored": self.scored,
            **vars(self),
        }


@dataclass
class _Conversation:
    turns: int
    seen: int = 0
    statuses: defaultdict[str, set[Status]] = field(default_factory=lambda: defaultdict(set))


class InteractionCounter:
    """Adds conversations up turn by turn, in any order; holds one entry per conversation."""

    def __init__(self) -> None:
        self._found: dict[str, _Conversation] = {}

    def add(self, record: ItemRecord) -> None:
        """Count one item, if it is a turn of a conversation."""
        if record.conversation is None or record.turns is None:
            return
        conversation = self._found.setdefault(record.conversation, _Conversation(record.turns))
        conversation.seen += 1
        for verdict in record.verdicts:
            conversation.statuses[verdict.strategy].add(verdict.status)

    @property
    def by_strategy(self) -> dict[str, Interactions]:
        """The counts of each strategy; empty where no question is a turn of a conversation."""
        counts: defaultdict[str, Interactions] = defaultdict(Interactions)
        for conversation in self._found.values():
            for label, statuses in conversation.statuses.items():
                if conversation.seen < conversation.turns:
                    counts[label].incomplete += 1
                elif Status.UNSCORED in statuses:
                    counts[label].unscored += 1
                elif statuses == {Status.CORRECT}:
                    counts[label].correct += 1
                else:
                    counts[label].incorrect += 1
        return dict(counts)

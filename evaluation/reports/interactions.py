"""Interaction accuracy: the share of conversations whose every turn is correct.

Source: Yu et al., SParC: Cross-Domain Semantic Parsing in Context, ACL 2019 (https://aclanthology.org/P19-1443),
"interaction match", with any strategy's verdict in the place of exact set match.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Set
from dataclasses import dataclass, field, replace
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

    def add(self, statuses: Set[Status], *, complete: bool, times: int = 1) -> None:
        """Count one conversation, or so many that are all alike.

        Args:
            statuses: Of its turns.
            complete: Whether every turn has a record.
            times: How many there are.
        """
        if not complete:
            self.incomplete += times
        elif Status.UNSCORED in statuses:
            self.unscored += times
        elif statuses == {Status.CORRECT}:
            self.correct += times
        else:
            self.incorrect += times

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
        self._alike: defaultdict[str, Interactions] = defaultdict(Interactions)

    def add(self, record: ItemRecord) -> None:
        """Count one item, if it is a turn of a conversation."""
        if record.conversation is None or record.turns is None:
            return
        conversation = self._found.setdefault(record.conversation, _Conversation(record.turns))
        conversation.seen += 1
        for verdict in record.verdicts:
            conversation.statuses[verdict.strategy].add(verdict.status)

    def add_alike(self, label: str, statuses: Set[Status], *, complete: bool, times: int) -> None:
        """Count conversations that are put together already, by what one strategy says of each."""
        self._alike[label].add(statuses, complete=complete, times=times)

    @property
    def by_strategy(self) -> dict[str, Interactions]:
        """The counts of each strategy; empty where no question is a turn of a conversation."""
        counts = defaultdict(Interactions, {label: replace(alike) for label, alike in self._alike.items()})
        for conversation in self._found.values():
            for label, statuses in conversation.statuses.items():
                counts[label].add(statuses, complete=conversation.seen >= conversation.turns)
        return dict(counts)

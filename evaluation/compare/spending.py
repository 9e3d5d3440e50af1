"""What the answers of one side took: money, tokens, time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from evaluation.records import ItemRecord
from evaluation.reports.summary import Tokens
from sqlassay.percentile import percentile


class Latency(NamedTuple):
    """How long something took.

    Attributes:
        p50: Half of the times are at most this, in seconds.
        p95: 95 % of them are.
        times: How many there are.
    """

    p50: float
    p95: float
    times: int

    @classmethod
    def of(cls, seconds: Sequence[float]) -> Latency | None:
        """`None` where nothing was timed."""
        ordered = sorted(seconds)
        if not ordered:
            return None
        return cls(percentile(ordered, 50), percentile(ordered, 95), len(ordered))


@dataclass
class Spending:
    """What one side took, added up record by record; all of its records, whether or not the other side has them too.

    Attributes:
        tokens: Tokens and money of the answers.
        items: How many records there are.
        correct: How many of them are right.
    """

    tokens: Tokens = field(default_factory=Tokens)
    items: int = 0
    correct: int = 0
    _generating: list[float] = field(default_factory=list)
    _executing: list[float] = field(default_factory=list)

    def add(self, record: ItemRecord, *, right: bool) -> None:
        """Count one record."""
        answers = [record.answer, *(call.answer for call in record.calls)]
        self.tokens.add(answers)
        self.items += 1
        self.correct += right
        timed = [answer.seconds for answer in answers if answer is not None and answer.seconds > 0]
        if timed:
            self._generating.append(sum(timed))
        if record.predicted is not None:
            self._executing.append(record.predicted.seconds)

    @property
    def cost(self) -> float | None:
        """In the currency of the experiment's prices; `None` where that of any answer is unknown."""
        return None if self.tokens.unknown_cost or not self.answers else self.tokens.cost

    @property
    def cost_per_correct(self) -> float | None:
        """`None` where that is unknown: also where answers came from the cache, since what they cost is not known."""
        if self.cost is None or self.tokens.from_cache or not self.correct:
            return None
        return self.cost / self.correct

    @property
    def answers(self) -> int:
        """Answers of models, those from the cache among them."""
        return self.tokens.asked + self.tokens.from_cache

    @property
    def generation(self) -> Latency | None:
        """Of an answer, with all that was asked on the way to it; an answer from the cache took what it took then."""
        return Latency.of(self._generating)

    @property
    def execution(self) -> Latency | None:
        """Of a predicted statement."""
        return Latency.of(self._executing)

    def to_json(self) -> dict[str, Any]:
        """As JSON types; what no answer told is `None`."""
        tokens = dict(vars(self.tokens))
        if self.tokens.asked == self.tokens.unknown_tokens:
            tokens.update(input=None, output=None)
        if self.tokens.asked == self.tokens.unknown_cost:
            tokens["cost"] = None
        return {
            "tokens": tokens,
            "cost": self.cost,
            "cost_per_correct": self.cost_per_correct,
            "generation_seconds": _json(self.generation),
            "execution_seconds": _json(self.execution),
        }


def _json(latency: Latency | None) -> dict[str, Any] | None:
    return None if latency is None else latency._asdict()

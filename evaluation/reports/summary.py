"""A run in numbers, added up item by item."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from evaluation.records import AnswerRecord, ItemRecord, VerdictRecord
from evaluation.reports.interactions import InteractionCounter, Interactions
from evaluation.reports.standing import Standing
from evaluation.run_log import FINISHED
from evaluation.statistics.interval import wilson
from evaluation.verdicts import GOLDS_FOR, Reason, Status, Summary, Tally


@dataclass
class Tokens:
    """Tokens and money of a run; what a provider did not say is counted as unknown, never as nothing.

    Attributes:
        input: Tokens of the prompts that were paid for now.
        output: Tokens of the answers that were paid for now.
        cost: In the currency of the experiment's prices.
        asked: Answers that were asked for.
        from_cache: Answers that were known from before.
        unknown_tokens: Answers whose tokens the provider did not say.
        unknown_cost: Answers whose cost is unknown.
    """

    input: int = 0
    output: int = 0
    cost: float = 0.0
    asked: int = 0
    from_cache: int = 0
    unknown_tokens: int = 0
    unknown_cost: int = 0

    def add(self, answers: Iterable[AnswerRecord | None]) -> None:
        """Count what was answered; `None` is what was not asked."""
        for answer in answers:
            if answer is not None and answer.finish_reason is not None:
                self.add_sum(answer, 1)

    def add_sum(self, answer: AnswerRecord, times: int) -> None:
        """Count several answers as one, whose tokens and cost are their sums, or unknown as those of each are."""
        if answer.cached:
            self.from_cache += times
            return
        self.asked += times
        self.unknown_tokens += times * (answer.input_tokens is None or answer.output_tokens is None)
        self.unknown_cost += times * (answer.cost is None)
        self.input += answer.input_tokens or 0
        self.output += answer.output_tokens or 0
        self.cost += answer.cost or 0.0


@dataclass
class RunSummary:
    """What a table shows of one run or one prediction file.

    Attributes:
        title: One line for people.
        run_id: The run; empty for a prediction file.
        status: `finished`, `running`, `stopped` (the provider refuses all requests) or `interrupted`.
        total: Items that there should be.
        items: Items that there are.
        tokens: Tokens and money of the answers.
        judging: Tokens and money of judging them.
        standings: What is known of the judges, by the label of the strategy that asks them.
        missing_databases: The databases that are not there.
        gold_dialects: The dialects for which there are golds where one is missing.
        conversations: Those that items are turns of.
        by_conversation: Whether conversations are counted as well: not where items are put together otherwise.
    """

    title: str
    run_id: str = ""
    status: str = FINISHED
    total: int = 0
    items: int = 0
    tokens: Tokens = field(default_factory=Tokens)
    judging: Tokens = field(default_factory=Tokens)
    standings: Mapping[str, Standing] = field(default_factory=dict)
    missing_databases: set[str] = field(default_factory=set)
    gold_dialects: set[str] = field(default_factory=set)
    conversations: InteractionCounter = field(default_factory=InteractionCounter)
    by_conversation: bool = True
    _counts: defaultdict[str, Tally] = field(default_factory=lambda: defaultdict(Tally))
    _first: defaultdict[str, Tally] = field(default_factory=lambda: defaultdict(Tally))

    def add(self, record: ItemRecord) -> None:
        """Count one item."""
        self.items += 1
        self.tokens.add([record.answer, *(call.answer for call in record.calls)])
        self.judging.add(call.answer for call in record.judging)
        if self.by_conversation:
            self.conversations.add(record)
        for verdict in record.first.verdicts if record.first is not None else ():
            self.add_first(verdict)
        for verdict in record.verdicts:
            self.add_verdict(verdict, record.db_id)

    def add_verdict(self, verdict: VerdictRecord, db_id: str, times: int = 1) -> None:
        """Count the verdict of one item, or of so many of the same database that are all alike."""
        self._counts[verdict.strategy].add(verdict.verdict, times)
        if verdict.reason is Reason.DATABASE_MISSING:
            self.missing_databases.add(db_id)
        self.gold_dialects.update(_texts(verdict.evidence.get(GOLDS_FOR)))

    def add_first(self, verdict: VerdictRecord, times: int = 1) -> None:
        """The same for what was answered before any repair."""
        self._first[verdict.strategy].add(verdict.verdict, times)

    @property
    def unfinished(self) -> bool:
        """Whether items are missing, or the run has not ended."""
        return self.items < self.total or self.status != FINISHED

    @property
    def strategies(self) -> dict[str, Summary]:
        """The counts of each strategy, by its label."""
        return {label: counts.summary for label, counts in self._counts.items()}

    @property
    def first_attempts(self) -> dict[str, Summary]:
        """The counts of each strategy over what was answered before any repair; empty where nothing is repaired."""
        return {label: counts.summary for label, counts in self._first.items()}

    @property
    def interactions(self) -> dict[str, Interactions]:
        """The conversations of each strategy; empty where there are none."""
        return self.conversations.by_strategy

    @property
    def instrument_failure_share(self) -> float:
        """The largest share of items that any strategy could not score."""
        return max((s.instrument_failures / s.total for s in self.strategies.values()), default=0.0)

    def to_json(self) -> dict[str, Any]:
        """As JSON types."""
        return {
            "title": self.title,
            "run_id": self.run_id or None,
            "status": self.status,
            "total": self.total,
            "items": self.items,
            "strategies": self._strategies_json(self.strategies),
            "first_attempts": self._strategies_json(self.first_attempts),
            "interactions": [{"strategy": label, **counts.to_json()} for label, counts in self.interactions.items()],
            "missing_databases": sorted(self.missing_databases),
            "gold_dialects": sorted(self.gold_dialects),
            "tokens": vars(self.tokens),
            "judging": vars(self.judging),
        }

    def _strategies_json(self, strategies: Mapping[str, Summary]) -> list[dict[str, Any]]:
        told = []
        for label, summary in strategies.items():
            standing = self.standings.get(label)
            told.append(_strategy_json(label, summary) | ({} if standing is None else standing.to_json(summary)))
        return told


def _texts(told: object) -> list[str]:
    """A list of texts from a record, which anybody may have written."""
    return [str(one) for one in told] if isinstance(told, list | tuple) else []


def interval_of(summary: Summary) -> tuple[float, float] | None:
    """The 95 % interval of the score, where every score is 0 or 1 and something was scored."""
    if not summary.scored or summary.score_sum != summary.correct:
        return None
    return wilson(summary.correct, summary.scored)


def _strategy_json(label: str, summary: Summary) -> dict[str, Any]:
    interval = interval_of(summary)
    return {
        "strategy": label,
        "score": summary.score,
        "interval_95": None if interval is None else list(interval),
        "total": summary.total,
        "scored": summary.scored,
        "correct": summary.correct,
        "system_failures": summary.system_failures,
        "no_result": summary.no_result,
        "instrument_failures": summary.instrument_failures,
        "vacuous": summary.vacuous,
        "ambiguous": summary.reasons.get(Reason.MATCH_AMBIGUOUS, 0),
        "order_not_checked": summary.order_not_checked,
        "figures": {name: {"mean": f.mean, "items": f.items} for name, f in summary.figures.items()},
        "reasons": {reason.value: count for reason, count in sorted(summary.reasons.items())},
        "status": {status.value: summary.count(status) for status in Status},
    }

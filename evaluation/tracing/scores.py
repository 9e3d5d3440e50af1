"""The scores of items and runs, as Langfuse keeps them.

An item that the instrument failed on has no number, which a mean would take for one; it has its status.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from evaluation.records import ItemRecord, VerdictRecord
from evaluation.reports.summary import RunSummary, interval_of
from evaluation.tracing.observations import ENVIRONMENT, FIRST, ROOT, attempt_of
from evaluation.tracing.subject import Subject
from evaluation.verdicts import Status

STATUS = "status"


@dataclass(frozen=True)
class Score:
    """One score.

    Attributes:
        name: The strategy's label, with what it says of it.
        value: A number, or the status.
        comment: For people.
    """

    name: str
    value: float | str
    comment: str = ""

    def body(self, score_id: str, **of: str) -> dict[str, Any]:
        """What is posted; `of` says what it is a score of."""
        kind = "CATEGORICAL" if isinstance(self.value, str) else "NUMERIC"
        body = {"id": score_id, "name": self.name, "value": self.value, "dataType": kind, "environment": ENVIRONMENT}
        return {**body, **of, **({"comment": self.comment} if self.comment else {})}


def item_scores(record: ItemRecord) -> Iterator[Score]:
    """The scores of an item: for each strategy its status, and its number where it gave one."""
    for verdict in record.verdicts:
        yield from _of_verdict(verdict.strategy, verdict)
    for verdict in record.first.verdicts if record.first is not None else ():
        yield from _of_verdict(f"{verdict.strategy} ({FIRST})", verdict)


def item_score_body(subject: Subject, record: ItemRecord, score: Score) -> dict[str, Any]:
    """What is posted of an item's score."""
    attempt = attempt_of(record)
    trace, root = subject.trace_id(attempt), subject.observation_id(attempt, ROOT)
    return score.body(subject.score_id(attempt, score.name), traceId=trace, observationId=root)


def _of_verdict(name: str, verdict: VerdictRecord) -> Iterator[Score]:
    reason = str(verdict.reason.value)
    yield Score(f"{name} {STATUS}", verdict.status.value, reason)
    if verdict.status is not Status.UNSCORED:
        yield Score(name, float(verdict.score), reason)


def run_scores(summary: RunSummary) -> Iterator[Score]:
    """The scores of a run: each strategy's mean with the ends of its 95 % interval, and the three counts."""
    told = [(label, counts) for label, counts in summary.strategies.items()]
    told += [(f"{label} ({FIRST})", counts) for label, counts in summary.first_attempts.items()]
    for label, counts in told:
        interval = interval_of(counts)
        if counts.score is not None:
            words = "" if interval is None else f"95 % interval {interval[0]:.4f} to {interval[1]:.4f}; "
            comment = f"{words}{counts.scored} of {counts.total} items scored"
            yield Score(label, float(counts.score), comment)
        for end, value in zip(("low", "high"), interval or (), strict=False):
            yield Score(f"{label} 95 % {end}", value)
        yield Score(f"{label} scored", float(counts.scored))
        yield Score(f"{label} system failures", float(counts.system_failures))
        yield Score(f"{label} instrument failures", float(counts.instrument_failures))


def run_score_body(subject: Subject, score: Score) -> dict[str, Any]:
    """What is posted of a run's score: the id of an experiment is that of its dataset run."""
    return score.body(subject.score_id(None, score.name), datasetRunId=subject.experiment_id)

"""What is sent of an item and of a run, by name; which of it has arrived is told from this."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from evaluation.records import ItemRecord
from evaluation.reports.summary import RunSummary
from evaluation.run_log import RunFolder
from evaluation.tracing.acknowledged import Acknowledged, Sent
from evaluation.tracing.scores import Score, item_scores, run_score_body, run_scores
from evaluation.tracing.subject import Attempt, Subject

DATASET_ITEM = "dataset item"
TRACE = "trace"
SCORE = "score"
RUN_SCORE = "run score"
REPLACED = "replaced trace"


def of_item(record: ItemRecord, stamp: str) -> Iterator[Sent]:
    """Everything that is sent of an item; the stamp is that of its line."""
    yield Sent(DATASET_ITEM, record.id, stamp)
    yield Sent(TRACE, record.id, stamp)
    for score in item_scores(record):
        yield of_score(record, score, stamp)


def of_score(record: ItemRecord, score: Score, stamp: str) -> Sent:
    """A score of an item."""
    return Sent(SCORE, f"{record.id} {score.name}", stamp)


def of_run(subject: Subject, summary: RunSummary) -> Iterator[tuple[Sent, dict[str, Any]]]:
    """The scores of a run, with what is posted of each."""
    for score in run_scores(summary):
        body = run_score_body(subject, score)
        yield Sent(RUN_SCORE, score.name, subject.stamp(body)), body


def replaced(run: RunFolder, subject: Subject) -> dict[Sent, str]:
    """The traces of items that were done again, which are removed: what is acknowledged then, and the trace's id."""
    found: dict[str, Sent] = {}
    again = set()
    for raw, counts in run.all_items():
        if counts and raw["id"] not in again:
            continue
        trace = subject.trace_id(Attempt(raw["id"], raw.get("started", "")))
        if counts:
            found.pop(trace, None)  # judged anew, and not done again
        else:
            again.add(raw["id"])
            found[trace] = Sent(REPLACED, raw["id"], trace)
    return {sent: trace for trace, sent in found.items()}


@dataclass(frozen=True)
class Standing:
    """How much of a run has arrived.

    Attributes:
        traces: That arrived.
        all_traces: That there are: one per item.
        scores: That arrived, of items and of the run.
        all_scores: That there are.
        items: Questions that arrived in the dataset.
        stale: Traces of items that were done again, which have yet to be removed.
    """

    traces: int = 0
    all_traces: int = 0
    scores: int = 0
    all_scores: int = 0
    items: int = 0
    stale: int = 0

    @property
    def complete(self) -> bool:
        """Whether everything has arrived."""
        wanted = (self.all_traces, self.all_scores, self.all_traces, 0)
        return (self.traces, self.scores, self.items, self.stale) == wanted

    def __add__(self, other: Standing) -> Standing:
        """Of several runs."""
        return Standing(
            *(one + another for one, another in zip(vars(self).values(), vars(other).values(), strict=True))
        )

    def __str__(self) -> str:
        """How many of how many."""
        missing = self.all_traces - self.items
        more = f"; {missing:,} questions are not in the dataset" if missing else ""
        more += f"; traces of items that were done again, still there: {self.stale:,}" if self.stale else ""
        traces = f"{self.traces:,} of {self.all_traces:,} traces"
        return f"{traces} and {self.scores:,} of {self.all_scores:,} scores arrived{more}"


def everything(subject: Subject, summary: RunSummary) -> Standing:
    """How much there is of a run, as it stands when all of it has arrived."""
    counts = [*summary.strategies.values(), *summary.first_attempts.values()]
    scores = sum(one.total + one.scored for one in counts) + sum(1 for _ in of_run(subject, summary))
    return Standing(summary.items, summary.items, scores, scores, summary.items)


def standing(run: RunFolder, subject: Subject, acknowledged: Acknowledged) -> Standing:
    """How much of a run has arrived, told from its folder."""
    summary = RunSummary("")
    counts = {kind: [0, 0] for kind in (DATASET_ITEM, TRACE, SCORE)}
    for raw in run.raw_items():
        record = run.record(raw)
        summary.add(record)
        for sent in of_item(record, subject.stamp(raw)):
            counts[sent.kind][0] += sent in acknowledged
            counts[sent.kind][1] += 1
    for sent, _ in of_run(subject, summary):
        counts[SCORE][0] += sent in acknowledged
        counts[SCORE][1] += 1
    stale = sum(sent not in acknowledged for sent in replaced(run, subject))
    (traces, all_traces), (scores, all_scores), (items, _) = counts[TRACE], counts[SCORE], counts[DATASET_ITEM]
    return Standing(traces, all_traces, scores, all_scores, items, stale)

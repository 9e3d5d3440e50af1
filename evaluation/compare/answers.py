"""What was said of an answer, and of two answers to one question."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any, NamedTuple

from evaluation.records import ItemRecord, VerdictRecord
from evaluation.verdicts import Reason, Status

SHOWN = ("missing", "extra", "missing_rows", "extra_rows", "message")
"""The keys of a verdict's evidence that tell how an answer is wrong."""


class Asked(NamedTuple):
    """One question, asked once.

    Attributes:
        id: The question's id.
        repeat: From 0.
    """

    id: str
    repeat: int

    @property
    def words(self) -> str:
        """For people."""
        return f"{self.id} (repeat {self.repeat + 1})" if self.repeat else self.id


@dataclass(frozen=True, slots=True)
class Told:
    """What one strategy said of one answer.

    Attributes:
        position: The question's place in the selection.
        question: The question in natural language.
        db_id: Its database.
        reason: Why the verdict is what it is.
        sql: The statement; `None` when there was none.
        golds: The acceptable statements.
        rows: How many rows the statement returned; `None` where it failed or did not run.
        gold_rows: The same of the first gold that ran.
        evidence: Of the verdict, what `SHOWN` names.
        slices: The slices that the question is in.
        conversation: The conversation that the question is a turn of.
    """

    position: int
    question: str
    db_id: str
    reason: Reason
    sql: str | None
    golds: tuple[str, ...] = ()
    rows: int | None = None
    gold_rows: int | None = None
    evidence: Mapping[str, Any] | None = None
    slices: tuple[str, ...] = ()
    conversation: str | None = None

    @classmethod
    def of(cls, record: ItemRecord, verdict: VerdictRecord, slices: tuple[str, ...]) -> Told:
        """What a record says by one of its verdicts."""
        shown = {key: verdict.evidence[key] for key in SHOWN if key in verdict.evidence}
        if record.predicted is not None and record.predicted.message:
            shown.setdefault("message", record.predicted.message)
        return cls(
            record.position,
            record.question,
            record.db_id,
            Reason(verdict.reason),
            record.sql,
            tuple(gold.sql for gold in record.golds if gold.sql),
            None if record.predicted is None else record.predicted.rows,
            next((gold.rows for gold in record.golds if gold.rows is not None), None),
            shown,
            slices,
            record.conversation,
        )

    @property
    def right(self) -> bool:
        """Whether the answer is."""
        return self.reason.status is Status.CORRECT

    def to_json(self) -> dict[str, Any]:
        """As JSON types, without the question."""
        return {"reason": self.reason.value, "sql": self.sql, "rows": self.rows, "evidence": self.evidence or {}}


class Pair(NamedTuple):
    """One question with both answers, each of which has a verdict.

    Attributes:
        asked: Which.
        baseline: What was said of the baseline's answer.
        candidate: And of the candidate's.
    """

    asked: Asked
    baseline: Told
    candidate: Told

    @property
    def won(self) -> int:
        """1 where only the candidate is right, -1 where only the baseline is, else 0."""
        return self.candidate.right - self.baseline.right

    @property
    def wrong(self) -> Told:
        """What was said of the answer that is wrong, where one is."""
        return self.candidate if self.baseline.right else self.baseline

    @property
    def slices(self) -> tuple[str, ...]:
        """The slices that the question is in, each once."""
        return tuple(dict.fromkeys(chain(self.baseline.slices, self.candidate.slices)))

    def to_json(self) -> dict[str, Any]:
        """As JSON types."""
        return {
            "id": self.asked.id,
            "repeat": self.asked.repeat,
            "db_id": self.baseline.db_id,
            "question": self.baseline.question,
            "gold": list(self.baseline.golds),
            "gold_rows": self.baseline.gold_rows,
            "baseline": self.baseline.to_json(),
            "candidate": self.candidate.to_json(),
        }

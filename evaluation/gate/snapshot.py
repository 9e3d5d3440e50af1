"""What is kept of a cell to pair others with it: no answers and no SQL, one short line per question."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from itertools import zip_longest
from typing import Any, NamedTuple

from evaluation.records import ItemRecord
from evaluation.statistics.clustered import Clustered, Outcome
from evaluation.verdicts import Reason, Status

DIGITS = 16
"""Hexadecimal digits of a digest: a change that is not seen is one in 10^19."""
_LETTERS = {Status.CORRECT: "c", Status.INCORRECT: "i", Status.UNSCORED: "u"}
NOT_ASKED = "-"
_WON = {("c", "c"): 0, ("i", "i"): 0, ("c", "i"): -1, ("i", "c"): 1}
"""What two letters say that are both of a verdict."""


class Kept(NamedTuple):
    """One question.

    Attributes:
        db_id: Its database.
        question: Digest of its text, its evidence and its database.
        golds: Digest of its golds; empty where the run could not say which they are.
        verdicts: A letter per repeat: correct, incorrect, unscored, `-` where it was not asked.
        conversation: The conversation that it is a turn of; also `None` in what was kept before this was.
    """

    db_id: str
    question: str
    golds: str
    verdicts: str
    conversation: str | None = None


@dataclass(frozen=True)
class Snapshot:
    """The repeats of one cell.

    Attributes:
        title: The cell's name.
        kin: The name without the prompt's version.
        runs: The run ids, one per repeat.
        started: When the first of them was, UTC, ISO 8601.
        strategy: The strategy whose verdicts these are, with its settings.
        dataset: SHA-256 of the dataset's files.
        selection: Which of its questions were asked.
        limits: Of statements.
        backend: The engine.
        databases: Fingerprints of the databases' content.
        questions: By their ids.
        removed: Ids that were taken out of the dataset, as somebody has reviewed, before this became a baseline.
    """

    title: str
    kin: str
    runs: tuple[str, ...]
    started: str
    strategy: Mapping[str, Any]
    dataset: str
    selection: Mapping[str, Any]
    limits: Mapping[str, Any]
    backend: str
    databases: Mapping[str, str]
    questions: Mapping[str, Kept]
    removed: tuple[str, ...] = field(default=())

    def __post_init__(self) -> None:
        if "label" not in self.strategy:
            raise ValueError("its strategy has no label")
        if self.when.tzinfo is None:
            raise ValueError("when it was started lacks the offset from UTC")

    @property
    def label(self) -> str:
        """Of the strategy."""
        return str(self.strategy["label"])

    @property
    def when(self) -> datetime:
        """When its first run was started."""
        return datetime.fromisoformat(self.started)

    def count(self, status: Status) -> int:
        """How many answers have this verdict."""
        return sum(kept.verdicts.count(_LETTERS[status]) for kept in self.questions.values())


class Pairs(NamedTuple):
    """What is paired of two cells.

    Attributes:
        clustered: For the statistics, by what answers share; `None` where nothing is scored in both.
        lost: Answers that only the baseline has right.
        won: Answers that only the other has right.
        unscored: Answers that could not be scored in one of both.
        alone: Answers that only one of both has, as where one was repeated more often.
    """

    clustered: Clustered | None
    lost: int
    won: int
    unscored: int
    alone: int = 0


def pairs(baseline: Snapshot, now: Snapshot, changed: frozenset[str] = frozenset()) -> Pairs:
    """Pair the answers to the same questions, repeat by repeat.

    Args:
        baseline: One.
        now: The other.
        changed: Questions that are not the same any more.
    """
    answers: list[Outcome] = []
    unscored = alone = 0
    for question_id, kept in now.questions.items():
        before = baseline.questions.get(question_id)
        if before is None or question_id in changed:
            continue
        for told in zip_longest(before.verdicts, kept.verdicts, fillvalue=NOT_ASKED):
            if NOT_ASKED in told:
                alone += set(told) != {NOT_ASKED}
            elif "u" in told:
                unscored += 1
            elif told in _WON:
                answers.append(Outcome(question_id, before.db_id, kept.conversation, _WON[told]))
    right = Counter(one.won for one in answers)
    return Pairs(Clustered.of(answers) if answers else None, right[-1], right[1], unscored, alone)


def letter(status: Status) -> str:
    """How a verdict is kept."""
    return _LETTERS[status]


def kept_of(record: ItemRecord) -> Kept:
    """What is kept of a question, before its verdicts."""
    golds = golds_of(record)
    reasons = {verdict.reason for verdict in record.verdicts}
    # A question without golds has none, or never came to them: its database was not there.
    unknown = not golds and any(r.status is Status.UNSCORED and r is not Reason.GOLD_MISSING for r in reasons)
    return Kept(record.db_id, digest_of(asked_of(record)), "" if unknown else digest_of(golds), "", record.conversation)


def golds_of(record: ItemRecord) -> list[str]:
    """The golds of a question, or the names of the files that hold their results."""
    return [gold.source or gold.sql for gold in record.golds]


def asked_of(record: ItemRecord) -> list[str]:
    """What makes the question: database, text, evidence."""
    return [record.db_id, record.question, record.evidence]


def digest_of(texts: Sequence[str]) -> str:
    """Of texts in their order, whatever space is around each."""
    return sha256(json.dumps([text.strip() for text in texts]).encode()).hexdigest()[:DIGITS]

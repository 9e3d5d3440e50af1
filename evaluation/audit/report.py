"""What an audit found, for people and for programs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from evaluation.audit.base import Answer, Finding, Probe
from evaluation.audit.subject import Subject


@dataclass(frozen=True)
class AuditLine:
    """The answer of one probe about one gold.

    Attributes:
        position: Of the question in the file, from 0.
        id: The question's own id, else its position.
        db_id: Its database.
        gold: Which of its golds, from 1.
        probe: The probe.
        answer: What it says.
        reason: Why, in one line.
        sql: The statement that shows it.
        rows: The first rows that show it, as JSON values.
    """

    position: int
    id: str
    db_id: str
    gold: int
    probe: str
    answer: Answer
    reason: str
    sql: str | None
    rows: list[list[Any]]

    @classmethod
    def of(cls, subject: Subject, probe: Probe, finding: Finding) -> AuditLine:
        """The line of a finding."""
        return cls(
            position=subject.entry.position,
            id=subject.question.id,
            db_id=subject.question.db_id,
            gold=subject.number,
            probe=probe.name,
            answer=finding.answer,
            reason=" ".join(finding.reason.split()),
            sql=finding.sql,
            rows=[list(row) for row in finding.rows],
        )


@dataclass(frozen=True)
class ProbeCounts:
    """How often one probe gave each answer.

    Attributes:
        name: The probe.
        description: What it looks for.
        fired: Golds (or questions) that have the flaw.
        quiet: Those that do not.
        not_applicable: Those that cannot have it, or of which it cannot be known.
    """

    name: str
    description: str
    fired: int
    quiet: int
    not_applicable: int


@dataclass(frozen=True)
class AuditReport:
    """What an audit found.

    Attributes:
        dataset: As it was named.
        file: The question file.
        backend: The engine.
        engine: Its version.
        questions: How many were examined.
        golds: How many golds these have for the engine.
        without_database: Questions whose database is not there.
        probes: The counts of each probe.
        failed_on: The probes for which the exit code is 1, of those that fired.
        findings: One line per answer.
    """

    dataset: str
    file: str
    backend: str
    engine: str
    questions: int
    golds: int
    without_database: int
    probes: list[ProbeCounts]
    failed_on: list[str]
    findings: list[AuditLine]


def probe_counts(probes: Sequence[Probe], lines: Iterable[AuditLine]) -> list[ProbeCounts]:
    """The counts of each probe."""
    counts = Counter((line.probe, line.answer) for line in lines)
    return [
        ProbeCounts(probe.name, probe.description, *(counts[probe.name, answer] for answer in Answer))
        for probe in probes
    ]


def in_order(lines: Iterable[AuditLine], probes: Sequence[Probe]) -> list[AuditLine]:
    """The lines by question, gold and probe, however they came."""
    places = {probe.name: place for place, probe in enumerate(probes)}
    return sorted(lines, key=lambda line: (line.position, line.gold, places[line.probe]))


def fired_among(lines: Iterable[AuditLine], names: Collection[str]) -> list[str]:
    """Those of the probes that fired."""
    fired = {line.probe for line in lines if line.answer is Answer.FIRED}
    return [name for name in names if name in fired]

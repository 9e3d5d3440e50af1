"""What people said of items at Langfuse, as labels that a judge is held against."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from evaluation.run_log import RunFolder
from evaluation.tracing.server import Server
from evaluation.tracing.subject import Attempt, CopySettings, Subject

_WORDS = {"correct": True, "incorrect": False, "true": True, "false": False, "yes": True, "no": False}


@dataclass
class Labels:
    """The labels of a run.

    Attributes:
        lines: One per item: `id`, `sql` and `label`, as `sqlassay judge calibrate --labels` reads them.
        disputed: Items that people do not agree on: they have no label.
        unclear: Values that are neither correct nor incorrect.
    """

    lines: list[dict[str, str]] = field(default_factory=list)
    disputed: list[str] = field(default_factory=list)
    unclear: list[str] = field(default_factory=list)


def pull(run: RunFolder, server: Server, name: str) -> Labels:
    """The labels that people gave the items of a run.

    Args:
        run: The run.
        server: Where it was published.
        name: The score's: boolean, categorical with correct or incorrect, or numeric with 1 or 0.

    Raises:
        Unavailable: The server does not answer.
        Refused: It does not take the question.
    """
    subject = Subject(run.manifest, CopySettings.of(run.manifest))
    given: dict[str, set[bool]] = {}
    found = Labels()
    for score in server.annotations(name, run.manifest["started"]):
        trace = _trace(score.get("subject") or {})
        verdict = _verdict(score["value"])
        if verdict is None:
            found.unclear.append(str(score["value"]))
        elif trace is not None:
            given.setdefault(trace, set()).add(verdict)
    for attempt, sql in _statements(run):
        item_id, verdicts = attempt.item_id, given.get(subject.trace_id(attempt), set())
        if len(verdicts) > 1:
            found.disputed.append(item_id)
        for verdict in verdicts if len(verdicts) == 1 else ():
            line = {"id": item_id, "label": "correct" if verdict else "incorrect"}
            found.lines.append(line if sql is None else {**line, "sql": sql})
    return found


def _statements(run: RunFolder) -> Iterator[tuple[Attempt, str | None]]:
    return ((Attempt(item["id"], item.get("started", "")), item.get("sql")) for item in run.raw_items())


def _trace(subject: Mapping[str, Any]) -> str | None:
    """The trace that a score is about, whether it was given to all of it or to a step."""
    if subject.get("kind") == "trace":
        return str(subject["id"])
    return str(subject["traceId"]) if subject.get("kind") == "observation" and subject.get("traceId") else None


def _verdict(value: object) -> bool | None:
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return bool(value) if value in (0, 1) else None
    return _WORDS.get(str(value).strip().lower())

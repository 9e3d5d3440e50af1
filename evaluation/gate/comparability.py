"""Whether a baseline can be compared with, and which of its questions are not the same any more."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from typing import Any, NamedTuple

from evaluation.gate.snapshot import DIGITS, Snapshot
from sqlassay.counted import counted, some

SHOWN = 10
"""Ids that a message names before it says how many more there are."""
UNKNOWN = "unknown"
"""In the place of a digest of golds that the run could not say."""


class Kind(StrEnum):
    """What can happen to a question between two runs."""

    GOLD_CHANGED = "gold_changed"
    QUESTION_CHANGED = "question_changed"
    """Its text, its evidence or its database."""
    REMOVED = "removed"
    ADDED = "added"
    FILES_CHANGED = "files_changed"
    """The files of the dataset differ, and no question does."""


class Change(NamedTuple):
    """One change.

    Attributes:
        kind: What has happened.
        id: The question; empty for the files.
        was: Digest of what was before; empty where nothing was.
        now: Digest of what is now; empty where nothing is.
    """

    kind: Kind
    id: str
    was: str
    now: str


_WORDS = {
    Kind.GOLD_CHANGED: ("gold has changed", "golds have changed"),
    Kind.QUESTION_CHANGED: ("question has changed", "questions have changed"),
    Kind.REMOVED: ("question has vanished", "questions have vanished"),
    Kind.ADDED: ("question is new", "questions are new"),
}


def refusals(baseline: Snapshot, now: Snapshot, max_age: float | None) -> Iterator[str]:
    """Why a baseline cannot be compared with, whatever is reviewed.

    Args:
        baseline: What is held against.
        now: The gated cell.
        max_age: Days by which the baseline may be older.
    """
    age = (now.when - baseline.when).total_seconds() / 86_400
    if max_age is not None and age > max_age:
        yield f"it is {age:.1f} days older than the run, and max_age is {max_age:g}"
    if baseline.strategy != now.strategy:
        yield from _settings(baseline.strategy, now.strategy)
    if baseline.selection != now.selection:
        yield f"another selection of questions: {_differing(baseline.selection, now.selection)}"
    if baseline.limits != now.limits:
        yield f"other limits of statements: {_differing(baseline.limits, now.limits)}"
    if baseline.backend != now.backend:
        yield f"another engine: it was {baseline.backend}, now it is {now.backend}"
    both = baseline.databases.keys() & now.databases.keys()
    other = sorted(db_id for db_id in both if baseline.databases[db_id] != now.databases[db_id])
    if other and baseline.backend == now.backend:  # each engine has fingerprints of its own
        yield f"other content of {counted(len(other), 'database')}: {some(other, SHOWN)}"


def changes(baseline: Snapshot, now: Snapshot) -> list[Change]:
    """What has become of the questions."""
    found = [_change(question_id, baseline, now) for question_id in {**baseline.questions, **now.questions}]
    told = [change for several in found for change in several]
    if not told and baseline.dataset != now.dataset:
        return [Change(Kind.FILES_CHANGED, "", baseline.dataset[:DIGITS], now.dataset[:DIGITS])]
    return told


def changes_in_words(found: Iterable[Change]) -> str:
    """How many changes of each kind there are, and of which questions."""
    by_kind: dict[Kind, list[str]] = {}
    for change in found:
        by_kind.setdefault(change.kind, []).append(change.id)
    files = ["the files of the dataset have changed, and no question has"] if Kind.FILES_CHANGED in by_kind else []
    questions = [
        f"{counted(len(ids), *_WORDS[kind])}: {some(ids, SHOWN)}" for kind, ids in by_kind.items() if kind in _WORDS
    ]
    return "; ".join([*questions, *files])


def _change(question_id: str, baseline: Snapshot, now: Snapshot) -> Iterator[Change]:
    before, after = baseline.questions.get(question_id), now.questions.get(question_id)
    if before is None or after is None:
        if before is not None:
            yield Change(Kind.REMOVED, question_id, before.golds or UNKNOWN, "")
        elif after is not None:
            yield Change(Kind.ADDED, question_id, "", after.golds or UNKNOWN)
        return
    if before.question != after.question:
        yield Change(Kind.QUESTION_CHANGED, question_id, before.question, after.question)
    if before.golds != after.golds and before.golds and after.golds:
        yield Change(Kind.GOLD_CHANGED, question_id, before.golds, after.golds)


def _settings(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    if before.get("label") != after.get("label"):
        yield f"it has verdicts of {before.get('label')}, the run is judged by {after.get('label')}"
    else:
        yield f"other settings of {after.get('label')}: {_differing(before, after)}"


def _differing(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    keys = [key for key in {**before, **after} if before.get(key) != after.get(key)]
    return ", ".join(f"{key} was {_value(before.get(key))}, now {_value(after.get(key))}" for key in keys)


def _value(value: Any) -> str:
    if value is None or value in ([], {}):
        return "none"
    told = str(value)
    return told if len(told) <= 80 else f"{told[:79]}…"

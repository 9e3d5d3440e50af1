"""Runs on disk, from records of any kind."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from hypothesis import strategies as st

from database_backends.errors import FailureKind
from evaluation.jsonl import line_of
from evaluation.records import AnswerRecord, CallRecord, ExecutionRecord, ItemRecord, VerdictRecord
from evaluation.run_log import RunFolder
from evaluation.verdicts import Reason

HOSTILE = (
    "=HYPERLINK('http://evil')",
    "+1",
    "-- comment",
    "@SUM(A1)",
    "'=1",
    "\t=1",
    "a|b\\|c",
    "``` x",
    "`",
    "<script>alert(1)",
    "</details><img src=x>",
    "[a](http://evil)",
    "![i](//evil)",
    "@octocat",
    "#12",
    "www.evil.com",
    "https://evil.com",
    "a\nb",
    "a\r\nb",
    '"quoted", twice',
    "nul\0",
    "\x1b[2J",
    "\ufffe",
    "😀" * 3,
    "]]>",
    "&amp;",
    "**b** _i_ ~~s~~",
    "- x",
    "1. x",
    "# h",
    "",
    "| --- |",
    "*",
    "$x$",
    ":bug:",
    "a@b.com",
    "SELECT 1;\n\n\n-- x",
)
TEXTS = st.one_of(st.sampled_from(HOSTILE), st.text(st.characters(exclude_categories=["Cs"]), max_size=30))
"""What anybody may write."""
_COUNTS = st.none() | st.integers(0, 10**9)
_SECONDS = st.floats(0, 1e6)
_ANSWERS = st.builds(
    AnswerRecord,
    prompt_sha256=st.just("p"),
    finish_reason=st.sampled_from(["stop", "length", None]),
    input_tokens=_COUNTS,
    output_tokens=_COUNTS,
    cost=st.none() | st.floats(0, 1e3),
    seconds=_SECONDS,
    cached=st.booleans(),
)
_EXECUTIONS = st.builds(
    ExecutionRecord,
    sql=TEXTS,
    rows=_COUNTS,
    seconds=_SECONDS,
    failure=st.none() | st.sampled_from([kind.value for kind in FailureKind]),
    message=st.none() | TEXTS,
    source=st.none() | TEXTS,
)


def _verdict(strategy: str) -> st.SearchStrategy[VerdictRecord]:
    return st.builds(
        lambda reason, score, missing: VerdictRecord(strategy, reason.status, score, reason, {"missing": [[missing]]}),
        st.sampled_from(Reason),
        st.floats(0, 1),
        TEXTS,
    )


RECORDS = st.builds(
    ItemRecord,
    id=TEXTS,
    position=st.integers(0, 10**6),
    db_id=TEXTS,
    question=TEXTS,
    difficulty=st.none() | TEXTS,
    tags=st.lists(TEXTS, max_size=2).map(tuple),
    conversation=st.none() | TEXTS,
    turn=st.none() | st.integers(0, 9),
    answer=st.none() | _ANSWERS,
    sql=st.none() | TEXTS,
    golds=st.lists(_EXECUTIONS, max_size=2).map(tuple),
    predicted=st.none() | _EXECUTIONS,
    verdicts=st.tuples(_verdict("execution_match"), _verdict("other:a|b")),
    calls=st.lists(st.builds(CallRecord, TEXTS, TEXTS, TEXTS, st.none() | _ANSWERS), max_size=2).map(tuple),
    answered_by=st.none() | TEXTS,
    started=st.just("2026-01-01T00:00:00+00:00"),
    seconds=_SECONDS,
)


def run_folder(
    folder: Path, records: Iterable[ItemRecord], *, status: str = "finished", model: str = "m", tail: bytes = b""
) -> RunFolder:
    """A run as it is on disk."""
    folder.mkdir(parents=True)
    lines = [line_of(record) for record in records]
    manifest = {
        "run_id": folder.name,
        "group": "g",
        "cells": 1,
        "title": f"{model} · a@1 · sqlite",
        "status": status,
        "started": "2026-01-01T00:00:01.5+00:00",
        "experiment": {"name": "trial"},
        "max_instrument_failures": 1,
        "model_label": model,
        "identity": {
            "dataset": {"format": "jsonl", "sha256": "d", "questions": len(lines)},
            "selection": {"limit": None},
            "prompt": {"ref": "a@1", "sha256": "p"},
            "backend": {"name": "sqlite", "engine": "3"},
            "repeat": 0,
            "strategies": [{"label": "execution_match", "version": "1"}, {"label": "other:a|b", "version": "1"}],
        },
    }
    (folder / "manifest.json").write_text(json.dumps(manifest))
    (folder / "items.jsonl").write_bytes(b"".join(lines) + tail)
    return RunFolder(folder)

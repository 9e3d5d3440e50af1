"""Finished runs of a judge with known errors, written as the harness writes them."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from evaluation.calibration.calibration import Against, Calibration, LeftOut, Spent
from evaluation.records import ItemRecord, VerdictRecord
from evaluation.run_log import RunFolder, RunLog
from evaluation.statistics.agreement import Confusion
from evaluation.statistics.flips import Flips
from evaluation.verdicts import JUDGES, NOT_ASKED, Reason

JUDGE, TRUTH = "llm_judge", "execution_match"
LENIENT, HARSH = 0.12, 0.05
OWN = frozenset({Reason.JUDGED_CORRECT, Reason.JUDGED_WRONG, Reason.JUDGE_UNREADABLE, Reason.PROVIDER_DOWN})
"""The reasons of verdicts for which the judge was asked."""
ENTRIES: Sequence[Mapping[str, Any]] = (
    {"label": TRUTH, "name": TRUTH, "version": "1", "convention": "sqlassay"},
    {
        "label": JUDGE,
        "name": JUDGE,
        "version": "1",
        "judges": [
            {
                "name": "openai:gpt-judge",
                "model": {"provider": "openai", "model": "gpt-judge", "base_url": "http://127.0.0.1:1/v1"},
                "parameters": {"temperature": 0},
            }
        ],
        "prompt": {"ref": "judge@1", "sha256": "a" * 64},
        "when": "always",
    },
)
SEEN = Confusion(both_correct=143, lenient=18, harsh=7, both_incorrect=132)
DATASET = {"format": "jsonl", "sha256": "d" * 64, "questions": 0}


def entry(which: str = JUDGE, /, **changes: object) -> dict[str, Any]:
    """A strategy as the run describes it, with changes."""
    return {**next(one for one in ENTRIES if one["label"] == which), **changes}


def verdict(strategy: str, reason: Reason | bool, **evidence: object) -> VerdictRecord:
    """A verdict of a strategy; `True` is a match, `False` are wrong rows."""
    if isinstance(reason, bool):
        reason = Reason.MATCH if reason else Reason.WRONG_ROWS
    return VerdictRecord(strategy, reason.status, float(reason.status.value == "correct"), reason, evidence)


def item(
    number: int,
    judge: Reason | bool | None,
    truth: Reason | bool | None,
    sql: str | None = "SELECT 1",
    **evidence: object,
) -> ItemRecord:
    """One question with what the judge says and what is true; `None` where nothing is said.

    A reason other than the judge's own is what was settled without it.
    """
    verdicts = [verdict(TRUTH, truth)] if truth is not None else []
    if judge is not None:
        if isinstance(judge, bool):
            judge = Reason.JUDGED_CORRECT if judge else Reason.JUDGED_WRONG
        if judge in OWN and NOT_ASKED not in evidence:
            evidence = {JUDGES: {"openai:gpt-judge": "said so"}, **evidence}
        verdicts.append(verdict(JUDGE, judge, **evidence))
    return ItemRecord(f"q{number}", number, "shop", f"Question {number}?", sql=sql, verdicts=tuple(verdicts))


def write_run(
    runs: Path,
    run_id: str,
    items: Iterable[ItemRecord],
    entries: Sequence[Mapping[str, Any]] = ENTRIES,
    *,
    group: str = "",
    dataset: Mapping[str, Any] = DATASET,
    backend: str = "sqlite",
) -> RunFolder:
    """Write a finished run."""
    found = list(items)
    manifest = {
        "format": 1,
        "run_id": run_id,
        "group": group or run_id,
        "cells": 1,
        "title": "good · plain@1 · sqlite",
        "status": "finished",
        "started": f"2026-11-21T00:00:00+00:00 {run_id}",
        "experiment": {"name": "trial", "path": "trial.yaml", "sha256": "0" * 64, "text": ""},
        "model_label": "good",
        "max_instrument_failures": 0.05,
        "identity": {
            "dataset": {**dataset, "questions": len(found)},
            "selection": {},
            "model": {"provider": "replay", "model": "tape"},
            "parameters": {},
            "prompt": {"ref": "plain@1", "sha256": "c" * 64},
            "repeat": 0,
            "backend": {"name": backend, "engine": "3"},
            "strategies": [dict(one) for one in entries],
        },
        "versions": {},
    }

    async def write() -> None:
        log = RunLog(runs / run_id)
        log.begin(manifest)
        await asyncio.gather(*(log.append(record) for record in found))
        await log.close()

    asyncio.run(write())
    return RunFolder(runs / run_id)


def judged(count: int, accuracy: float, seed: int, *, first: int = 0) -> list[ItemRecord]:
    """Items of which a share is correct, judged by a judge with known errors."""
    chance = random.Random(seed)
    items = []
    for number in range(first, first + count):
        true = chance.random() < accuracy
        wrong = chance.random() < (HARSH if true else LENIENT)
        items.append(item(number, true != wrong, true, f"SELECT {number}"))
    return items


def calibration(judge: dict[str, Any] | None = None, confusion: Confusion = SEEN) -> Calibration:
    """What is known of a judge."""
    return Calibration(
        judge or entry(),
        "2026-11-21T12:00:00+00:00",
        Against("execution_match", entry("execution_match"), DATASET, ("one",), ("good",)),
        confusion,
        LeftOut(1, 2, 3),
        Flips(10, 2, 30, 4),
        Flips(0, 0, 0, 0),
        Spent(300, 1.5, 1000, 100),
    )

"""Runs as they are on disk, and the page that is made of them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from evaluation.jsonl import line_of
from evaluation.reports.html import HtmlReport
from evaluation.run_log import RunFolder

STATUS = {"match": "correct", "match_vacuous": "correct", "provider_down": "unscored", "gold_failed": "unscored"}


def run(
    folder: Path,
    items: Iterable[Mapping[str, Any]],
    *,
    name: str = "one",
    total: int | None = None,
    status: str = "finished",
    strategies: Sequence[str] = ("execution_match",),
    **identity: object,
) -> RunFolder:
    """A run with these items; what an item does not say is usual."""
    path = folder / name
    path.mkdir(parents=True)
    lines = [{"position": position, **item} for position, item in enumerate(items)]
    manifest = {
        "run_id": f"trial-{name}",
        "group": "trial",
        "cells": 1,
        "title": f"{name} · zero_shot@1 · sqlite",
        "status": status,
        "started": "2026-01-01T00:00:00+00:00",
        "experiment": {"name": "trial"},
        "max_instrument_failures": 1,
        "model_label": name,
        "identity": {
            "dataset": {"format": "jsonl", "sha256": "d" * 64, "questions": len(lines) if total is None else total},
            "selection": {"limit": None},
            "prompt": {"ref": "zero_shot@1", "sha256": "p"},
            "backend": {"name": "sqlite", "engine": "3"},
            "repeat": 0,
            "strategies": [{"label": label, "name": label.partition(":")[0], "version": "1"} for label in strategies],
            **identity,
        },
    }
    (path / "manifest.json").write_text(json.dumps(manifest))
    (path / "items.jsonl").write_bytes(b"".join(map(line_of, lines)))
    return RunFolder(path)


def verdict(reason: str = "match", strategy: str = "execution_match", **evidence: object) -> dict[str, Any]:
    """A verdict as an item has it."""
    status = STATUS.get(reason, "incorrect")
    return {
        "strategy": strategy,
        "status": status,
        "score": float(status == "correct"),
        "reason": reason,
        "evidence": evidence,
    }


def item(number: int, reason: str = "match", **more: Any) -> dict[str, Any]:
    """An item with one verdict, unless `more` says something else."""
    return {
        "id": f"q{number}",
        "db_id": "shop" if number % 3 else "zoo",
        "question": f"How many things of kind {number}?",
        "difficulty": ("easy", "hard")[number % 2],
        "sql": f"SELECT count(*) FROM things WHERE kind = {number}",
        "golds": [{"sql": f"SELECT count(*) FROM things WHERE kind = {number} AND sold", "rows": 1, "seconds": 0.001}],
        "predicted": {"sql": "", "rows": 1, "seconds": 0.002 * (number + 1)},
        "verdicts": [verdict(reason)],
        **more,
    }


def answered(cost: float | None = 0.001, **more: Any) -> dict[str, Any]:
    """What a model said."""
    tokens = {"input_tokens": 900, "output_tokens": 40}
    return {"prompt_sha256": "", "finish_reason": "stop", "model": "m", "cost": cost, "seconds": 0.5, **tokens, **more}


def page(folder: Path, *runs: RunFolder) -> Path:
    """The page of these runs."""
    path = folder / "report.html"
    HtmlReport().write(runs, path)
    return path

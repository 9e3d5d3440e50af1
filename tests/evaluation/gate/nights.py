"""Nights: runs of one small experiment whose answers are right or wrong as a test says."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.evaluation.world import GOLD, World

FAILING = "SELECT nope"
"""A gold that fails: its question cannot be scored."""


def night(world: World, marks: str, golds: Mapping[str, object] | None = None, **changes: object) -> Path:
    """Run the experiment once.

    Args:
        world: Where.
        marks: Per question q0, q1 and so on: `+` right, `-` wrong, `?` cannot be scored.
        golds: Those that are not as usual, by the question's id; all say the same.
        changes: Of the experiment.

    Returns:
        The folder of the run; of several, of the first.
    """
    before = set(world.run_folders())
    ids = [f"q{number}" for number in range(len(marks))]
    usual = {one: FAILING for one, mark in zip(ids, marks, strict=True) if mark == "?"}
    every = {**dict.fromkeys(ids, GOLD), **usual, **(golds or {})}
    world.questions([{"id": one, "gold": gold} for one, gold in every.items()])
    right = dict(zip(ids, marks, strict=True))
    world.answers({one: GOLD if right.get(one) == "+" else "SELECT 'wrong'" for one in every})
    world.run("run", world.experiment(**changes), "-q")
    return min(set(world.run_folders()) - before)


def manifest_of(run: Path) -> dict[str, Any]:
    """What the run has recorded of itself."""
    content: dict[str, Any] = json.loads((run / "manifest.json").read_text())
    return content


def with_manifest(run: Path, **changes: object) -> Path:
    """Let the run have recorded something else of itself."""
    (run / "manifest.json").write_text(json.dumps({**manifest_of(run), **changes}))
    return run


def forget(run: Path) -> None:
    """Leave nothing of a run but its folder, so that no other takes its id."""
    for file in run.iterdir():
        file.unlink()

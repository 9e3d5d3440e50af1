"""From what a user names to runs and files of predictions."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from evaluation.predictions.reading import SUFFIXES
from evaluation.run_log import MANIFEST, RunFolder
from evaluation.runs import all_runs, find_runs
from sqlassay.errors import UserError

Side = list[RunFolder] | Path
"""Runs, or a file of predictions."""


def find_sides(names: Sequence[str], runs: Path) -> list[Side]:
    """What each name stands for, in their order.

    Args:
        names: A run id, a group of runs, `latest`, the folder of a run or of several, or a file of predictions.
        runs: The folder of runs.

    Raises:
        UserError: There is no such file or folder, or it holds no run, or a side adds nothing to those before it.
        UnknownName: There is no run of this name.
    """
    found: list[Side] = []
    seen: dict[Path, str] = {}
    for name in names:
        side = _find(name, runs)
        places = [side] if isinstance(side, Path) else [run.path for run in side]
        new = {place.resolve(): name for place in places} | seen
        if len(new) == len(seen):
            before = seen[places[0].resolve()]
            same = "is given twice" if before == name else f"is the same as {before}, or a part of it"
            raise UserError(f"{name} {same}", remedy="name another run or file to compare with")
        found.append(side if isinstance(side, Path) else [run for run in side if run.path.resolve() not in seen])
        seen = new
    return found


def names_of(files: Sequence[Path]) -> list[str]:
    """What tells each file from the others: its name, with as many of its folders as that takes."""
    parts = [path.resolve().parts for path in files]
    names = []
    for own in parts:
        others = [other for other in parts if other is not own]
        depth = next((n for n in range(1, len(own)) if all(other[-n:] != own[-n:] for other in others)), len(own))
        names.append("/".join(own[-depth:]))
    return names


def _find(name: str, runs: Path) -> Side:
    path = Path(name).expanduser()
    if path.is_file():
        return path
    if path.is_dir() and not (path / MANIFEST).exists():
        inside = list(all_runs(path))
        if inside:
            return inside
    looks_like_a_path = os.sep in name or path.suffix.lower() in SUFFIXES
    if looks_like_a_path and not (path / MANIFEST).exists():
        what = "holds no run" if path.is_dir() else "there is no such file or folder"
        raise UserError(what, place=name, remedy="name a run, a folder of runs or a file of predictions")
    return find_runs(name, runs)

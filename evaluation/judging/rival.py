"""The answers of another system, for comparing two."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evaluation.datasets.base import Question
from evaluation.history import is_unanswered
from evaluation.predictions.reading import read_predictions
from evaluation.run_log import ITEMS, MANIFEST, RunFolder
from evaluation.runs import find_runs
from sqlassay.errors import UserError


@dataclass(frozen=True)
class Rival:
    """Another system.

    Attributes:
        name: In words.
        sha256: Of the file that its answers are from, in hexadecimal.
        sql_by_id: Its statements by question; empty where it has none, and no entry where that is not its own fault: it
            was not asked this question, or the instrument failed.
        model: What its run remembers its model by; `None` where that is not known.
    """

    name: str
    sha256: str
    sql_by_id: Mapping[str, str]
    model: Mapping[str, Any] | None = None


def read_rival(against: str, path: Path, runs: Path, questions: Callable[[], Iterable[Question]]) -> Rival:
    """The answers of another system.

    Args:
        against: What the user wrote: a run, or a file of predictions in the dataset's order.
        path: The same as a path.
        runs: The folder of runs.
        questions: All questions of the dataset.

    Raises:
        UserError: There is neither, there are several runs, or it cannot be read.
    """
    if path.is_file():
        predictions = read_predictions(path, questions())
        return Rival(path.name, _sha256(path), predictions.sql_by_id)
    try:
        found = [RunFolder(path)] if (path / MANIFEST).is_file() else find_runs(against, runs)
    except UserError as error:
        where = f"{error.place}: " if error.place else ""
        problem = f"against: {against!r} is no file of predictions, and no run: {where}{error.problem}"
        raise UserError(problem, remedy=error.remedy) from error
    if len(found) > 1:
        ids = ", ".join(run.run_id for run in found)
        raise UserError(f"against: {against!r} are {len(found)} runs", remedy=f"name one of {ids}")
    (run,) = found
    texts = {question.id: question.text for question in questions()}
    answers = {
        record.id: record.sql or ""
        for record in run.items()
        if texts.get(record.id) == record.question and not is_unanswered(record)
    }
    return Rival(run.manifest["title"], _sha256(run.path / ITEMS), answers, run.manifest["identity"].get("model"))


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes() if path.exists() else b"").hexdigest()

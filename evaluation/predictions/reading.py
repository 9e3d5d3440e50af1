"""From a prediction file to the SQL of every question."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Literal

from evaluation.datasets.base import Question
from evaluation.datasets.text_file import read_lines
from evaluation.predictions import csv as csv_format
from evaluation.predictions import json as json_format
from evaluation.predictions import jsonl as jsonl_format
from evaluation.predictions import text as text_format
from evaluation.predictions.matching import match
from evaluation.predictions.prediction import SQL_KEYS

PredictionFormat = Literal["text", "json", "jsonl", "csv"]

_BY_SUFFIX: Mapping[str, PredictionFormat] = {
    ".sql": "text",
    ".txt": "text",
    ".json": "json",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".csv": "csv",
}
SUFFIXES = frozenset(_BY_SUFFIX)
"""The endings of files whose format is known by them."""


@dataclass(frozen=True)
class Predictions:
    """The predictions of one system for one whole dataset.

    Attributes:
        file: Where they are from.
        format: How the file was read.
        sql_by_id: The SQL of every question by its id, in the order of the dataset, as it is in the file; empty
            text where there is no SQL.
    """

    file: Path
    format: PredictionFormat
    sql_by_id: Mapping[str, str]


def read_predictions(path: Path, questions: Iterable[Question]) -> Predictions:
    """Read a prediction file and match it to the questions of a dataset.

    Args:
        path: One SQL per line (`.sql`, `.txt`), `.json`, `.jsonl`, `.ndjson` or `.csv`; a file of any other name
            is read as what it looks like.
        questions: All questions of the dataset, before any selection, since files go by position.

    Raises:
        UserError: Not readable, broken at a line, too short or too long, or for another database.
        UnknownName: A prediction for a question that is not in the dataset.
    """
    db_ids: dict[str, str] = {}
    turns: Counter[str | None] = Counter()
    for question in questions:
        db_ids[question.id] = question.db_id
        turns[question.conversation] += 1
    form = _BY_SUFFIX.get(path.suffix.lower()) or _sniffed(path)
    if form == "text":
        sizes = () if None in turns else tuple(turns.values())
        found = list(text_format.read(path, frozenset(db_ids.values()), sizes))
    else:
        read = {"json": json_format.read, "jsonl": jsonl_format.read, "csv": csv_format.read}[form]
        found = list(read(path))
    return Predictions(path, form, match(found, db_ids, path, "line" if form == "text" else "entry"))


def _sniffed(path: Path) -> PredictionFormat:
    """What a file of unknown suffix looks like from its first two lines that are not blank."""
    lines = list(islice((line for line in read_lines(path) if line.strip()), 2))
    first = lines[0] if lines else ""
    if first.lstrip().startswith("["):
        return "json"
    if first.lstrip().startswith("{"):
        return "jsonl" if len(lines) > 1 and _is_json(first) else "json"
    cells = first.strip().split(",")
    return "csv" if len(cells) > 1 and not set(SQL_KEYS).isdisjoint(cells) else "text"


def _is_json(line: str) -> bool:
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return False
    return True

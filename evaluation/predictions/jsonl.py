"""Predictions as JSON Lines, by id or in order."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from evaluation.datasets.json_file import line_records
from evaluation.predictions.prediction import Prediction, from_record


def read(path: Path) -> Iterator[Prediction]:
    """The prediction of every line."""
    return map(from_record, line_records(path))

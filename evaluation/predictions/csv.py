"""Predictions as a CSV table, by id or in order."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from evaluation.datasets.csv_file import row_records
from evaluation.predictions.prediction import Prediction, from_record


def read(path: Path) -> Iterator[Prediction]:
    """The prediction of every row."""
    return map(from_record, row_records(path))

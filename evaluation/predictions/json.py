"""Predictions as one JSON value: an object by position or id (as BIRD's), or an array."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from evaluation.datasets.json_file import load_json
from evaluation.datasets.record import Record, kind
from evaluation.predictions.prediction import Prediction, from_record, from_value
from sqlassay.errors import UserError


class _Pairs(dict[str, Any]):
    """A JSON object that still knows whether a key came twice."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        self.pairs = pairs


def read(path: Path) -> Iterator[Prediction]:
    """The predictions of an object, keyed, or of an array of texts or objects, in order."""
    value = load_json(path, pairs=_Pairs)
    if isinstance(value, _Pairs):
        for key, sql in value.pairs:
            yield from_value(sql, f"{path}, key {key!r}", key, may_be_position=True)
    elif isinstance(value, list):
        for number, entry in enumerate(value, start=1):
            record = Record(path, "entry", number, entry if isinstance(entry, dict) else {})
            yield from_record(record) if isinstance(entry, dict) else from_value(entry, record.place)
    else:
        raise UserError(
            f"holds {kind(value)}, not predictions",
            place=str(path),
            remedy="write an object of SQL by question id, or a list",
        )

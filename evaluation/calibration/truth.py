"""What a judge is held against: another strategy of the same run, or labels in a file."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from evaluation.datasets.csv_file import row_records
from evaluation.datasets.json_file import array_or_line_records
from evaluation.datasets.record import Record
from evaluation.predictions.prediction import ID_KEYS, SQL_KEYS
from evaluation.records import ItemRecord, VerdictRecord
from evaluation.verdicts import Status
from sqlassay.errors import UnknownName, UserError

LABEL = "label"
"""The key of the label in a file of labels."""
_WORDS = {"correct": True, "incorrect": False, "true": True, "false": False}


class Truth(ABC):
    """Says of statements whether they are correct.

    Attributes:
        name: For people.
        identity: What it says depends on; JSON types.
    """

    name: str
    identity: Mapping[str, Any]

    @abstractmethod
    def of(self, record: ItemRecord) -> bool | None:
        """Whether the statement of an item is correct; `None` where that is not known."""


class StrategyTruth(Truth):
    """The verdicts of another strategy.

    Args:
        entry: The strategy, as the run describes it.
    """

    def __init__(self, entry: Mapping[str, Any]) -> None:
        self.name = str(entry["label"])
        self.identity = entry

    def of(self, record: ItemRecord) -> bool | None:
        """Its verdict; `None` where it left the item unscored."""
        verdict = verdict_of(record, self.name)
        return None if verdict is None or verdict.status is Status.UNSCORED else verdict.status is Status.CORRECT


class LabelledTruth(Truth):
    """Labels in a file, such as people's: `id` and `label`, and the `sql` that was labelled, where it is there.

    Args:
        path: JSON Lines, a JSON array, or CSV.

    Raises:
        UserError: Not readable, an entry without `id` or `label`, or a question that is labelled twice.
        UnknownName: A label that is neither `correct` nor `incorrect`.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        read = row_records if path.suffix.lower() == ".csv" else array_or_line_records
        self._found: dict[str, tuple[Record, bool]] = {}
        for record in read(path):
            id_ = next((record.identifier(key) for key in ID_KEYS if record.has(key)), None)
            if id_ is None:
                raise UserError("has no 'id'", place=record.place, remedy="give the id of the question")
            if id_ in self._found:
                first = self._found[id_][0]
                raise UserError(
                    f"question {id_!r} is labelled twice, first at {first.unit} {first.number}",
                    place=record.place,
                    remedy="keep one of the labels",
                )
            self._found[id_] = record, _label(record)
        if not self._found:
            raise UserError("holds no labels", place=str(path), remedy="one line per question, with id and label")
        self.name = path.name
        self.identity = {"file": path.name, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
        self._labelled: dict[str, str | None] = {}

    def of(self, record: ItemRecord) -> bool | None:
        """The label of the item's question; `None` where it has none.

        Raises:
            UserError: The label is for another statement.
        """
        if record.id not in self._found:
            return None
        entry, label = self._found[record.id]
        sql = next((entry.optional_text(key) for key in SQL_KEYS if entry.has(key)), None)
        if sql is not None and sql.strip() != (record.sql or "").strip():
            raise UserError(
                f"the label of question {record.id!r} is for another statement than the run's",
                place=entry.place,
                remedy="name the run that was labelled",
            )
        if self._labelled.setdefault(record.id, record.sql) != record.sql:
            raise UserError(
                f"question {record.id!r} has one label, and these runs have several statements for it",
                place=entry.place,
                remedy="name one run",
            )
        return label

    def require_used(self, known: set[str]) -> None:
        """See to it that every label was for a question of the runs.

        Args:
            known: The ids of the questions that were asked.

        Raises:
            UnknownName: One was not.
        """
        for id_, (record, _) in self._found.items():
            if id_ not in known:
                raise UnknownName("question", id_, known, place=record.place)


def verdict_of(record: ItemRecord, label: str) -> VerdictRecord | None:
    """What a strategy said of an item; `None` where it said nothing."""
    return next((verdict for verdict in record.verdicts if verdict.strategy == label), None)


def _label(record: Record) -> bool:
    value = record.fields.get(LABEL)
    if value is None or value == "":
        raise UserError(f"has no {LABEL!r}", place=record.place, remedy="correct or incorrect")
    known = _WORDS.get(str(value).strip().lower())
    if known is None:
        raise UnknownName(LABEL, str(value), ("correct", "incorrect"), place=record.place)
    return known

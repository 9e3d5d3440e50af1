"""Our own question format, the same in JSON Lines and in CSV."""

from __future__ import annotations

from collections.abc import Mapping

from evaluation.datasets.base import Question
from evaluation.datasets.file_dataset import FileDataset
from evaluation.datasets.record import Record
from sqlassay.errors import UnknownName

KEYS = ("id", "question", "db_id", "gold", "evidence", "difficulty", "tags", "conversation", "turn")
"""Every key there is; only `question` and `db_id` must be there."""

DEFAULT_DIALECT = "default"
"""The key, among dialects, of the gold for every dialect that is not named."""


class NativeDataset(FileDataset):
    """Questions with the keys of `KEYS`; any other key is an error.

    `gold` is one SQL text, a list of acceptable ones, or an object of either per sqlglot dialect, where
    `default` stands for every dialect that is not named.
    """

    id_key = "id"
    database_folders = ("databases", "database")

    def question(self, record: Record, question_id: str) -> Question:
        """The question that a record holds."""
        record.only(KEYS)
        gold, gold_by_dialect = _golds(record)
        return Question(
            id=question_id,
            text=record.text("question"),
            db_id=record.text("db_id"),
            gold=gold,
            gold_by_dialect=gold_by_dialect,
            evidence=record.optional_text("evidence") or "",
            difficulty=record.optional_text("difficulty"),
            tags=record.texts("tags"),
            turn=record.optional_count("turn"),
            conversation=record.identifier("conversation"),
        )


def _golds(record: Record) -> tuple[tuple[str, ...], Mapping[str, tuple[str, ...]]]:
    value = record.fields.get("gold")
    if not isinstance(value, dict):
        return record.texts("gold"), {}
    # Only datasets with gold per dialect pay for this import.
    from sqlglot.dialects.dialect import Dialect, Dialects

    golds = {}
    for dialect, texts in value.items():
        if dialect != DEFAULT_DIALECT and Dialect.get(dialect) is None:
            known = [DEFAULT_DIALECT, *(known.value for known in Dialects if known.value)]
            raise UnknownName("dialect", dialect, known, place=record.place)
        golds[dialect] = record.as_texts("gold", texts)
    return golds.pop(DEFAULT_DIALECT, ()), golds

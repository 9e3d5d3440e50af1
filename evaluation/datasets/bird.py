"""BIRD dev, train and mini-dev (Li et al. 2023, https://bird-bench.github.io)."""

from __future__ import annotations

from collections.abc import Iterator

from evaluation.datasets.base import Question
from evaluation.datasets.bird_descriptions import FOLDER, read_descriptions
from evaluation.datasets.databases import is_plain_name
from evaluation.datasets.describing import CanDescribeColumns, Descriptions
from evaluation.datasets.file_dataset import FileDataset
from evaluation.datasets.json_file import array_or_line_records
from evaluation.datasets.record import Record


class BirdDataset(FileDataset, CanDescribeColumns):
    """A JSON array, or one object per line, with BIRD's keys.

    They are `question_id`, `db_id`, `question`, `evidence`, `SQL` and `difficulty`; other keys are not read.
    Mini-dev as published in 2024 has the ids 137 and 138 twice: read it with ids by position. Training
    questions have no ids and get theirs by position. `database_description` beside a database describes its columns.
    """

    name = "bird"
    id_key = "question_id"
    file_patterns = (
        "dev.json",
        "dev.jsonl",
        "train.json",
        "mini_dev*.json",
        "mini_dev*.jsonl",
    )
    database_folders = (
        "dev_databases",
        "databases",
        "database",
        "train_databases",
        "../dev_databases",
        "../databases",
        "../database",
        "../train_databases",
    )

    def records(self) -> Iterator[Record]:
        """The entries of the array, or the lines."""
        return array_or_line_records(self.question_file)

    def question(self, record: Record, question_id: str) -> Question:
        """The question that an entry holds."""
        return Question(
            id=question_id,
            text=record.text("question"),
            db_id=record.text("db_id"),
            gold=record.texts("SQL"),
            evidence=record.optional_text("evidence") or "",
            difficulty=record.optional_text("difficulty"),
        )

    def descriptions(self, db_id: str) -> Descriptions:
        """As the CSV files beside the database have them; none where they are not there."""
        if not is_plain_name(db_id):
            return {}
        folders = (folder / db_id / FOLDER for folder in self._database_folders())
        return next((read_descriptions(folder) for folder in folders if folder.is_dir()), {})

"""Spider 1.0 (Yu et al. 2018, https://yale-lily.github.io/spider) and datasets of its shape."""

from __future__ import annotations

from collections.abc import Iterator

from evaluation.datasets.base import Question
from evaluation.datasets.file_dataset import FileDataset
from evaluation.datasets.json_file import array_records
from evaluation.datasets.record import Record


class SpiderDataset(FileDataset):
    """A JSON array of `db_id`, `question` and `query`; other keys are not read.

    Questions have no ids of their own, so positions from 0 are their ids. `dev.json` is read when the path is
    a folder that has one.
    """

    name = "spider"
    file_patterns = ("dev.json", "test.json", "train.json", "train_spider.json", "train_others.json")
    default_file = "dev.json"
    database_folders = ("database", "databases", "test_database")

    def records(self) -> Iterator[Record]:
        """The entries of the array."""
        return array_records(self.question_file)

    def question(self, record: Record, question_id: str) -> Question:
        """The question that an entry holds."""
        return Question(
            id=question_id,
            text=record.text("question"),
            db_id=record.text("db_id"),
            gold=record.texts("query"),
        )

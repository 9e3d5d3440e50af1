"""Spider 1.0 (Yu et al. 2018, https://yale-lily.github.io/spider) and datasets of its shape."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import ClassVar

from evaluation.datasets.base import Question
from evaluation.datasets.describing import CanDescribe
from evaluation.datasets.file_dataset import FileDataset
from evaluation.datasets.json_file import array_records
from evaluation.datasets.record import Record
from evaluation.datasets.spider_tables import read_tables, schema_of
from evaluation.spider_sql.annotation import read_annotation
from evaluation.spider_sql.hardness import hardness_of
from sqlassay.schema import Schema


class SpiderDataset(FileDataset, CanDescribe):
    """A JSON array of `db_id`, `question`, `query` and `sql`; other keys are not read.

    Questions have no ids of their own, so positions from 0 are their ids. `dev.json` is read when the path is
    a folder that has one. The difficulty is Spider's hardness of `sql`, which is the gold taken apart; a question
    without it is not graded. `tables.json` beside the question file describes the databases.
    """

    name = "spider"
    file_patterns: ClassVar[tuple[str, ...]] = (
        "dev.json",
        "test.json",
        "train.json",
        "train_spider.json",
        "train_others.json",
    )
    default_file = "dev.json"
    database_folders = ("database", "databases", "test_database")

    @property
    def files(self) -> tuple[Path, ...]:
        """The question file, and `tables.json` where it is there."""
        return (self.question_file, *([self._tables_file] if self._tables_file.is_file() else []))

    def records(self) -> Iterator[Record]:
        """The entries of the array."""
        return array_records(self.question_file)

    def question(self, record: Record, question_id: str) -> Question:
        """The question that an entry holds."""
        annotation = read_annotation(record.fields.get("sql"))
        return Question(
            id=question_id,
            text=record.text("question"),
            db_id=record.text("db_id"),
            gold=record.texts("query"),
            difficulty=None if annotation is None else hardness_of(annotation),
        )

    def schema(self, db_id: str) -> Schema | None:
        """As `tables.json` has it; `None` when it has not."""
        record = self._tables.get(db_id)
        return None if record is None else schema_of(record)

    @cached_property
    def _tables(self) -> Mapping[str, Record]:
        return read_tables(self._tables_file)

    @property
    def _tables_file(self) -> Path:
        return self.question_file.with_name("tables.json")

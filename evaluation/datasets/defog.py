"""Defog's sql-eval question files (https://github.com/defog-ai/sql-eval, `data/*.csv`)."""

from __future__ import annotations

from collections.abc import Iterator

from evaluation.datasets.base import Question
from evaluation.datasets.csv_file import row_records
from evaluation.datasets.databases import is_plain_name
from evaluation.datasets.defog_metadata import read_metadata
from evaluation.datasets.defog_notation import expand
from evaluation.datasets.describing import CanDescribeColumns, Descriptions
from evaluation.datasets.file_dataset import FileDataset
from evaluation.datasets.record import Record


class DefogDataset(FileDataset, CanDescribeColumns):
    """A CSV table of `question`, `db_name`, `query`, `query_category` and `instructions`.

    Other columns are not read. `query` may hold several golds in the notation of `defog_notation`; the category
    becomes a tag, the instructions become the evidence. Positions from 0 are the ids.
    `metadata/<db_name>.json` describes the columns of a database.
    """

    name = "defog"
    file_patterns = ("*.csv",)
    database_folders = ("sqlite_derived", "databases", "../sqlite_derived", "../databases")

    def records(self) -> Iterator[Record]:
        """The rows."""
        return row_records(self.question_file, required=("question", "db_name"))

    def question(self, record: Record, question_id: str) -> Question:
        """The question that a row holds."""
        return Question(
            id=question_id,
            text=record.text("question"),
            db_id=record.text("db_name"),
            gold=expand(record.optional_text("query") or "", record.place),
            evidence=record.optional_text("instructions") or "",
            tags=record.texts("query_category"),
        )

    def descriptions(self, db_id: str) -> Descriptions:
        """As the database's file in `metadata` has them; none where it is not there."""
        if not is_plain_name(db_id):
            return {}
        files = (folder / f"{db_id}.json" for folder in self._beside("metadata", "../metadata"))
        return next((read_metadata(file) for file in files if file.is_file()), {})

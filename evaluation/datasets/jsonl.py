"""Our own question format as JSON Lines."""

from __future__ import annotations

from collections.abc import Iterator

from evaluation.datasets.json_file import line_records
from evaluation.datasets.native import NativeDataset
from evaluation.datasets.record import Record


class JsonlDataset(NativeDataset):
    """One question per line as a JSON object; read as a stream, so that a file may be of any length."""

    name = "jsonl"
    file_patterns = ("*.jsonl",)

    def records(self) -> Iterator[Record]:
        """The lines."""
        return line_records(self.question_file)

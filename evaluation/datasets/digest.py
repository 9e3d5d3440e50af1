"""What a run remembers a dataset by."""

from __future__ import annotations

import hashlib

from evaluation.datasets.base import Dataset


def dataset_digest(dataset: Dataset) -> str:
    """The SHA-256 of the question file, in hexadecimal."""
    with dataset.question_file.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

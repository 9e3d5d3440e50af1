"""What a run remembers a dataset by."""

from __future__ import annotations

import hashlib

from evaluation.datasets.base import Dataset
from evaluation.datasets.text_file import open_file


def dataset_digest(dataset: Dataset) -> str:
    """The SHA-256 of the question file, in hexadecimal.

    Raises:
        UserError: The file cannot be read.
    """
    with open_file(dataset.question_file) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

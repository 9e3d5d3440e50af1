"""What a run remembers a dataset by."""

from __future__ import annotations

import hashlib
from pathlib import Path

from evaluation.datasets.base import Dataset
from evaluation.datasets.text_file import open_file


def dataset_digest(dataset: Dataset) -> str:
    """The SHA-256 of the question file, in hexadecimal; of the list of all files with theirs where there are more.

    Raises:
        UserError: A file cannot be read.
    """
    digests = {path: _file_digest(path) for path in dataset.files}
    if len(digests) == 1:
        return digests[dataset.question_file]
    folder = dataset.question_file.parent
    listed = "".join(f"{digest} {path.relative_to(folder).as_posix()}\n" for path, digest in digests.items())
    return hashlib.sha256(listed.encode("utf-8", "surrogateescape")).hexdigest()


def _file_digest(path: Path) -> str:
    with open_file(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

"""From `FORMAT:PATH` to a dataset."""

from __future__ import annotations

from pathlib import Path

from evaluation.datasets.base import DATASETS, Dataset, Ids
from sqlassay.errors import UserError


def open_dataset(spec: str, *, databases: str | Path | None = None, ids: Ids = "field") -> Dataset:
    """The dataset that a specification names.

    Args:
        spec: `FORMAT:PATH`, such as `spider:data/spider`; the path is all that follows the first colon.
        databases: The folder of the databases; `None` looks where the format puts them.
        ids: `field` takes the dataset's own ids where it has them; `position` counts from 0.

    Raises:
        UserError: Not of this form, or the file or folder is not there.
        UnknownName: No such format.
    """
    name, colon, path = spec.partition(":")
    if not (colon and name and path):
        raise UserError(
            f"dataset {spec!r} is not of the form FORMAT:PATH",
            remedy=f"such as spider:data/spider; formats: {', '.join(DATASETS.names())}",
        )
    folder = None if databases is None else Path(databases).expanduser()
    return DATASETS.get(name)(Path(path).expanduser(), databases=folder, ids=ids)

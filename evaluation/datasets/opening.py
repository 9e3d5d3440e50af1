"""From `FORMAT:PATH`, or an experiment, to a dataset."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from evaluation.datasets.base import DATASETS, Dataset, Ids
from evaluation.datasets.selection import Selection
from sqlassay.errors import UserError

if TYPE_CHECKING:
    from evaluation.experiment import DatasetSection, ExperimentFile


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


def open_section(
    file: ExperimentFile, section: DatasetSection, key: Literal["dataset", "examples"] = "dataset"
) -> tuple[Dataset, Selection]:
    """A dataset of an experiment, and which of its questions count.

    Args:
        file: The experiment.
        section: Names the dataset.
        key: Where it stands.

    Raises:
        UserError: The file or folder is not there, or the selection makes no sense.
        UnknownName: No such format.
    """
    databases = None if section.databases is None else file.resolve(section.databases)
    with file.at(key, "format"):
        dataset = DATASETS.get(section.format)
    with file.at(key, "path"):
        path = file.resolve(section.path) if dataset.is_file else Path(section.path)
        opened = dataset(path, databases=databases, ids=section.ids)
    filters = tuple((name, value) for name, values in section.filter.items() for value in values)
    with file.at(key):
        return opened, Selection(section.limit, section.sample, section.seed, filters, section.only)

"""The databases that arguments name: `ENGINE:TARGET`, an engine and a dataset, or an experiment."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from database_backends.base import BACKENDS, DatabaseBackend
from database_backends.spec import engine_and_target
from evaluation.databases import Databases
from evaluation.datasets.opening import open_dataset, open_section
from sqlassay.errors import UserError

if TYPE_CHECKING:
    from evaluation.datasets.base import Dataset

_EXPERIMENTS = frozenset({".yaml", ".yml"})


@dataclass(frozen=True)
class Named:
    """One database.

    Attributes:
        backend: The engine.
        target: Where it is; `None` where the dataset has no file for the engine.
        db_id: Its name in the dataset; empty where there is no dataset.
        dataset: The dataset.
    """

    backend: type[DatabaseBackend]
    target: str | None
    db_id: str = ""
    dataset: Dataset | None = None

    def counterpart(self, spec: str) -> Named:
        """The database of the same name that `ENGINE:TARGET`, or an engine alone, names.

        Raises:
            UserError: It cannot be told which.
        """
        if self.dataset is None:
            return _alone(spec)
        name, target = _engine_and_target(spec)
        databases = Databases(self.dataset, name, target or None)
        return Named(databases.backend, databases.target(self.db_id), self.db_id, self.dataset)


def databases_named(arguments: Sequence[str], dataset: str | None, folder: Path | None) -> list[Named]:
    """What the arguments name, each database once.

    Args:
        arguments: `ENGINE:TARGET`, where `{db_id}` in the target stands for each database of the dataset; an engine
            alone, for the dataset's own files; or an experiment file, for all its backends.
        dataset: `FORMAT:PATH`.
        folder: Of its databases, where the format does not find it.

    Raises:
        UserError: They name nothing, or what they need is missing.
        UnknownName: No such engine or format.
    """
    opened = None if dataset is None else open_dataset(dataset, databases=folder)
    found = [named for argument in arguments for named in _named(argument, opened)]
    return list(
        {(one.backend.name, one.target, one.db_id if one.target is None else ""): one for one in found}.values()
    )


def _named(argument: str, dataset: Dataset | None) -> Iterator[Named]:
    if Path(argument).suffix in _EXPERIMENTS and engine_and_target(argument)[0] not in BACKENDS.names():
        yield from _of_experiment(Path(argument))
    elif dataset is None:
        yield _alone(argument)
    else:
        name, target = _engine_and_target(argument)
        yield from _of_dataset(dataset, name, target or None, (question.db_id for question in dataset.questions()))


def _of_experiment(path: Path) -> Iterator[Named]:
    from evaluation.experiment import read_experiment

    file = read_experiment(path)
    dataset, selection = open_section(file, file.experiment.dataset)
    db_ids = [question.db_id for question in selection.apply(dataset.questions())]
    for index, section in enumerate(file.experiment.backends):
        with file.at("backends", index):
            yield from _of_dataset(dataset, section.backend, section.target, db_ids)


def _of_dataset(dataset: Dataset, name: str, target: str | None, db_ids: Iterable[str]) -> Iterator[Named]:
    databases = Databases(dataset, name, target)
    for db_id in dict.fromkeys(db_ids):
        yield Named(databases.backend, databases.target(db_id), db_id, dataset)


def _alone(spec: str) -> Named:
    name, target = _engine_and_target(spec)
    backend = BACKENDS.get(name)
    if not target:
        raise UserError(f"{spec!r} names no database", remedy=f"add where it is, as {name}:…, or a --dataset")
    if "{db_id}" in target:
        raise UserError("{db_id} stands for the databases of a dataset, and there is none", remedy="add --dataset")
    return Named(backend, str(Path(target).expanduser()) if backend.embedded else target)


def _engine_and_target(spec: str) -> tuple[str, str]:
    name, target = engine_and_target(spec)
    if ":" not in spec and name not in BACKENDS.names():
        raise UserError(f"{spec!r} is not ENGINE:TARGET", remedy="such as sqlite:shop.sqlite")
    return name, target

"""The databases of a dataset on a server, each in a schema of its own."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from database_backends import fingerprint
from database_backends.base import BACKENDS, DatabaseBackend
from database_backends.errors import BackendError
from database_backends.loading.base import CanLoad, SourceTable
from database_backends.loading.sqlite import SQLiteSource
from database_backends.sqlite import SQLiteBackend
from evaluation.databases import fill
from evaluation.datasets.base import Dataset
from sqlassay.errors import UserError

FORMAT = 1
"""Counted up when the same file would be moved differently."""


@dataclass(frozen=True)
class Moved:
    """What became of one database.

    Attributes:
        db_id: Its name in the dataset.
        state: `loaded`, `unchanged` (the server has this very content), `missing` (the dataset has no such file), or
            `failed`.
        tables: How many were loaded.
        rows: How many were loaded.
        seconds: How long it took.
        left_out: Keys that the rows do not keep, in words.
        message: Why it failed.
    """

    db_id: str
    state: str
    tables: int = 0
    rows: int = 0
    seconds: float = 0.0
    left_out: Sequence[str] = ()
    message: str = ""

    @property
    def usable(self) -> bool:
        """Whether the server has the content."""
        return self.state in ("loaded", "unchanged")


class Mover:
    """Moves the SQLite databases of a dataset.

    Args:
        dataset: Knows where its files are.
        engine: The registered name of the engine that they go to.
        template: Where to, with `{db_id}` in the place of the name.
        grant: Accounts that may read them.
        again: Load also what the server has already.

    Raises:
        UserError: The engine cannot be filled, or all databases would go to one place.
    """

    def __init__(
        self, dataset: Dataset, engine: str, template: str, *, grant: Iterable[str] = (), again: bool = False
    ) -> None:
        backend: type[DatabaseBackend] = BACKENDS.get(engine)
        if not issubclass(backend, CanLoad):
            raise UserError(
                f"backend {engine!r} cannot be loaded",
                remedy="load into postgres or mysql; Trino reads either: --as trino://host:8080/postgresql/{db_id}",
            )
        self._loading: type[CanLoad] = backend
        self._backend = backend
        self.dataset = dataset
        self._template = template
        self._grant = tuple(grant)
        self._again = again

    def source(self, db_id: str) -> Path | None:
        """The SQLite file of a database."""
        return self.dataset.database(db_id, SQLiteBackend.file_suffixes)

    def tables(self, db_id: str) -> list[SourceTable]:
        """The tables of a database, as they are moved.

        Raises:
            BackendError: The file is not there or cannot be read.
        """
        with closing(SQLiteSource(self._file(db_id))) as source:
            return source.tables()

    def _file(self, db_id: str) -> Path:
        path = self.source(db_id)
        if path is None:
            raise UserError(f"no SQLite database {db_id!r}", place=str(self.dataset.path))
        return path

    def move(self, db_ids: Iterable[str], *, progress: Callable[[int], object]) -> Iterator[Moved]:
        """Move databases one after another.

        Args:
            db_ids: Their names.
            progress: Called with the number of rows that have just been moved.

        Raises:
            UserError: All would go to one place.
        """
        wanted = list(dict.fromkeys(db_ids))
        if len(wanted) > 1 and "{db_id}" not in self._template:
            raise UserError(
                f"{len(wanted)} databases would go to one place", remedy="write {db_id} where their names differ"
            )
        for db_id in wanted:
            began = time.monotonic()
            try:
                yield self._move(db_id, progress, began)
            except (BackendError, UserError) as error:
                message = error.message if isinstance(error, BackendError) else str(error)
                yield Moved(db_id, "failed", seconds=time.monotonic() - began, message=message)

    def _move(self, db_id: str, progress: Callable[[int], object], began: float) -> Moved:
        path = self.source(db_id)
        if path is None:
            return Moved(db_id, "missing")
        mark = f"{fingerprint.of_file(path)} format {FORMAT}"
        target = fill(self._template, db_id, self._backend)
        with self._loading.loader(target) as loader, closing(SQLiteSource(path)) as source:
            if loader.mark() == mark and not self._again:
                moved = Moved(db_id, "unchanged", seconds=time.monotonic() - began)
            else:
                loaded = loader.load(source, mark, progress=progress)
                seconds = time.monotonic() - began
                moved = Moved(db_id, "loaded", loaded.tables, loaded.rows, seconds, tuple(loaded.left_out))
            for account in self._grant:
                loader.grant(account)
        return moved

"""The databases of one dataset on one engine: where they are, what they hold, which content they have."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from functools import lru_cache
from typing import Self
from urllib.parse import quote

from database_backends.base import BACKENDS, DatabaseBackend
from database_backends.errors import BackendError, FailureKind
from database_backends.spec import engine_and_target
from evaluation.datasets.base import Dataset
from evaluation.datasets.describing import CanDescribe, CanDescribeColumns, described
from evaluation.sampling import with_samples
from prompts.schema_text.style import SchemaStyle
from prompts.schema_text.text import SchemaText
from sqlassay.errors import UserError
from sqlassay.schema import Schema


def fill(template: str, db_id: str, backend: type[DatabaseBackend]) -> str:
    """A target with the name of a database in the place of `{db_id}`; for servers in lower case, as they fold names."""
    return template.replace("{db_id}", db_id if backend.embedded else quote(db_id.lower(), safe=""))


class Databases:
    """Finds the database of a `db_id` and reads what the flow needs to know of it, once each.

    Args:
        dataset: Knows where its own database files are.
        backend: The registered name of the engine.
        target: Where the databases are instead, with `{db_id}` in the place of the name; needed for servers.

    Raises:
        UserError: There is no such engine, or it needs a target.
    """

    def __init__(self, dataset: Dataset, backend: str, target: str | None = None) -> None:
        self.backend: type[DatabaseBackend] = BACKENDS.get(backend)
        if target is None and not self.backend.file_suffixes:
            raise UserError(
                f"backend {backend!r} is a server and needs a target",
                remedy=f"{backend}://user@host/… on the command line, `target:` in an experiment file",
            )
        self._dataset = dataset
        self._template = target
        self.target = lru_cache(maxsize=None)(self._find)
        self.schema = lru_cache(maxsize=256)(self._describe)
        self.tables = lru_cache(maxsize=256)(self._read_tables)
        self.schema_text = lru_cache(maxsize=256)(self._read_schema)
        self.fingerprint = lru_cache(maxsize=None)(self._read_fingerprint)
        self.engine_version = lru_cache(maxsize=None)(self._read_engine_version)

    @classmethod
    def of(cls, dataset: Dataset, spec: str) -> Self:
        """Those that `ENGINE` or `ENGINE:TARGET` names.

        Raises:
            UserError: There is no such engine, or it needs a target.
        """
        name, target = engine_and_target(spec)
        return cls(dataset, name, target or None)

    def require(self, db_id: str) -> str:
        """Where the database is.

        Raises:
            UserError: There is none.
        """
        target = self.target(db_id)
        if target is None:
            raise UserError(f"no database {db_id!r} for {self.backend.title}", place=str(self._dataset.path))
        return target

    def require_any(self, db_ids: Iterable[str]) -> None:
        """Refuse a dataset of which not a single database is there: its folder must be another one.

        Raises:
            UserError: None of these is there.
        """
        wanted = sorted(set(db_ids))
        if wanted and not any(self.target(db_id) for db_id in wanted):
            shown = ", ".join(wanted[:3]) + (", …" if len(wanted) > 3 else "")
            raise UserError(
                f"none of its databases is there for {self.backend.title}: {shown}",
                place=str(self._dataset.path),
                remedy="name their folder: --databases DIR, or `databases:` in the experiment file",
            )

    def engine(self, db_ids: Iterable[str]) -> str:
        """The version of the engine that reads these, as the first that can be opened tells; empty if none can.

        Raises:
            UserError: It is a server, and it does not let us in, or has none of these.
        """
        missing: BackendError | None = None
        for target in filter(None, map(self.target, dict.fromkeys(db_ids))):
            try:
                return self.engine_version(target)
            except BackendError as error:
                if not self.backend.embedded and error.kind is FailureKind.CONNECTION:
                    raise UserError(error.message, remedy="`sqlassay backends check` says what is wrong") from error
                missing = missing or error
        if missing is not None and not self.backend.embedded:
            raise UserError(
                f"none of its databases is there for {self.backend.title}: {missing.message}",
                remedy="`sqlassay backends load` copies them to a server",
            )
        return ""

    def fingerprints(self, db_ids: Iterable[str]) -> dict[str, str]:
        """Which content each of these has; those that cannot be opened are left out."""
        found = {}
        for db_id in db_ids:
            target = self.target(db_id)
            with suppress(BackendError):
                if target is not None:
                    found[db_id] = self.fingerprint(target)
        return found

    def _find(self, db_id: str) -> str | None:
        """Where the database is; `None` when the dataset has none of that name for this engine."""
        if self._template is not None:
            return fill(self._template, db_id, self.backend)
        path = self._dataset.database(db_id, self.backend.file_suffixes)
        return None if path is None else str(path)

    def _describe(self, db_id: str) -> Schema:
        """The tables of a database: as the dataset describes them, else as they are.

        Raises:
            UserError: The dataset's description cannot be read, or there is neither it nor a database.
            BackendError: The database cannot be opened.
        """
        described = self._dataset.schema(db_id) if isinstance(self._dataset, CanDescribe) else None
        if described is not None:
            return described
        return self.tables(self.require(db_id))

    def _read_tables(self, target: str) -> Schema:
        """The tables of the database at `target`, as they are.

        Raises:
            BackendError: It cannot be opened.
        """
        with self.backend(target) as database:
            return database.schema()

    def _read_schema(self, target: str, db_id: str, style: SchemaStyle) -> SchemaText:
        """The schema of the database at `target`, as prompts of one style show it.

        Raises:
            UserError: The dataset's descriptions of columns cannot be read.
            BackendError: It cannot be opened.
        """
        with self.backend(target) as database:
            schema = with_samples(database, database.schema(), rows=style.rows, values=style.values)
        if style.descriptions and isinstance(self._dataset, CanDescribeColumns):
            schema = described(schema, self._dataset.descriptions(db_id))
        return SchemaText(schema, style, self.backend.dialect)

    def _read_fingerprint(self, target: str) -> str:
        """The digest of the content of the database at `target`.

        Raises:
            BackendError: It cannot be opened.
        """
        with self.backend(target) as database:
            return database.fingerprint()

    def _read_engine_version(self, target: str) -> str:
        """The version of the engine that reads the database at `target`.

        Raises:
            BackendError: It cannot be opened.
        """
        with self.backend(target) as database:
            return database.engine_version()

"""Moving a database to another engine: what is moved, and the contract of an engine that can be filled."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from types import TracebackType
from typing import Self

from sqlassay.errors import UserError

MARK = "sqlassay "
"""How the note begins that tells from which content something was loaded."""


class Kind(StrEnum):
    """What the values of a column are."""

    INTEGER = "integer"
    """Whole numbers of at most 64 bits."""
    REAL = "real"
    """Floats of 64 bits, and whole numbers that such a float holds exactly."""
    NUMERIC = "numeric"
    """Floats beside whole numbers that a float would change."""
    TEXT = "text"
    BLOB = "blob"


@dataclass(frozen=True)
class SourceColumn:
    """A column, its type read off its values.

    Attributes:
        name: In lower case: engines fold names that are not quoted, and golds do not quote.
        kind: What all its values are.
        longest: Characters of the longest text.
        nullable: Whether NULL is allowed.
    """

    name: str
    kind: Kind
    longest: int = 0
    nullable: bool = True


@dataclass(frozen=True)
class SourceKey:
    """A foreign key."""

    columns: tuple[str, ...]
    table: str
    references: tuple[str, ...]


@dataclass(frozen=True)
class SourceTable:
    """A table to be moved; all names are in lower case.

    Attributes:
        name: Its name.
        columns: In their order.
        primary_key: Its columns; empty when there is none.
        unique: Columns of each further unique key.
        indexes: Columns of each other index.
        foreign_keys: To tables of the same database.
    """

    name: str
    columns: tuple[SourceColumn, ...]
    primary_key: tuple[str, ...] = ()
    unique: tuple[tuple[str, ...], ...] = ()
    indexes: tuple[tuple[str, ...], ...] = ()
    foreign_keys: tuple[SourceKey, ...] = ()


class Source(ABC):
    """A database that is moved."""

    @abstractmethod
    def tables(self) -> Sequence[SourceTable]:
        """Its tables, in the order in which they were created."""

    @abstractmethod
    def rows(self, table: SourceTable) -> Iterator[tuple[object, ...]]:
        """The rows of a table; each value is NULL or of its column's kind."""


@dataclass
class Loaded:
    """What has been moved.

    Attributes:
        tables: How many.
        rows: How many.
        left_out: Keys that the rows do not keep, in words. SQLite does not insist on them, other engines do.
    """

    tables: int = 0
    rows: int = 0
    left_out: list[str] = field(default_factory=list)


class Loader(ABC):
    """Fills one database of a server; used as a context manager."""

    @abstractmethod
    def mark(self) -> str | None:
        """From which content it was loaded, as noted by `load`; None when there is nothing.

        Raises:
            UserError: It holds something that was not loaded by us.
        """

    @abstractmethod
    def load(self, source: Source, mark: str, *, progress: Callable[[int], object]) -> Loaded:
        """Replace what it holds.

        Args:
            source: What it is to hold.
            mark: Noted at the end, so that a load that was cut off is done again.
            progress: Called with the number of rows that have just been moved.

        Raises:
            BackendError: The server refuses something.
        """

    @abstractmethod
    def grant(self, account: str) -> None:
        """Let an account read all of it."""

    @abstractmethod
    def close(self) -> None:
        """Let go of the server."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


class CanLoad(ABC):
    """An engine that can be filled with the tables of another database."""

    @classmethod
    @abstractmethod
    def loader(cls, target: str) -> Loader:
        """Open a database for loading; a database, or a schema, that is not there is made by `load`.

        Raises:
            BackendError: The server does not let us in.
        """


def batches(rows: Iterable[tuple[object, ...]], size: int) -> Iterator[list[tuple[object, ...]]]:
    """Rows in lists of at most `size`."""
    batch: list[tuple[object, ...]] = []
    for row in rows:
        batch.append(row)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


def noted(mark: str, tables: int) -> str:
    """What is noted on each table that was loaded."""
    return f"{MARK}{mark}, {tables} tables"


def common_mark(notes: Sequence[tuple[str, str]], words: str) -> str | None:
    """From which content all of it was loaded; `None` when there is nothing, or something is missing.

    Args:
        notes: The name of everything that is there, and what is noted on it; empty for what was not loaded.
        words: The place, for a message.

    Raises:
        UserError: It holds something that was not loaded by us.
    """
    for name, note in notes:
        if not note.startswith(MARK):
            raise UserError(
                f"{words} holds {name!r}, which sqlassay did not load",
                remedy="name an empty one, or one that is not there yet",
            )
    found = {note for _, note in notes}
    mark, _, tables = found.pop().removeprefix(MARK).rpartition(", ") if len(found) == 1 else ("", "", "")
    return mark if tables == f"{len(notes)} tables" else None

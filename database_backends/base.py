"""The contract that every engine fulfils."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from types import TracebackType
from typing import ClassVar, Literal, Self

from database_backends import guard
from database_backends.errors import BackendError
from database_backends.result import Limits, ResultTable
from sqlassay.registry import Registry
from sqlassay.schema import Schema
from sqlassay.validation import Check, ValidationResult


class DatabaseBackend(ABC):
    """One open database of one engine, for reading only.

    Predicted SQL is hostile input. Three walls, each enough alone, stand between it and the data: the statement
    guard (`guard.check`), a session that can only read (opened by the subclass), and limits that really stop
    the work (kept by the subclass; embedded engines run in worker processes that can be killed besides).

    Args:
        target: Where the database is: a file for embedded engines, a connection string for servers.

    Raises:
        BackendError: `kind` is `database_missing` or `connection` when it cannot be opened. Some engines find that
            out only when the database is first used.
    """

    name: ClassVar[str]
    """The registered name."""
    title: ClassVar[str]
    """The name that people, and prompts, call it by: "SQLite"."""
    dialect: ClassVar[str]
    """The sqlglot dialect of its SQL."""
    embedded: ClassVar[bool]
    """Whether the engine runs inside our process: its statements then run in worker processes."""
    file_suffixes: ClassVar[tuple[str, ...]] = ()
    """Suffixes of database files, the usual one first; empty for servers."""
    max_open: ClassVar[int] = 32
    """How many databases one thread keeps open between statements."""
    paramstyle: ClassVar[Literal["qmark", "format", "pyformat", "numeric", "named"]]
    """PEP 249 parameter style of its driver. We never pass parameters; `format` means that `%` needs care."""
    null_order: ClassVar[Literal["first", "last"]]
    """Where `ORDER BY x` (ascending) puts NULL."""
    native_bool: ClassVar[bool]
    """Whether booleans come back as `bool` rather than 0 and 1."""
    native_dates: ClassVar[bool]
    """Whether dates come back as `datetime` values rather than text."""
    has_keys: ClassVar[bool] = True
    """Whether its tables can have primary and foreign keys."""

    def __init__(self, target: str) -> None:
        self.target = target

    def execute(self, sql: str, limits: Limits) -> ResultTable:
        """Run one query through all three walls.

        Args:
            sql: One statement. It is hostile input.
            limits: When to stop it.

        Returns:
            The result, cut at the row limit with `truncated` set.

        Raises:
            BackendError: It was refused, failed or reached a limit; `kind` says which.
        """
        return self.run(guard.check(sql, self.dialect), limits)

    @abstractmethod
    def run(self, sql: str, limits: Limits) -> ResultTable:
        """As `execute`, behind the second and third wall only: called when the guard has been asked."""

    def run_to_first_row(self, sql: str, limits: Limits) -> None:
        """As `run`, but stop when the first row could be fetched; an engine that can stop sooner does."""
        self.run(sql, replace(limits, rows=0))

    @abstractmethod
    def schema(self) -> Schema:
        """The tables and views of the database, without the engine's own."""

    @abstractmethod
    def fingerprint(self) -> str:
        """A digest that changes whenever the content of the database may have changed."""

    @abstractmethod
    def engine_version(self) -> str:
        """The version of the engine: results of one version say nothing about those of another."""

    @abstractmethod
    def check(self) -> ValidationResult:
        """Whether the database can be opened, read, and not written."""

    @classmethod
    def not_opened(cls, error: BackendError) -> Check:
        """What is said in the place of `check` when no object can be made."""
        return Check("opens", False, error.message, "correct where it is")

    @abstractmethod
    def close(self) -> None:
        """Let go of the connection. Calling it twice is fine."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


class CanBuild(ABC):
    """An engine that can make a new database from trusted statements."""

    @classmethod
    @abstractmethod
    def build(cls, target: str, statements: Sequence[str]) -> None:
        """Make a database.

        Args:
            target: A file that is not there yet.
            statements: Run in this order; one text may hold several statements.

        Raises:
            BackendError: A statement fails.
        """


class CanShuffle(ABC):
    """An engine that can copy a database with the rows of its tables in another order."""

    @classmethod
    @abstractmethod
    def shuffled_copy(cls, target: str, copy: str, seed: int, *, bare: bool = False) -> None:
        """Copy a database, the rows of each table in another order. What queries may rely on stays as it is.

        Args:
            target: The database; it is only read.
            copy: A file that is not there yet.
            seed: Which order; the same one gives the same.
            bare: Leave out keys, indexes, other constraints and statistics, so that statements need another plan.
                Otherwise keys and indexes are kept, and tables that are sorted by a key stay in its order.

        Raises:
            BackendError: It cannot be read or copied; nothing useful is in the file then.
        """


class CanExplain(ABC):
    """An engine that can say how it would execute a query."""

    @abstractmethod
    def explain(self, sql: str) -> str:
        """The plan of a query, in the engine's words; it is not executed.

        Args:
            sql: One query that the guard has let through.

        Raises:
            BackendError: It cannot be planned.
        """


BACKENDS: Registry[DatabaseBackend] = Registry("backend", "sqlassay.backends", DatabaseBackend)

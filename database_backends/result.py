"""What executing a statement gives: a table, or a failure. Both are values and travel between processes."""

from __future__ import annotations

from dataclasses import dataclass

from database_backends.errors import BackendError, FailureKind

Row = tuple[object, ...]


@dataclass(frozen=True)
class Limits:
    """What one statement may use. Reaching one of them stops the work.

    Attributes:
        seconds: Wall-clock time for execution and fetching together.
        rows: Rows fetched; a longer result comes back cut, with `truncated` set.
        megabytes: Memory that the engine and the fetched rows may take, in MiB.
    """

    seconds: float = 30.0
    rows: int = 100_000
    megabytes: int = 1024


@dataclass(frozen=True)
class ResultTable:
    """The rows of one query, as the engine's driver gives them.

    Attributes:
        columns: Column names in output order; duplicates are possible.
        types: The engine's type of each column, in its own words; empty strings where it has none (SQLite).
        rows: The rows in the order in which they came; cells are Python values of the driver.
        truncated: Whether rows were left out because a limit was reached.
        seconds: Wall-clock time of execution and fetching, guard and transport not included.
    """

    columns: tuple[str, ...]
    types: tuple[str, ...]
    rows: list[Row]
    truncated: bool = False
    seconds: float = 0.0


@dataclass(frozen=True)
class ExecutionFailure:
    """Why a statement gave no table; `BackendError` as a value.

    Attributes:
        kind: Why, from the closed list.
        message: The engine's own words.
        sqlstate: The SQLSTATE, where the engine gives one.
        line: 1-based line in the SQL, where known.
        column: 1-based column in the SQL, where known.
        seconds: Wall-clock time until it failed.
    """

    kind: FailureKind
    message: str
    sqlstate: str | None = None
    line: int | None = None
    column: int | None = None
    seconds: float = 0.0

    @classmethod
    def of(cls, error: BackendError, seconds: float = 0.0) -> ExecutionFailure:
        """The failure that an error stands for."""
        return cls(error.kind, error.message, error.sqlstate, error.line, error.column, seconds)


Outcome = ResultTable | ExecutionFailure

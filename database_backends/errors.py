"""Why a statement gave no result."""

from __future__ import annotations

from enum import StrEnum

from sqlassay.errors import SqlAssayError


class FailureKind(StrEnum):
    """The closed list of reasons; the same words on every engine."""

    # Refused by the statement guard, before any engine saw it.
    NO_SQL = "no_sql"
    MULTIPLE_STATEMENTS = "multiple_statements"
    NOT_A_QUERY = "not_a_query"
    WRITE_ATTEMPT = "write_attempt"
    # The engine's answer.
    SYNTAX = "syntax"
    UNKNOWN_TABLE = "unknown_table"
    UNKNOWN_COLUMN = "unknown_column"
    PERMISSION = "permission"
    OTHER = "other"
    # A limit was reached and the work was stopped.
    TIMEOUT = "timeout"
    MEMORY = "memory"
    ROWS_EXCEEDED = "rows_exceeded"
    # The instrument's fault, not the statement's.
    CONNECTION = "connection"
    DATABASE_MISSING = "database_missing"

    @property
    def is_instrument(self) -> bool:
        """Whether it says nothing about the statement: no verdict may be built on it."""
        return self in (FailureKind.CONNECTION, FailureKind.DATABASE_MISSING)


class BackendError(SqlAssayError):
    """A statement gave no result.

    Attributes:
        kind: Why, from the closed list.
        message: The engine's own words.
        sqlstate: The SQLSTATE, where the engine gives one.
        line: 1-based line in the SQL, where known.
        column: 1-based column in the SQL, where known.
    """

    def __init__(
        self,
        kind: FailureKind,
        message: str,
        *,
        sqlstate: str | None = None,
        line: int | None = None,
        column: int | None = None,
    ) -> None:
        self.kind = kind
        self.message = message
        self.sqlstate = sqlstate
        self.line = line
        self.column = column
        super().__init__(kind, message, sqlstate, line, column)

    def __str__(self) -> str:
        """The kind and the engine's words."""
        return f"{self.kind}: {self.message}"

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle with the keyword-only fields."""
        return (_rebuild, (type(self), self.kind, self.message, self.sqlstate, self.line, self.column))


def _rebuild(
    cls: type[BackendError],
    kind: FailureKind,
    message: str,
    sqlstate: str | None,
    line: int | None,
    column: int | None,
) -> BackendError:
    return cls(kind, message, sqlstate=sqlstate, line=line, column=column)


class StatementRefused(BackendError):
    """The guard did not let the statement through to the engine."""

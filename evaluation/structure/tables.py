"""The tables that a statement reads."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from database_backends.errors import BackendError, FailureKind
from database_backends.execution import attempt
from database_backends.result import ExecutionFailure
from database_backends.task import Task

if TYPE_CHECKING:
    from sqlglot import exp


@dataclass(frozen=True)
class TablesUsed(Task[frozenset[str]]):
    """Finds the tables of one statement, in a process that may die: see `evaluation.structure.clauses.Reading`.

    Attributes:
        sql: The statement.
        dialect: Its sqlglot dialect.
        limit: Seconds.
    """

    in_process: ClassVar[bool] = True

    sql: str
    dialect: str
    limit: float = 5.0

    @property
    def seconds(self) -> float:
        """The limit."""
        return self.limit

    def perform(self) -> frozenset[str] | ExecutionFailure:
        """Read it; a failure says why it cannot be read."""
        return attempt(lambda: tables(self.sql, self.dialect))


def tables(sql: str, dialect: str) -> frozenset[str]:
    """The names of the tables that a statement reads, in lower case and without their schemas.

    What WITH names is no table, where that name is known.

    Args:
        sql: The statement. A hostile one can take for ever, or crash this process.
        dialect: Its sqlglot dialect.

    Raises:
        BackendError: It is not one query, or cannot be parsed.
    """
    from sqlglot import exp, parse_one
    from sqlglot.errors import SqlglotError

    from database_backends import guard

    logging.getLogger("sqlglot").setLevel(logging.CRITICAL)
    try:
        tree = parse_one(guard.check(sql, dialect), read=dialect)
        return frozenset(
            table.name.lower()
            for table in tree.find_all(exp.Table)
            if isinstance(table.this, exp.Identifier) and (table.db or table.name.lower() not in set(_named(table)))
        )
    except SqlglotError as error:
        raise BackendError(FailureKind.SYNTAX, str(error)[:500]) from error
    except RecursionError as error:
        raise BackendError(FailureKind.OTHER, "nested too deeply to be read") from error


def _named(table: exp.Table) -> Iterator[str]:
    """What WITH names where a table stands: of its own WITH, only what came before, unless that is recursive."""
    node: exp.Expr = table
    inside: exp.Expr | None = None  # the common table expression that the table is in
    while node.parent is not None:
        came_from, node = node, node.parent
        if node.key == "cte":
            inside = node
        with_ = node.args.get("with_")
        if with_ is None:
            continue
        own = came_from is with_
        for one in with_.expressions:
            if own and one is inside and not with_.args.get("recursive"):
                break
            yield one.alias.lower()
            if own and one is inside:
                break

"""The clauses of a statement: as people read them, and as keys that are equal where only spelling differs."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from database_backends.errors import BackendError, FailureKind
from database_backends.execution import attempt
from database_backends.result import ExecutionFailure
from database_backends.task import Task

NAMES = (
    "with",
    "set operation",
    "select",
    "distinct",
    "from",
    "where",
    "group by",
    "having",
    "order by",
    "limit",
    "other",
)
"""The clauses, in the order in which they are told."""
SHOWN = 300
"""Characters of a clause that people are shown."""


@dataclass(frozen=True)
class Clause:
    """One clause.

    Attributes:
        key: Equal for two clauses that say the same in another spelling.
        text: As people read it, cut with a mark.
    """

    key: str
    text: str


Clauses = Mapping[str, Clause]
"""By name, in the order of `NAMES`; a clause that is not there is left out."""


@dataclass(frozen=True)
class Reading(Task[Clauses]):
    """Reads one statement, in a process that may die.

    The parser takes exponential time for some texts and crashes on others, and a statement under test is hostile input.

    Attributes:
        sql: The statement.
        dialect: Its sqlglot dialect.
        tables: The columns of each table, in lower case; empty where they are not known.
        limit: Seconds.
    """

    in_process: ClassVar[bool] = True

    sql: str
    dialect: str
    tables: Mapping[str, frozenset[str]]
    limit: float

    @property
    def seconds(self) -> float:
        """The limit."""
        return self.limit

    def perform(self) -> Clauses | ExecutionFailure:
        """Read it; a failure says why it cannot be read."""
        return attempt(lambda: read(self.sql, self.dialect, self.tables))


def read(sql: str, dialect: str, tables: Mapping[str, frozenset[str]]) -> Clauses:
    """The clauses of a statement.

    Args:
        sql: The statement. A hostile one can take for ever, or crash this process.
        dialect: Its sqlglot dialect.
        tables: The columns of each table, in lower case; empty where they are not known.

    Raises:
        BackendError: It is not one query, or cannot be parsed.
    """
    from sqlglot import exp, parse_one
    from sqlglot.errors import SqlglotError

    from database_backends import guard
    from evaluation.structure.keys import Scope, parts_of

    logging.getLogger("sqlglot").setLevel(logging.CRITICAL)
    try:
        tree = parse_one(guard.check(sql, dialect), read=dialect)
        if not isinstance(tree, exp.Query | exp.Values):
            raise BackendError(FailureKind.NOT_A_QUERY, f"{tree.key} is not a query")
        parts = parts_of(tree, Scope(tables))
        found = {}
        for name in NAMES:
            if name in parts:
                texts = [", " if name == "select" else " "] * len(parts[name].nodes)
                shown = [
                    between.join(node.sql(dialect, comments=False) for node in nodes) or "–"
                    for between, nodes in zip(texts, parts[name].nodes, strict=True)
                ]
                found[name] = Clause(parts[name].key, _cut(" | ".join(shown).strip()))
    except SqlglotError as error:
        raise BackendError(FailureKind.SYNTAX, _plain(str(error))) from error
    except RecursionError as error:
        raise BackendError(FailureKind.OTHER, "nested too deeply to be read") from error
    return found


def differing(gold: Clauses, predicted: Clauses) -> tuple[str, ...]:
    """The names of the clauses in which two statements differ, in the order of `NAMES`."""
    return tuple(name for name in NAMES if _key(gold, name) != _key(predicted, name))


def _key(clauses: Clauses, name: str) -> str | None:
    return clauses[name].key if name in clauses else None


def _cut(text: str) -> str:
    text = text.encode("utf-8", "backslashreplace").decode()
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}… ({len(text):,} characters)"


def _plain(text: str) -> str:
    """Without the marks with which the parser underlines."""
    return text.replace("\x1b[4m", "").replace("\x1b[0m", "")[:500]

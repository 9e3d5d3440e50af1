"""Results and statements for the tests of conventions."""

from __future__ import annotations

from database_backends.result import ResultTable, Row
from evaluation.conventions.base import Statements


def table(*rows: Row, names: str = "") -> ResultTable:
    """A result; `names` has one letter per column, and is needed when there are no rows."""
    columns = tuple(names or "abcdefghijklmnopqrstuvwxyz"[: len(rows[0]) if rows else 1])
    return ResultTable(columns, ("",) * len(columns), list(rows))


def statements(gold: str = "SELECT", predicted: str = "SELECT", question: str = "", tags: str = "") -> Statements:
    return Statements(gold, predicted, "sqlite", question, tuple(tags.split()))

"""The default convention: what a careful person would say when shown both result tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from sqlglot import exp, parse_one
from sqlglot.errors import SqlglotError

from database_backends.result import ResultTable
from evaluation.comparison.numbers import Tolerance
from evaluation.comparison.tables import compare_tables
from evaluation.conventions.base import Convention, Statements, show_rows
from evaluation.verdicts import Reason, Status, Verdict


class SqlAssay(Convention):
    """Rows are a multiset, columns pair by name or content, NULL is only NULL, numbers are numbers.

    Row order and ties at a LIMIT are not looked at in this version: `docs/conventions.md` says what is.

    Args:
        relative_tolerance: How far two numbers may be apart, as a share of the larger, when one is a float.
        absolute_tolerance: The same, whatever their magnitude.
    """

    name: ClassVar[str] = "sqlassay"
    version: ClassVar[str] = "0.1"

    def __init__(self, *, relative_tolerance: float = 1e-6, absolute_tolerance: float = 1e-9) -> None:
        self.tolerance = Tolerance(relative_tolerance, absolute_tolerance)

    @property
    def settings(self) -> Mapping[str, object]:
        """The tolerances."""
        return {
            "relative_tolerance": self.tolerance.relative,
            "absolute_tolerance": self.tolerance.absolute,
        }

    def compare(self, gold: ResultTable, predicted: ResultTable, statements: Statements) -> Verdict:
        """Compare two results as multisets of rows."""
        found = compare_tables(gold, predicted, self.tolerance)
        if found.reason.status is Status.CORRECT:
            return Verdict.of(found.reason)
        reason = found.reason
        if reason is Reason.ROW_COUNT_FANOUT and _says_distinct(statements.gold, statements.dialect):
            reason = Reason.MISSING_DISTINCT
        evidence: dict[str, object] = {
            "gold_rows": len(gold.rows),
            "predicted_rows": len(predicted.rows),
            "gold_columns": list(gold.columns),
            "predicted_columns": list(predicted.columns),
        }
        if found.pairing is not None:
            evidence["missing"] = show_rows(found.missing)
            evidence["extra"] = show_rows(found.extra)
            evidence["missing_rows"] = found.missing.total()
            evidence["extra_rows"] = found.extra.total()
        return Verdict.of(reason, **evidence)


def _says_distinct(sql: str, dialect: str) -> bool:
    try:
        tree = parse_one(sql, read=dialect)
    except SqlglotError:
        return False
    return isinstance(tree, exp.Select) and tree.args.get("distinct") is not None

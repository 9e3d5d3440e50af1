"""The default convention: what a careful person would say when shown both result tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from sqlglot import exp, parse_one
from sqlglot.errors import SqlglotError

from database_backends.result import Outcome, ResultTable
from evaluation.comparison.numbers import Tolerance
from evaluation.comparison.order import Choice, ranked
from evaluation.comparison.tables import compare_tables
from evaluation.conventions.base import Convention, Statements, show_rows
from evaluation.conventions.ranking import ranking_of
from evaluation.verdicts import Reason, Status, Verdict


class SqlAssay(Convention):
    """Rows are a multiset, columns pair by name or content, NULL is only NULL, numbers are numbers.

    Order counts where the gold's output is ordered, and only on its keys: rows that tie come in any order, and where
    a LIMIT cuts through rows that tie, any choice of them is right. `docs/conventions.md` has the whole of it.

    Args:
        relative_tolerance: How far two numbers may be apart, as a share of the larger, when one is a float.
        absolute_tolerance: The same, whatever their magnitude.
    """

    name: ClassVar[str] = "sqlassay"
    version: ClassVar[str] = "0.2"

    def __init__(self, *, relative_tolerance: float = 1e-6, absolute_tolerance: float = 1e-9) -> None:
        self.tolerance = Tolerance(relative_tolerance, absolute_tolerance)

    @property
    def settings(self) -> Mapping[str, object]:
        """The tolerances."""
        return {
            "relative_tolerance": self.tolerance.relative,
            "absolute_tolerance": self.tolerance.absolute,
        }

    def further_gold(self, gold: ResultTable, predicted: ResultTable, statements: Statements) -> str | None:
        """All rows that an ordered or limited gold chooses from, each with its rank."""
        ranking = ranking_of(statements.gold, statements.dialect, len(gold.columns))
        if ranking is None or len(gold.columns) != len(predicted.columns) or len(gold.rows) != len(predicted.rows):
            return None
        if not ranking.limited and (len(gold.rows) < 2 or gold.rows == predicted.rows):
            return None
        return ranking.sql

    def compare(
        self, gold: ResultTable, predicted: ResultTable, statements: Statements, further: Outcome | None = None
    ) -> Verdict:
        """Compare two results as multisets of rows, in the gold's order where it has one."""
        choice = self._choice(gold, statements, further)
        found = compare_tables(gold, predicted, self.tolerance, choice)
        if found.reason.status is Status.CORRECT:
            told = {} if found.mechanism is None else {"mechanism": found.mechanism.value}
            if further is not None and choice is None:
                return Verdict.of(Reason.MATCH_AMBIGUOUS, order="not checked", **told)
            return Verdict.of(found.reason, **told)
        reason = found.reason
        if reason is Reason.ROW_COUNT_FANOUT and _says_distinct(statements.gold, statements.dialect):
            reason = Reason.MISSING_DISTINCT
        evidence: dict[str, object] = {
            "mechanism": found.mechanism.value if found.mechanism is not None else None,
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

    def _choice(self, gold: ResultTable, statements: Statements, further: Outcome | None) -> Choice | None:
        """What the gold may return; `None` when it has no order or limit, or when that cannot be known."""
        width = len(gold.columns)
        ranking = ranking_of(statements.gold, statements.dialect, width)
        if ranking is None or not isinstance(further, ResultTable) or further.truncated:
            return None
        rows = [row[:width] for row in further.rows]
        groups = ranked([row[width:-1] for row in further.rows], [row[-1] for row in further.rows], self.tolerance)
        table = ResultTable(gold.columns, gold.types, rows)
        choice = Choice(table, groups, ranking.offset, len(gold.rows), ranking.complete)
        # A gold that its own ranking does not allow is not deterministic: it is compared as it came.
        return choice if choice.can_be_met and self._allows(choice, gold) else None

    def _allows(self, choice: Choice, gold: ResultTable) -> bool:
        return compare_tables(gold, gold, self.tolerance, choice).reason.status is Status.CORRECT


def _says_distinct(sql: str, dialect: str) -> bool:
    try:
        tree = parse_one(sql, read=dialect)
    except SqlglotError:
        return False
    return isinstance(tree, exp.Select) and tree.args.get("distinct") is not None

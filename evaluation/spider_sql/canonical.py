"""What of a statement counts when it is compared."""

from __future__ import annotations

from dataclasses import replace

from evaluation.spider_sql.clauses import Column, Compound, Condition, Conditions, Order, Query, Selected, Term
from evaluation.spider_sql.names import Names


def canonical(query: Query, names: Names) -> Query:
    """The statement without literals and DISTINCT, and with one name for columns that are equal by foreign keys.

    Only columns of the tables in its own FROM are renamed; after a set operator, still those of the first FROM. A
    statement inside a condition loses its literals, but keeps DISTINCT and its own column names; one inside FROM stays
    as it is.

    Source of the rule: taoyds/test-suite-sql-eval, `evaluation.py`, `rebuild_sql_val` and `rebuild_sql_col`.
    """
    tables = {table for table in query.tables if isinstance(table, str)}
    same = {name: first for name, first in names.same.items() if name.partition(".")[0] in tables}
    return _Renaming(same).query(_without_literals(query))


def _without_literals(query: Query) -> Query:
    def conditions(before: Conditions) -> Conditions:
        return replace(before, all=tuple(condition(each) for each in before.all))

    def condition(before: Condition) -> Condition:
        value, second = (
            _without_literals(value) if isinstance(value, Query) else None for value in (before.value, before.second)
        )
        return replace(before, value=value, second=second)

    return replace(
        query,
        joined=conditions(query.joined),
        where=conditions(query.where),
        having=conditions(query.having),
        compound=query.compound and Compound(query.compound.operator, _without_literals(query.compound.query)),
    )


class _Renaming:
    """Renames columns and takes DISTINCT away.

    Args:
        same: The new names.
    """

    def __init__(self, same: dict[str, str]) -> None:
        self._same = same

    def query(self, query: Query) -> Query:
        """A statement and what follows it after a set operator."""
        return replace(
            query,
            select=tuple(Selected(self._term(item.term), item.aggregate) for item in query.select),
            distinct=False,
            joined=self._conditions(query.joined),
            where=self._conditions(query.where),
            group=tuple(map(self._column, query.group)),
            having=self._conditions(query.having),
            order=query.order and Order(query.order.direction, tuple(map(self._term, query.order.terms))),
            compound=query.compound and Compound(query.compound.operator, self.query(query.compound.query)),
        )

    def _conditions(self, conditions: Conditions) -> Conditions:
        return replace(conditions, all=tuple(replace(each, term=self._term(each.term)) for each in conditions.all))

    def _term(self, term: Term) -> Term:
        return Term(self._column(term.left), term.operator, term.right and self._column(term.right))

    def _column(self, column: Column) -> Column:
        return Column(self._same.get(column.name, column.name), column.aggregate)

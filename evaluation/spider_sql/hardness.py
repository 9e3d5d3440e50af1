"""Spider's four grades of hardness."""

from __future__ import annotations

from typing import Literal

from evaluation.spider_sql.clauses import Query
from evaluation.spider_sql.names import Names
from evaluation.spider_sql.parse import parse
from sqlassay.schema import Schema

Hardness = Literal["easy", "medium", "hard", "extra"]


def hardness(sql: str, schema: Schema) -> Hardness:
    """How hard a gold statement is.

    Args:
        sql: The statement.
        schema: Of its database.

    Raises:
        NotParsed: It is outside Spider's grammar, or names what the schema does not have.
    """
    return hardness_of(parse(sql, Names.of(schema)))


def hardness_of(query: Query) -> Hardness:
    """How hard a statement is: which clauses it has, how many statements inside it, what it has more than one of.

    Source of the rule: taoyds/test-suite-sql-eval, `evaluation.py`, `eval_hardness`; the grades are those of Yu et al.
    2018, https://arxiv.org/abs/1809.08887.
    """
    clauses, inside, several = _clauses(query), _inside(query), _several(query)
    if inside == 0:
        if clauses <= 1 and several == 0:
            return "easy"
        if (clauses <= 1 and several <= 2) or (clauses <= 2 and several <= 1):
            return "medium"
        # Two clauses with two things are harder than two with three: a gap in the official rule.
        if (clauses <= 2 and several > 2) or (clauses == 3 and several <= 2):
            return "hard"
    elif inside == 1 and clauses <= 1 and several == 0:
        return "hard"
    return "extra"


def _clauses(query: Query) -> int:
    """WHERE, GROUP BY, ORDER BY, LIMIT, each table after the first, each OR and each LIKE."""
    there = (query.where.all, query.group, query.order is not None, query.limited)
    likes = sum(condition.operator == "like" for condition in query.conditions)
    return sum(map(bool, there)) + max(len(query.tables) - 1, 0) + query.connectors.count("or") + likes


def _inside(query: Query) -> int:
    """Statements in conditions, and the one after a set operator; those in FROM do not count."""
    return sum(len(condition.subqueries) for condition in query.conditions) + (query.compound is not None)


def _several(query: Query) -> int:
    """Of four things, how many the statement has more than one of."""
    return sum(count > 1 for count in (_aggregates(query), len(query.select), len(query.where.all), len(query.group)))


def _aggregates(query: Query) -> int:
    """Aggregates, as the reference counts them.

    A NOT in WHERE or HAVING counts as one, and so does every AND and OR in HAVING; an aggregate in HAVING does not.
    """
    terms = query.order.terms if query.order else ()
    return (
        sum(item.aggregate is not None for item in query.select)
        + sum(column.aggregate is not None for column in (*query.group, *(c for term in terms for c in term.columns)))
        + sum(condition.negated for condition in (*query.where.all, *query.having.all))
        + len(query.having.connectors)
    )

"""What a statement is made of, counted on its syntax tree."""

from __future__ import annotations

from functools import lru_cache

from sqlglot import exp, parse_one
from sqlglot.errors import SqlglotError

COUNTED: dict[str, tuple[type[exp.Expr], ...]] = {
    "joins": (exp.Join,),
    "subqueries": (exp.Subquery, exp.Exists),
    "set operations": (exp.SetOperation,),
    "CTEs": (exp.CTE,),
    "aggregates": (exp.AggFunc,),
    "windows": (exp.Window,),
    "grouping": (exp.Group,),
    "having": (exp.Having,),
    "ordering": (exp.Order,),
    "limit": (exp.Limit, exp.Fetch),
    "distinct": (exp.Distinct,),
    "conditions": (exp.Where,),
    "cases": (exp.Case,),
}
"""The features, and the kinds of node that each one counts."""


@lru_cache(maxsize=8192)
def features(sql: str, dialect: str) -> dict[str, int] | None:
    """How often a trusted statement (a gold) uses each feature.

    Args:
        sql: The statement.
        dialect: Its sqlglot dialect.

    Returns:
        A count for every key of `COUNTED`; `None` when the statement cannot be read.
    """
    try:
        tree = parse_one(sql, read=dialect)
    except (SqlglotError, RecursionError):
        return None
    counts = dict.fromkeys(COUNTED, 0)
    for node in tree.walk():
        for name, kinds in COUNTED.items():
            if isinstance(node, kinds):
                counts[name] += 1
    return counts

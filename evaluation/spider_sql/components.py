"""The components of exact set match, one by one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Literal

from evaluation.spider_sql.canonical import canonical
from evaluation.spider_sql.clauses import Query
from evaluation.spider_sql.names import Names

Component = Literal[
    "select",
    "select(no AGG)",
    "where",
    "where(no OP)",
    "group(no Having)",
    "group",
    "order",
    "and/or",
    "IUEN",
    "keywords",
    "from",
]
"""By the names that the reference implementation prints; `from` is its last check, which has no name there."""


def differing(gold: Query, predicted: Query, names: Names) -> tuple[Component, ...]:
    """The components in which two statements differ; none when they match.

    Source of the rule: Yu et al. 2018; taoyds/test-suite-sql-eval, `evaluation.py`.
    """
    return _differing(canonical(gold, names), canonical(predicted, names))


def _differing(gold: Query, predicted: Query) -> tuple[Component, ...]:
    return tuple(name for name, same in _SAME.items() if not same(gold, predicted))


def _by(part: Callable[[Query], object]) -> Callable[[Query, Query], bool]:
    return lambda gold, predicted: part(gold) == part(predicted)


def _group_names(query: Query) -> Counter[str]:
    """The columns without their tables: `singer.id` and `concert.id` are one."""
    return Counter(column.name.rpartition(".")[2] for column in query.group)


def _same_group(gold: Query, predicted: Query) -> bool:
    """The columns in their order, and HAVING; HAVING without GROUP BY does not count."""
    if not (gold.group and predicted.group):
        return not gold.group and not predicted.group
    columns = [[column.name for column in query.group] for query in (gold, predicted)]
    return columns[0] == columns[1] and gold.having == predicted.having


def _same_order(gold: Query, predicted: Query) -> bool:
    """The terms in their order, the direction, and whether there is a LIMIT."""
    if gold.order is None or predicted.order is None:
        return gold.order is predicted.order
    return gold.order == predicted.order and gold.limited == predicted.limited


def _same_compound(gold: Query, predicted: Query) -> bool:
    """One set operator, and statements that match; or none on either side."""
    if gold.compound is None or predicted.compound is None:
        return gold.compound is predicted.compound
    same_operator = gold.compound.operator == predicted.compound.operator
    return same_operator and not _differing(gold.compound.query, predicted.compound.query)


def _keywords(query: Query) -> frozenset[str]:
    there = {
        "where": query.where.all,
        "group": query.group,
        "having": query.having.all,
        "order": query.order is not None,
        "limit": query.limited,
        "or": "or" in query.connectors,
        "not": any(condition.negated for condition in query.conditions),
        "in": any(condition.operator == "in" for condition in query.conditions),
        "like": any(condition.operator == "like" for condition in query.conditions),
    }
    words = {word for word, found in there.items() if found}
    words |= {query.order.direction} if query.order else set()
    words |= {query.compound.operator} if query.compound else set()
    return frozenset(words)


def _from(query: Query) -> Counter[str | Query]:
    return Counter(query.tables)


_SAME: Mapping[Component, Callable[[Query, Query], bool]] = {
    "select": _by(lambda query: Counter(query.select)),
    "select(no AGG)": _by(lambda query: Counter(item.term for item in query.select)),
    "where": _by(lambda query: Counter(query.where.all)),
    "where(no OP)": _by(lambda query: Counter(condition.term for condition in query.where.all)),
    "group(no Having)": _by(_group_names),
    "group": _same_group,
    "order": _same_order,
    "and/or": _by(lambda query: set(query.where.connectors)),
    "IUEN": _same_compound,
    "keywords": _by(_keywords),
    "from": _by(_from),
}

"""The key `sql` of Spider's question files: the gold, taken apart by the dataset's authors."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from evaluation.spider_sql.clauses import (
    Column,
    Compound,
    Condition,
    Conditions,
    Order,
    Query,
    Selected,
    SetOperator,
    Term,
    Value,
)
from evaluation.spider_sql.parse import AGGREGATES, ARITHMETIC, OPERATORS, SET_OPERATORS


def read_annotation(sql: object) -> Query | None:
    """The statement in a `sql` value; `None` when it is none.

    Columns and tables are numbers there, positions in `tables.json`; they are kept, as text. Column 0 is `*`.

    Source of the form: taoyds/spider, `process_sql.py` and `preprocess/parsed_sql_examples.sql`.
    """
    try:
        return _query(sql)
    except (TypeError, ValueError, KeyError, IndexError, RecursionError):
        return None


def _query(sql: Any) -> Query:
    distinct, select = sql["select"]
    operators: list[SetOperator] = [operator for operator in SET_OPERATORS if sql[operator] is not None]
    return Query(
        select=tuple(Selected(_term(term), _aggregate(number)) for number, term in select),
        distinct=distinct,
        tables=tuple(_query(table) if kind == "sql" else str(table) for kind, table in sql["from"]["table_units"]),
        joined=_conditions(sql["from"]["conds"]),
        where=_conditions(sql["where"]),
        group=tuple(map(_column, sql["groupBy"])),
        having=_conditions(sql["having"]),
        order=Order(sql["orderBy"][0], tuple(map(_term, sql["orderBy"][1]))) if sql["orderBy"] else None,
        limited=sql["limit"] is not None,
        compound=Compound(operators[0], _query(sql[operators[0]])) if operators else None,
    )


def _conditions(parts: Any) -> Conditions:
    return Conditions(tuple(map(_condition, parts[::2])), tuple(parts[1::2]))


def _condition(parts: Any) -> Condition:
    negated, operator, term, value, second = parts
    return Condition(_term(term), _nth(OPERATORS, operator), _value(value), _value(second), negated)


def _value(value: Any) -> Value:
    if isinstance(value, dict):
        return _query(value)
    return _column(value) if isinstance(value, list) else value


def _term(parts: Any) -> Term:
    operator, left, right = parts
    return Term(
        _column(left), _nth(ARITHMETIC, operator) if operator else None, None if right is None else _column(right)
    )


def _column(parts: Any) -> Column:
    aggregate, number, distinct = parts
    return Column(str(number) if number else "*", _aggregate(aggregate), distinct)


def _aggregate(number: int) -> str | None:
    return _nth(AGGREGATES, number) if number else None


def _nth(words: Iterable[str], number: int) -> str:
    """The word that a number from 1 stands for."""
    return dict(enumerate(words, start=1))[number]

"""Spider's grammar: from a statement to its clauses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from evaluation.spider_sql.clauses import (
    Column,
    Compound,
    Condition,
    Conditions,
    Connector,
    Order,
    Query,
    Selected,
    SetOperator,
    Term,
    Value,
)
from evaluation.spider_sql.errors import NotParsed
from evaluation.spider_sql.names import Names
from evaluation.spider_sql.tokens import tokenize

LONGEST = 100_000
"""Characters; a longer statement is not parsed."""
DEEPEST = 50
"""Statements inside one another, set operations included; a deeper one is not parsed."""

AGGREGATES = ("max", "min", "count", "sum", "avg")
ARITHMETIC = ("-", "+", "*", "/")
OPERATORS = ("between", "=", ">", "<", ">=", "<=", "!=", "in", "like", "is", "exists")
SET_OPERATORS: tuple[SetOperator, ...] = ("intersect", "union", "except")
_CLAUSES = frozenset({"select", "from", "where", "group", "order", "limit", *SET_OPERATORS})
_ENDS = _CLAUSES | {")", ";"}
_JOINS = frozenset({"join", "on", "as"})
_AFTER_VALUE = _CLAUSES | _JOINS | {",", ")", "and"}
_NO_VALUE = {"", *_AFTER_VALUE, *AGGREGATES}


def parse(sql: str, names: Names) -> Query:
    """Take a statement apart as the reference parser does, its limits included.

    Not in the grammar, among much else: a column's alias, a table's alias without AS, LEFT JOIN, a list after IN, IS
    NULL, EXISTS, `<>`, quoted names, and `a=1` without spaces. What follows the statement is not read.

    Source of the behaviour: taoyds/test-suite-sql-eval, `process_sql.py`.

    Args:
        sql: One statement, of whatever kind.
        names: What it may name.

    Raises:
        NotParsed: It is outside the grammar, names what is not there, is too long or nested too deeply.
    """
    if len(sql) > LONGEST:
        raise NotParsed(f"longer than {LONGEST:,} characters")
    return _Parser(tokenize(sql), names).statement(0)


class _Parser:
    """Reads tokens from left to right.

    An alias holds in the whole text, whatever statement it stands in; where two are alike, the last is meant.
    """

    def __init__(self, tokens: Sequence[str], names: Names) -> None:
        self._tokens = tokens
        self._at = 0
        self._names = names
        self._tables = {table: table for table in names.columns}
        for at, token in enumerate(tokens):
            if token == "as":  # noqa: S105 - no password
                alias = tokens[at + 1] if at + 1 < len(tokens) else ""
                if not alias or alias in names.columns:
                    raise NotParsed(f"{alias!r} cannot be an alias")
                self._tables[alias] = tokens[at - 1] if at else ""

    def _peek(self) -> str:
        """The next token; empty at the end."""
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _accept(self, *wanted: str) -> str:
        """Take the next token if it is one of these, else nothing."""
        token = self._peek()
        if token not in wanted:
            return ""
        self._at += 1
        return token

    def _expect(self, wanted: str) -> None:
        if not self._accept(wanted):
            raise NotParsed(f"{wanted!r} expected, {self._peek()[:100]!r} found")

    def statement(self, depth: int) -> Query:
        """One statement with what follows it after a set operator."""
        if depth > DEEPEST:
            raise NotParsed(f"more than {DEEPEST} statements inside one another")
        in_block = bool(self._accept("("))
        start = self._at
        # FROM is read first: the names in SELECT are looked up in its tables.
        tables, joined = self._from(depth)
        after_from, self._at = self._at, start
        distinct, select = self._select(tables)
        self._at = after_from
        where = self._conditions(tables, depth) if self._accept("where") else Conditions()
        group = self._group(tables)
        having = self._conditions(tables, depth) if self._accept("having") else Conditions()
        order = self._order(tables)
        limited = self._limit()
        self._skip_semicolons()
        if in_block:
            self._expect(")")
        self._skip_semicolons()
        operator = self._accept(*SET_OPERATORS)
        rest = Compound(cast("SetOperator", operator), self.statement(depth + 1)) if operator else None
        return Query(select, distinct, tables, joined, where, group, having, order, limited, rest)

    def _skip_semicolons(self) -> None:
        while self._accept(";"):
            pass

    def _from(self, depth: int) -> tuple[tuple[str | Query, ...], Conditions]:
        while self._peek() != "from":
            if not self._peek():
                raise NotParsed("there is no FROM")
            self._at += 1
        self._at += 1
        tables: list[str | Query] = []
        conditions: list[Condition] = []
        connectors: list[Connector] = []
        while self._peek():
            in_block = bool(self._accept("("))
            if self._peek() == "select":
                tables.append(self.statement(depth + 1))
            else:
                self._accept("join")
                tables.append(self._table())
            if self._accept("on"):
                on = self._conditions(tuple(tables), depth)
                connectors += ["and"] if conditions else []
                conditions += on.all
                connectors += on.connectors
            if in_block:
                self._expect(")")
            if self._peek() in _ENDS:
                break
        return tuple(tables), Conditions(tuple(conditions), tuple(connectors))

    def _table(self) -> str:
        name = self._peek()
        table = self._tables.get(name, "")
        if table not in self._names.columns:
            raise NotParsed(f"no table {name[:100]!r}")
        self._at += 1
        if self._accept("as"):
            self._at += 1
        return table

    def _select(self, tables: tuple[str | Query, ...]) -> tuple[bool, tuple[Selected, ...]]:
        self._expect("select")
        distinct = bool(self._accept("distinct"))
        items = []
        while self._peek() not in _CLAUSES:
            aggregate = self._accept(*AGGREGATES) or None
            items.append(Selected(self._term(tables), aggregate))
            self._accept(",")
        return distinct, tuple(items)

    def _conditions(self, tables: tuple[str | Query, ...], depth: int) -> Conditions:
        conditions: list[Condition] = []
        connectors: list[Connector] = []
        while self._peek():
            if len(connectors) < len(conditions):
                raise NotParsed(f"'and' or 'or' expected, {self._peek()[:100]!r} found")
            conditions.append(self._condition(tables, depth))
            if self._peek() in _ENDS or self._peek() in _JOINS:
                break
            connector = self._accept("and", "or")
            if connector:
                connectors.append(cast("Connector", connector))
        return Conditions(tuple(conditions), tuple(connectors))

    def _condition(self, tables: tuple[str | Query, ...], depth: int) -> Condition:
        term = self._term(tables)
        negated = bool(self._accept("not"))
        operator = self._accept(*OPERATORS)
        if not operator:
            raise NotParsed(f"an operator expected, {self._peek()[:100]!r} found")
        value = self._value(tables, depth)
        second: Value = None
        if operator == "between":
            self._expect("and")
            second = self._value(tables, depth)
        return Condition(term, operator, value, second, negated)

    def _value(self, tables: tuple[str | Query, ...], depth: int) -> Value:
        in_block = bool(self._accept("("))
        value: Value
        if self._peek() == "select":
            value = self.statement(depth + 1)
        elif '"' in self._peek():
            value = self._peek()
            self._at += 1
        else:
            number = _number(self._peek())
            if number is not None:
                self._at += 1
                value = number
            else:
                value = self._column_as_value(tables, in_block=in_block)
        if in_block:
            self._expect(")")
        return value

    def _column_as_value(self, tables: tuple[str | Query, ...], *, in_block: bool) -> Column:
        """A column on the right side; whatever follows it, up to the end of the value, is passed over."""
        if in_block:
            raise NotParsed("a value in brackets is neither a statement nor a literal")
        distinct = bool(self._accept("distinct"))
        if self._peek() in _NO_VALUE:
            raise NotParsed(f"a value expected, {self._peek()[:100]!r} found")
        column = Column(self._column_name(tables), None, distinct)
        while self._peek() and self._peek() not in _AFTER_VALUE:
            self._at += 1
        return column

    def _group(self, tables: tuple[str | Query, ...]) -> tuple[Column, ...]:
        if not self._accept("group"):
            return ()
        self._expect("by")
        columns = []
        while self._peek() and self._peek() not in _ENDS:
            columns.append(self._column(tables))
            if not self._accept(","):
                break
        return tuple(columns)

    def _order(self, tables: tuple[str | Query, ...]) -> Order | None:
        if not self._accept("order"):
            return None
        self._expect("by")
        direction = "asc"
        terms = []
        while self._peek() and self._peek() not in _ENDS:
            terms.append(self._term(tables))
            direction = self._accept("asc", "desc") or direction
            if not self._accept(","):
                break
        return Order(direction, tuple(terms))

    def _limit(self) -> bool:
        if not self._accept("limit"):
            return False
        if not self._peek():
            raise NotParsed("LIMIT without a number")
        self._at += 1
        return True

    def _term(self, tables: tuple[str | Query, ...]) -> Term:
        in_block = bool(self._accept("("))
        left = self._column(tables)
        operator = self._accept(*ARITHMETIC)
        term = Term(left, operator, self._column(tables)) if operator else Term(left)
        if in_block:
            self._expect(")")
        return term

    def _column(self, tables: tuple[str | Query, ...]) -> Column:
        in_block = bool(self._accept("("))
        aggregate = self._accept(*AGGREGATES)
        if aggregate:
            # A bracket that was opened before the aggregate is left open, as the reference parser leaves it.
            self._expect("(")
            distinct = bool(self._accept("distinct"))
            column = Column(self._column_name(tables), aggregate, distinct)
            self._expect(")")
            return column
        distinct = bool(self._accept("distinct"))
        column = Column(self._column_name(tables), None, distinct)
        if in_block:
            self._expect(")")
        return column

    def _column_name(self, tables: tuple[str | Query, ...]) -> str:
        token = self._peek()
        self._at += 1
        if token == "*":  # noqa: S105 - no password
            return token
        alias, stop, name = token.partition(".")
        if stop:
            owner = self._tables.get(alias, "")
            if name in self._names.columns.get(owner, ()):
                return f"{owner}.{name}"
        else:
            for table in tables:
                if isinstance(table, str) and token in self._names.columns[table]:
                    return f"{table}.{token}"
        raise NotParsed(f"no column {token[:100]!r}")


def _number(token: str) -> float | None:
    try:
        return float(token)
    except ValueError:
        return None

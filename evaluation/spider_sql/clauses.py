"""A statement as Spider's grammar takes it apart.

Names follow the paper's clauses (Yu et al. 2018, https://arxiv.org/abs/1809.08887). Columns are `table.column` in lower
case, or `*`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Connector = Literal["and", "or"]
SetOperator = Literal["intersect", "union", "except"]


@dataclass(frozen=True)
class Column:
    """A column, perhaps aggregated: `count(DISTINCT singer.name)`."""

    name: str
    aggregate: str | None = None
    distinct: bool = False


@dataclass(frozen=True)
class Term:
    """One column, or two with an arithmetic operator between them."""

    left: Column
    operator: str | None = None
    right: Column | None = None

    @property
    def columns(self) -> tuple[Column, ...]:
        """The one or two columns."""
        return (self.left,) if self.right is None else (self.left, self.right)


@dataclass(frozen=True)
class Selected:
    """One item of the SELECT list: `max(singer.age)` has its aggregate here, not in its column."""

    term: Term
    aggregate: str | None = None


@dataclass(frozen=True)
class Condition:
    """One comparison.

    Attributes:
        term: The left side.
        operator: `=`, `in`, `between`, …
        value: The right side; `None` where values do not count.
        second: The upper end of a BETWEEN.
        negated: NOT stands before the operator.
    """

    term: Term
    operator: str
    value: Value = None
    second: Value = None
    negated: bool = False

    @property
    def subqueries(self) -> tuple[Query, ...]:
        """The statements on its right side."""
        return tuple(value for value in (self.value, self.second) if isinstance(value, Query))


@dataclass(frozen=True)
class Conditions:
    """Comparisons and the connectors between them, both in order."""

    all: tuple[Condition, ...] = ()
    connectors: tuple[Connector, ...] = ()


@dataclass(frozen=True)
class Order:
    """ORDER BY; there is one direction for all terms, the last that was written."""

    direction: str
    terms: tuple[Term, ...]


@dataclass(frozen=True)
class Compound:
    """What follows the statement after INTERSECT, UNION or EXCEPT."""

    operator: SetOperator
    query: Query


@dataclass(frozen=True)
class Query:
    """One statement.

    Attributes:
        select: The SELECT list.
        distinct: SELECT DISTINCT.
        tables: What is in FROM: names of tables, and statements.
        joined: The conditions after ON.
        where: The conditions after WHERE.
        group: The columns of GROUP BY.
        having: The conditions after HAVING.
        order: ORDER BY.
        limited: Whether there is a LIMIT; its number does not count, and need not be one.
        compound: The rest after a set operator.
    """

    select: tuple[Selected, ...] = ()
    distinct: bool = False
    tables: tuple[str | Query, ...] = ()
    joined: Conditions = Conditions()
    where: Conditions = Conditions()
    group: tuple[Column, ...] = ()
    having: Conditions = Conditions()
    order: Order | None = None
    limited: bool = False
    compound: Compound | None = None

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """All comparisons: after ON, WHERE and HAVING."""
        return (*self.joined.all, *self.where.all, *self.having.all)

    @property
    def connectors(self) -> tuple[Connector, ...]:
        """All connectors: after ON, WHERE and HAVING."""
        return (*self.joined.connectors, *self.where.connectors, *self.having.connectors)


Value: TypeAlias = Query | Column | str | float | None

"""The gold's own order, asked of the engine: all rows without the LIMIT, each with its rank.

What `ORDER BY` means (NULLs first or last, collations, expressions) is the engine's business, and so are ties: the
ranking query lets `DENSE_RANK()` decide. Order is only ever the top level's, read from the syntax tree.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from functools import lru_cache

from sqlglot import exp, parse
from sqlglot.errors import SqlglotError

ROWS = "sqlassay_rows"
RANK = "sqlassay_rank"
_MAY_CHOOSE = re.compile(r"order|limit|offset|fetch|top", re.IGNORECASE)
"""What a text must hold to be worth reading."""


@dataclass(frozen=True)
class Ranking:
    """How to ask for the rows that a gold chooses from.

    Attributes:
        sql: The ranking query: the gold's columns, then its ORDER BY keys, then the rank.
        keys: How many key columns there are.
        offset: Rows that the gold skips.
        limited: Whether the gold may leave rows out.
        complete: Whether every ORDER BY key is among the keys; one that cannot be computed is left out.
    """

    sql: str
    keys: int
    offset: int
    limited: bool
    complete: bool


@lru_cache(maxsize=4096)
def ranking_of(gold: str, dialect: str, width: int) -> Ranking | None:
    """The ranking of a gold.

    Args:
        gold: The gold statement.
        dialect: Its sqlglot dialect.
        width: How many columns it returns.

    Returns:
        `None` when the gold has no order and no limit at its top level, or cannot be read.
    """
    if _MAY_CHOOSE.search(gold) is None:
        return None
    try:
        statements = [tree for tree in parse(gold, read=dialect) if tree is not None]
    except (SqlglotError, RecursionError):
        return None
    if len(statements) != 1 or width == 0:
        return None
    query = _inside(statements[0])
    if not isinstance(query, exp.Query):
        return None
    order, limited = query.args.get("order"), bool(query.args.get("limit") or query.args.get("fetch"))
    offset = _offset(query)
    if order is None and not limited and offset == 0:
        return None
    keys = [key for key in order.expressions if isinstance(key, exp.Ordered)] if order is not None else []
    if dialect == "duckdb" and len(keys) == 1 and keys[0].this.name.upper() == "ALL":
        keys = [_replaced(keys[0], exp.Literal.number(place)) for place in range(1, width + 1)]
    return _Ranker(query, keys, width, dialect).ranking(offset, limited or offset > 0)


def _inside(tree: exp.Expr) -> exp.Expr:
    """A fully parenthesised query is its inside."""
    while isinstance(tree, exp.Subquery | exp.Paren) and not any(
        value for name, value in tree.args.items() if name != "this"
    ):
        tree = tree.this
    return tree


def _offset(query: exp.Query) -> int:
    """The number of rows to skip; more than any result has when it is not written as a number."""
    offset = query.args.get("offset")
    if offset is None:
        return 0
    number = offset.expression
    return int(number.name) if isinstance(number, exp.Literal) and number.is_int else sys.maxsize


class _Ranker:
    """Builds the ranking query of one gold."""

    def __init__(self, query: exp.Query, keys: list[exp.Ordered], width: int, dialect: str) -> None:
        self.query = query
        self.keys = keys
        self.width = width
        self.dialect = dialect
        first = query
        while isinstance(first, exp.SetOperation):
            first = first.left
        self.outputs: list[exp.Expr] = list(_inside(first).args.get("expressions") or [])
        self.has_star = any(map(_is_star, self.outputs))

    def ranking(self, offset: int, limited: bool) -> Ranking:
        keys: list[tuple[exp.Ordered, int | None]] = [(key, self._place(key.this)) for key in self.keys]
        plain = isinstance(self.query, exp.Select) and not self.query.args.get("distinct")
        # Beside a plain query any key can be computed; beside DISTINCT and set operations only what they return.
        kept = [(key, place) for key, place in keys if plain or place is not None]
        return Ranking(self._sql(kept), len(kept), offset, limited, complete=len(kept) == len(keys))

    def _place(self, key: exp.Expr) -> int | None:
        """Which output a key is, from 0; `None` when it is none of them."""
        bare = key.this if isinstance(key, exp.Collate) else key
        if isinstance(bare, exp.Literal) and bare.is_int:
            place = int(bare.name) - 1
            return place if 0 <= place < self.width else None
        if self.has_star:
            return None
        if isinstance(bare, exp.Column) and not bare.table:
            for place, output in enumerate(self.outputs):
                if output.alias and output.alias.casefold() == bare.name.casefold():
                    return place
        for place, output in enumerate(self.outputs):
            if output.unalias() == bare:
                return place
            if isinstance(bare, exp.Column) and not bare.table and _is_column(output.unalias(), bare.name):
                return place
        return None

    def _sql(self, keys: list[tuple[exp.Ordered, int | None]]) -> str:
        """The gold without order and limit as a table, with the keys that it does not return beside its columns."""
        inner = self.query.copy()
        for part in ("order", "limit", "offset", "fetch"):
            inner.set(part, None)
        with_ = inner.args.get("with_")
        inner.set("with_", None)
        names = [f"c{number}" for number in range(1, self.width + 1)]
        outside: list[str] = []
        ranked = []
        for key, place in keys:
            if place is None:
                outside.append(f"k{len(outside) + 1}")
                bare = key.this.this if isinstance(key.this, exp.Collate) else key.this
                inner.append("expressions", self._without_aliases(bare.copy()))
            ranked.append(_replaced(key, exp.column(outside[-1] if place is None else names[place])))
        columns = [exp.column(name) for name in names]
        outer = exp.select(*columns, *(key.this.copy() for key in ranked), _rank(ranked)).from_(ROWS)
        outer = outer.order_by(RANK, dialect=self.dialect)
        heads = [exp.to_identifier(name) for name in (*names, *outside)]
        cte = exp.CTE(this=inner, alias=exp.TableAlias(this=exp.to_identifier(ROWS), columns=heads))
        if with_ is None:
            with_ = exp.With(expressions=[cte])
        else:
            with_.append("expressions", cte)
        outer.set("with_", with_)
        return outer.sql(dialect=self.dialect)

    def _without_aliases(self, key: exp.Expr) -> exp.Expr:
        """The key with the names of outputs replaced by what they stand for: beside the outputs they mean nothing.

        A name that is also a column's is left alone, since within an expression the column comes first.
        """
        columns = {column.name.casefold() for part in self._parts() for column in part.find_all(exp.Column)}
        stands_for = {output.alias.casefold(): output.unalias() for output in self.outputs if output.alias}

        def meaning(node: exp.Expr) -> exp.Expr:
            bare = isinstance(node, exp.Column) and not node.table
            name = node.name.casefold() if bare else ""
            if name in stands_for and name not in columns:
                return exp.paren(stands_for[name].copy())
            return node

        return key.transform(meaning)

    def _parts(self) -> list[exp.Expr]:
        """The query without its order, as far as it may mention columns."""
        parts = [value for name, value in self.query.args.items() if name not in ("order", "with_")]
        flat = [node for part in parts for node in (part if isinstance(part, list) else [part])]
        return [node for node in flat if isinstance(node, exp.Expr)]


def _rank(keys: list[exp.Ordered]) -> exp.Expr:
    """The rank by these keys; without keys all rows have one rank."""
    if not keys:
        return exp.alias_(exp.Literal.number(1), RANK)
    order = exp.Order(expressions=[key.copy() for key in keys])
    return exp.alias_(exp.Window(this=exp.Anonymous(this="DENSE_RANK"), order=order), RANK)


def _replaced(key: exp.Ordered, value: exp.Expr) -> exp.Ordered:
    """The key over another expression, direction and collation kept."""
    copy = key.copy()
    if isinstance(copy.this, exp.Collate):
        copy.this.set("this", value)
    else:
        copy.set("this", value)
    return copy


def _is_star(output: exp.Expr) -> bool:
    return isinstance(output, exp.Star) or (isinstance(output, exp.Column) and isinstance(output.this, exp.Star))


def _is_column(output: exp.Expr, name: str) -> bool:
    return isinstance(output, exp.Column) and output.name.casefold() == name.casefold()

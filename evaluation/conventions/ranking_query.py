"""The gold's own order, asked of the engine: the rows that it chooses from, each with its rank.

What `ORDER BY` means (NULLs first or last, collations, expressions) is the engine's business, and so are ties: the
ranking query lets `RANK()` decide. Order is only ever the top level's, read from the syntax tree; a cut may also be
that of a derived table of which the gold only shows columns. The engine leaves out what no LIMIT could take, so that
ten rows of a million are looked for among a thousand.
"""

from __future__ import annotations

from dataclasses import replace

from sqlglot import exp, parse
from sqlglot.errors import SqlglotError

from evaluation.conventions.derived_table import MODIFIERS, UnknownKey, hoisted, is_cut
from evaluation.conventions.outputs import Outputs, is_open, over, picks, without_collation
from evaluation.conventions.ranking import Ranking

ROWS = "sqlassay_rows"
RANKED = "sqlassay_ranked"
RANK = "sqlassay_rank"
MARGIN = 1_000
"""Rows before and after those that a LIMIT takes that are asked for as well: their keys may tie within tolerance."""

_MOVABLE = (*MODIFIERS, "with_")


def ranking_of(gold: str, dialect: str, names: tuple[str, ...], height: int | None = None) -> Ranking | str | None:
    """The ranking of a gold.

    Args:
        gold: The gold statement.
        dialect: Its sqlglot dialect.
        names: The names of its columns, as the engine gives them.
        height: How many rows it returns, if only those are to be asked for among which it chooses these.

    Returns:
        `None` when the gold has no order and leaves no choice; why, when that cannot be read.
    """
    try:
        statements = [tree for tree in parse(gold, read=dialect) if tree is not None]
    except (SqlglotError, RecursionError):
        return "sqlglot cannot read the gold"
    query = _query(statements[0]) if len(statements) == 1 and names else None
    if query is None:
        return None
    ordered = query.args.get("order") is not None or is_cut(query)
    if not ordered:
        try:
            query = hoisted(query, dialect)
        except UnknownKey as error:
            return f"the key {error} cannot be computed"
        if query is None:
            return None
    order, limited = query.args.get("order"), is_cut(query)
    keys = [key for key in order.expressions if isinstance(key, exp.Ordered)] if order is not None else []
    if dialect == "duckdb" and len(keys) == 1 and keys[0].this.name.upper() == "ALL":
        keys = [over(keys[0], exp.Literal.number(place)) for place in range(1, len(names) + 1)]
    ranking = _Ranker(query, keys, names, dialect).ranking(height if limited else None, limited=limited)
    return replace(ranking, ordered=ordered)


def _query(tree: exp.Expr) -> exp.Query | None:
    """The query that a statement is: a fully parenthesised one is its inside, and so is what is around it."""
    if isinstance(tree, exp.Values):
        values = tree.copy()
        alias = exp.TableAlias(this=exp.to_identifier(ROWS))
        query = exp.select("*").from_(exp.Subquery(this=values, alias=alias))
        for part in MODIFIERS:
            query.set(part, values.args.get(part))
            values.set(part, None)
        return query
    while isinstance(tree, exp.Subquery | exp.Paren):
        outside = {name: value for name, value in tree.args.items() if value and name != "this"}
        inside = tree.this
        if outside and (is_cut(inside) or any(name not in _MOVABLE or inside.args.get(name) for name in outside)):
            break
        tree = inside.copy()
        for name, value in outside.items():
            tree.set(name, value.copy())
    return tree if isinstance(tree, exp.Query) else None


class _Ranker:
    """Builds the ranking query of one gold."""

    def __init__(self, query: exp.Query, keys: list[exp.Ordered], names: tuple[str, ...], dialect: str) -> None:
        self.query = query
        self.keys = keys
        self.dialect = dialect
        self.outputs = Outputs(query, names)
        self.names = [f"c{number}" for number in range(1, len(names) + 1)]

    def ranking(self, height: int | None, *, limited: bool) -> Ranking:
        inner = self.query.copy()
        for part in MODIFIERS:
            if part != "order" or not picks(self.query):  # the order of DISTINCT ON says which rows there are
                inner.set(part, None)
        with_ = inner.args.get("with_") or exp.With(expressions=[])
        inner.set("with_", None)
        further: list[str] = []
        ranked: list[exp.Ordered] = []
        unknown = ""
        for key in self.keys:
            bare = without_collation(key)
            place = self.outputs.place(bare)
            made = self._column(place) if place is not None else None
            if made is None and is_open(self.query):
                further.append(f"k{len(further) + 1}")
                inner.append("expressions", self.outputs.without_aliases(bare.copy(), self.dialect))
                made = exp.column(further[-1])
            if made is None:
                made = self.outputs.computed(bare, self._column)
            if made is None:
                unknown = unknown or bare.sql(dialect=self.dialect)
            else:
                ranked.append(over(key, made))
        offset = self._offset()
        with_.append("expressions", _cte(ROWS, [*self.names, *further], inner))
        with_.append("expressions", _cte(RANKED, self._heads(len(ranked)), self._ranked(ranked)))
        outer = exp.select(*map(exp.column, self._heads(len(ranked)))).from_(RANKED).order_by(exp.column(RANK))
        if height is not None and ranked:
            outer = outer.where(*self._near(offset, height))
        if not isinstance(offset, int):
            outer = outer.select(offset.copy())
        outer.set("with_", with_)
        known = offset if isinstance(offset, int) else None
        return Ranking(outer.sql(dialect=self.dialect), len(self.names), len(ranked), known, limited, unknown)

    def _column(self, place: int) -> exp.Expr:
        return exp.column(self.names[place])

    def _heads(self, keys: int) -> list[str]:
        return [*self.names, *(f"key{number}" for number in range(1, keys + 1)), RANK]

    def _ranked(self, keys: list[exp.Ordered]) -> exp.Select:
        """The rows, the keys, and the rank by these keys; without keys all rows have one rank."""
        rank: exp.Expr = exp.Literal.number(1)
        if keys:
            order = exp.Order(expressions=[key.copy() for key in keys])
            rank = exp.Window(this=exp.Anonymous(this="RANK"), order=order)
        bare = map(without_collation, keys)
        return exp.select(*map(exp.column, self.names), *(key.copy() for key in bare), rank).from_(ROWS)

    def _offset(self) -> int | exp.Expr:
        """The number of rows to skip, as far as the text tells."""
        offset = self.query.args.get("offset")
        if offset is None:
            return 0
        number = offset.expression
        if isinstance(number, exp.Literal) and number.is_int:
            return int(number.name)
        return exp.cast(exp.paren(number.copy()), exp.DType.BIGINT)

    def _near(self, offset: int | exp.Expr, height: int) -> list[exp.Expr]:
        """Which ranks to ask for: of groups that the gold takes rows of, and of those that may tie with them."""
        rank = exp.column(RANK)
        wanted = [exp.LTE(this=rank, expression=_plus(offset, height + MARGIN))]
        if isinstance(offset, int) and offset < MARGIN:
            return [*wanted]
        first = exp.select(exp.Max(this=rank.copy())).from_(RANKED)
        first = first.where(exp.LTE(this=rank.copy(), expression=_plus(offset, 1 - MARGIN)))
        start = exp.Coalesce(this=exp.Subquery(this=first), expressions=[exp.Literal.number(1)])
        return [*wanted, exp.GTE(this=rank.copy(), expression=start)]


def _plus(offset: int | exp.Expr, number: int) -> exp.Expr:
    if isinstance(offset, int):
        return exp.Literal.number(offset + number)
    return exp.Add(this=offset.copy(), expression=exp.Literal.number(number))


def _cte(name: str, columns: list[str], query: exp.Expr) -> exp.CTE:
    heads = [exp.to_identifier(column) for column in columns]
    return exp.CTE(this=query, alias=exp.TableAlias(this=exp.to_identifier(name), columns=heads))

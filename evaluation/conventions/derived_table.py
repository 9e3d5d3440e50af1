"""A gold that only shows columns of a query that is cut: `SELECT t.name FROM (SELECT … ORDER BY … LIMIT 1) AS t`."""

from __future__ import annotations

from sqlglot import exp

from evaluation.conventions.outputs import Outputs, is_open, is_star, over, picks, without_collation

MODIFIERS = ("order", "limit", "offset", "fetch")
TABLE, KEY = "sqlassay_table", "sqlassay_key"

_OUTSIDE = frozenset({"expressions", "from_", "with_"})
_OF_A_TABLE = frozenset({"this", "alias"})
_MORE_THAN_A_CELL = (
    *(exp.AggFunc, exp.Window, exp.Query, exp.Star, exp.Columns),
    *(exp.UDTF, exp.GenerateSeries, exp.ExplodingGenerateSeries, exp.Explode, exp.Anonymous),
)
"""What reads other rows, or makes some, or is a function that could."""


class UnknownKey(ValueError):
    """A key cannot be computed from what a query returns."""


def is_cut(query: exp.Expr) -> bool:
    """Whether a query may leave rows out at its beginning or end."""
    return any(query.args.get(part) for part in MODIFIERS[1:])


def hoisted(query: exp.Query, dialect: str) -> exp.Query | None:
    """The gold with the order and the cut of its derived table as its own.

    The table may also be a common table expression that is used once.

    Args:
        query: A gold without order and limit.
        dialect: Its sqlglot dialect.

    Returns:
        A query for the same rows; `None` when the gold does more than show columns of one query that is cut.

    Raises:
        UnknownKey: A key of the order cannot be computed.
    """
    if not isinstance(query, exp.Select) or not _has_only(query, _OUTSIDE):
        return None
    outer = query.copy()
    table = _derived_table(outer)
    if table is None:
        return None
    inner = table.this if is_cut(table.this) else hoisted(table.this, dialect)
    if inner is None:
        return None
    if len(outer.expressions) == 1 and _is_all_of(outer.expressions[0], table):
        return _instead_of(outer, inner)
    if any(output.find(*_MORE_THAN_A_CELL) is not None for output in outer.expressions):
        return None
    if not table.alias:
        table.set("alias", exp.TableAlias(this=exp.to_identifier(TABLE)))
    # With the table's name, so that no alias of the gold is meant.
    keys = _keys(inner, table.args["alias"].this, dialect)
    for part in MODIFIERS:
        outer.set(part, inner.args.get(part))
        if part != "order" or not picks(inner):
            inner.set(part, None)
    if keys:
        outer.set("order", exp.Order(expressions=keys))
    table.set("this", inner)
    return outer


def _has_only(node: exp.Expr, parts: frozenset[str]) -> bool:
    return not any(value and name not in parts for name, value in node.args.items())


def _derived_table(outer: exp.Select) -> exp.Subquery | None:
    """The query from which another takes all of its rows, if its columns keep their names."""
    clause = outer.args.get("from_")
    table = clause.this if clause is not None else None
    if not isinstance(table, exp.Table | exp.Subquery) or not _has_only(table, _OF_A_TABLE):
        return None
    if isinstance(table, exp.Table):
        table = _common_table(outer, table)
    if table is None or ("alias" in table.args and table.alias_column_names):
        return None
    while isinstance(table.this, exp.Subquery) and _has_only(table.this, frozenset({"this"})):
        table.set("this", table.this.this)
    return table if isinstance(table.this, exp.Select | exp.SetOperation) else None


def _common_table(outer: exp.Select, table: exp.Table) -> exp.Subquery | None:
    """Put the common table expression that a name stands for in its place, if the name is used once."""
    with_ = outer.args.get("with_")
    if with_ is None or with_.args.get("recursive"):
        return None
    name = table.name.casefold()
    found = [one for one in with_.expressions if one.alias.casefold() == name]
    uses = sum(one.name.casefold() == name for one in outer.find_all(exp.Table))
    if len(found) != 1 or uses != 1 or found[0].alias_column_names:
        return None
    found[0].pop()
    if not with_.expressions:
        outer.set("with_", None)
    alias = table.args.get("alias") or exp.TableAlias(this=table.this.copy())
    derived = exp.Subquery(this=found[0].this, alias=alias)
    table.replace(derived)
    return derived


def _is_all_of(output: exp.Expr, table: exp.Subquery) -> bool:
    """Whether an output is `*` or `t.*`, and leaves or changes no column."""
    if isinstance(output, exp.Column) and output.table.casefold() == table.alias.casefold():
        output = output.this
    return isinstance(output, exp.Star) and _has_only(output, frozenset())


def _instead_of(outer: exp.Select, inner: exp.Query) -> exp.Query | None:
    """All columns of a query are the query."""
    with_ = outer.args.get("with_")
    if with_ is not None and inner.args.get("with_"):
        return None
    inner.set("with_", with_ or inner.args.get("with_"))
    return inner


def _keys(inner: exp.Query, table: exp.Identifier, dialect: str) -> list[exp.Ordered]:
    """The keys of a derived table, for the query around it. A plain query is given them as further outputs."""
    order = inner.args.get("order")
    meaning = _Meaning(inner, dialect)
    keys = []
    further = []
    for number, key in enumerate(order.expressions if order is not None else (), start=1):
        bare = without_collation(key)
        if is_open(inner):
            further.append(exp.alias_(meaning.beside_outputs(bare), f"{KEY}{number}"))
            keys.append(over(key, exp.column(f"{KEY}{number}", table=table.copy())))
        else:
            keys.append(over(key, meaning.outside(bare, table)))
    for output in further:
        inner.append("expressions", output)
    return keys


class _Meaning:
    """What the keys of a query mean elsewhere."""

    def __init__(self, query: exp.Query, dialect: str) -> None:
        self.dialect = dialect
        self.selects = query.selects
        self.outputs = Outputs(query, query.named_selects)
        self.has_stars = any(map(is_star, query.selects))

    def beside_outputs(self, key: exp.Expr) -> exp.Expr:
        """A key as a further output."""
        output = self._output(key)
        if output is None and isinstance(key, exp.Literal):  # a place beside a star
            raise UnknownKey(key.sql(dialect=self.dialect))
        return self.outputs.without_aliases(key.copy(), self.dialect) if output is None else output.unalias().copy()

    def outside(self, key: exp.Expr, table: exp.Identifier) -> exp.Expr:
        """A key over the names of the outputs."""

        def column(output: exp.Expr) -> exp.Expr:
            name = output.args.get("alias") if isinstance(output, exp.Alias) else output.this
            if not isinstance(name, exp.Identifier):
                raise UnknownKey(key.sql(dialect=self.dialect))
            return exp.column(name.copy(), table=table.copy())

        output = self._output(key)
        if output is not None or isinstance(key, exp.Column):
            return column(output or key)
        made = None if self.has_stars else self.outputs.computed(key, lambda place: column(self.selects[place]))
        if made is None:
            raise UnknownKey(key.sql(dialect=self.dialect))
        return made

    def _output(self, key: exp.Expr) -> exp.Expr | None:
        """The output that is the key, as far as the text tells: it does not, what a star stands for."""
        if not self.has_stars:
            place = self.outputs.place(key)
            return None if place is None else self.selects[place]
        name = key.name.casefold() if isinstance(key, exp.Column) and not key.table else None
        return next((output for output in self.selects if output.alias.casefold() == name), None)

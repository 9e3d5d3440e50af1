"""What SQLite does silently, written out for engines that are stricter.

Each function takes a tree whose columns have tables and whose expressions have types, changes it and gives it back.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from sqlglot import exp, parse_one

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")
_COMPARISONS = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE)
_ARITHMETIC = (exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Mod)
_BEGINNING = r"'^\s*([+-]?([0-9]+\.?[0-9]*|\.[0-9]+))'"
_ELSE_ZERO = "CASE WHEN {text} IS NOT NULL THEN '0' END"
_BEGINNING_OF = {
    "postgres": f"CAST(COALESCE(SUBSTRING({{text}} FROM {_BEGINNING}), {_ELSE_ZERO}) AS DOUBLE PRECISION)",
    "trino": f"CAST(COALESCE(REGEXP_EXTRACT({{text}}, {_BEGINNING}, 1), {_ELSE_ZERO}) AS DOUBLE)",
}
"""The number with which a text begins, or 0, as SQLite computes with text; MySQL's CAST does that by itself."""


def types(tree: exp.Expr, dialect: str) -> exp.Expr:
    """Numbers beside text: SQLite compares them by the column's affinity, and computes with what text begins with.

    https://www.sqlite.org/datatype3.html, 4.2; https://www.sqlite.org/lang_expr.html#castexpr
    """
    for comparison in list(tree.find_all(*_COMPARISONS)):
        _reconcile(comparison.this, comparison.expression)
    for between in list(tree.find_all(exp.Between)):
        _reconcile(between.this, between.args["low"])
        _reconcile(between.this, between.args["high"])
    for among in list(tree.find_all(exp.In)):
        for value in among.expressions:
            _reconcile(among.this, value)
        query = among.args.get("query")
        if query is not None and isinstance(query.this, exp.Select) and query.this.expressions:
            _reconcile(among.this, query.this.expressions[0].unalias())
    for operation in list(tree.find_all(exp.Sum, exp.Avg, *_ARITHMETIC)):
        for operand in (operation.this, operation.args.get("expression")):
            if operand is not None:
                _as_number(operand, dialect)
    return tree


def _reconcile(left: exp.Expr, right: exp.Expr) -> None:
    if _is_number(left) and _is_text(right):
        left, right = right, left
    if not (_is_text(left) and _is_number(right)):
        return
    if isinstance(left, exp.Literal) and _NUMBER.fullmatch(left.name.strip()):
        left.replace(exp.Literal.number(left.name.strip()))
    elif isinstance(right, exp.Literal):
        right.replace(exp.Literal.string(right.name))
    else:
        right.replace(exp.cast(right.copy(), "TEXT"))


def _as_number(node: exp.Expr, dialect: str) -> None:
    if isinstance(node, exp.Distinct):
        for part in node.expressions:
            _as_number(part, dialect)
    elif _is_text(node):
        template = _BEGINNING_OF.get(dialect, "CAST({text} AS DOUBLE)")
        node.replace(parse_one(template.format(text=node.sql(dialect)), read=dialect))


def patterns(tree: exp.Expr, _: str) -> exp.Expr:
    """LIKE: SQLite's ignores the case of ASCII letters, and takes numbers."""
    for node in list(tree.find_all(exp.Like)):
        if not _is_text(node.this):
            node.this.replace(exp.cast(node.this.copy(), "TEXT"))
        node.replace(exp.ILike(this=node.this.copy(), expression=node.expression.copy()))
    return tree


def rounding(tree: exp.Expr, dialect: str) -> exp.Expr:
    """ROUND(x, n): some engines round only decimals to a place. MySQL's AVG of whole numbers has four places."""
    for node in list(tree.find_all(exp.Round)):
        if node.args.get("decimals") is not None:
            node.this.replace(exp.cast(node.this.copy(), "DECIMAL(38, 15)"))
    if dialect == "mysql":
        for average in list(tree.find_all(exp.Avg)):
            if not isinstance(average.this, exp.Distinct | exp.Cast):
                average.this.replace(exp.cast(average.this.copy(), "DOUBLE"))
    return tree


def distinct(tree: exp.Expr, _: str) -> exp.Expr:
    """DISTINCT ordered by what is not selected: SQLite takes the key of one of the equal rows."""
    for select in tree.find_all(exp.Select):
        order = select.args.get("order")
        if order is None or select.args.get("distinct") is None or select.args.get("group") is not None:
            continue
        selected = {projection.unalias().sql() for projection in select.expressions}
        aliases = {projection.alias_or_name for projection in select.expressions}
        keys = [ordered.this for ordered in order.expressions]
        if all(key.sql() in selected or key.name in aliases or key.is_int for key in keys):
            continue
        select.set("distinct", None)
        select.set("group", exp.Group(expressions=[p.unalias().copy() for p in select.expressions]))
    return tree


def greatest(tree: exp.Expr, _: str) -> exp.Expr:
    """Columns that are neither grouped nor aggregated: SQLite takes the value of some row, and this the greatest."""
    return _aggregated(tree, exp.Max)


def least(tree: exp.Expr, _: str) -> exp.Expr:
    """As `greatest`, the other way round."""
    return _aggregated(tree, exp.Min)


def _aggregated(tree: exp.Expr, aggregate: type[exp.AggFunc]) -> exp.Expr:
    for select in list(tree.find_all(exp.Select)):
        for column in list(_bare_columns(select)):
            column.replace(aggregate(this=column.copy()))
    return tree


def extremes(tree: exp.Expr, dialect: str) -> exp.Expr:
    """Columns beside a single MIN or MAX: SQLite takes them from the row that has it.

    https://www.sqlite.org/lang_select.html#bareagg
    """
    for select in list(tree.find_all(exp.Select)):
        found = [node for node in _own(select, exp.AggFunc) if isinstance(node, exp.Max | exp.Min)]
        bare = list(_bare_columns(select))
        if len({node.sql() for node in found}) != 1 or not bare:
            continue
        (extreme, *_) = found
        descending = isinstance(extreme, exp.Max)
        if select.args.get("group") is not None:
            for column in bare:
                column.replace(_of_extreme_row(column, extreme.this, dialect, descending=descending))
        elif all(isinstance(node, exp.Max | exp.Min) for node in _own(select, exp.AggFunc)):
            for node in found:
                node.replace(node.this.copy())
            key = exp.Ordered(this=extreme.this.copy(), desc=descending, nulls_first=False)
            select.set("order", exp.Order(expressions=[key]))
            select.set("limit", exp.Limit(expression=exp.Literal.number(1)))
    return tree


def _of_extreme_row(column: exp.Expr, key: exp.Expr, dialect: str, *, descending: bool) -> exp.Expr:
    if dialect == "postgres":
        order = "DESC" if descending else "ASC"
        text = f"(ARRAY_AGG({column.sql(dialect)} ORDER BY {key.sql(dialect)} {order} NULLS LAST))[1]"
        return parse_one(text, read=dialect)
    if dialect == "mysql":  # has nothing of the kind
        return column.copy()
    return (exp.ArgMax if descending else exp.ArgMin)(this=column.copy(), expression=key.copy())


def _bare_columns(select: exp.Select) -> Iterator[exp.Column]:
    """Columns of an aggregating query that are neither in a group key nor in an aggregate."""
    group = select.args.get("group")
    keys = {key.sql() for key in group.expressions} if group is not None else set()
    if group is None and not any(_own(select, exp.AggFunc)):
        return
    aliases = {projection.alias for projection in select.expressions if isinstance(projection, exp.Alias)}
    places = [*select.expressions, select.args.get("having"), select.args.get("order")]
    for column in [column for place in places if place is not None for column in _columns(place, select)]:
        if not column.table and column.name in aliases:
            continue
        above: exp.Expr | None = column
        while above is not None and above is not select:
            if isinstance(above, exp.AggFunc) or above.sql() in keys:
                break
            above = above.parent
        if above is select:
            yield column


def _columns(place: exp.Expr, select: exp.Select) -> Iterator[exp.Column]:
    for column in place.find_all(exp.Column):
        if column.find_ancestor(exp.Select) is select and not isinstance(column.this, exp.Star):
            yield column


def _own(select: exp.Select, kind: type[exp.AggFunc]) -> Iterator[exp.Expr]:
    """The aggregates of a query, without those of the queries in it."""
    for node in select.find_all(kind):
        if node.find_ancestor(exp.Select) is select and not isinstance(node.parent, exp.Window):
            yield node


def _is_text(node: exp.Expr) -> bool:
    return node.is_string or (node.type is not None and node.type.this in exp.DataType.TEXT_TYPES)


def _is_number(node: exp.Expr) -> bool:
    return node.is_number or (node.type is not None and node.type.this in exp.DataType.NUMERIC_TYPES)

"""What a query returns, and which of it an ORDER BY key means."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from sqlglot import exp, parse_one
from sqlglot.errors import SqlglotError

_NOT_OF_OUTPUTS = (exp.Query, exp.AggFunc, exp.Window, exp.Star)
"""What cannot be computed from the outputs of a query alone."""

_KEYS_AS_OUTPUTS = frozenset({"duckdb", "postgres"})
"""Dialects in which an expression means the same as a key and beside the outputs."""
_ALIASES_FIRST = frozenset({"trino"})
"""Dialects in which an alias comes before a column of its name, also within an expression."""


def says_distinct(sql: str, dialect: str) -> bool:
    """Whether a statement is a SELECT DISTINCT."""
    try:
        tree = parse_one(sql, read=dialect)
    except (SqlglotError, RecursionError):
        return False
    return isinstance(tree, exp.Select) and tree.args.get("distinct") is not None


class Outputs:
    """The columns of a query.

    Args:
        query: A SELECT or a set operation.
        names: The names of its columns, as the engine gives them.
    """

    def __init__(self, query: exp.Query, names: Sequence[str]) -> None:
        self._names = [name.casefold() for name in names]
        self._arms = [arm.expressions for arm in _arms(query)]
        self._is_plain = isinstance(query, exp.Select)
        self._columns = {column.name.casefold() for part in _parts(query) for column in part.find_all(exp.Column)}

    def place(self, key: exp.Expr) -> int | None:
        """Which output a whole key is, from 0; `None` when it is none of them."""
        if isinstance(key, exp.Literal) and key.is_int:
            place = int(key.name) - 1
            return place if 0 <= place < len(self._names) else None
        return self._named(key, aliases=True)

    def computed(self, key: exp.Expr, column: Callable[[int], exp.Expr]) -> exp.Expr | None:
        """The key as an expression over the outputs; `None` when it needs more than they hold.

        Args:
            key: The key.
            column: The output of a place, to put into the expression.
        """
        ours: list[exp.Expr] = []

        def over_outputs(node: exp.Expr) -> exp.Expr:
            # Within an expression a column comes before an alias of its name; beside a set operation there are none.
            hidden = self._is_plain and node.name.casefold() in self._columns
            place = None if isinstance(node, exp.Literal) else self._named(node, aliases=not hidden)
            if place is None:
                return node
            ours.append(column(place))
            return ours[-1]

        made = key.transform(over_outputs)
        known = set(map(id, ours))
        missing = any(id(node) not in known for node in made.find_all(exp.Column))
        return None if missing or made.find(*_NOT_OF_OUTPUTS) is not None else made

    def without_aliases(self, key: exp.Expr, dialect: str) -> exp.Expr:
        """The key with the names of outputs replaced by what they stand for: beside the outputs they mean nothing.

        A name that is also a column's is left alone where the column comes first within an expression. Only the
        columns that the query mentions are known.
        """
        if dialect in _KEYS_AS_OUTPUTS:
            return key
        columns = set() if dialect in _ALIASES_FIRST else self._columns
        stands_for = {output.alias.casefold(): output.unalias() for output in self._arms[0] if output.alias}

        def meaning(node: exp.Expr) -> exp.Expr:
            bare = isinstance(node, exp.Column) and not node.table
            name = node.name.casefold() if bare else ""
            if name in stands_for and name not in columns:
                return exp.paren(stands_for[name].copy())
            return node

        return key.transform(meaning)

    def _named(self, key: exp.Expr, *, aliases: bool) -> int | None:
        """The output that is the key: by the names in the first arm of a set operation that has it (as SQLite)."""
        for number, outputs in enumerate(self._arms):
            stars = [output for output in outputs if is_star(output)]
            if stars:
                place = self._beside_stars(key, stars) if number == 0 else None
            else:
                place = _place(key, outputs, aliases=aliases)
            if place is not None and place < len(self._names):
                return place
        return None

    def _beside_stars(self, key: exp.Expr, stars: Sequence[exp.Expr]) -> int | None:
        """What a star stands for, only the engine knows: its names tell."""
        if not isinstance(key, exp.Column) or self._names.count(key.name.casefold()) != 1:
            return None
        tables = {star.table.casefold() if isinstance(star, exp.Column) else "" for star in stars}
        return self._names.index(key.name.casefold()) if {"", key.table.casefold()} & tables or not key.table else None


def _arms(query: exp.Expr) -> Iterator[exp.Select]:
    """The queries of which a set operation consists, from left to right."""
    if isinstance(query, exp.SetOperation):
        yield from _arms(query.left)
        yield from _arms(query.right)
    elif isinstance(query, exp.Subquery | exp.Paren):
        yield from _arms(query.this)
    elif isinstance(query, exp.Select):
        yield query


def _parts(query: exp.Query) -> Iterator[exp.Expr]:
    """The query without its order, as far as it may mention columns."""
    for name, value in query.args.items():
        if name not in ("order", "with_"):
            yield from (node for node in (value if isinstance(value, list) else [value]) if isinstance(node, exp.Expr))


def _place(key: exp.Expr, outputs: Sequence[exp.Expr], *, aliases: bool) -> int | None:
    if aliases and isinstance(key, exp.Column) and not key.table:
        for place, output in enumerate(outputs):
            if output.alias and output.alias.casefold() == key.name.casefold():
                return place
    for place, output in enumerate(outputs):
        meant = output.unalias()
        if meant == key or _is_column(meant, key):
            return place
    return None


def is_star(output: exp.Expr) -> bool:
    """Whether an output stands for several columns, such as `*`, `t.*` or DuckDB's `COLUMNS('…')`."""
    return isinstance(output, exp.Star | exp.Columns) or (isinstance(output, exp.Column) and output.is_star)


def picks(query: exp.Expr) -> bool:
    """Whether a query is a DISTINCT ON, whose order also says which rows there are."""
    distinct = query.args.get("distinct") if isinstance(query, exp.Select) else None
    return distinct is not None and distinct.args.get("on") is not None


def is_open(query: exp.Expr) -> bool:
    """Whether any key can be computed beside a query's outputs; else only what it returns is left to sort by."""
    return isinstance(query, exp.Select) and (query.args.get("distinct") is None or picks(query))


def without_collation(key: exp.Ordered) -> exp.Expr:
    """What a key sorts by."""
    value: exp.Expr = key.this
    return value.this if isinstance(value, exp.Collate) else value


def over(key: exp.Ordered, value: exp.Expr) -> exp.Ordered:
    """The key over another expression, direction and collation kept."""
    copy = key.copy()
    if isinstance(copy.this, exp.Collate):
        copy.this.set("this", value)
    else:
        copy.set("this", value)
    return copy


def _is_column(output: exp.Expr, key: exp.Expr) -> bool:
    """Whether both are one column, as far as they say of which table."""
    if not (isinstance(output, exp.Column) and isinstance(key, exp.Column)):
        return False
    tables = {table.casefold() for table in (output.table, key.table) if table}
    return output.name.casefold() == key.name.casefold() and len(tables) < 2

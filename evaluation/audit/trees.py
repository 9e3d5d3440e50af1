"""Golds as syntax trees. They come from the dataset, so that nothing is taken for granted of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from sqlglot import exp, parse
from sqlglot.errors import SqlglotError

_ESCAPES = re.compile(r"\x1b\[[0-9;]*m")
"""sqlglot underlines what it complains about."""
_LIMITS = ("limit", "offset", "fetch")


@lru_cache(maxsize=256)
def read(sql: str, dialect: str) -> exp.Query | None:
    """The tree of one query, which nobody may change; `None` when sqlglot cannot read it as that."""
    return _read(sql, dialect)[0]


def complaint(sql: str, dialect: str) -> str:
    """Why sqlglot cannot read a text; empty when it can, whatever the text does."""
    return _read(sql, dialect)[1]


def _read(sql: str, dialect: str) -> tuple[exp.Query | None, str]:
    try:
        statements = [tree for tree in parse(sql, read=dialect) if tree is not None]
    except RecursionError:
        return None, "nested too deeply"
    except (SqlglotError, ValueError) as error:
        return None, _ESCAPES.sub("", " ".join(str(error).split()))[:300]
    if not statements:
        return None, "there is no statement"
    first = statements[0]
    return (first if len(statements) == 1 and isinstance(first, exp.Query) else None), ""


def inside(tree: exp.Query) -> exp.Query:
    """A fully parenthesised query is its inside."""
    while isinstance(tree, exp.Subquery) and not any(value for name, value in tree.args.items() if name != "this"):
        tree = tree.this
    return tree


@dataclass(frozen=True)
class Part:
    """A query that sorts or cuts its rows: the gold itself, or one inside it.

    Attributes:
        sql: Its text, to be executed alone.
        is_whole: Whether it is the gold itself.
        ordered: Whether it has an ORDER BY.
        limited: Whether it has a LIMIT, an OFFSET or a FETCH.
    """

    sql: str
    is_whole: bool
    ordered: bool
    limited: bool


def parts(gold: str, tree: exp.Query, dialect: str) -> list[Part]:
    """The gold, if it sorts or cuts its rows, and the queries inside it that cut theirs."""
    top = inside(tree)
    found = []
    for query in tree.find_all(exp.Query):
        ordered, limited = query.args.get("order") is not None, any(query.args.get(name) for name in _LIMITS)
        if query is top and (ordered or limited):
            found.append(Part(gold, True, ordered, limited))
        elif limited and not query.find_ancestor(exp.Exists):
            found.append(Part(alone(query, dialect), False, ordered, limited))
    return found


def alone(query: exp.Query, dialect: str, *, instead: exp.Query | None = None) -> str:
    """A query as a statement of its own, with the common tables that it sees.

    Args:
        query: A part of a tree.
        dialect: Of the text.
        instead: What to write in its place; it is changed.
    """
    seen = [cte.copy() for cte in reversed(list(_visible(query)))]
    written = query.copy() if instead is None else instead
    if seen:
        own = written.args.get("with_")
        if own is None:
            written.set("with_", exp.With(expressions=seen))
        else:
            own.set("expressions", [*seen, *own.expressions])
    return written.sql(dialect=dialect)


def _visible(query: exp.Query) -> Iterator[exp.Expr]:
    """The common tables around a query, the nearest first."""
    below: exp.Expr = query
    above = query.parent
    while above is not None:
        with_ = above.args.get("with_") if isinstance(above, exp.Query) else None
        if with_ is not None and with_ is not below:
            yield from reversed(with_.expressions)
        elif isinstance(above, exp.With):
            place = next(number for number, cte in enumerate(above.expressions) if cte is below)
            yield from reversed(above.expressions[:place])
        below, above = above, above.parent

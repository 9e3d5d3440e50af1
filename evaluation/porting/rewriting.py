"""A gold for SQLite, written for another engine; golds are trusted text, so their trees may be built here.

The first text is a plain translation. Where its result differs, or the engine refuses it, repairs follow: each makes
explicit what SQLite does silently. None is trusted: what counts is the result (`verifying`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlglot import exp, parse_one
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.annotate_types import annotate_types
from sqlglot.optimizer.qualify import qualify

from database_backends.loading.base import Kind, SourceTable
from evaluation.porting import repairs

_TYPES = {
    Kind.INTEGER: "BIGINT",
    Kind.REAL: "DOUBLE",
    Kind.NUMERIC: "DECIMAL",
    Kind.TEXT: "TEXT",
    Kind.BLOB: "BLOB",
}


@dataclass(frozen=True)
class Rewriting:
    """A text for the other engine.

    Attributes:
        sql: The text.
        repairs: The repairs that changed it, in their order; empty for the plain translation.
    """

    sql: str
    repairs: tuple[str, ...] = ()


class Rewriter:
    """Rewrites the golds of one database.

    Args:
        tables: Its tables, as they were moved.
        dialect: The sqlglot dialect of the other engine.
    """

    def __init__(self, tables: Sequence[SourceTable], dialect: str) -> None:
        self._dialect = dialect
        self._schema: dict[str, object] = {
            table.name: {column.name: _TYPES[column.kind] for column in table.columns} for table in tables
        }
        self._columns = {column.name for table in tables for column in table.columns}

    def rewritings(self, sql: str) -> Iterator[Rewriting]:
        """The plain translation, then repaired ones; no text comes twice.

        Raises:
            SqlglotError: The gold cannot be read.
        """
        plain = self._plain(sql)
        text = plain.sql(self._dialect)
        yield Rewriting(text)
        seen = {text}
        typed = self._typed(plain)
        if typed is None:
            return
        for tree, names in self._repaired(typed):
            text = tree.sql(self._dialect)
            if text not in seen:
                seen.add(text)
                yield Rewriting(text, names)

    def _repaired(self, tree: exp.Expr) -> Iterator[tuple[exp.Expr, tuple[str, ...]]]:
        """What SQLite does with types and patterns first; then, in several ways, with columns that are not grouped.

        `names` stands for what the tree has in any case: each column with its table, aliases replaced by what they
        stand for.
        """
        names: list[str] = []
        for repair in (repairs.types, repairs.patterns, repairs.rounding, repairs.distinct):
            before = tree.sql(self._dialect)
            tree = repair(tree.copy(), self._dialect)
            if tree.sql(self._dialect) != before:
                names.append(repair.__name__)
        yield tree, tuple(names) or ("names",)
        for grouping in ((repairs.extremes, repairs.greatest), (repairs.greatest,), (repairs.least,)):
            grouped = tree.copy()
            for repair in grouping:
                grouped = repair(grouped, self._dialect)
            yield grouped, (*names, grouping[0].__name__)

    def _plain(self, sql: str) -> exp.Expr:
        """The tree with all names in lower case, and text in double quotes told from names."""
        tree = parse_one(sql, read="sqlite")
        aliases = {alias.alias.lower() for alias in tree.find_all(exp.Alias, exp.TableAlias)}
        known = self._columns | aliases
        for column in list(tree.find_all(exp.Column)):
            name = column.this
            if isinstance(name, exp.Identifier) and name.quoted and not column.table and name.name.lower() not in known:
                column.replace(exp.Literal.string(name.name))
        for identifier in tree.find_all(exp.Identifier):
            identifier.set("this", identifier.name.lower())
            identifier.set("quoted", True)
        return tree

    def _typed(self, tree: exp.Expr) -> exp.Expr | None:
        """The tree with each column's table and each expression's type; None where they cannot be told."""
        try:
            qualified = qualify(
                tree.copy(),
                schema=self._schema,
                dialect="sqlite",
                expand_stars=False,
                validate_qualify_columns=False,
            )
            return annotate_types(qualified, schema=self._schema, dialect="sqlite")
        except (SqlglotError, RecursionError):
            return None

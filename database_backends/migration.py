"""What would make a schema the expected one: statements to look at. Nothing here executes them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import singledispatchmethod

from database_backends.differences import (
    Difference,
    ExtraColumn,
    ExtraForeignKey,
    ExtraTable,
    MissingColumn,
    MissingForeignKey,
    MissingTable,
    OtherNullable,
    OtherPrimaryKey,
    OtherType,
    primary_key,
)
from database_backends.quoting import quoted
from sqlassay.schema import Column, ForeignKey, Table

_MODIFY = "ALTER TABLE {table} MODIFY COLUMN {column} {type}{not_null};"
_CHANGE_TYPE = {
    "duckdb": "ALTER TABLE {table} ALTER COLUMN {column} TYPE {type};",
    "mysql": _MODIFY,
    "postgres": "ALTER TABLE {table} ALTER COLUMN {column} TYPE {type} USING {column}::{type};",
    "trino": "ALTER TABLE {table} ALTER COLUMN {column} SET DATA TYPE {type};",
}
_SET_NOT_NULL = {
    "duckdb": "ALTER TABLE {table} ALTER COLUMN {column} SET NOT NULL;",
    "mysql": _MODIFY,
    "postgres": "ALTER TABLE {table} ALTER COLUMN {column} SET NOT NULL;",
}
_DROP_NOT_NULL = {
    "duckdb": "ALTER TABLE {table} ALTER COLUMN {column} DROP NOT NULL;",
    "mysql": _MODIFY,
    "postgres": "ALTER TABLE {table} ALTER COLUMN {column} DROP NOT NULL;",
    "trino": "ALTER TABLE {table} ALTER COLUMN {column} DROP NOT NULL;",
}
_ADD_PRIMARY_KEY = frozenset({"duckdb", "mysql", "postgres"})
_ADD_FOREIGN_KEY = frozenset({"mysql", "postgres"})
_NO_KEYS = frozenset({"trino"})


class Migration:
    """The way to an expected schema.

    What would lose data is a comment, and so is what cannot be done to a table that exists, or is not known from here.

    Args:
        dialect: The sqlglot dialect of the engine.
        expected: That of the expected schema. Where it is another one, types are translated, and names become lower
            case: engines fold names that are not quoted, and statements do not quote.
    """

    def __init__(self, dialect: str, expected: str) -> None:
        self._dialect = dialect
        self._expected = expected

    def statements(self, differences: Iterable[Difference]) -> tuple[str, ...]:
        """Statements and comments. Foreign keys are added last: they need the other tables and keys."""
        found = list(differences)
        if self._dialect in _ADD_FOREIGN_KEY:
            new = [
                replace(one.table, name=self._folded(one.table.name)) for one in found if isinstance(one, MissingTable)
            ]
            found += [MissingForeignKey(table, key) for table in new for key in table.foreign_keys]
        found.sort(key=lambda difference: isinstance(difference, MissingForeignKey))
        return tuple(text for difference in found for text in self._of(difference))

    @singledispatchmethod
    def _of(self, difference: Difference) -> Iterator[str]:
        yield _comment(str(difference))

    @_of.register
    def _(self, difference: MissingTable) -> Iterator[str]:
        if difference.table.is_view:
            yield _comment(f"{difference}: its definition is not known here")
        else:
            yield self._create(difference.table)

    @_of.register
    def _(self, difference: ExtraTable) -> Iterator[str]:
        table = difference.table
        yield _comment(f"DROP {'VIEW' if table.is_view else 'TABLE'} {self._old(table.name)};")

    @_of.register
    def _(self, difference: MissingColumn) -> Iterator[str]:
        table, column = difference.table, self._translated(difference.column)
        yield f"ALTER TABLE {self._old(table.name)} ADD COLUMN {self._old(column.name)} {column.type};"
        if not column.nullable:
            statement = self._alter(_SET_NOT_NULL, table, column)
            yield _comment(f"when it has values: {statement or 'make the table anew, with NOT NULL'}")

    @_of.register
    def _(self, difference: ExtraColumn) -> Iterator[str]:
        yield _comment(
            f"ALTER TABLE {self._old(difference.table.name)} DROP COLUMN {self._old(difference.column.name)};"
        )

    @_of.register
    def _(self, difference: OtherType) -> Iterator[str]:
        wanted = replace(difference.expected, name=difference.column.name)
        yield self._alter(_CHANGE_TYPE, difference.table, wanted) or _cannot(difference)

    @_of.register
    def _(self, difference: OtherNullable) -> Iterator[str]:
        wanted = replace(difference.column, nullable=difference.expected.nullable)
        statements = _DROP_NOT_NULL if wanted.nullable else _SET_NOT_NULL
        yield self._alter(statements, difference.table, wanted) or _cannot(difference)

    @_of.register
    def _(self, difference: OtherPrimaryKey) -> Iterator[str]:
        table = self._old(difference.table.name)
        if difference.columns:
            yield _comment(f"ALTER TABLE {table} DROP PRIMARY KEY;")
        if difference.expected:
            statement = f"ALTER TABLE {table} ADD PRIMARY KEY ({self._list(difference.expected)});"
            yield statement if self._dialect in _ADD_PRIMARY_KEY else _cannot(difference)

    @_of.register
    def _(self, difference: MissingForeignKey) -> Iterator[str]:
        statement = f"ALTER TABLE {self._old(difference.table.name)} ADD {self._foreign_key(difference.key)};"
        yield statement if self._dialect in _ADD_FOREIGN_KEY else _cannot(difference)

    @_of.register
    def _(self, difference: ExtraForeignKey) -> Iterator[str]:
        columns = self._list(difference.key.columns)
        yield _comment(f"ALTER TABLE {self._old(difference.table.name)} DROP FOREIGN KEY ({columns});")

    def _create(self, table: Table) -> str:
        lines = [
            f"{self._old(column.name)} {column.type}{'' if column.nullable else ' NOT NULL'}"
            for column in map(self._translated, table.columns)
        ]
        if self._dialect not in _NO_KEYS:
            key = primary_key(table)
            lines += [f"PRIMARY KEY ({self._list(key)})"] if key else []
            if self._dialect not in _ADD_FOREIGN_KEY:
                lines += [self._foreign_key(key) for key in table.foreign_keys]
        return f"CREATE TABLE {self._new(table.name)} (\n  " + ",\n  ".join(lines) + "\n);"

    def _alter(self, statements: Mapping[str, str], table: Table, column: Column) -> str:
        """The statement that gives a column its type and nullability; empty where the engine has none."""
        return statements.get(self._dialect, "").format(
            table=self._old(table.name),
            column=self._old(column.name),
            type=column.type,
            not_null="" if column.nullable else " NOT NULL",
        )

    def _foreign_key(self, key: ForeignKey) -> str:
        return (
            f"FOREIGN KEY ({self._list(key.columns)}) REFERENCES {self._new(key.table)} ({self._list(key.references)})"
        )

    def _translated(self, column: Column) -> Column:
        """A column of the expected schema in words of the engine."""
        if self._dialect == self._expected:
            return column
        from sqlglot import exp
        from sqlglot.errors import SqlglotError

        try:
            type_ = exp.DataType.build(column.type or "TEXT", dialect=self._expected)
        except SqlglotError:  # SQLite takes any words
            type_ = exp.DataType.build("TEXT")
        if self._expected == "sqlite" and type_.this in exp.DataType.INTEGER_TYPES:
            type_ = exp.DataType.build("BIGINT")
        return replace(column, name=self._folded(column.name), type=type_.sql(self._dialect))

    def _old(self, name: str) -> str:
        return quoted(name, self._dialect)

    def _new(self, name: str) -> str:
        return self._old(self._folded(name))

    def _folded(self, name: str) -> str:
        return name if self._dialect == self._expected else name.lower()

    def _list(self, names: Iterable[str]) -> str:
        return ", ".join(map(self._new, names))


def _cannot(difference: Difference) -> str:
    return _comment(f"{difference}: make the table anew")


def _comment(text: str) -> str:
    """On one line: names may hold anything."""
    return f"-- {' '.join(text.split())}"

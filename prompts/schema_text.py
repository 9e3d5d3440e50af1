"""A schema as a prompt shows it."""

from __future__ import annotations

import re

from sqlassay.schema import Column, ForeignKey, Schema, Table

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_PLAIN_IF_FOLDED = re.compile(r"[a-z_][a-z0-9_]*")

# Words that at least one of the supported engines refuses as a bare name. Quoting one too many does no harm.
_RESERVED = frozenset(
    """
    add all alter analyse analyze and any array as asc asymmetric authorization between binary both by case cast
    check collate collation column commit concurrently constraint create cross cube current current_date
    current_time current_timestamp current_user database default deferrable deferred delete desc describe
    distinct div do drop else end escape except exists explain extract fetch false filter for force foreign freeze
    from full function glob grant group grouping groups having if ilike in index initially inner insert intersect
    interval into is isnull join key keys lag lateral lead leading left like limit localtime localtimestamp lock
    match mod natural not notnull null of offset on only or order outer over overlaps partition percent placing
    pragma primary procedure qualify range rank read recursive references regexp rename replace returning right
    rollback row row_number rows schema select session_user set show similar some symmetric system table tablesample
    then to top trailing transaction trigger true union unique unnest update use user using values variadic verbose
    view when where window with write
    """.split()  # noqa: SIM905 - 150 words in quotes are not read by anyone
)


def ddl(schema: Schema, dialect: str = "") -> str:
    """The schema as `CREATE TABLE` statements, one empty line between two.

    A view is shown as the table that it looks like, under a comment that says so: its definition is not known.

    Args:
        schema: What to show, in this order.
        dialect: The dialect whose quotes are used: `"` unless it is "mysql", which has backticks. "postgres" also
            quotes names with capital letters, which it would fold otherwise.
    """
    return "\n\n".join(_Writer(dialect).table(table) for table in schema.tables)


class _Writer:
    def __init__(self, dialect: str) -> None:
        self._mark = "`" if dialect == "mysql" else '"'
        self._plain = _PLAIN_IF_FOLDED if dialect == "postgres" else _PLAIN

    def table(self, table: Table) -> str:
        key = [column.name for column in table.columns if column.primary_key]
        lines = [self._column(column, inline_key=len(key) == 1) for column in table.columns]
        if len(key) > 1:
            lines.append(f"PRIMARY KEY ({self._names(key)})")
        lines += [self._foreign_key(reference) for reference in table.foreign_keys]
        head = "-- a view\n" if table.is_view else ""
        return f"{head}CREATE TABLE {self._name(table.name)} (\n  " + ",\n  ".join(lines) + "\n);"

    def _column(self, column: Column, *, inline_key: bool) -> str:
        is_key = column.primary_key and inline_key
        words = (
            self._name(column.name),
            column.type,
            "PRIMARY KEY" if is_key else "",
            "NOT NULL" if not column.nullable and not is_key else "",
        )
        return " ".join(word for word in words if word)

    def _foreign_key(self, reference: ForeignKey) -> str:
        target = f" ({self._names(reference.references)})" if reference.references else ""
        return f"FOREIGN KEY ({self._names(reference.columns)}) REFERENCES {self._name(reference.table)}{target}"

    def _names(self, names: list[str] | tuple[str, ...]) -> str:
        return ", ".join(map(self._name, names))

    def _name(self, name: str) -> str:
        if self._plain.fullmatch(name) and name.lower() not in _RESERVED:
            return name
        return self._mark + name.replace(self._mark, self._mark * 2) + self._mark

"""A schema as `CREATE TABLE` statements."""

from __future__ import annotations

from prompts.schema_text.names import Names
from sqlassay.schema import Column, ForeignKey, Schema, Table


def ddl(schema: Schema, dialect: str = "") -> str:
    """The schema as `CREATE TABLE` statements, one empty line between two.

    A view is shown as the table that it looks like, under a comment that says so: its definition is not known.
    Descriptions, values and rows are comments; rows stand below their table, as in Rajkumar et al. 2022
    (https://arxiv.org/abs/2204.00498, "CREATE TABLE + SELECT").

    Args:
        schema: What to show, in this order.
        dialect: The sqlglot dialect whose quotes are used.
    """
    return "\n\n".join(_Writer(Names(dialect)).table(table) for table in schema.tables)


class _Writer:
    def __init__(self, names: Names) -> None:
        self._names = names

    def table(self, table: Table) -> str:
        key = [column.name for column in table.columns if column.primary_key]
        lines = [(self._column(column, inline_key=len(key) == 1), _note(column)) for column in table.columns]
        if len(key) > 1:
            lines.append((f"PRIMARY KEY ({self._names.some(key)})", ""))
        lines += [(self._foreign_key(reference), "") for reference in table.foreign_keys]
        head = "-- a view\n" if table.is_view else ""
        body = "\n".join(
            f"  {line}{',' if number < len(lines) else ''}{f' -- {note}' if note else ''}"
            for number, (line, note) in enumerate(lines, start=1)
        )
        return f"{head}CREATE TABLE {self._names.one(table.name)} (\n{body}\n);{self._rows(table)}"

    def _column(self, column: Column, *, inline_key: bool) -> str:
        is_key = column.primary_key and inline_key
        words = (
            self._names.one(column.name),
            column.type,
            "PRIMARY KEY" if is_key else "",
            "NOT NULL" if not column.nullable and not is_key else "",
        )
        return " ".join(word for word in words if word)

    def _foreign_key(self, reference: ForeignKey) -> str:
        target = f" ({self._names.some(reference.references)})" if reference.references else ""
        table = self._names.one(reference.table)
        return f"FOREIGN KEY ({self._names.some(reference.columns)}) REFERENCES {table}{target}"

    def _rows(self, table: Table) -> str:
        if not table.rows:
            return ""
        header = tuple(self._names.one(column.name) for column in table.columns)
        return "\n-- some rows:" + "".join(f"\n-- {' | '.join(cells)}" for cells in (header, *table.rows))


def _note(column: Column) -> str:
    values = f"such as {', '.join(column.values)}" if column.values else ""
    return "; ".join(part for part in (column.description, values) if part)

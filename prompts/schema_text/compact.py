"""A schema in as few tokens as can be: one line per table."""

from __future__ import annotations

from prompts.schema_text.names import Names
from sqlassay.schema import Column, Schema, Table


def compact(schema: Schema, dialect: str = "") -> str:
    """One line per table: its columns with types and `PK`, then its references.

    Descriptions, values and rows have no place here, nor has it which columns may be NULL.

    Args:
        schema: What to show, in this order.
        dialect: The sqlglot dialect whose quotes are used.
    """
    names = Names(dialect)
    return "\n".join(_table(table, names) for table in schema.tables)


def _table(table: Table, names: Names) -> str:
    columns = ", ".join(_column(column, names) for column in table.columns)
    references = "".join(
        f"; {names.group(key.columns)} -> {names.one(key.table)}"
        + (f".{names.group(key.references)}" if key.references else "")
        for key in table.foreign_keys
    )
    return f"{'view ' if table.is_view else ''}{names.one(table.name)}({columns}){references}"


def _column(column: Column, names: Names) -> str:
    words = (names.one(column.name), column.type, "PK" if column.primary_key else "")
    return " ".join(word for word in words if word)

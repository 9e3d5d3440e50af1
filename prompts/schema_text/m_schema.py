"""A schema in the manner of M-Schema (Gao et al. 2024, https://github.com/XGenerationLab/M-Schema)."""

from __future__ import annotations

from prompts.schema_text.names import Names
from sqlassay.schema import Column, Schema, Table


def m_schema(schema: Schema, dialect: str = "") -> str:
    """A list of columns per table, each with type, description, key and examples; all references at the end.

    It differs from its model in that names and values are written as a query has to write them, and that the database
    itself is not named. Rows have no place here, nor has it which columns may be NULL.

    Args:
        schema: What to show, in this order.
        dialect: The sqlglot dialect whose quotes are used.
    """
    names = Names(dialect)
    lines = ["【Schema】"]
    for table in schema.tables:
        lines += [f"# {'View' if table.is_view else 'Table'}: {names.one(table.name)}", "["]
        lines += [f"{_column(column, names)}," for column in table.columns]
        lines.append("]")
    references = [line for table in schema.tables for line in _references(table, names)]
    return "\n".join([*lines, *(["【Foreign keys】", *references] if references else [])])


def _column(column: Column, names: Names) -> str:
    parts = (
        names.one(column.name) + (f":{column.type}" if column.type else ""),
        column.description,
        "Primary Key" if column.primary_key else "",
        f"Examples: [{', '.join(column.values)}]" if column.values else "",
    )
    return f"({', '.join(part for part in parts if part)})"


def _references(table: Table, names: Names) -> list[str]:
    return [
        f"{names.one(table.name)}.{names.group(key.columns)}={names.one(key.table)}"
        + (f".{names.group(key.references)}" if key.references else "")
        for key in table.foreign_keys
    ]

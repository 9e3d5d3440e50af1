"""A schema as Markdown tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from prompts.schema_text.names import Names
from sqlassay.schema import Column, Schema, Table


def markdown(schema: Schema, dialect: str = "") -> str:
    """A heading and a table of columns per table of the database; rows are a second table.

    Which columns may be NULL has no place here.

    Args:
        schema: What to show, in this order.
        dialect: The sqlglot dialect whose quotes are used.
    """
    return "\n\n".join(_table(table, Names(dialect)) for table in schema.tables)


def _table(table: Table, names: Names) -> str:
    parts = {
        "column": [names.one(column.name) for column in table.columns],
        "type": [column.type for column in table.columns],
        "key": [_key(table, column, names) for column in table.columns],
        "description": [column.description for column in table.columns],
        "examples": [", ".join(column.values) for column in table.columns],
    }
    shown = {head: cells for head, cells in parts.items() if any(cells)}
    lines = [f"### {names.one(table.name)}{' (view)' if table.is_view else ''}", ""]
    lines += _lines(list(shown), zip(*shown.values(), strict=True))
    if table.rows:
        lines += ["", "Some rows:", "", *_lines(parts["column"], table.rows)]
    return "\n".join(lines)


def _lines(header: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    return [_line(header), "|" + "---|" * len(header), *map(_line, rows)]


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _key(table: Table, column: Column, names: Names) -> str:
    parts = ["primary key"] if column.primary_key else []
    for key in table.foreign_keys:
        for ours, theirs in zip(key.columns, key.references or ("",) * len(key.columns), strict=True):
            if ours.lower() == column.name.lower():
                parts.append(f"→ {names.one(key.table)}" + (f".{names.one(theirs)}" if theirs else ""))
    return ", ".join(parts)

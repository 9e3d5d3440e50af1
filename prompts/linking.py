"""Schema linking: the part of a schema that a model says a question needs.

Source: Pourreza and Rafiei, DIN-SQL: Decomposed In-Context Learning of Text-to-SQL with Self-Correction, NeurIPS 2023
(https://arxiv.org/abs/2304.11015), which asks for the tables and columns before it asks for the query.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from prompts.extraction import find_object
from sqlassay.counted import some
from sqlassay.schema import Schema

_SHOWN = 10


@dataclass(frozen=True)
class Linked:
    """What is left of a schema.

    Attributes:
        schema: The tables and columns that were named, with keys; the whole schema where the answer names none of it.
        note: How much that is, and what was ignored, in words.
    """

    schema: Schema
    note: str


def link(answer: str, schema: Schema) -> Linked:
    """Reduce a schema to what an answer names: a JSON object whose `tables` holds lists of columns by table.

    Never raises: names that the schema does not have are ignored, and an answer that cannot be read leaves it whole.
    """
    tables = _tables(answer)
    if tables is None:
        return whole(schema, 'the answer holds no JSON object of "tables" with lists of columns')
    columns = {table.name.lower(): {column.name.lower() for column in table.columns} for table in schema.tables}
    unknown = [name for name in tables if name.lower() not in columns]
    unknown += [
        f"{table}.{name}"
        for table, names in tables.items()
        for name in names
        if table.lower() in columns and name.lower() not in columns[table.lower()]
    ]
    ignored = f"; ignored, since there are none: {_shown(unknown)}" if unknown else ""
    reduced = schema.only(tables)
    if not reduced.tables:
        return whole(schema, f"the answer names no table of it{ignored}")
    parts, wholes = _size(reduced), _size(schema)
    return Linked(reduced, f"tables: {parts[0]} of {wholes[0]}, columns: {parts[1]} of {wholes[1]}{ignored}")


def whole(schema: Schema, why: str) -> Linked:
    """A schema that was not reduced."""
    return Linked(schema, f"the whole schema: {why}")


def _tables(answer: str) -> Mapping[str, list[str]] | None:
    tables = (find_object(answer) or {}).get("tables")
    if not isinstance(tables, dict):
        return None
    if not all(isinstance(names, list) and all(isinstance(name, str) for name in names) for names in tables.values()):
        return None
    return tables


def _size(schema: Schema) -> tuple[int, int]:
    """How many tables and columns there are."""
    return len(schema.tables), sum(len(table.columns) for table in schema.tables)


def _shown(names: list[str]) -> str:
    return some([repr(name[:80]) for name in names], _SHOWN)

"""How the schema looks in a prompt."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from prompts.schema_text.compact import compact
from prompts.schema_text.ddl import ddl
from prompts.schema_text.m_schema import m_schema
from prompts.schema_text.markdown import markdown
from sqlassay.schema import Schema


@dataclass(frozen=True)
class Format:
    """One way of writing a schema.

    Attributes:
        write: From a schema and a sqlglot dialect to text.
        shows: What it has a place for besides names, types and keys: `rows`, `values`, `descriptions`.
    """

    write: Callable[[Schema, str], str]
    shows: frozenset[str] = frozenset()


FORMATS: Mapping[str, Format] = {
    "ddl": Format(ddl, frozenset({"rows", "values", "descriptions"})),
    "compact": Format(compact),
    "markdown": Format(markdown, frozenset({"rows", "values", "descriptions"})),
    "m_schema": Format(m_schema, frozenset({"values", "descriptions"})),
}
"""Every format, by the name that templates call it by."""


@dataclass(frozen=True)
class SchemaStyle:
    """What a prompt shows of the schema.

    Attributes:
        format: A key of `FORMATS`.
        rows: Rows of each table at most.
        values: Values of each column at most.
        descriptions: Whether the dataset's descriptions of columns are shown.
        max_tokens: The most that the text may be; `None` leaves nothing out.
    """

    format: str = "ddl"
    rows: int = 0
    values: int = 0
    descriptions: bool = False
    max_tokens: int | None = None


PLAIN = SchemaStyle()
"""That of a prompt which says nothing about it: everything, as bare DDL."""

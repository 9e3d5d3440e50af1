"""A small database in Spider's manner, as its names."""

from __future__ import annotations

from evaluation.spider_sql.clauses import Query
from evaluation.spider_sql.names import Names
from evaluation.spider_sql.parse import parse
from sqlassay.schema import Column, ForeignKey, Schema, Table


def table(name: str, columns: str, *keys: tuple[str, str, str]) -> Table:
    return Table(
        name,
        tuple(Column(column, "text") for column in columns.split()),
        tuple(ForeignKey((ours,), other, (theirs,)) for ours, other, theirs in keys),
    )


SCHEMA = Schema(
    (
        table("Singer", "Id Name Age Country"),
        table("Concert", "Id Title Year Singer_Id", ("Singer_Id", "Singer", "Id")),
        table("Ticket", "Concert_Id Price Name", ("Concert_Id", "Concert", "Id")),
    )
)
NAMES = Names.of(SCHEMA)


def parsed(sql: str) -> Query:
    return parse(sql, NAMES)

"""Datasets that describe their databases."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import replace

from sqlassay.schema import Schema, Table


class CanDescribe(ABC):
    """A dataset that comes with a description of its databases, which may say more than the databases themselves."""

    @abstractmethod
    def schema(self, db_id: str) -> Schema | None:
        """The described tables of a database; `None` when it is not described.

        Raises:
            UserError: The description cannot be read.
        """


Descriptions = Mapping[str, Mapping[str, str]]
"""What people say about columns, by table, then by column; the names in any case."""


class CanDescribeColumns(ABC):
    """A dataset that comes with words about the columns of its databases."""

    @abstractmethod
    def descriptions(self, db_id: str) -> Descriptions:
        """The descriptions of a database's columns, each in one line; empty when there are none.

        Raises:
            UserError: They cannot be read.
        """


def described(schema: Schema, descriptions: Descriptions) -> Schema:
    """A schema with descriptions. One that fits no column is left out: files and databases differ in age."""
    known: dict[str, dict[str, str]] = {}
    for name, columns in descriptions.items():
        folded = {column.lower(): text for column, text in columns.items()}
        known[name.lower()] = folded
        # `sales.orders` may describe a table that is `orders` on this engine.
        known.setdefault(name.lower().rpartition(".")[2], folded)
    return Schema(tuple(_described(table, known.get(table.name.lower(), {})) for table in schema.tables))


def _described(table: Table, texts: Mapping[str, str]) -> Table:
    columns = (replace(column, description=texts.get(column.name.lower(), "")) for column in table.columns)
    return replace(table, columns=tuple(columns))

"""The tables and columns that statements may name, and which columns are one by foreign keys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlassay.schema import Schema


@dataclass(frozen=True)
class Names:
    """The names of one database, all in lower case.

    Attributes:
        columns: The columns of each table.
        same: For each `table.column` in a foreign key, the one that stands for all that are equal by foreign keys.
    """

    columns: Mapping[str, frozenset[str]]
    same: Mapping[str, str]

    @classmethod
    def of(cls, schema: Schema) -> Names:
        """The names in a schema."""
        columns = {
            table.name.lower(): frozenset(column.name.lower() for column in table.columns) for table in schema.tables
        }
        return cls(columns, _same(schema))


def _same(schema: Schema) -> dict[str, str]:
    """Each column of a foreign key to the first column, in the schema's order, of its set.

    A key joins the first set that has either of its columns. Sets that a later key connects stay apart: so it is in
    the reference implementation (`build_foreign_key_map`), and in one of Spider's databases that matters.
    """
    order: dict[str, int] = {}
    for table in schema.tables:
        for column in table.columns:
            order.setdefault(f"{table.name}.{column.name}".lower(), len(order))
    sets: list[set[str]] = []
    for table in schema.tables:
        for key in table.foreign_keys:
            for ours, theirs in zip(key.columns, key.references, strict=False):
                pair = {f"{table.name}.{ours}".lower(), f"{key.table}.{theirs}".lower()}
                home = next((known for known in sets if known & pair), None)
                if home is None:
                    sets.append(pair)
                else:
                    home |= pair
    last = len(order)
    same: dict[str, str] = {}
    for equal in sets:
        first = min(equal, key=lambda name: (order.get(name, last), name))
        same.update(dict.fromkeys(equal, first))
    return same

"""Whether the rows of a database keep its keys. What is asked reads whole tables."""

from __future__ import annotations

from dataclasses import dataclass

from database_backends.base import DatabaseBackend
from database_backends.quoting import quoted
from database_backends.result import Limits
from sqlassay.schema import ForeignKey, Table

_LIMITS = Limits(seconds=600, rows=1, megabytes=4096)


@dataclass(frozen=True)
class Integrity:
    """Asks one database; every answer is a number of rows, and 0 is good.

    Each method raises a `BackendError` where the engine cannot answer.

    Attributes:
        database: Is asked.
    """

    database: DatabaseBackend

    def rows(self, table: Table) -> int:
        """The rows of a table."""
        return self._count(f"SELECT count(*) FROM {self._table(table.name)}")  # noqa: S608

    def without_key(self, table: Table, key: tuple[str, ...]) -> int:
        """Rows in which a column of a key is NULL."""
        null = " OR ".join(f"{self._name(column)} IS NULL" for column in key)
        return self._count(f"SELECT count(*) FROM {self._table(table.name)} WHERE {null}")  # noqa: S608

    def repeated(self, table: Table, key: tuple[str, ...]) -> int:
        """Values of a key that several rows have."""
        columns = ", ".join(map(self._name, key))
        return self._count(
            f"SELECT count(*) FROM (SELECT {columns} FROM {self._table(table.name)}"  # noqa: S608
            f" GROUP BY {columns} HAVING count(*) > 1) AS repeated"
        )

    def orphans(self, table: Table, key: ForeignKey) -> int:
        """Rows whose foreign key leads to no row. One that is NULL in a column leads nowhere, and need not."""
        # A join with distinct keys, and not EXISTS: SQLite then makes itself an index where there is none.
        references = ", ".join(f"{self._name(name)} AS r{n}" for n, name in enumerate(key.references))
        same = " AND ".join(f"f.{self._name(name)} = t.r{n}" for n, name in enumerate(key.columns))
        there = " AND ".join(f"f.{self._name(name)} IS NOT NULL" for name in key.columns)
        return self._count(
            f"SELECT count(*) FROM {self._table(table.name)} AS f"  # noqa: S608
            f" LEFT JOIN (SELECT DISTINCT {references} FROM {self._table(key.table)}) AS t ON {same}"
            f" WHERE {there} AND t.r0 IS NULL"
        )

    def _count(self, sql: str) -> int:
        ((number,),) = self.database.run(sql, _LIMITS).rows
        return int(str(number))

    def _name(self, name: str) -> str:
        return quoted(name, self.database.dialect)

    def _table(self, name: str) -> str:
        """DuckDB's tables of other schemas than `main` are named `schema.table`."""
        parts = name.split(".") if self.database.dialect == "duckdb" else [name]
        return ".".join(map(self._name, parts))

"""A Trino server: each database of a test is a schema of the PostgreSQL that is one of its catalogs."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Sequence
from contextlib import closing, suppress
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import trino
from trino.client import ClientSession, TrinoQuery, TrinoRequest
from trino.exceptions import TrinoQueryError

from database_backends.server import application
from tests.servers.plugin import Server
from tests.servers.postgres import PostgresWorld
from tests.servers.world import ServerWorld

CATALOG = "postgresql"


class TrinoWorld(ServerWorld):
    """One Trino server, and the PostgreSQL server that it reads.

    Trino itself keeps no tables with keys, no views but its own, and changes no rows; what its owner writes through it
    into PostgreSQL is real, so that the walls have something to keep out.
    """

    engine = "trino"

    def __init__(self, server: Server, postgres: Server) -> None:
        super().__init__(server.owner, server.reader)
        self.postgres = PostgresWorld(postgres.owner, postgres.reader)

    def target(self, user: str, name: str) -> str:
        return urlunsplit(urlsplit(user)._replace(path=f"/{CATALOG}/{name}"))

    def create(self, name: str, statements: Sequence[str]) -> None:
        self.postgres.create(name, statements)

    def drop(self, name: str) -> None:
        self.postgres.drop(name)

    def rows(self, sql: str) -> list[tuple[object, ...]]:
        return self.run(self.owner, sql)

    def run(self, user: str, sql: str) -> list[tuple[object, ...]]:
        """What a statement gives a user, in an ordinary session."""
        parts = urlsplit(user)
        catalog, schema = parts.path.strip("/").split("/")
        with closing(
            trino.dbapi.connect(parts.hostname, parts.port, parts.username, "tests", catalog, schema)
        ) as connection:
            return [tuple(row) for row in connection.cursor().execute(sql).fetchall()]

    def first_rows(self, user: str, sql: str) -> list[object]:
        """As `run`, but no more than a few rows."""
        parts = urlsplit(user)
        catalog, schema = parts.path.strip("/").split("/")
        with closing(
            trino.dbapi.connect(parts.hostname, parts.port, parts.username, "tests", catalog, schema)
        ) as connection:
            cursor = connection.cursor().execute(sql)
            rows = cursor.fetchmany(9)
            cursor.cancel()
            return rows

    def busy(self) -> list[str]:
        return [
            query["query"]
            for query in self._asked("v1/query")
            if query["session"].get("source") == application() and query["state"] not in ("FINISHED", "FAILED")
        ]

    def state(self, target: str) -> object:
        own = self.rows(
            "SELECT 'catalog', catalog_name, connector_name FROM system.metadata.catalogs"
            " UNION ALL SELECT table_schema, table_name, table_type FROM memory.information_schema.tables"
            " WHERE table_schema = 'default' ORDER BY 1, 2"
        )
        return own, self.rows("SHOW FUNCTIONS FROM memory.default"), self.postgres.state(self._inner(target))

    def _inner(self, target: str) -> str:
        """The same database as PostgreSQL's reader has it."""
        name = self.name_of(target)
        self.postgres.made = [name]
        return self.postgres.target(self.postgres.reader, name)

    def has_file(self, path: str) -> bool:
        return self.postgres.has_file(path)

    def end_sessions(self) -> None:
        """A session is a transaction: end those of our queries."""
        found = self.rows(
            f"SELECT query_id FROM system.runtime.queries WHERE source = '{application()}' AND query LIKE '%SELECT%'"
            " ORDER BY created DESC LIMIT 5"
        )
        for transaction in {self._transaction_of(str(query)) for (query,) in found} - {""}:
            parts = urlsplit(self.owner)
            session = ClientSession(parts.username or "", transaction_id=transaction, timezone="UTC")
            request = TrinoRequest(parts.hostname or "", parts.port or 8080, session)
            with suppress(TrinoQueryError):  # it has ended by itself
                TrinoQuery(request, "ROLLBACK").execute()

    def _transaction_of(self, query: str) -> str:
        """The transaction of a query, which no table tells."""
        return str(self._asked(f"v1/query/{query}")["session"].get("transactionId", ""))

    def _asked(self, path: str) -> Any:
        """What the server tells its owner without running a query."""
        parts = urlsplit(self.owner)
        request = urllib.request.Request(
            f"http://{parts.hostname}:{parts.port}/{path}", headers={"X-Trino-User": parts.username or ""}
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)

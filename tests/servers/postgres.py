"""A PostgreSQL server: each database of a test is a schema."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

from database_backends.server import application
from tests.servers.readers import READER
from tests.servers.world import ServerWorld


class PostgresWorld(ServerWorld):
    """One PostgreSQL server."""

    engine = "postgres"

    def __init__(self, owner: str, reader: str) -> None:
        super().__init__(owner, reader)
        self.databases: list[str] = []

    def target(self, user: str, name: str) -> str:
        return f"{user}?schema={name}"

    def create(self, name: str, statements: Sequence[str]) -> None:
        schema, reader = sql.Identifier(name), sql.Identifier(READER)
        with psycopg.connect(self.owner, autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE SCHEMA {}").format(schema))
            connection.execute(sql.SQL("GRANT USAGE ON SCHEMA {} TO {}").format(schema, reader))
            connection.execute(sql.SQL("SET search_path TO {}").format(schema))
            for statement in statements:
                connection.execute(statement.encode())

    def make_from_dumps(self, dumps: Iterable[Path]) -> str:
        """Make a database of its own from each dump and give the reader's target, with `{db_id}` for their names."""
        name = self.new_name()
        for dump in dumps:
            database = f"{name}_{dump.stem}"
            with psycopg.connect(self.owner, autocommit=True) as connection:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(database)))
            self.databases.append(database)
            with psycopg.connect(_in_database(self.owner, database), autocommit=True) as connection:
                connection.execute(dump.read_text("utf-8").encode())
                connection.execute("ANALYZE")
        return _in_database(self.reader, f"{name}_{{db_id}}")

    def close(self) -> None:
        super().close()
        while self.databases:
            with psycopg.connect(self.owner, autocommit=True) as connection:
                name = sql.Identifier(self.databases.pop())
                connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))

    def drop(self, name: str) -> None:
        with psycopg.connect(self.owner, autocommit=True) as connection:
            connection.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.Identifier(name)))

    def rows(self, sql: str) -> list[tuple[object, ...]]:
        with psycopg.connect(self.owner, autocommit=True) as connection:
            return connection.execute(sql.encode()).fetchall()

    def busy(self) -> list[str]:
        found = self.rows(
            f"SELECT query FROM pg_stat_activity WHERE application_name = '{application()}' AND state <> 'idle'"
        )
        return [str(query) for (query,) in found]

    def state(self, target: str) -> object:
        schema = self.name_of(target)
        here = f"'{schema}'::regnamespace"
        objects = self.rows(
            f"SELECT oid, relname, relkind, relacl FROM pg_class WHERE relnamespace = {here}"
            f" UNION ALL SELECT oid, proname, 'f', proacl FROM pg_proc WHERE pronamespace = {here}"
            " UNION ALL SELECT oid, nspname, 'n', nspacl FROM pg_namespace"
            " WHERE nspname !~ '^(pg_|test_)'"
            " UNION ALL SELECT oid, rolname, 'r', NULL FROM pg_roles"
            " UNION ALL SELECT oid, 'large object', 'l', lomacl FROM pg_largeobject_metadata ORDER BY oid"
        )
        return objects, [self.rows(f"SELECT * FROM {schema}.{table} ORDER BY 1") for table in ("singer", "concert")]

    def has_file(self, path: str) -> bool:
        return self.rows(f"SELECT pg_stat_file('{path}', true) IS NOT NULL") == [(True,)]

    def end_sessions(self) -> None:
        self.rows(
            f"SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = '{application()}'"
        )


def _in_database(user: str, name: str) -> str:
    return urlunsplit(urlsplit(user)._replace(path=f"/{name}"))

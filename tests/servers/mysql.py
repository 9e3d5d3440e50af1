"""A MySQL server."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import closing, suppress
from functools import cached_property
from typing import Any
from urllib.parse import unquote, urlsplit, urlunsplit

import pymysql

from database_backends.server import application
from tests.servers.world import ServerWorld

_OURS = (
    "performance_schema.processlist AS p JOIN performance_schema.session_connect_attrs AS a"
    f" ON a.processlist_id = p.id AND a.attr_name = 'program_name' AND a.attr_value = '{application()}'"
)


class MySQLWorld(ServerWorld):
    """One MySQL server."""

    engine = "mysql"

    def target(self, user: str, name: str) -> str:
        return urlunsplit(urlsplit(user)._replace(path=f"/{name}"))

    def connect(self, database: str | None = None, client_flag: int = 0) -> pymysql.Connection[Any]:
        """A connection of the owner."""
        parts = urlsplit(self.owner)
        return pymysql.connect(
            host=parts.hostname,
            port=parts.port or 3306,
            user=unquote(parts.username or ""),
            password=unquote(parts.password or ""),
            database=database,
            autocommit=True,
            client_flag=client_flag,
        )

    def create(self, name: str, statements: Sequence[str]) -> None:
        self.rows(f"CREATE DATABASE {name}")
        with closing(self.connect(name)) as connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)

    def drop(self, name: str) -> None:
        self.rows(f"DROP DATABASE IF EXISTS {name}")

    def rows(self, sql: str) -> list[tuple[object, ...]]:
        with self._owners.cursor() as cursor:
            cursor.execute(sql)
            return list(cursor.fetchall())

    @cached_property
    def _owners(self) -> pymysql.Connection[Any]:
        return self.connect()

    def close(self) -> None:
        super().close()
        self._owners.close()
        del self._owners

    def rows_in(self, name: str, statement: str) -> None:
        with closing(self.connect(name)) as connection, connection.cursor() as cursor:
            cursor.execute(statement)

    def busy(self) -> list[str]:
        return [str(info) for (info,) in self.rows(f"SELECT p.info FROM {_OURS} WHERE p.command <> 'Sleep'")]

    def state(self, target: str) -> object:
        schema = self.name_of(target)
        return [self.rows(sql.format(schema=schema)) for sql in _LOOKS]

    def has_file(self, path: str) -> bool:
        """Whether it is there, or, since MySQL writes into one folder only, a file of that name is in it."""
        inside = f"CONCAT(@@secure_file_priv, '{path.rpartition('/')[2]}')"
        return self.rows(f"SELECT COALESCE(LOAD_FILE('{path}'), LOAD_FILE({inside})) IS NOT NULL") == [(1,)]

    def end_sessions(self) -> None:
        while found := self.rows(f"SELECT p.id FROM {_OURS}"):
            for (number,) in found:
                with suppress(pymysql.OperationalError):  # it has ended
                    self.rows(f"KILL {number}")
            time.sleep(0.05)


_LOOKS = (
    "SELECT * FROM {schema}.singer ORDER BY 1",
    "SELECT * FROM {schema}.concert ORDER BY 1",
    "SELECT table_name, table_type, create_time, create_options FROM information_schema.tables"
    " WHERE table_schema = '{schema}' ORDER BY 1",
    "SELECT routine_name, routine_definition FROM information_schema.routines"
    " WHERE routine_schema = '{schema}' ORDER BY 1",
    "SELECT trigger_name FROM information_schema.triggers WHERE trigger_schema = '{schema}'",
    "SELECT event_name FROM information_schema.events WHERE event_schema = '{schema}'",
    "SELECT lock_type FROM performance_schema.metadata_locks WHERE object_schema = '{schema}'",
    "SELECT lock_type FROM performance_schema.data_locks WHERE object_schema = '{schema}'",
    # What of the server is not other tests'.
    "SELECT schema_name FROM information_schema.schemata WHERE schema_name NOT LIKE 'test%' ORDER BY 1",
    "SELECT * FROM mysql.user WHERE user NOT LIKE 'sqlassay%' ORDER BY host, user",
    "SELECT user, host, db FROM mysql.db ORDER BY 1, 2, 3",
    "SELECT * FROM mysql.tables_priv ORDER BY host, db, user, table_name",
    "SELECT * FROM mysql.default_roles",
    "SELECT * FROM mysql.plugin",
    "SELECT * FROM mysql.component",
    "SELECT * FROM mysql.func",
    "SELECT * FROM mysql.servers",
    "SELECT resource_group_name FROM information_schema.resource_groups ORDER BY 1",
    "SELECT * FROM performance_schema.persisted_variables",
    "SELECT * FROM performance_schema.global_variables ORDER BY 1",
)
"""What a statement could change."""

"""A MySQL server."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import closing
from typing import Any
from urllib.parse import unquote, urlsplit, urlunsplit

import pymysql

from database_backends.server import application
from tests.servers.readers import READER
from tests.servers.world import ServerWorld

_OURS = (
    "performance_schema.processlist AS p JOIN performance_schema.session_connect_attrs AS a"
    f" ON a.processlist_id = p.id AND a.attr_name = 'program_name' AND a.attr_value = '{application()}'"
    f" WHERE p.user = '{READER}'"
)


class MySQLWorld(ServerWorld):
    """One MySQL server."""

    engine = "mysql"

    def target(self, user: str, name: str) -> str:
        return urlunsplit(urlsplit(user)._replace(path=f"/{name}"))

    def connect(self, database: str | None = None) -> pymysql.Connection[Any]:
        """A connection of the owner."""
        parts = urlsplit(self.owner)
        return pymysql.connect(
            host=parts.hostname,
            port=parts.port or 3306,
            user=unquote(parts.username or ""),
            password=unquote(parts.password or ""),
            database=database,
            autocommit=True,
        )

    def create(self, name: str, statements: Sequence[str]) -> None:
        self.rows(f"CREATE DATABASE {name}")
        with closing(self.connect(name)) as connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)

    def drop(self, name: str) -> None:
        self.rows(f"DROP DATABASE IF EXISTS {name}")

    def rows(self, sql: str) -> list[tuple[object, ...]]:
        with closing(self.connect()) as connection, connection.cursor() as cursor:
            cursor.execute(sql)
            return list(cursor.fetchall())

    def busy(self) -> list[str]:
        return [str(info) for (info,) in self.rows(f"SELECT p.info FROM {_OURS} AND p.command <> 'Sleep'")]

    def state(self, target: str) -> object:
        schema = self.name_of(target)
        others = "NOT REGEXP_LIKE({}, '^test_')"
        return [
            self.rows(sql)
            for sql in (
                f"SELECT * FROM {schema}.singer ORDER BY 1",
                f"SELECT * FROM {schema}.concert ORDER BY 1",
                f"SELECT table_name, table_type, create_time FROM information_schema.tables"
                f" WHERE table_schema = '{schema}' ORDER BY 1",
                f"SELECT routine_name FROM information_schema.routines WHERE routine_schema = '{schema}' ORDER BY 1",
                f"SELECT trigger_name FROM information_schema.triggers WHERE trigger_schema = '{schema}' ORDER BY 1",
                f"SELECT event_name FROM information_schema.events WHERE event_schema = '{schema}' ORDER BY 1",
                f"SELECT schema_name FROM information_schema.schemata WHERE {others.format('schema_name')} ORDER BY 1",
                "SELECT * FROM mysql.user ORDER BY host, user",
                "SELECT * FROM mysql.tables_priv ORDER BY host, db, user, table_name",
                "SELECT * FROM mysql.plugin",
                "SELECT * FROM mysql.component",
                "SELECT * FROM mysql.func",
                "SELECT * FROM performance_schema.persisted_variables",
                "SELECT * FROM performance_schema.global_variables WHERE variable_name <> 'gtid_executed' ORDER BY 1",
                f"SELECT lock_type FROM performance_schema.metadata_locks WHERE object_schema = '{schema}'",
                f"SELECT lock_type FROM performance_schema.data_locks WHERE object_schema = '{schema}'",
            )
        ]

    def has_file(self, path: str) -> bool:
        return self.rows(f"SELECT LOAD_FILE('{path}') IS NOT NULL") == [(1,)]

    def end_sessions(self) -> None:
        with closing(self.connect()) as connection, connection.cursor() as cursor:
            while cursor.execute(f"SELECT p.id FROM {_OURS}"):
                for (number,) in cursor.fetchall():
                    cursor.execute(f"KILL {number}")
                time.sleep(0.05)

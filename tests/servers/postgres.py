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
        self.maker = owner
        self.databases: list[str] = []

    def target(self, user: str, name: str) -> str:
        return f"{user}?schema={name}"

    def create(self, name: str, statements: Sequence[str]) -> None:
        schema, reader = sql.Identifier(name), sql.Identifier(READER)
        with psycopg.connect(self.maker, autocommit=True) as connection:
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

    def rows_in(self, name: str, statement: str) -> None:
        with psycopg.connect(self.owner, autocommit=True) as connection:
            connection.execute(sql.SQL("SET search_path TO {}").format(sql.Identifier(name)))
            connection.execute(statement.encode())

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
            " WHERE nspname !~ '^(pg_|test_|s[0-9a-f]{32})'"  # which come and go with other tests
            " UNION ALL SELECT oid, rolname, 'r', NULL FROM pg_roles WHERE rolname !~ '^test_'"
            " UNION ALL SELECT oid, 'large object', 'l', lomacl FROM pg_largeobject_metadata ORDER BY oid"
        )
        return objects, [self.rows(f"SELECT * FROM {schema}.{table} ORDER BY 1") for table in ("singer", "concert")]

    def has_file(self, path: str) -> bool:
        return self.rows(f"SELECT pg_stat_file('{path}', true) IS NOT NULL") == [(True,)]

    def end_sessions(self) -> None:
        self.rows(
            f"SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = '{application()}'"
        )


class PrivatePostgresWorld(PostgresWorld):
    """A database of its own on a PostgreSQL server: whatever changes there, the test has changed.

    It belongs to a role of its name, which is no superuser and may do everything there: the `maker`.
    """

    def __init__(self, owner: str, reader: str) -> None:
        super().__init__(owner, reader)
        name = self.new_name()
        with psycopg.connect(owner, autocommit=True) as connection:
            role = sql.Identifier(name)
            connection.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(role, sql.Literal(name)))
            connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(role, role))
        self.databases.append(name)
        self._server, self._name = owner, name
        self.owner, self.reader = _in_database(owner, name), _in_database(reader, name)
        parts = urlsplit(self.owner)
        self.maker = urlunsplit(parts._replace(netloc=f"{name}:{name}@{parts.netloc.rpartition('@')[2]}"))
        self._listener = psycopg.connect(self.owner, autocommit=True)
        self._listener.execute("LISTEN hostile")
        self._heard = 0

    def close(self) -> None:
        self._listener.close()
        self.made.clear()
        self.owner = self._server
        super().close()
        with psycopg.connect(self.owner, autocommit=True) as connection:
            connection.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(self._name)))

    def busy(self) -> list[str]:
        """What anybody does there now, and whoever has a transaction open."""
        found = self.rows(
            "SELECT query FROM pg_stat_activity WHERE datname = current_database() AND state <> 'idle'"
            " AND pid <> pg_backend_pid() AND backend_type <> 'autovacuum worker'"
        )
        return [str(query) for (query,) in found]

    def state(self, target: str) -> object:
        """Everything in the database, and what of the server is not other tests'."""
        self._heard += sum(1 for _ in self._listener.notifies(timeout=0))
        with psycopg.connect(self.owner, autocommit=True) as connection:
            tables = connection.execute(
                "SELECT oid::regclass::text FROM pg_class WHERE relkind IN ('r', 'm') AND NOT relisshared"
                " AND relnamespace::regnamespace::text !~ '^pg_t(oast|emp)' AND relname <> 'pg_statistic' ORDER BY 1"
            ).fetchall()
            # Whatever changes a row gives it a higher transaction, and what removes one changes their number.
            parts = [f"SELECT '{name}', count(*), max(xmin::text::bigint) FROM {name}" for (name,) in tables]
            found = [connection.execute(" UNION ALL ".join(parts).encode()).fetchall()]
            found += [connection.execute(query.encode()).fetchall() for query in _AROUND]
        return found, self._heard


_AROUND = (
    "SELECT * FROM pg_class WHERE oid >= 16384 ORDER BY oid",  # with what VACUUM and ANALYZE write in place
    "SELECT relname, relfilenode FROM pg_class WHERE oid < 16384 ORDER BY oid",
    "SELECT starelid, staattnum FROM pg_statistic WHERE starelid >= 16384",
    "SELECT schemaname, sequencename, last_value FROM pg_sequences",
    "SELECT * FROM pg_roles WHERE rolname !~ '^test_' OR rolname = current_database() ORDER BY 1",
    "SELECT * FROM pg_auth_members ORDER BY oid",
    "SELECT * FROM pg_db_role_setting ORDER BY 1, 2",
    "SELECT datname, datacl, datconnlimit FROM pg_database WHERE datname !~ '^test_' OR datname = current_database()"
    " ORDER BY 1",
    "SELECT * FROM pg_tablespace ORDER BY oid",
    "SELECT * FROM pg_parameter_acl ORDER BY oid",
    "SELECT slot_name FROM pg_replication_slots",
    "SELECT roname FROM pg_replication_origin",
    "SELECT gid FROM pg_prepared_xacts",
    "SELECT sourcefile, name, setting FROM pg_file_settings ORDER BY seqno",
    "SELECT pg_postmaster_start_time(), pg_conf_load_time(), pg_is_in_recovery()",
    "SELECT stats_reset FROM pg_stat_database WHERE datname = current_database()",
    "SELECT locktype, mode FROM pg_locks JOIN pg_database ON database = pg_database.oid"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    " AND locktype <> 'advisory'",  # which the next statement lets go
    "SELECT pg_ls_dir('.') ORDER BY 1",
    "SELECT pg_ls_dir('pg_snapshots')",
)
"""What a statement could change besides rows, without what other tests change."""


def _in_database(user: str, name: str) -> str:
    return urlunsplit(urlsplit(user)._replace(path=f"/{name}"))

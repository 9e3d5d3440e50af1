"""Users that may only read, made by the servers' owners."""

from __future__ import annotations

import hashlib
from contextlib import closing
from urllib.parse import SplitResult, unquote, urlsplit, urlunsplit

import psycopg
import pymysql
from psycopg import sql

READER = "sqlassay_reader"


def postgres_reader(owner: str) -> str:
    """Make or mend the reader of a PostgreSQL server and give its DSN.

    It may read every table that there is or will be, and may not even make a temporary one in the owner's database.
    """
    parts = urlsplit(owner)
    password = _password(owner)
    with psycopg.connect(owner, autocommit=True) as connection:
        connection.execute("SELECT pg_advisory_lock(5)")  # two processes must not change one role at once
        found = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [READER]).fetchone()
        change = "ALTER ROLE {} LOGIN PASSWORD {}" if found else "CREATE ROLE {} LOGIN PASSWORD {}"
        reader, database = sql.Identifier(READER), sql.Identifier(parts.path.removeprefix("/"))
        connection.execute(sql.SQL(change).format(reader, sql.Literal(password)))
        connection.execute(sql.SQL("GRANT pg_read_all_data TO {}").format(reader))
        connection.execute(sql.SQL("REVOKE CREATE, TEMPORARY ON DATABASE {} FROM PUBLIC").format(database))
    return _with_user(parts, READER, password)


def mysql_reader(owner: str) -> str:
    """Make or mend the reader of a MySQL server and give its DSN.

    It may read every table of every database, but not those in which the server keeps its users, if the server can say
    so (`partial_revokes`).
    """
    parts = urlsplit(owner)
    password = _password(owner)
    connection = pymysql.connect(
        host=parts.hostname,
        port=parts.port or 3306,
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
    )
    with closing(connection), connection.cursor() as cursor:
        cursor.execute(f"CREATE USER IF NOT EXISTS {READER}@'%%' IDENTIFIED BY %s", [password])
        cursor.execute(f"ALTER USER {READER}@'%%' IDENTIFIED BY %s", [password])
        cursor.execute(f"GRANT SELECT, SHOW VIEW ON *.* TO {READER}@'%'")
        cursor.execute("SELECT @@partial_revokes")
        if cursor.fetchone() == (1,):
            cursor.execute(f"REVOKE SELECT, SHOW VIEW ON mysql.* FROM {READER}@'%'")
    return _with_user(parts, READER, password)


def trino_reader(owner: str) -> str:
    """The DSN of Trino's reader, whom its rules know (`tests/servers/trino/rules.json`)."""
    return _with_user(urlsplit(owner), "reader", None)


def _password(owner: str) -> str:
    """A password that every process finds for itself, and nobody who does not know the owner's."""
    return hashlib.sha256(f"{READER} {owner}".encode()).hexdigest()[:24]


def _with_user(parts: SplitResult, user: str, password: str | None) -> str:
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{user}:{password}@{host}" if password else f"{user}@{host}"))

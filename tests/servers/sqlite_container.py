"""SQLite of a pinned release as a backend: the container runs the statements (`tests/servers/sqlite/server.py`)."""

from __future__ import annotations

import json
import os
import sqlite3
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from itertools import count
from typing import Any

from database_backends.base import DatabaseBackend
from database_backends.errors import BackendError, FailureKind
from database_backends.result import Limits, ResultTable
from database_backends.sqlite import SQLiteBackend, _Watch

_NUMBERS = count(1)


def ask(url: str, path: str, **body: object) -> dict[str, Any]:
    """What the container answers, also where something has failed there."""
    request = urllib.request.Request(f"{url}/{path}", json.dumps(body).encode())
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            found: dict[str, Any] = json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            found = json.load(error)
    return found


class Line:
    """What SQLiteBackend needs of a connection when it reads the schema."""

    def __init__(self, url: str, database: str) -> None:
        self.url = url
        self.database = database

    def ask(self, path: str, **body: object) -> dict[str, Any]:
        """What the container answers about the database."""
        return ask(self.url, path, database=self.database, **body)

    def execute(self, sql: str, bindings: Sequence[object] = ()) -> Cursor:
        """Run a query of ours."""
        answer = self.ask("query", sql=sql, bindings=bindings)
        if "error" in answer:
            raise error_of(answer)
        return Cursor(answer["rows"])

    def close(self) -> None:
        """There is nothing to let go of: each query has a connection of its own."""


class Cursor:
    """The rows of a query."""

    def __init__(self, rows: Sequence[Sequence[object]]) -> None:
        self._rows = [tuple(map(_cell, row)) for row in rows]

    def __iter__(self) -> Iterator[tuple[object, ...]]:
        return iter(self._rows)

    def fetchall(self) -> list[tuple[object, ...]]:
        """All of them."""
        return self._rows


class ContainerSQLite(SQLiteBackend):
    """A database that the container keeps: `http://host:port/name`.

    What a failure means, the schema and the checks are those of `SQLiteBackend`; values and failures are the
    container's.
    """

    def __init__(self, target: str) -> None:
        DatabaseBackend.__init__(self, target)
        url, _, database = target.rpartition("/")
        self._denied: FailureKind | None = None
        self._connection: Any = Line(url, database)

    @classmethod
    def make(cls, url: str, statements: Sequence[str]) -> str:
        """Have a database made and give its target."""
        name = f"test_{os.getpid()}_{next(_NUMBERS)}"
        answer = ask(url, "build", database=name, statements=statements)
        assert answer == {"database": name}, answer
        return f"{url}/{name}"

    def drop(self) -> None:
        """Have the database removed."""
        self._connection.ask("drop")

    def run(self, sql: str, limits: Limits) -> ResultTable:
        """Run one statement in the container."""
        started = time.monotonic()
        try:
            sql.encode()
        except UnicodeError as error:
            raise BackendError(FailureKind.SYNTAX, f"the statement is not Unicode text: {error}") from error
        answer = self._connection.ask(
            "query", sql=sql, seconds=limits.seconds, rows=limits.rows, megabytes=limits.megabytes
        )
        if "error" in answer:
            self._denied = None
            if denied := answer.get("denied"):
                self._authorize(*denied)
            raise self._failure(error_of(answer), _Watch(started, limits))
        if not answer["columns"]:
            raise BackendError(FailureKind.NOT_A_QUERY, "the statement gives no table")
        columns = tuple(answer["columns"])
        rows = Cursor(answer["rows"]).fetchall()
        return ResultTable(columns, ("",) * len(columns), rows, answer["truncated"], time.monotonic() - started)

    def run_to_first_row(self, sql: str, limits: Limits) -> None:
        """As `run`."""
        DatabaseBackend.run_to_first_row(self, sql, limits)

    def fingerprint(self) -> str:
        """A digest of the file."""
        return str(self._connection.ask("digest")["digest"])

    def engine_version(self) -> str:
        """The version of the container's SQLite."""
        ((version,),) = self._connection.execute("SELECT sqlite_version()")
        return str(version)


def error_of(answer: dict[str, Any]) -> sqlite3.Error:
    """The error as the standard library would raise it."""
    error = sqlite3.OperationalError(answer["error"])
    error.sqlite_errorcode = answer["code"]
    return error


def _cell(value: Any) -> object:
    return bytes.fromhex(value["hex"]) if isinstance(value, dict) else value

"""The pinned SQLite behaves as the one beside the tests: a difference between releases is seen here."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from database_backends import guard
from database_backends.base import DatabaseBackend
from database_backends.errors import BackendError, StatementRefused
from database_backends.result import Limits
from database_backends.sqlite import SQLiteBackend
from tests.conformance.backend import LIMITS, STATEMENTS, BackendConformance
from tests.database_backends import test_sqlite
from tests.security import test_hostile_sqlite
from tests.security.hostile import STOPPED, among, asked
from tests.servers.sqlite_container import ContainerSQLite

LOCAL = test_sqlite.TestSQLite


class TestConformance(BackendConformance):
    """What every backend must do, of the pinned release."""

    backend = ContainerSQLite
    tells_types = LOCAL.tells_types
    tells_place_of_errors = LOCAL.tells_place_of_errors
    exact_decimals = LOCAL.exact_decimals
    checks = LOCAL.checks
    typed = LOCAL.typed
    endless = LOCAL.endless
    endless_rows = LOCAL.endless_rows
    writes = LOCAL.writes
    session_changes = LOCAL.session_changes
    session_probes = LOCAL.session_probes
    # One value, or many rows: what a sort holds, the container does not count.
    memory_bombs = tuple(sql for sql in LOCAL.memory_bombs[::-1] if "ORDER BY" not in sql and "DISTINCT" not in sql)

    @pytest.fixture(autouse=True)
    def _server(self, sqlite_server: str) -> Iterator[None]:
        self.url = sqlite_server
        self.made: list[str] = []
        yield
        for target in self.made:
            ContainerSQLite(target).drop()

    def make_database(self, folder: Path, statements: Sequence[str]) -> str:
        self.made.append(ContainerSQLite.make(self.url, statements))
        return self.made[-1]

    def contents(self, folder: Path, database: DatabaseBackend) -> object:
        return super().contents(folder, database), database.fingerprint()


@pytest.fixture(scope="module")
def pair(sqlite_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[DatabaseBackend, ...]]:
    """The same database, here and in the container."""
    statements = [*STATEMENTS, *test_hostile_sqlite.MADE]
    file = tmp_path_factory.mktemp("pair") / "database.sqlite"
    SQLiteBackend.build(str(file), statements)
    with SQLiteBackend(str(file)) as here, ContainerSQLite(ContainerSQLite.make(sqlite_server, statements)) as there:
        yield here, there
        there.drop()


NOT_COMPARED = ("pragma_database_list", "pragma_function_list", "'now'")
"""What tells of the file, of how SQLite was built, and of the moment."""

DIFFERENT = {
    "SELECT sql FROM sqlite_stmt": "a table that this build does not have",
    "SELECT rtreecheck('main', 'boxes')": "it asks for no PRAGMA any more",
    "SELECT rtreenode(2, zeroblob(100)), rtreedepth(zeroblob(2))": "NULL instead of 'not an error'",
    "SELECT substr('abc', -9223372036854775808, 9223372036854775807)": "no overflow any more",
    "SELECT printf('%2147483647d', 1)": "too wide is an error, instead of NULL",
    "SELECT printf('%1000000000s', 'x')": "too wide is an error, instead of NULL",
}
"""Statements that fare otherwise since SQLite 3.40, and why."""


def passing() -> Iterator[str]:
    """The hostile statements that get as far as the engine and end by themselves."""
    for sql, kinds in test_hostile_sqlite.STATEMENTS:
        try:
            query = guard.check(sql, "sqlite")
        except StatementRefused:
            continue
        if not among(kinds) & STOPPED and not any(part in query for part in NOT_COMPARED):
            yield query


@pytest.mark.parametrize("sql", [*passing()], ids=lambda sql: sql[:60])
def test_a_hostile_statement_fares_the_same(pair: tuple[DatabaseBackend, ...], sql: str) -> None:
    here, there = (fate(database, sql) for database in pair)
    if sql in DIFFERENT and sqlite3.sqlite_version_info < (3, 41):
        assert there != here, "no longer different"
    elif sql not in DIFFERENT:
        assert there == here


def fate(database: DatabaseBackend, sql: str) -> object:
    """The values, or the kind of the failure."""
    found = asked(database.run, sql, Limits(seconds=10, rows=100, megabytes=LIMITS.megabytes))
    return found.kind if isinstance(found, BackendError) else (found.columns, found.rows, found.truncated)

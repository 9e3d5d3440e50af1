"""What every embedded engine must withstand: statements that reach for files, for the engine, or for everything."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from database_backends.base import DatabaseBackend
from database_backends.errors import BackendError, FailureKind
from database_backends.result import Limits, ResultTable
from tests.conformance.backend import STATEMENTS, contents

CANARY = "canary-5d1c0f"
"""Stands in a file beside the database and in the environment; no statement may get hold of it."""

LIMITS = Limits(seconds=0.5, rows=50, megabytes=128)

WRITE = FailureKind.WRITE_ATTEMPT
NO_QUERY = FailureKind.NOT_A_QUERY
SEVERAL = FailureKind.MULTIPLE_STATEMENTS
SYNTAX = FailureKind.SYNTAX
TABLE = FailureKind.UNKNOWN_TABLE
COLUMN = FailureKind.UNKNOWN_COLUMN
PERMISSION = FailureKind.PERMISSION
TIMEOUT = FailureKind.TIMEOUT
MEMORY = FailureKind.MEMORY
OTHER = FailureKind.OTHER
HARMLESS = None
"""The statement gives a result, and it does not matter which."""

Hostile = Sequence[tuple[str, FailureKind | None]]


@dataclass(frozen=True)
class World:
    """A folder with a database and a secret; `{secret}` and `{new}` in a statement are paths in it."""

    folder: Path
    database: DatabaseBackend
    before: dict[str, bytes]

    def fill(self, sql: str) -> str:
        """The statement with the paths of this world."""
        return sql.replace("{secret}", str(self.folder / "secret.csv")).replace("{new}", str(self.folder / "new"))

    def outcome(self, sql: str, *, guarded: bool) -> ResultTable | BackendError:
        """What comes of a statement, once it is sure that nothing has changed and nothing has leaked."""
        run = self.database.execute if guarded else self.database.run
        found: ResultTable | BackendError
        try:
            found = run(self.fill(sql), LIMITS)
        except BackendError as error:
            found = error
        assert CANARY not in repr(found)
        assert contents(self.folder) == self.before
        assert self.database.execute("SELECT count(*) FROM singer", LIMITS).rows == [(3,)]
        return found


def make_world(folder: Path, backend: type[DatabaseBackend], statements: Sequence[str] = ()) -> World:
    """Lay out the folder and step into it."""
    target = folder / f"database{backend.file_suffixes[0]}"
    backend.build(str(target), [*STATEMENTS, *statements])  # type: ignore[attr-defined]
    (folder / "secret.csv").write_text(f"a,b\n{CANARY},1\n")
    (folder / "work").mkdir()
    return World(folder, backend(str(target)), contents(folder))


class HostileStatements:
    """The tests. A subclass has a `world` fixture and is parametrized with its table."""

    @pytest.fixture(autouse=True)
    def _inside(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(world.folder / "work")
        monkeypatch.setenv("SQLASSAY_CANARY", CANARY)
        monkeypatch.setenv("HOME", os.fspath(world.folder / "work"))

    def test_through_all_walls(self, world: World, sql: str, kind: FailureKind | None) -> None:
        found = world.outcome(sql, guarded=True)
        assert (found.kind if isinstance(found, BackendError) else HARMLESS) is kind, found

    def test_without_the_guard(self, world: World, sql: str, kind: FailureKind | None) -> None:
        found = world.outcome(sql, guarded=False)
        assert isinstance(found, BackendError) or kind in (HARMLESS, NO_QUERY, SEVERAL), found

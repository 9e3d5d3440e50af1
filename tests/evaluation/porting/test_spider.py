"""Spider's databases on real servers, and how many of its golds count there. Needs the real benchmark data."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from evaluation.cli.app import run
from tests.servers.mysql import MySQLWorld
from tests.servers.plugin import Server
from tests.servers.postgres import PostgresWorld
from tests.servers.world import ServerWorld

pytestmark = [pytest.mark.data, pytest.mark.timeout(900)]

TIED = {"816", "817"}
"""A column beside MAX, which two rows have: which of them is SQLite's choice."""
TIED_IN_MYSQL = {"159", "160", *TIED}
"""ORDER BY … LIMIT 1 in a subquery, where several rows are first: SQLite and PostgreSQL happen to take the same."""
RUNNABLE = 972


@pytest.fixture
def place(world: ServerWorld, data: Path) -> Iterator[str]:
    """The owner's target, with `{db_id}`; what is loaded there is dropped in the end."""
    name = world.new_name()
    databases = {path.stem.lower() for path in (data / "spider").rglob("*.sqlite")}
    world.made += [f"{name}_{database}" for database in databases]
    yield name
    world.close()


def load(
    capsys: pytest.CaptureFixture[str], data: Path, to: str, reader: str, *arguments: str
) -> tuple[dict[str, int], set[str]]:
    """How many golds there are of each standing, and the ids of those that do not count."""
    options = ["--to", to, "--as", reader, "--grant", "sqlassay_reader", "--json"]
    assert run(["backends", "load", f"spider:{data / 'spider'}", *options, *arguments]) == 0
    told: dict[str, Any] = json.loads(capsys.readouterr().out)
    states = {database["state"] for database in told["databases"]}
    assert states <= {"loaded", "missing"}
    return told["golds"], {gold["id"] for gold in told["excluded"]}


class TestPostgres:
    @pytest.fixture
    def world(self, postgres_server: Server) -> PostgresWorld:
        return PostgresWorld(postgres_server.owner, postgres_server.reader)

    def test_golds(self, world: PostgresWorld, place: str, data: Path, capsys: pytest.CaptureFixture[str]) -> None:
        to, reader = (world.target(user, f"{place}_{{db_id}}") for user in (world.owner, world.reader))
        golds, excluded = load(capsys, data, f"postgres:{to}", f"postgres:{reader}")
        assert sum(golds.values()) == RUNNABLE
        assert golds["verified"] >= 850
        assert excluded <= TIED

    def test_golds_through_trino(
        self,
        world: PostgresWorld,
        trino_server: Server,
        place: str,
        data: Path,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        """One database: all of them take minutes."""
        to = world.target(world.owner, f"{place}_{{db_id}}")
        reader = trino_server.reader.replace("/memory/default", f"/postgresql/{place}_{{db_id}}")
        filters = ("--filter", "db_id=car_1", "--filter", "db_id=tvshow")
        golds, excluded = load(capsys, data, f"postgres:{to}", f"trino:{reader}", *filters)
        assert sum(golds.values()) == 154
        assert excluded == set()


class TestMySQL:
    @pytest.fixture
    def world(self, mysql_server: Server) -> MySQLWorld:
        return MySQLWorld(mysql_server.owner, mysql_server.reader)

    def test_golds(self, world: MySQLWorld, place: str, data: Path, capsys: pytest.CaptureFixture[str]) -> None:
        to, reader = (world.target(user, f"{place}_{{db_id}}") for user in (world.owner, world.reader))
        golds, excluded = load(capsys, data, f"mysql:{to}", f"mysql:{reader}")
        assert sum(golds.values()) == RUNNABLE
        assert golds["verified"] >= 945
        assert excluded <= TIED_IN_MYSQL

"""The servers as parameters of a test that is the same for all of them."""

from __future__ import annotations

import pytest

from tests.servers.world import ServerWorld

SERVERS = (
    pytest.param("postgres", marks=pytest.mark.server("postgres")),
    pytest.param("mysql", marks=pytest.mark.server("mysql")),
    pytest.param("trino", marks=pytest.mark.server("trino", "postgres")),
)
"""The names of the backends, each with the mark of the servers that it needs."""


def world_of(engine: str, request: pytest.FixtureRequest) -> ServerWorld:
    """The server of a backend; where there is none, the test skips or fails."""
    server = request.getfixturevalue(f"{engine}_server")
    if engine == "trino":
        from tests.servers.trino import TrinoWorld

        return TrinoWorld(server, request.getfixturevalue("postgres_server"))
    if engine == "mysql":
        from tests.servers.mysql import MySQLWorld

        return MySQLWorld(server.owner, server.reader)
    from tests.servers.postgres import PostgresWorld

    return PostgresWorld(server.owner, server.reader)


def dialect_of_setup(engine: str) -> str:
    """The dialect in which `make` of a world takes statements."""
    return "postgres" if engine == "trino" else engine

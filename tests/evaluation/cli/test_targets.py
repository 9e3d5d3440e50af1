"""Experiments on servers: every target is tried before the first cell, and what is refused leaves nothing behind."""

from __future__ import annotations

import re
from urllib.parse import SplitResult, urlsplit, urlunsplit

import pytest

from tests.evaluation.world import SETUP, World
from tests.servers.plugin import Server
from tests.servers.worlds import world_of

Capture = pytest.CaptureFixture[str]
WITH_PASSWORDS = [pytest.param(name, marks=pytest.mark.server(name)) for name in ("postgres", "mysql")]


@pytest.fixture
def world(world: World) -> World:
    world.questions(1)
    world.answers({"q0": "SELECT count(*) FROM singer"})
    return world


def without_password(dsn: str) -> SplitResult:
    """A connection string that takes the password from the environment, as an experiment's must."""
    parts = urlsplit(dsn)
    user, _, host = parts.netloc.rpartition("@")
    return parts._replace(netloc=f"{user.partition(':')[0]}:${{RPW}}@{host}")


def assert_refused(world: World, capsys: Capture, *backends: object) -> str:
    """It ends with one line, before anything is run, and there is no folder."""
    assert world.run("run", world.experiment(backends=list(backends)), "-q") == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert err.startswith(f"error: {world.folder}/trial.yaml:")
    assert not world.runs.exists()
    return err


@pytest.mark.parametrize(("engine", "path"), [("postgres", "a"), ("mysql", "a"), ("trino", "a/b")])
def test_a_server_that_is_not_there(engine: str, path: str, world: World, capsys: Capture) -> None:
    err = assert_refused(world, capsys, "sqlite", {"backend": engine, "target": f"//user@127.0.0.1:9/{path}"})
    assert f"cannot connect to //user@127.0.0.1:9/{path}" in err


@pytest.mark.parametrize("engine", WITH_PASSWORDS)
def test_a_wrong_password_of_the_second_backend(
    engine: str, request: pytest.FixtureRequest, world: World, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The words of the server stay as they are, although the password is one of them."""
    server: Server = request.getfixturevalue(f"{engine}_server")
    monkeypatch.setenv("RPW", "user")
    target = urlunsplit(without_password(server.reader))
    err = assert_refused(world, capsys, "sqlite", {"backend": engine, "target": target})
    assert re.search("password authentication failed for user|Access denied for user", err)
    assert err.endswith("(`sqlassay backends check` says what is wrong)\n")


@pytest.mark.parametrize(
    ("engine", "place"),
    [
        pytest.param("postgres", {"path": "/no_such_{db_id}"}, marks=pytest.mark.server("postgres")),
        pytest.param("postgres", {"query": "schema=no_such_{db_id}"}, marks=pytest.mark.server("postgres")),
        pytest.param("mysql", {"path": "/no_such_{db_id}"}, marks=pytest.mark.server("mysql")),
    ],
)
def test_a_server_without_any_of_the_databases(
    engine: str,
    place: dict[str, str],
    request: pytest.FixtureRequest,
    world: World,
    capsys: Capture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server: Server = request.getfixturevalue(f"{engine}_server")
    monkeypatch.setenv("RPW", urlsplit(server.reader).password or "")
    target = urlunsplit(without_password(server.reader)._replace(**place))
    err = assert_refused(world, capsys, {"backend": engine, "target": target})
    assert "none of its databases is there for " in err
    assert "no_such_show" in err


@pytest.mark.parametrize("engine", WITH_PASSWORDS)
def test_a_server_that_has_them(
    engine: str, request: pytest.FixtureRequest, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = world_of(engine, request)
    try:
        name = server.name_of(server.make([statement.replace("TEXT", "VARCHAR(9)") for statement in SETUP]))
        world.questions([{"id": "q0", "db_id": name}])
        monkeypatch.setenv("RPW", urlsplit(server.reader).password or "")
        target = server.target(urlunsplit(without_password(server.reader)), "{db_id}")
        assert world.run("run", world.experiment(backends=[{"backend": engine, "target": target}]), "-q") == 0
    finally:
        server.close()
    assert len(world.run_folders()) == 1


def test_what_is_refused_for_another_reason_leaves_no_folder(world: World, capsys: Capture) -> None:
    assert world.run("run", world.experiment(strategies=["no_such"]), "-q") == 2
    assert "no_such" in capsys.readouterr().err
    assert not world.runs.exists()

"""The servers that tests talk to: named in the environment, or started in Docker, or missing.

A test that takes `postgres_server`, `mysql_server`, `trino_server`, `sqlite_server`, `llama_server` or `ollama_server`
gets the server's DSNs or URL and bears the mark `server`. Where there is none, it skips, or fails if the server is
required (`--require-backends`).

What is needed is started once, by the first process that has collected its tests, and stopped when all are done, unless
it was running before.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from filelock import FileLock
from pytest_docker.plugin import get_docker_services

ROOT = Path(__file__).resolve().parents[2]
COMPOSE = ("docker compose", str(ROOT / "docker-compose.test.yml"), "sqlassay-test")


@dataclass(frozen=True)
class Kind:
    """How a server is found."""

    variable: str
    """The environment variable that names one."""
    service: str
    port: int
    owner: str
    """The DSN of its owner in Docker, without the port."""


KINDS: Mapping[str, Kind] = {
    "postgres": Kind(
        "SQLASSAY_TEST_POSTGRES_DSN", "test-postgres", 5432, "postgresql://loader:loader@127.0.0.1:{port}/sqlassay"
    ),
    "mysql": Kind("SQLASSAY_TEST_MYSQL_DSN", "test-mysql", 3306, "mysql://root:loader@127.0.0.1:{port}/sqlassay"),
    "trino": Kind("SQLASSAY_TEST_TRINO_DSN", "test-trino", 8080, "trino://loader@127.0.0.1:{port}/memory/default"),
    "sqlite-container": Kind("SQLASSAY_TEST_SQLITE_URL", "test-sqlite", 8000, "http://127.0.0.1:{port}"),
    "llama": Kind("SQLASSAY_TEST_LLAMA_URL", "test-llama", 8080, "http://127.0.0.1:{port}"),
    "ollama": Kind("SQLASSAY_TEST_OLLAMA_URL", "test-ollama", 11434, "http://127.0.0.1:{port}"),
}
FIXTURES = {
    "postgres_server": "postgres",
    "mysql_server": "mysql",
    "trino_server": "trino",
    "sqlite_server": "sqlite-container",
    "llama_server": "llama",
    "ollama_server": "ollama",
}


@dataclass(frozen=True)
class Server:
    """A server that answers, for its owner, who may do everything, and for a reader, who may only read."""

    owner: str
    reader: str


@dataclass(frozen=True)
class Missing:
    """Why there is no server, and whether that is a fault in any case."""

    reason: str
    fault: bool = False


SHARED = pytest.StashKey[Path]()
REQUIRED = pytest.StashKey[frozenset[str]]()
FOUND = pytest.StashKey[dict[str, str | Missing]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.getgroup("servers").addoption(
        "--require-backends",
        default="",
        metavar="NAMES",
        help=f"a test that skips although it needs one of these servers has failed: {','.join(KINDS)}",
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "server(*names): needs these servers; a test that takes their fixtures has it")
    required = frozenset(filter(None, config.getoption("require_backends").split(",")))
    if unknown := sorted(required - KINDS.keys()):
        raise pytest.UsageError(
            f"--require-backends: no server is called {', '.join(unknown)}; there are {', '.join(KINDS)}"
        )
    config.stash[REQUIRED] = required
    config.stash[FOUND] = {}
    worker = getattr(config, "workerinput", None)
    config.stash[SHARED] = Path(worker["servers"] if worker else tempfile.mkdtemp(prefix="sqlassay-servers-"))


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: object) -> None:
    """Tell a worker of xdist in which folder the processes agree."""
    node.workerinput["servers"] = str(node.config.stash[SHARED])  # type: ignore[attr-defined]


def pytest_unconfigure(config: pytest.Config) -> None:
    """The first process is the last to go: it stops what any of them started."""
    shared = config.stash.get(SHARED, None)
    if shared is None or hasattr(config, "workerinput"):
        return
    if (shared / "started").exists():
        with get_docker_services(*COMPOSE, [], ["down --volumes --timeout 3"]):
            pass
    shutil.rmtree(shared, ignore_errors=True)


@pytest.hookimpl(tryfirst=True)
def pytest_itemcollected(item: pytest.Item) -> None:
    if names := [name for fixture, name in FIXTURES.items() if fixture in getattr(item, "fixturenames", ())]:
        item.add_marker(pytest.mark.server(*names))


def pytest_collection_finish(session: pytest.Session) -> None:
    """Find the servers that the tests need, before the first test: its time limit is not for starting servers."""
    config = session.config
    if config.getoption("collectonly"):
        return
    needed = {name for item in session.items for name in needs(item)}
    for name in sorted(needed):
        if dsn := os.environ.get(KINDS[name].variable):
            config.stash[FOUND][name] = dsn
    if containers := sorted(needed - config.stash[FOUND].keys()):
        config.stash[FOUND] |= in_docker(containers, config.stash[SHARED])


def needs(item: pytest.Item) -> set[str]:
    """The servers that a test needs."""
    return {name for mark in item.iter_markers("server") for name in mark.args}


def in_docker(names: list[str], shared: Path) -> dict[str, str | Missing]:
    """The DSNs of these servers in Docker, which are started if they are not running."""
    if why := no_docker():
        return {name: Missing(f"{KINDS[name].variable} is not set, and {why}") for name in names}
    services = [KINDS[name].service for name in names]
    with FileLock(shared / "lock"):
        failure = shared / "failure"
        if failure.exists():  # another process has tried
            return dict.fromkeys(names, Missing(failure.read_text("utf-8"), fault=True))
        if not (shared / "started").exists() and not running():
            (shared / "started").touch()
        try:
            if "llama" in names:  # it starts with a model, Ollama is given one
                write_model()
            up = f"up --detach --wait --wait-timeout 900 {' '.join(services)}"
            with get_docker_services(*COMPOSE, [up], []) as docker:
                ports = {name: docker.port_for(KINDS[name].service, KINDS[name].port) for name in names}
        except Exception as error:  # noqa: BLE001 - pytest-docker raises no narrower one
            reason = f"the servers do not start: {error}\n{compose('logs', '--no-color', '--tail=20')}"
            failure.write_text(reason, "utf-8")
            return dict.fromkeys(names, Missing(reason, fault=True))
    return {name: KINDS[name].owner.format(port=ports[name]) for name in names}


def write_model() -> None:
    """Write the model that `docker-compose.test.yml` mounts."""
    from tests.servers import tiny_gguf

    tiny_gguf.write()


def no_docker() -> str | None:
    """Why Docker cannot be used here, if it cannot."""
    if shutil.which("docker") is None:
        return "there is no Docker"
    for command, reason in (
        (["docker", "info"], "no Docker engine answers"),
        (["docker", "compose", "version"], "`docker compose` (version 2) is not installed"),
    ):
        try:
            subprocess.run(command, check=True, capture_output=True, timeout=20)
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
            return reason
    return None


def running() -> bool:
    """Whether somebody else has started servers of this project, and will stop them."""
    return bool(compose("ps", "--quiet"))


def compose(*arguments: str) -> str:
    """What a command of `docker compose` prints, failed or not."""
    command = ["docker", "compose", "--file", COMPOSE[1], "--project-name", COMPOSE[2], *arguments]
    return subprocess.run(command, capture_output=True, text=True).stdout.strip()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A skip, for whatever reason, of a test that needs a required server is a failure."""
    report = yield
    if report.skipped and not hasattr(report, "wasxfail") and (needs(item) & item.config.stash[REQUIRED]):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"a test of {', '.join(sorted(needs(item)))} must not skip here: {reason}"
    return report


def owner_of(request: pytest.FixtureRequest, name: str) -> str:
    """The DSN of the server's owner; where there is none, the test skips or fails."""
    found = request.config.stash[FOUND].get(name)
    if found is None:
        pytest.fail(f"a test that asks for {name} while it runs needs the mark server({name!r})")
    if isinstance(found, Missing):
        if found.fault or name in request.config.stash[REQUIRED]:
            pytest.fail(found.reason, pytrace=False)
        pytest.skip(found.reason)
    return found


@pytest.fixture(scope="session")
def postgres_server(request: pytest.FixtureRequest) -> Server:
    """A PostgreSQL server: `postgresql://user:password@host:port/database`."""
    owner = owner_of(request, "postgres")
    from tests.servers.readers import postgres_reader

    return Server(owner, postgres_reader(owner))


@pytest.fixture(scope="session")
def mysql_server(request: pytest.FixtureRequest) -> Server:
    """A MySQL server: `mysql://user:password@host:port/database`."""
    owner = owner_of(request, "mysql")
    from tests.servers.readers import mysql_reader

    return Server(owner, mysql_reader(owner))


@pytest.fixture(scope="session")
def trino_server(request: pytest.FixtureRequest) -> Server:
    """A Trino server: `trino://user@host:port/catalog/schema`."""
    owner = owner_of(request, "trino")
    from tests.servers.readers import trino_reader

    return Server(owner, trino_reader(owner))


@pytest.fixture(scope="session")
def sqlite_server(request: pytest.FixtureRequest) -> str:
    """The URL of the container with a pinned SQLite (`tests/servers/sqlite/server.py`)."""
    return owner_of(request, "sqlite-container")


@pytest.fixture(scope="session")
def llama_server(request: pytest.FixtureRequest) -> str:
    """The URL of a `llama-server` with the model of `tests/servers/tiny_gguf.py`; OpenAI's API is below `/v1`."""
    return owner_of(request, "llama")


@pytest.fixture(scope="session")
def ollama_server(request: pytest.FixtureRequest) -> str:
    """The URL of an Ollama that has the model of `tests/servers/tiny_gguf.py` under its name."""
    url = owner_of(request, "ollama")
    from tests.servers.ollama import create_tiny

    create_tiny(url)
    return url

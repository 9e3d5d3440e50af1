"""The scripts for those who have docker and curl, and not this program."""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from evaluation.langfuse_server.deployment import Deployment, shipped
from evaluation.langfuse_server.settings import template
from sqlassay.secrets_file import assignments
from tests.evaluation.langfuse_server.docker_stub import Docker
from tests.providers.langfuse_deployed import KEYS, DeployedLangfuse

SCRIPTS = Path(__file__).resolve().parents[3] / "scripts" / "langfuse"
needs_curl = pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")


def script(name: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [SCRIPTS / name, *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def langfuse() -> Iterator[DeployedLangfuse]:
    """What the containers of the deployment would be."""
    with DeployedLangfuse() as server:
        deployment = Deployment()
        deployment.set_up({"LANGFUSE_PORT": str(server.port)})
        server.keys = deployment.settings().keys
        yield server


def elsewhere(server: DeployedLangfuse) -> dict[str, str]:
    """The variables that name a server which is not one's own."""
    return {"LANGFUSE_BASE_URL": server.base_url, "LANGFUSE_PUBLIC_KEY": KEYS[0], "LANGFUSE_SECRET_KEY": KEYS[1]}


def test_they_are_those_of_the_program() -> None:
    names = {path.name for path in SCRIPTS.iterdir() if os.access(path, os.X_OK)}
    assert names == {"setup", "up", "down", "status", "validate", "health"}


@pytest.mark.skipif(shutil.which("shellcheck") is None, reason="needs shellcheck")
def test_shellcheck_finds_nothing() -> None:
    found = subprocess.run(
        ["shellcheck", "--external-sources", *sorted(map(str, SCRIPTS.iterdir()))],
        cwd=SCRIPTS.parents[1],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (found.returncode, found.stdout) == (0, "")


def test_setup_makes_what_the_program_makes(tmp_path: Path) -> None:
    done = script("setup")
    assert done.returncode == 0, done.stderr
    deployment = Deployment()
    path = deployment.settings_file
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [one.name for one in sorted(deployment.folder.iterdir())] == [".env", "compose.yaml"]
    assert deployment.compose_file.read_text() == shipped()
    values = deployment.settings().values
    for name, value in assignments(template()).items():
        pattern = re.sub(r"\\\{hex:(\d+)\\\}", lambda match: f"[0-9a-f]{{{2 * int(match[1])}}}", re.escape(value))
        assert re.fullmatch(pattern, values[name]), name
    assert values["SALT"] != values["ENCRYPTION_KEY"]
    assert f"export LANGFUSE_PUBLIC_KEY={values['LANGFUSE_INIT_PROJECT_PUBLIC_KEY']}" in done.stdout
    assert values["LANGFUSE_INIT_PROJECT_SECRET_KEY"] not in done.stdout + done.stderr

    before = path.read_bytes()
    assert script("setup").stdout == done.stdout
    assert path.read_bytes() == before


@needs_curl
def test_up_status_down(langfuse: DeployedLangfuse, docker: Docker) -> None:
    absent = script("status")
    assert absent.returncode == 1
    up = script("up", "20", SALT="of somebody else")
    assert (up.returncode, up.stdout) == (0, f"Langfuse is up: http://localhost:{langfuse.port}\n"), up.stderr
    assert docker.calls[-1] == ["up", "--detach", "--wait", "--wait-timeout", "20"]
    assert docker.state["services"]["langfuse-worker"]["environment"]["SALT"] != "of somebody else"
    assert "GET /api/public/projects" in langfuse.requests
    found = script("status")
    assert found.returncode == 0, found.stderr
    assert found.stdout.count("running") == 6
    docker.change("minio", Health="unhealthy")
    assert script("status").returncode == 1

    assert script("down").returncode == 0
    assert docker.calls[-1] == ["down"]
    refused = script("down", "--volumes")
    assert (refused.returncode, refused.stderr) == (
        2,
        "error: --volumes removes everything that was recorded (add --yes)\n",
    )
    assert script("down", "--volumes", "--yes").returncode == 0
    assert docker.calls[-1] == ["down", "--volumes"]
    assert script("down", "--now").returncode == 2


@needs_curl
def test_up_when_the_project_does_not_appear(langfuse: DeployedLangfuse, docker: Docker) -> None:
    langfuse.projects = []
    done = script("up", "1")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].endswith("runs, but its project cannot be read: HTTP 200")


@pytest.mark.parametrize("name", ["up", "down", "status"])
def test_docker_that_does_not_answer(name: str, docker: Docker) -> None:
    Deployment().set_up()
    docker.ill(engine="Cannot connect to the Docker daemon")
    done = script(name)
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert done.stderr.startswith("error: docker does not answer (start it")


@needs_curl
def test_validate(langfuse: DeployedLangfuse) -> None:
    langfuse.looks = 1
    done = script("validate")
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == f"Langfuse at http://localhost:{langfuse.port}"
    assert [line.split()[0] for line in lines[1:]] == ["ok"] * 10
    assert "project nightly (sqlassay)" in done.stdout
    assert [one["environment"] for one in langfuse.spans.values()] == ["sqlassay-validate"]


@needs_curl
@pytest.mark.parametrize(
    ("path", "status", "line"),
    [
        ("/api/public/health", 503, "failed  reachable      HTTP 503"),
        ("/api/public/v3/scores", 404, "failed  v3/scores      HTTP 404"),
        ("/api/public/otel/v1/traces", 500, "failed  trace written  HTTP 500"),
    ],
)
def test_validate_what_is_wrong(path: str, status: int, line: str) -> None:
    with DeployedLangfuse() as server:
        server.statuses[path] = status
        done = script("validate", "1", **elsewhere(server))
    assert done.returncode == 1
    assert line in done.stdout.splitlines()


@needs_curl
def test_validate_an_old_server_and_a_trace_that_never_comes_back() -> None:
    with DeployedLangfuse() as server:
        server.version, server.looks = "4.58.2", None
        done = script("validate", "0", **elsewhere(server))
    assert done.returncode == 1
    assert "failed  version        4.58.2, and the SDK 5 needs 4.59.0\n" in done.stdout
    assert "failed  read back      HTTP 200, and the trace is not there\n" in done.stdout


@needs_curl
def test_health(langfuse: DeployedLangfuse) -> None:
    done = script("health")
    found = json.loads(done.stdout)
    assert done.returncode == 0
    assert (found["ok"], found["health"], found["ready"], found["keys"]) == (True, 200, 200, 200)
    assert 0 < found["seconds"] < 10
    with DeployedLangfuse() as other:  # keys of one's own go to no other server
        assert json.loads(script("health", LANGFUSE_BASE_URL=other.base_url).stdout)["keys"] is None
        assert "GET /api/public/projects" not in other.requests
        other.keys = ("pk-lf-x", "sk-lf-x")
        done = script("health", **elsewhere(other))
        assert (done.returncode, json.loads(done.stdout)["keys"]) == (1, 401)


@needs_curl
def test_health_of_nobody() -> None:
    done = script("health", LANGFUSE_BASE_URL="http://127.0.0.1:9")
    assert done.returncode == 1
    assert json.loads(done.stdout)["health"] == 0
    for environment in ({}, {"LANGFUSE_PUBLIC_KEY": KEYS[0], "LANGFUSE_SECRET_KEY": KEYS[1]}):
        done = script("health", **environment)
        assert (done.returncode, done.stderr[:35]) == (2, "error: no Langfuse server is known ")


@needs_curl
def test_a_proxy_is_asked_unless_the_environment_says_otherwise() -> None:
    with DeployedLangfuse() as proxy:
        named = {"LANGFUSE_BASE_URL": "http://langfuse.invalid:81", "http_proxy": proxy.base_url}
        for variable in ("NO_PROXY", "no_proxy"):
            script("health", **named, NO_PROXY="", no_proxy="")
            asked = len(proxy.requests)
            assert asked > 0
            script("health", **{**named, "NO_PROXY": "", "no_proxy": "", variable: "other.invalid,langfuse.invalid"})
            assert len(proxy.requests) == asked

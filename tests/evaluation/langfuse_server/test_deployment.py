"""Up, down and status, with a program that behaves as docker does and a server on the loopback interface."""

from __future__ import annotations

import io
import json
import os
import re
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from evaluation.cli.app import run
from evaluation.langfuse_server.deployment import Deployment, shipped
from sqlassay.secrets_file import read_secrets, save_secret
from tests.evaluation.langfuse_server.docker_stub import Docker
from tests.providers.langfuse_deployed import DeployedLangfuse

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def deployment() -> Deployment:
    return Deployment()


@pytest.fixture
def langfuse(deployment: Deployment) -> Iterator[DeployedLangfuse]:
    """What the containers would be."""
    with DeployedLangfuse() as server:
        deployment.set_up({"LANGFUSE_PORT": str(server.port)})
        server.keys = deployment.settings().keys
        yield server


def test_up_waits_for_health_and_for_the_project(
    langfuse: DeployedLangfuse, deployment: Deployment, docker: Docker, capfd: Capture
) -> None:
    langfuse.projects = []
    langfuse.then["/api/public/projects"] = lambda: langfuse.projects.append(("sqlassay", "nightly"))
    assert run(["langfuse", "up", "--wait", "20"]) == 0
    assert docker.calls == [["version"], ["up", "--help"], ["up", "--detach", "--wait", "--wait-timeout", "20"]]
    assert langfuse.requests.count("GET /api/public/projects") > 1
    out, err = capfd.readouterr()
    assert out == f"Langfuse is up: http://localhost:{langfuse.port}\n"
    assert "Started" in err  # what docker says is no data
    web = docker.state["services"]["langfuse-web"]
    settings = deployment.settings()
    assert web["ports"] == [f"127.0.0.1:{langfuse.port}:3000"]
    assert web["environment"]["LANGFUSE_INIT_PROJECT_SECRET_KEY"] == settings.keys[1]
    assert docker.state["project"] == settings.values["COMPOSE_PROJECT_NAME"]
    assert settings.keys[1] not in out + err


def test_up_sets_up_what_is_not_there_and_changes_nothing_that_is(docker: Docker, deployment: Deployment) -> None:
    assert run(["langfuse", "up", "--wait", "1"]) == 1  # nobody listens
    before = deployment.settings_file.read_bytes(), deployment.compose_file.read_bytes()
    assert before[1] == shipped().encode()
    assert stat.S_IMODE(deployment.folder.stat().st_mode) == 0o700
    assert run(["langfuse", "up", "--wait", "1"]) == 1
    assert (deployment.settings_file.read_bytes(), deployment.compose_file.read_bytes()) == before


def test_what_the_environment_has_does_not_come_before_the_settings(
    langfuse: DeployedLangfuse, docker: Docker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SALT", "of somebody else")
    monkeypatch.setenv("LANGFUSE_INIT_PROJECT_PUBLIC_KEY", "pk-lf-of-the-cloud")
    monkeypatch.setenv("COMPOSE_FILE", "/nowhere")
    assert run(["langfuse", "up", "--wait", "5"]) == 0
    environment = docker.state["services"]["langfuse-web"]["environment"]
    assert environment["SALT"] != "of somebody else"
    assert environment["LANGFUSE_INIT_PROJECT_PUBLIC_KEY"] == langfuse.keys[0]


def test_up_when_a_service_does_not_become_healthy(langfuse: DeployedLangfuse, docker: Docker, capfd: Capture) -> None:
    docker.ill(up="clickhouse")
    assert run(["langfuse", "up"]) == 1
    said = capfd.readouterr().err
    assert (
        "error: `docker compose up` failed with exit code 1: clickhouse is unhealthy (see `docker compose logs` in"
        in said
    )
    assert not langfuse.requests


def test_up_when_a_port_is_taken(langfuse: DeployedLangfuse, docker: Docker, capfd: Capture) -> None:
    docker.ill(port="langfuse-web")
    assert run(["langfuse", "up"]) == 1
    (line,) = [line for line in capfd.readouterr().err.splitlines() if line.startswith("error:")]
    assert f"langfuse-web is created, LANGFUSE_PORT={langfuse.port} is taken: change it in .env (see" in line


def test_a_docker_compose_that_cannot_wait(deployment: Deployment, docker: Docker, capfd: Capture) -> None:
    docker.ill(old="2.10.2")
    assert run(["langfuse", "up"]) == 2
    assert "error: `docker compose` 2.10.2 is too old: it cannot wait for health (update" in capfd.readouterr().err
    assert ["up", "--detach", "--wait", "--wait-timeout", "600"] not in docker.calls


def test_two_ports_are_two(deployment: Deployment, capfd: Capture) -> None:
    assert run(["langfuse", "setup", "--port", "21531"]) == 2
    assert "LANGFUSE_PORT and LANGFUSE_MEDIA_PORT are both 21531 (name two ports)" in capfd.readouterr().err
    assert not deployment.settings_file.exists()


def test_up_when_the_project_does_not_appear(langfuse: DeployedLangfuse, docker: Docker, capfd: Capture) -> None:
    langfuse.keys = ("pk-lf-other", "sk-lf-other")
    assert run(["langfuse", "up", "--wait", "1"]) == 1
    (line,) = [line for line in capfd.readouterr().err.splitlines() if line.startswith("error:")]
    assert "its project 'sqlassay' cannot be read: the server answers with HTTP 401" in line


@pytest.mark.parametrize("command", ["up", "down", "status"])
@pytest.mark.parametrize(
    ("ill", "words"),
    [
        ({"engine": "Cannot connect to the Docker daemon"}, "docker does not answer (start it"),
        ({"engine": "permission denied while trying to connect"}, "you may not use docker (become a member"),
        ({"compose": False}, "docker has no `docker compose` (install"),
    ],
)
def test_docker_that_cannot_be_used_is_one_line(
    deployment: Deployment, docker: Docker, capfd: Capture, command: str, ill: dict[str, object], words: str
) -> None:
    deployment.set_up()
    docker.ill(**ill)
    assert run(["langfuse", command]) == 2
    out, err = capfd.readouterr()
    assert (out, len(err.splitlines())) == ("", 1)
    assert words in err


def test_no_docker_at_all(
    tmp_path: Path, deployment: Deployment, monkeypatch: pytest.MonkeyPatch, capfd: Capture
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert run(["langfuse", "up"]) == 2
    assert not deployment.folder.exists()  # no server of one's own, as far as anybody else can see
    assert capfd.readouterr().err.startswith(
        "error: docker is not installed, or not on the PATH (install Docker Engine"
    )


def test_down_keeps_what_was_recorded(langfuse: DeployedLangfuse, docker: Docker, capfd: Capture) -> None:
    run(["langfuse", "up", "--wait", "5"])
    assert run(["langfuse", "down"]) == 0
    assert docker.calls[-1] == ["down"]
    assert "what was recorded is kept" in capfd.readouterr().err


def test_down_removes_it_only_when_told_twice(langfuse: DeployedLangfuse, docker: Docker, capfd: Capture) -> None:
    assert run(["langfuse", "down", "--volumes"]) == 2
    assert "removes everything that was recorded (add --yes)" in capfd.readouterr().err
    assert docker.calls == []
    assert run(["langfuse", "down", "--volumes", "--yes"]) == 0
    assert docker.calls[-1] == ["down", "--volumes"]


@pytest.mark.parametrize(("answer", "told"), [("y\n", [["version"], ["down", "--volumes"]]), ("n\n", []), ("\n", [])])
def test_down_asks_whoever_is_there(
    langfuse: DeployedLangfuse, docker: Docker, monkeypatch: pytest.MonkeyPatch, answer: str, told: list[list[str]]
) -> None:
    terminal = io.StringIO(answer)
    monkeypatch.setattr(terminal, "isatty", lambda: True)
    monkeypatch.setattr("sys.stdin", terminal)
    assert run(["langfuse", "down", "--volumes"]) == 0
    assert docker.calls == told


@pytest.mark.parametrize("command", ["down", "status"])
def test_nothing_set_up(docker: Docker, capfd: Capture, command: str) -> None:
    assert run(["langfuse", command]) == 2
    assert "no Langfuse is set up there (run `sqlassay langfuse up`)" in capfd.readouterr().err
    assert docker.calls == []


@pytest.mark.parametrize("ill", [{}, {"list": True}], ids=["lines", "list"])
def test_status(langfuse: DeployedLangfuse, docker: Docker, capfd: Capture, ill: dict[str, object]) -> None:
    docker.ill(**ill)
    assert run(["langfuse", "status", "--json"]) == 1
    found = json.loads(capfd.readouterr().out)
    assert not found["ok"]
    assert {one["state"] for one in found["services"]} == {"absent"}
    assert len(found["services"]) == 6

    run(["langfuse", "up", "--wait", "5"])
    capfd.readouterr()
    assert run(["langfuse", "status", "--json"]) == 0
    found = json.loads(capfd.readouterr().out)
    assert (found["ok"], found["host"]) == (True, f"http://localhost:{langfuse.port}")
    web = found["services"][0]
    assert (web["service"], web["ok"], web["ports"]) == ("langfuse-web", True, [f"127.0.0.1:{langfuse.port}"])

    docker.change("redis", Health="unhealthy")
    docker.change("minio", State="exited", Health="")
    assert run(["langfuse", "status"]) == 1
    lines = [line.split() for line in capfd.readouterr().out.splitlines()]
    assert ["redis", "running", "unhealthy", "docker.io/redis:7"] in lines
    assert ["postgres", "running", "healthy", "docker.io/postgres:17"] in lines
    assert next(line for line in lines if line[:1] == ["minio"])[1] == "exited"


def test_setup_says_what_to_export_and_keeps_the_secret(deployment: Deployment, capfd: Capture) -> None:
    assert run(["langfuse", "setup", "--port", "21999", "--project", "nightly"]) == 0
    out, err = capfd.readouterr()
    public, secret = deployment.settings().keys
    assert out.splitlines()[:2] == [
        "export LANGFUSE_BASE_URL=http://localhost:21999",
        f"export LANGFUSE_PUBLIC_KEY={public}",
    ]
    assert secret not in out + err
    assert deployment.settings().values["LANGFUSE_INIT_PROJECT_NAME"] == "nightly"
    assert run(["langfuse", "setup", "--show-secret"]) == 0
    assert f"export LANGFUSE_SECRET_KEY={secret}\n" in capfd.readouterr().out


def test_setup_does_not_change_what_is_there(deployment: Deployment, capfd: Capture) -> None:
    deployment.set_up()
    before = deployment.settings_file.read_bytes()
    assert run(["langfuse", "setup", "--port", "21999"]) == 2
    assert "is there already, with another LANGFUSE_PORT (change it there)" in capfd.readouterr().err
    assert deployment.settings_file.read_bytes() == before
    assert run(["langfuse", "setup", "--port", "21530"]) == 0


def test_setup_says_that_the_compose_file_is_another(deployment: Deployment, capfd: Capture) -> None:
    deployment.set_up()
    deployment.compose_file.write_text(shipped() + "# mine\n")
    assert run(["langfuse", "setup"]) == 0
    assert "is not the one of this version" in capfd.readouterr().err
    assert deployment.compose_file.read_text().endswith("# mine\n")


def test_keys_go_into_the_secrets_file_and_replace_no_others(deployment: Deployment, capfd: Capture) -> None:
    save_secret("LANGFUSE_SECRET_KEY", "sk-lf-of-the-cloud")
    assert run(["langfuse", "setup", "--save-keys"]) == 2
    assert "holds another LANGFUSE_SECRET_KEY (sqlassay keys remove LANGFUSE_SECRET_KEY)" in capfd.readouterr().err
    assert read_secrets() == {"LANGFUSE_SECRET_KEY": "sk-lf-of-the-cloud"}
    run(["keys", "remove", "LANGFUSE_SECRET_KEY"])
    assert run(["langfuse", "setup", "--save-keys"]) == 0
    settings = deployment.settings()
    public, secret = settings.keys
    assert read_secrets() == {
        "LANGFUSE_BASE_URL": settings.host,
        "LANGFUSE_PUBLIC_KEY": public,
        "LANGFUSE_SECRET_KEY": secret,
    }


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["setup", "--project", "a'b"], "cannot be LANGFUSE_INIT_PROJECT_NAME"),
        (["validate", "--host", "localhost:3000"], "'localhost:3000' is no base URL of Langfuse"),
        (["validate", "--host", "http://a:b@localhost"], "has a user or a password in it"),
        (["validate", "--host", "http://localhost", "--folder", "x"], "--host and --folder are two servers"),
        (["validate"], "no Langfuse server is known (set LANGFUSE_BASE_URL"),
        (["health", "--times", "2"], "--times is of --watch"),
        (["health", "--folder", "nowhere"], "no Langfuse is set up there"),
    ],
)
def test_mistakes_are_one_line(capfd: Capture, arguments: list[str], words: str) -> None:
    assert run(["langfuse", *arguments]) == 2
    (line,) = capfd.readouterr().err.splitlines()
    assert line.startswith("error: ")
    assert words in line


def test_a_folder_that_cannot_be_written(tmp_path: Path, capfd: Capture) -> None:
    (tmp_path / "file").write_text("")
    assert run(["langfuse", "setup", "--folder", str(tmp_path / "file" / "x")]) == 2
    assert "cannot be written: Not a directory" in capfd.readouterr().err


def test_validate_and_health_of_ones_own(langfuse: DeployedLangfuse, capfd: Capture) -> None:
    """Nothing has to be exported: the folder has address and keys."""
    pytest.importorskip("langfuse", reason="needs the extra langfuse")
    assert run(["langfuse", "validate"]) == 0
    shown = capfd.readouterr().out
    assert shown.startswith(f"Langfuse at http://localhost:{langfuse.port}\n")
    assert re.search(r"^ok +read back +after", shown, re.MULTILINE)
    assert shown.endswith("\nall right, 0 warnings\n")
    assert run(["langfuse", "validate", "--json", "--read-only", "--project", "weekly"]) == 1
    found = json.loads(capfd.readouterr().out)
    assert not found["ok"]
    assert [check["name"] for check in found["checks"] if not check["ok"]] == ["project"]


def test_an_existing_server_needs_only_its_address_and_keys(
    langfuse: DeployedLangfuse, monkeypatch: pytest.MonkeyPatch, capfd: Capture
) -> None:
    with DeployedLangfuse() as other:
        other.keys = ("pk-lf-other", "sk-lf-other")
        monkeypatch.setenv("LANGFUSE_PUBLIC_KEY", "pk-lf-other")
        monkeypatch.setenv("LANGFUSE_SECRET_KEY", "sk-lf-other")
        assert run(["langfuse", "health", "--host", other.base_url]) == 0
        monkeypatch.setenv("LANGFUSE_BASE_URL", other.base_url)
        assert run(["langfuse", "health"]) == 0
        assert not langfuse.requests
        assert len(other.requests) == 6
        assert run(["langfuse", "health", "--folder", os.environ["SQLASSAY_LANGFUSE"]]) == 0
        assert langfuse.requests


def test_keys_of_ones_own_go_to_no_other_server(langfuse: DeployedLangfuse) -> None:
    with DeployedLangfuse() as other:
        assert run(["langfuse", "health", "--host", other.base_url]) == 0
        assert other.requests == [
            "GET /api/public/health?failIfDatabaseUnavailable=true",
            "GET /api/public/ready",
        ]


def test_health_watches(langfuse: DeployedLangfuse, capfd: Capture) -> None:
    assert run(["langfuse", "health", "--watch", "--every", "0.1", "--times", "3", "--json"]) == 0
    lines = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    assert [line["ok"] for line in lines] == [True] * 3
    assert all(0 < line["seconds"] < 5 and len(line["checks"]) == 3 for line in lines)
    assert {line["server"] for line in lines} == {f"http://localhost:{langfuse.port}"}
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", lines[0]["time"])

    langfuse.then["/api/public/health"] = lambda: langfuse.statuses.update({"/api/public/health": 503})
    assert run(["langfuse", "health", "--watch", "--every", "0.1", "--times", "3"]) == 1
    first, *_, last = capfd.readouterr().out.splitlines()
    assert re.search(r"Z  ok      Langfuse at \S+  \d+ ms$", first)
    assert "failed" in last
    assert "database: its database is not available" in last


def test_health_gives_up_in_time(capfd: Capture) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        host = f"http://127.0.0.1:{deaf.getsockname()[1]}"
        assert run(["langfuse", "health", "--host", host, "--timeout", "0.2"]) == 1
    assert "database: gave no answer within 0.2 s" in capfd.readouterr().out

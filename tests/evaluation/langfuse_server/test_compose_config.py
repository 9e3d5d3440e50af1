"""What `docker compose` itself reads in the folder that `setup` writes. It needs no engine for that."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from evaluation.cli.app import run
from evaluation.langfuse_server.deployment import Deployment
from evaluation.langfuse_server.docker import Compose

SCRIPTS = Path(__file__).resolve().parents[3] / "scripts" / "langfuse"


def has_compose() -> bool:
    """Whether docker is here with its plug-in."""
    docker = shutil.which("docker")
    return docker is not None and subprocess.run([docker, "compose", "version"], capture_output=True).returncode == 0


pytestmark = pytest.mark.skipif(not has_compose(), reason="needs docker with its plug-in compose, and no engine")


def read(deployment: Deployment) -> dict[str, Any]:
    """The file with its settings, as compose would start it."""
    compose = Compose(deployment.folder, deployment.settings().values)
    done = compose._docker(compose._command(["config", "--format", "json"])[1:])
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""  # no warning: such as of a variable that is not set
    return dict(json.loads(done.stdout))


@pytest.fixture(params=["command", "script"])
def deployment(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Deployment:
    # What a shell exports comes before .env, as far as docker is concerned.
    monkeypatch.setenv("LANGFUSE_INIT_PROJECT_PUBLIC_KEY", "pk-lf-of-the-cloud")
    monkeypatch.setenv("LANGFUSE_VERSION", "3")
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere")
    if request.param == "command":
        assert run(["langfuse", "setup"]) == 0
    else:
        subprocess.run([SCRIPTS / "setup"], check=True, capture_output=True)
    return Deployment()


def test_it_is_what_is_meant(deployment: Deployment) -> None:
    found, settings = read(deployment), deployment.settings()
    services = found["services"]
    assert found["name"] == settings.values["COMPOSE_PROJECT_NAME"]
    assert set(services) == {"langfuse-web", "langfuse-worker", "postgres", "clickhouse", "redis", "minio"}
    version = settings.values["LANGFUSE_VERSION"]
    assert services["langfuse-web"]["image"] == f"docker.langfuse.com/langfuse/langfuse:{version}"
    opened = [
        (port["host_ip"], port["published"]) for service in services.values() for port in service.get("ports", ())
    ]
    assert opened == [("127.0.0.1", settings.values[f"LANGFUSE_{kind}PORT"]) for kind in ("", "MEDIA_")]
    named = {mount["source"] for service in services.values() for mount in service.get("volumes", ())}
    assert named == set(found["volumes"])
    assert all(service["healthcheck"]["test"] for service in services.values())


def test_server_and_stores_have_the_same_secrets(deployment: Deployment) -> None:
    services = read(deployment)["services"]
    web, worker, stores = (services[name]["environment"] for name in ("langfuse-web", "langfuse-worker", "clickhouse"))
    assert web["LANGFUSE_INIT_PROJECT_PUBLIC_KEY"] == deployment.settings().keys[0] != "pk-lf-of-the-cloud"
    assert re.fullmatch("[0-9a-f]{64}", web["ENCRYPTION_KEY"])
    for server in (web, worker):
        assert server["CLICKHOUSE_PASSWORD"] == stores["CLICKHOUSE_PASSWORD"]
        assert f":{services['postgres']['environment']['POSTGRES_PASSWORD']}@postgres:" in server["DATABASE_URL"]
        assert server["REDIS_AUTH"] in services["redis"]["command"]
        assert server["REDIS_AUTH"] == services["redis"]["environment"]["REDISCLI_AUTH"]
        keys = {server[f"LANGFUSE_S3_{kind}_UPLOAD_SECRET_ACCESS_KEY"] for kind in ("EVENT", "MEDIA")}
        assert keys == {services["minio"]["environment"]["MINIO_ROOT_PASSWORD"]}
        assert server["TELEMETRY_ENABLED"] == "false"
    assert {name for name in worker if web[name] != worker[name]} == {"LANGFUSE_S3_MEDIA_UPLOAD_ENDPOINT"}


def test_a_setting_that_is_missing_is_an_error(deployment: Deployment) -> None:
    path = deployment.folder / ".env"
    path.write_text(re.sub("^SALT=.*$", "SALT=", path.read_text(), flags=re.MULTILINE))
    compose = Compose(deployment.folder, ())
    done = compose._docker(compose._command(["config", "--quiet"])[1:])
    assert done.returncode != 0
    assert "SALT" in done.stderr

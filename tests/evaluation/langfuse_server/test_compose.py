"""The compose file: what it starts, who can reach it, and that every setting that it needs is there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from evaluation.langfuse_server.deployment import shipped
from evaluation.langfuse_server.settings import template
from sqlassay.secrets_file import assignments

ROOT = Path(__file__).resolve().parents[3]
FILE: dict[str, Any] = yaml.safe_load(shipped())
SERVICES: dict[str, Any] = FILE["services"]
SETTINGS = assignments(template(), "template.env")


def variables(text: str) -> list[str]:
    return re.findall(r"(?<!\$)\$\{?(\w+)[^}]*\}?", re.sub(r"^\s*#.*$", "", text, flags=re.MULTILINE))


def test_six_services() -> None:
    assert set(SERVICES) == {"langfuse-web", "langfuse-worker", "postgres", "clickhouse", "redis", "minio"}


def test_every_variable_is_a_setting_and_every_setting_is_used() -> None:
    used = set(variables(shipped()))
    assert used | {"COMPOSE_PROJECT_NAME"} == set(SETTINGS)
    assert all(value for value in SETTINGS.values())
    # Without a value it is not started with an empty password.
    assert len(re.findall(r"\$\{\w+:\?\}", re.sub(r"^\s*#.*$", "", shipped(), flags=re.MULTILINE))) == len(
        variables(shipped())
    )


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_pinned_checked_and_comes_back(name: str) -> None:
    service = SERVICES[name]
    assert re.search(r":([\d.]+|\$\{LANGFUSE_VERSION:\?\}|latest@sha256:[0-9a-f]{64})$", service["image"])
    assert service["healthcheck"]["test"]
    assert service["restart"] == "unless-stopped"
    assert service["logging"]["options"]["max-size"]


def test_the_server_has_a_whole_version() -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+", SETTINGS["LANGFUSE_VERSION"])


def test_ports_are_open_on_the_loopback_alone_and_none_is_one_of_the_tests() -> None:
    opened = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert len(opened) == 2
    assert all(re.fullmatch(r"127\.0\.0\.1:\$\{LANGFUSE(_MEDIA)?_PORT:\?\}:\d+", port) for port in opened)
    ours = {SETTINGS["LANGFUSE_PORT"], SETTINGS["LANGFUSE_MEDIA_PORT"]}
    theirs = {
        port.split(":")[1]
        for service in yaml.safe_load((ROOT / "docker-compose.test.yml").read_text())["services"].values()
        for port in service.get("ports", [])
    }
    assert len(ours) == 2
    assert theirs
    assert not ours & theirs


@pytest.mark.parametrize("name", ["postgres", "clickhouse", "redis", "minio"])
def test_a_store_keeps_its_data_in_a_volume(name: str) -> None:
    for volume in SERVICES[name]["volumes"]:
        assert volume.split(":")[0] in FILE["volumes"]


@pytest.mark.parametrize("name", ["langfuse-web", "langfuse-worker"])
def test_the_servers_wait_for_the_stores_send_no_telemetry_and_can_be_asked_from_within(name: str) -> None:
    service = SERVICES[name]
    stores = set(SERVICES) - {"langfuse-web", "langfuse-worker"}
    assert service["depends_on"] == {store: {"condition": "service_healthy"} for store in stores}
    assert service["environment"]["TELEMETRY_ENABLED"] == "false"
    assert service["environment"]["HOSTNAME"] == "0.0.0.0"


def test_what_the_server_has_to_have_is_set() -> None:
    web, worker = (SERVICES[name]["environment"] for name in ("langfuse-web", "langfuse-worker"))
    for part in ("EVENT", "MEDIA"):
        for name in (
            "BUCKET",
            "REGION",
            "ACCESS_KEY_ID",
            "SECRET_ACCESS_KEY",
            "ENDPOINT",
            "FORCE_PATH_STYLE",
            "PREFIX",
        ):
            assert f"LANGFUSE_S3_{part}_UPLOAD_{name}" in worker
    assert set(worker) < set(web)
    assert {"NEXTAUTH_SECRET", "NEXTAUTH_URL", "SALT", "ENCRYPTION_KEY", "DATABASE_URL"} <= set(web)
    init = {name.removeprefix("LANGFUSE_INIT_") for name in web if name.startswith("LANGFUSE_INIT_")}
    assert init == {
        *("ORG_ID", "ORG_NAME", "PROJECT_ID", "PROJECT_NAME", "PROJECT_PUBLIC_KEY", "PROJECT_SECRET_KEY"),
        *("USER_EMAIL", "USER_NAME", "USER_PASSWORD"),
    }


def test_nothing_has_a_password_of_its_own() -> None:
    for service in SERVICES.values():
        for name, value in service.get("environment", {}).items():
            if re.search("PASSWORD|SECRET|SALT|AUTH$|ENCRYPTION", name):
                assert re.fullmatch(r"\$\{\w+:\?\}", value), name

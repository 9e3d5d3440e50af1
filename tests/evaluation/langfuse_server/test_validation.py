"""What validation and health find, with the official SDK and a server on the loopback interface."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from evaluation.langfuse_server.connection import LangfuseServer
from evaluation.langfuse_server.health import health
from evaluation.langfuse_server.validation import ENDPOINTS, validate
from sqlassay.validation import Check, ValidationResult
from tests.providers.langfuse_deployed import KEYS, DeployedLangfuse

pytest.importorskip("langfuse", reason="needs the extra langfuse")

READS = [f"reads {name}" for name in ENDPOINTS]
WRITES = ["dataset written", "item written", "trace written", "score written", "read back", "trace removed"]


@pytest.fixture
def langfuse() -> Iterator[DeployedLangfuse]:
    with DeployedLangfuse() as server:
        yield server


@pytest.fixture
def server(langfuse: DeployedLangfuse) -> LangfuseServer:
    return LangfuseServer(langfuse.base_url, KEYS)


def named(result: ValidationResult, name: str) -> Check:
    return next(check for check in result.checks if check.name == name)


def test_all_is_right(langfuse: DeployedLangfuse, server: LangfuseServer) -> None:
    result = validate(server, project="nightly")
    assert result.ok, result
    assert [check.name for check in result.checks] == [
        *("reachable", "version", "authentication", "project"),
        *READS,
        *WRITES,
    ]
    assert not any(check.warning for check in result.checks)
    assert named(result, "project").detail == "nightly (sqlassay)"
    assert named(result, "version").detail.startswith("server 4.60.1, SDK 5.")
    (span,) = langfuse.spans.values()
    assert (span["name"], span["environment"]) == ("sqlassay validate", "sqlassay-validate")
    assert langfuse.removed == [span["traceId"]]
    assert [one["datasetName"] for one in langfuse.items] == ["sqlassay-validate"]
    (score,) = langfuse.scores
    assert (score["traceId"], score["environment"]) == (span["traceId"], "sqlassay-validate")
    assert KEYS[1] not in repr(server)


def test_nothing_is_written_when_it_is_only_to_be_read(langfuse: DeployedLangfuse, server: LangfuseServer) -> None:
    result = validate(server, write=False)
    assert result.ok
    assert result.checks[-1].name == READS[-1]
    assert not [request for request in langfuse.requests if request.startswith("POST")]


def test_what_was_written_may_take_a_while(langfuse: DeployedLangfuse, server: LangfuseServer) -> None:
    langfuse.looks = 5
    assert validate(server, seconds=30).ok


def test_what_was_written_never_comes_back(langfuse: DeployedLangfuse, server: LangfuseServer) -> None:
    langfuse.looks = None
    last = validate(server, seconds=2).checks[-2]
    assert (last.name, last.ok) == ("read back", False)
    assert last.detail == "the trace and its score cannot be read after 2 s"
    assert "langfuse-worker" in last.remedy


def test_a_server_that_stumbles_is_asked_again(langfuse: DeployedLangfuse, server: LangfuseServer) -> None:
    langfuse.stumbles = {"/api/public/v3/scores": 2}
    result = validate(server, seconds=30)
    assert [check.name for check in result.checks if not check.ok] == ["reads scores"]  # which is asked once


@pytest.mark.parametrize(
    ("version", "ok", "warning", "words"),
    [
        ("4.59.0", True, False, "server 4.59.0"),
        ("v4.59.0", True, False, "server v4.59.0"),
        ("4.58.9", False, False, "needs 4.59.0 or newer"),
        ("3.172.1", False, False, "needs 4.59.0 or newer"),
        ("5.0.0", True, True, "newer than what this was made for"),
        ("main", True, True, "not known"),
    ],
)
def test_versions(
    langfuse: DeployedLangfuse, server: LangfuseServer, version: str, ok: bool, warning: bool, words: str
) -> None:
    langfuse.version = version
    check = named(validate(server, write=False), "version")
    assert (check.ok, check.warning) == (ok, warning)
    assert words in check.detail


@pytest.mark.parametrize(
    ("path", "status", "failed", "words"),
    [
        ("/api/public/health", 503, "reachable", "its database is not available"),
        ("/api/public/health", 301, "reachable", "it redirects"),
        ("/api/public/projects", 403, "authentication", "the keys are of an organisation"),
        ("/api/public/projects", 302, "authentication", "it redirects"),
        ("/api/public/projects", 500, "authentication", "answers with HTTP 500"),
        ("/api/public/v2/prompts", 404, "reads prompts", "answers with HTTP 404"),
        ("/api/public/dataset-items", 500, "reads dataset items", "answers with HTTP 500"),
        ("/api/public/v2/observations", 404, "reads observations", "answers with HTTP 404"),
        ("/api/public/v2/datasets", 405, "reads datasets", "answers with HTTP 405"),
        ("/api/public/otel/v1/traces", 413, "trace written", "answers with HTTP 413"),
        ("/api/public/scores", 400, "score written", "answers with HTTP 400"),
    ],
)
def test_what_is_wrong_is_said(
    langfuse: DeployedLangfuse, server: LangfuseServer, path: str, status: int, failed: str, words: str
) -> None:
    langfuse.statuses[path] = status
    result = validate(server, seconds=1)
    check = next(check for check in result.checks if not check.ok)
    assert check.name == failed
    assert words in check.detail
    assert check.remedy
    assert KEYS[1] not in repr(result)


def test_what_is_written_is_told_apart_from_what_is_read(langfuse: DeployedLangfuse, server: LangfuseServer) -> None:
    langfuse.statuses["/api/public/dataset-items"] = 403
    failed = [check.name for check in validate(server, seconds=1).checks if not check.ok]
    assert failed == ["reads dataset items", "item written"]


def test_keys_of_another_server(langfuse: DeployedLangfuse, server: LangfuseServer) -> None:
    langfuse.keys = ("pk-lf-other", "sk-lf-other")
    last = validate(server).checks[-1]
    assert (last.name, last.detail) == ("authentication", "the keys are not accepted")
    assert not langfuse.spans


def test_no_keys(langfuse: DeployedLangfuse) -> None:
    last = validate(LangfuseServer(langfuse.base_url)).checks[-1]
    assert (last.name, last.detail) == ("authentication", "there are no keys")


def test_another_project_than_expected(server: LangfuseServer) -> None:
    check = named(validate(server, project="weekly", write=False), "project")
    assert (check.ok, check.detail) == (False, "the keys are of nightly (sqlassay), not of 'weekly'")


def test_keys_of_no_project(langfuse: DeployedLangfuse, server: LangfuseServer) -> None:
    langfuse.projects = []
    assert not named(validate(server, write=False), "project").ok


def test_nobody_there() -> None:
    (check,) = validate(LangfuseServer("http://127.0.0.1:9", KEYS)).checks
    assert (check.name, check.ok) == ("reachable", False)
    assert "refused" in check.detail


def test_health_is_three_requests_that_are_timed(langfuse: DeployedLangfuse, server: LangfuseServer) -> None:
    result = health(server, seconds=5)
    assert result.ok
    assert [check.name for check in result.checks] == ["database", "ready", "authentication"]
    assert all(check.seconds is not None and 0 < check.seconds < 5 for check in result.checks)
    assert langfuse.requests == [
        "GET /api/public/health?failIfDatabaseUnavailable=true",
        "GET /api/public/ready",
        "GET /api/public/projects",
    ]


def test_health_without_keys(langfuse: DeployedLangfuse) -> None:
    assert [one.name for one in health(LangfuseServer(langfuse.base_url), seconds=5).checks] == ["database", "ready"]


def test_a_server_that_is_shutting_down(langfuse: DeployedLangfuse, server: LangfuseServer) -> None:
    langfuse.statuses["/api/public/ready"] = 500
    failed = [check for check in health(server, seconds=5).checks if not check.ok]
    assert [(check.name, check.detail) for check in failed] == [
        ("ready", "it takes no requests: answers with HTTP 500")
    ]

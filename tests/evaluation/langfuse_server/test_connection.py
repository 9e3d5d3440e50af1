"""Requests to a Langfuse server: where it is, who gets the keys, and what comes of them."""

from __future__ import annotations

import re

import pytest

from evaluation.langfuse_server.connection import LangfuseServer, NoAnswer
from evaluation.langfuse_server.validation import validate
from sqlassay.errors import UserError
from tests.providers.langfuse_deployed import KEYS, DeployedLangfuse


@pytest.mark.parametrize(
    ("host", "clear"),
    [
        ("http://localhost:3000", False),
        ("http://127.0.0.1", False),
        ("http://[::1]:3000", False),
        ("https://langfuse.example.com", False),
        ("http://langfuse.example.com", True),
    ],
)
def test_who_could_read_the_keys(host: str, clear: bool) -> None:
    assert LangfuseServer(host).in_the_clear is clear


@pytest.mark.parametrize(
    "host", ["", "localhost", "localhost:3000", "ftp://x", "http://", "http://x:y", "http://x?a=b"]
)
def test_what_is_no_base_url(host: str) -> None:
    with pytest.raises(UserError, match="is no base URL of Langfuse"):
        LangfuseServer(host)


def test_a_password_in_the_address_is_not_repeated() -> None:
    with pytest.raises(UserError, match="has a user or a password in it") as caught:
        LangfuseServer("https://me:geheim@example.com")
    assert "geheim" not in str(caught.value)


def test_a_request_has_the_keys_and_no_redirect_takes_them_elsewhere() -> None:
    with DeployedLangfuse() as langfuse:
        server = LangfuseServer(langfuse.base_url, KEYS)
        answer = server.request("/api/public/projects")
        assert (answer.status, answer.body["data"][0]["id"]) == (200, "sqlassay")
        assert 0 < answer.seconds < 10
        assert LangfuseServer(langfuse.base_url).request("/api/public/projects").status == 401
        langfuse.statuses["/api/public/projects"] = 307
        assert server.request("/api/public/projects").status == 307
        assert len(langfuse.requests) == 3


def test_nobody_there() -> None:
    with pytest.raises(NoAnswer, match=re.escape("cannot be reached: Connection refused")):
        LangfuseServer("http://127.0.0.1:9", KEYS).request("/")


def test_no_proxy_leads_to_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("langfuse", reason="needs the extra langfuse")
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with DeployedLangfuse() as langfuse:
        assert validate(LangfuseServer(langfuse.base_url, KEYS)).ok

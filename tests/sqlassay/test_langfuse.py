"""A Langfuse server as every room knows it: where it is, whose keys it gets, and what comes of a request."""

from __future__ import annotations

import re

import pytest

from sqlassay.errors import UserError
from sqlassay.langfuse import CLOUD, LangfuseServer, NoAnswer
from sqlassay.secrets import save_secret
from tests.providers.langfuse_deployed import KEYS, DeployedLangfuse

VARIABLES = ("LANGFUSE_BASE_URL", "LANGFUSE_HOST", "LANGFUSE_PUBLIC_KEY", "LANGFUSE_SECRET_KEY")


@pytest.fixture(autouse=True)
def _nothing_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


def test_address_and_keys_are_found_together_in_the_secrets_file() -> None:
    """Else keys of one's own would go to the cloud."""
    for name, value in zip(VARIABLES, ("http://localhost:1/", "http://older", *KEYS), strict=True):
        save_secret(name, value)
    assert LangfuseServer.known() == LangfuseServer("http://localhost:1", KEYS)


def test_without_an_address_it_is_the_cloud(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANGFUSE_PUBLIC_KEY", KEYS[0])
    assert LangfuseServer.named_keys() is None
    with pytest.raises(UserError, match="no key for Langfuse"):
        LangfuseServer.known()
    monkeypatch.setenv("LANGFUSE_SECRET_KEY", KEYS[1])
    assert LangfuseServer.known() == LangfuseServer(CLOUD, KEYS)
    monkeypatch.setenv("LANGFUSE_HOST", "http://older")
    assert LangfuseServer.known().host == "http://older"


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
    with pytest.raises(UserError, match="that is no base URL"):
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


def test_the_api_needs_keys() -> None:
    pytest.importorskip("langfuse", reason="needs the extra langfuse")
    server = LangfuseServer("http://127.0.0.1:9")
    with pytest.raises(UserError, match=r"no keys for Langfuse at http://127.0.0.1:9"), server.api():
        pass

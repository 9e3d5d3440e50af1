"""Which server is meant, and whose keys go there."""

from __future__ import annotations

from pathlib import Path

import pytest

from evaluation.langfuse_server.chosen import chosen
from evaluation.langfuse_server.connection import LangfuseServer
from evaluation.langfuse_server.deployment import Deployment
from sqlassay.errors import UserError
from sqlassay.secrets_file import save_secret
from tests.providers.langfuse_deployed import KEYS

HOST = "https://langfuse.example.com"


@pytest.fixture
def own() -> LangfuseServer:
    """One's own, in the usual place."""
    deployment = Deployment()
    deployment.set_up()
    return deployment.settings().server


@pytest.fixture
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANGFUSE_PUBLIC_KEY", KEYS[0])
    monkeypatch.setenv("LANGFUSE_SECRET_KEY", KEYS[1])


def test_ones_own_when_nothing_is_named(own: LangfuseServer) -> None:
    assert chosen() == own


def test_ones_own_when_only_its_address_is_named(own: LangfuseServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANGFUSE_BASE_URL", f"{own.host}/")
    assert chosen() == own


def test_the_environments(own: LangfuseServer, keys: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANGFUSE_BASE_URL", HOST)
    assert chosen() == LangfuseServer(HOST, KEYS)


def test_the_secrets_files() -> None:
    for name, value in zip(("BASE_URL", "PUBLIC_KEY", "SECRET_KEY"), (HOST, *KEYS), strict=True):
        save_secret(f"LANGFUSE_{name}", value)
    assert chosen() == LangfuseServer(HOST, KEYS)


def test_a_host_gets_the_keys_that_were_set_for_it_and_never_ones_own(own: LangfuseServer) -> None:
    assert chosen(HOST) == LangfuseServer(HOST)


def test_a_folder_comes_before_the_environment(
    own: LangfuseServer, keys: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LANGFUSE_BASE_URL", HOST)
    assert chosen(folder=Deployment().folder) == own


@pytest.mark.parametrize("is_set_up", [True, False])
def test_keys_without_an_address_are_sent_to_nobody(keys: None, is_set_up: bool) -> None:
    if is_set_up:
        Deployment().set_up()
    with pytest.raises(UserError, match="no Langfuse server is known"):
        chosen()


def test_a_folder_where_nothing_is(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no Langfuse is set up there"):
        chosen(folder=tmp_path / "none")

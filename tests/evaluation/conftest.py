"""Fixtures of the harness's tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from database_backends.runner import Runner
from tests.evaluation.world import World
from tests.providers.chat_completions import ChatCompletions
from tests.providers.server import ProviderServer


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World.build(tmp_path / "world")


@pytest.fixture(scope="module")
def runner() -> Iterator[Runner]:
    with Runner(1, megabytes=512) as runner:
        yield runner


@pytest.fixture
def server() -> Iterator[ProviderServer]:
    with ProviderServer(ChatCompletions()) as server:
        yield server

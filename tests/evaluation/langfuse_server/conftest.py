"""A machine with docker, and without settings of Langfuse."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.evaluation.langfuse_server.docker_stub import Docker


@pytest.fixture(autouse=True)
def _nothing_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the user's own server nor one that the environment names."""
    for name in [name for name in os.environ if name.startswith("LANGFUSE_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("SQLASSAY_LANGFUSE", str(tmp_path / "langfuse"))


@pytest.fixture
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Docker:
    made = Docker(tmp_path / "bin")
    monkeypatch.setenv("PATH", f"{made.folder}{os.pathsep}{os.environ['PATH']}")
    return made

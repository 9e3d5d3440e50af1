"""Fixtures: a Langfuse on the loopback interface, and a world whose runs are copied to it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.evaluation.world import GOLD, World
from tests.providers.langfuse_copy import KEYS, LangfuseCopy

pytest.importorskip("langfuse", reason="needs the extra langfuse")


@pytest.fixture
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LANGFUSE_BASE_URL", raising=False)
    monkeypatch.setenv("LANGFUSE_PUBLIC_KEY", KEYS[0])
    monkeypatch.setenv("LANGFUSE_SECRET_KEY", KEYS[1])


@pytest.fixture(params=["4.60.1", "4.16.0"], ids=["lists", "single posts"])
def langfuse(request: pytest.FixtureRequest, keys: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[LangfuseCopy]:
    """A server, a new one and an old one."""
    with LangfuseCopy(request.param) as server:
        monkeypatch.setenv("LANGFUSE_HOST", server.base_url)
        yield server


@pytest.fixture
def asked(world: World) -> World:
    """A world with five questions: two right answers, two wrong ones, and one that is none."""
    return prepared(world)


def prepared(world: World) -> World:
    world.questions(5)
    wrong = "SELECT name FROM singer WHERE age > 40"
    world.answers(
        {"q0": GOLD, "q1": f"```sql\n{GOLD}\n```", "q2": wrong, "q3": "SELECT nothing FROM nowhere", "q4": "Why?"}
    )
    return world


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run over these questions; copy it before it is written to."""
    world = prepared(World.build(tmp_path_factory.mktemp("made") / "world"))
    assert world.run("run", world.experiment(max_instrument_failures=1.0), "--quiet") == 0
    return world.run_folders()[0]

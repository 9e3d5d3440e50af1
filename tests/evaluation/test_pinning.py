"""Labels of prompts at Langfuse: asked once, recorded as versions, and never asked again by a resumed run."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.evaluation.world import World, items_of, model_at
from tests.providers.chat_completions import ChatCompletions
from tests.providers.langfuse import KEYS, LangfuseServer
from tests.providers.server import ProviderServer

pytest.importorskip("langfuse", reason="needs the extra langfuse")


class Moody(ProviderServer):
    """A provider that refuses the key until it is told to take it."""

    takes_keys = False

    def choose(self, model: str, body: Mapping[str, Any]) -> str:
        """As its mood is."""
        return model if self.takes_keys else "bad_key"


@pytest.fixture
def provider() -> Iterator[Moody]:
    with Moody(ChatCompletions()) as server:
        yield server


@pytest.fixture
def langfuse(monkeypatch: pytest.MonkeyPatch) -> Iterator[LangfuseServer]:
    with LangfuseServer() as server:
        monkeypatch.setenv("LANGFUSE_BASE_URL", server.base_url)
        monkeypatch.setenv("LANGFUSE_PUBLIC_KEY", KEYS[0])
        monkeypatch.setenv("LANGFUSE_SECRET_KEY", KEYS[1])
        server.add("ask", "First: {{question}}", labels=("production",))
        yield server


def said(server: ProviderServer) -> list[str]:
    """What the provider was asked."""
    return ["".join(message["content"] for message in request["messages"]) for request in server.requests]


def manifest_of(run: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((run / "manifest.json").read_text("utf-8"))
    return found


def test_a_resumed_run_keeps_the_version(world: World, provider: Moody, langfuse: LangfuseServer) -> None:
    world.questions(1)
    path = world.experiment(models=[model_at(provider.base_url)], prompts=["langfuse:ask@production"])
    assert world.run("run", path, "-q") == 2
    (run,) = world.run_folders()
    manifest = manifest_of(run)
    assert manifest["pinned"] == {"langfuse:ask@production": "langfuse:ask@1"}
    assert manifest["identity"]["prompt"]["ref"] == "langfuse:ask@1"
    assert len(manifest["identity"]["prompt"]["sha256"]) == 64
    assert "langfuse:ask@1" in manifest["title"]

    langfuse.add("ask", "Second: {{question}}", labels=("production",))
    provider.takes_keys = True
    del langfuse.requests[:], provider.requests[:]
    assert world.run("run", path, "--resume", "-q") == 0
    assert said(provider) == ["First: Question q0?"]
    assert langfuse.requests == ["GET /api/public/v2/prompts/ask?version=1"]
    assert [item["extraction"] for item in items_of(run)] == ["fenced_sql"]

    assert world.run("run", path, "-q") == 0
    assert said(provider)[1:] == ["Second: Question q0?"]


def test_a_version_that_was_edited_is_not_gone_on_with(
    world: World, provider: Moody, langfuse: LangfuseServer, capsys: pytest.CaptureFixture[str]
) -> None:
    world.questions(1)
    path = world.experiment(models=[model_at(provider.base_url)], prompts=["langfuse:ask@1"])
    assert world.run("run", path, "-q") == 2
    langfuse.prompts["ask"][0]["prompt"] = "Other: {{question}}"
    provider.takes_keys = True
    capsys.readouterr()
    assert world.run("run", path, "--resume", "-q") == 2
    told = capsys.readouterr().err
    digests = r"its prompt was langfuse:ask@1 \(sha256 (\w{12})…\), now it is langfuse:ask@1 \(sha256 (\w{12})…\)"
    found = re.search(f"cannot be resumed: {digests}", told)
    assert found is not None, told
    assert found[1] != found[2]


def test_a_label_is_asked_for_once(world: World, provider: Moody, langfuse: LangfuseServer) -> None:
    world.questions(1)
    langfuse.add("mend", "{{sql}} {{error}} {{question}}", labels=("production",))
    provider.takes_keys = True
    asked = model_at(provider.base_url)
    repaired = {"repair": {"model": asked, "prompt": "langfuse:mend@production"}}
    models = [asked, {**repaired, "label": "a"}, {**asked, "label": "b", "parameters": {"seed": 1}}]
    path = world.experiment(models=models, prompts=["langfuse:ask@production"])
    assert world.run("run", path, "-q") == 0
    assert [request for request in langfuse.requests if "label" in request] == [
        "GET /api/public/v2/prompts/ask?label=production",
        "GET /api/public/v2/prompts/mend?label=production",
    ]


@pytest.mark.parametrize(
    ("ref", "problem"),
    [
        ("langfuse:asc@1", "trial.yaml:14: unknown prompt at Langfuse 'asc' (did you mean 'ask'?)"),
        ("langfuse:ask@prod", "trial.yaml:14: unknown label of langfuse:ask: 'prod' (did you mean 'production'?)"),
    ],
)
def test_the_line_of_a_mistake_is_named(
    world: World, langfuse: LangfuseServer, ref: str, problem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    world.questions(1)
    world.answers({"q0": "SELECT 1"})
    assert world.run("run", world.experiment(prompts=[ref]), "-q") == 2
    assert problem in capsys.readouterr().err


def test_a_variable_that_is_not_known_is_named(
    world: World, langfuse: LangfuseServer, capsys: pytest.CaptureFixture[str]
) -> None:
    world.questions(1)
    world.answers({"q0": "SELECT 1"})
    langfuse.add("typo", "{{qestion}}")
    assert world.run("run", world.experiment(prompts=["langfuse:typo@1"]), "-q") == 2
    assert "unknown variable in prompt langfuse:typo@1: 'qestion' (did you mean 'question'?)" in capsys.readouterr().err

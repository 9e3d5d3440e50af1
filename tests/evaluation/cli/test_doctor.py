"""`sqlassay doctor`, with real parts."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.remote import unused_port
from tests.evaluation.world import SQLASSAY, World, model_at
from tests.providers.server import ProviderServer

Capture = pytest.CaptureFixture[str]
ROOT = Path(__file__).parents[3]


@pytest.fixture
def world(world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> World:
    monkeypatch.chdir(world.folder)
    for name in ("OPENAI_BASE_URL", "LANGFUSE_BASE_URL", "LANGFUSE_HOST"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SQLASSAY_LANGFUSE", str(tmp_path / "no-langfuse"))
    monkeypatch.setenv("OPENAI_API_KEY", "sk-very-secret-key")
    world.questions(2)
    world.answers({"q0": "SELECT 1"})
    return world


def doctor(world: World, capsys: Capture, *arguments: str | Path) -> tuple[int, dict[str, dict[str, Any]]]:
    """The exit code, and the findings by their things, without what this machine's paths hold besides."""
    code = world.run("doctor", *arguments, "--json")
    shown = capsys.readouterr()
    assert "sk-very-secret-key" not in shown.out + shown.err
    told = json.loads(shown.out)
    findings = {one["thing"]: one for one in told["findings"]}
    assert told["ok"] == (code == 0) == all(one["state"] != "failed" for one in findings.values())
    return code, findings


def test_without_an_experiment_nothing_is_asked_of_anybody(world: World, capsys: Capture) -> None:
    code, found = doctor(world, capsys)
    states = {thing: one["state"] for thing, one in found.items()}
    assert code == 0
    assert {states[thing] for thing in ("Python", "packages", "folder of runs", "cache")} == {"ok"}
    assert (states["Langfuse"], states["key of openai"], states["key of anthropic"]) == ("not there", "ok", "not there")
    assert not any(thing.startswith(("model", "database")) for thing in found)
    assert not world.runs.exists()


def test_the_models_and_databases_of_an_experiment(world: World, server: ProviderServer, capsys: Capture) -> None:
    path = world.experiment(models=[model_at(server.base_url)], backends=[{"backend": "sqlite"}])
    code, found = doctor(world, capsys, path)
    assert code == 0
    assert found["model openai:good"]["state"] == "ok"
    assert found["databases of sqlite"] == {
        "thing": "databases of sqlite", "state": "ok", "found": "1: show", "remedy": None
    }  # fmt: skip


def test_what_fails_is_told_with_its_remedy(world: World, server: ProviderServer, capsys: Capture) -> None:
    gone = f"http://127.0.0.1:{unused_port()}/v1"
    no_key = {"adapter": "openai", "model": "other", "settings": {"api_key_env": "NOWHERE_KEY"}}
    models = [model_at(gone), model_at(server.base_url, "no-such-model"), no_key]
    path = world.experiment(models=models, backends=[{"backend": "sqlite"}])
    world.database.write_bytes(b"this is no database, whatever its name says" * 50)
    code, found = doctor(world, capsys, path)
    assert code == 1
    assert {thing for thing, one in found.items() if one["state"] == "failed"} >= {
        "model openai:good", "model openai:no-such-model", "model openai:other", "database sqlite:show"
    }  # fmt: skip
    assert "NOWHERE_KEY" in found["model openai:other"]["remedy"]
    world.database.unlink()
    code, found = doctor(world, capsys, path)
    assert (code, found["database sqlite:show"]["state"]) == (1, "failed")


def test_a_langfuse_that_does_not_answer(world: World, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    host = f"http://127.0.0.1:{unused_port()}"
    monkeypatch.setenv("LANGFUSE_BASE_URL", host)
    code, found = doctor(world, capsys)
    assert (code, found[f"Langfuse at {host}"]["state"]) == (1, "failed")


def test_a_provider_that_hangs_is_not_waited_for(world: World, capsys: Capture) -> None:
    import socket

    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        path = world.experiment(models=[model_at(f"http://127.0.0.1:{silent.getsockname()[1]}/v1")])
        code, found = doctor(world, capsys, path, "--timeout", "8")
        assert (code, found["model openai:good"]["state"]) == (1, "failed")
        assert found["model openai:good"]["found"] == "no answer within 8 seconds"


def test_the_table(world: World, capsys: Capture) -> None:
    assert world.run("doctor") == 0
    shown = capsys.readouterr()
    assert shown.out.split()[:4] == ["thing", "state", "found", "remedy"]
    assert shown.out.splitlines()[-1].startswith("all right, ")
    assert shown.err == ""


def test_a_mistake_in_the_experiment_is_one_line(world: World, capsys: Capture) -> None:
    assert world.run("doctor", "nope.yaml") == 2
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize("room", ["adapters", "prompts"])
def test_a_shadow_on_the_path_fails(room: str, world: World, tmp_path: Path) -> None:
    """As a user meets it: the installed program, and a folder of somebody's own that comes first."""
    shadow = tmp_path / "elsewhere"
    (shadow / room).mkdir(parents=True)
    (shadow / room / "__init__.py").write_text("")
    path = world.experiment(models=[{"adapter": "replay", "model": "tape", "settings": {"path": "answers.jsonl"}}])
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(shadow), str(ROOT)])}
    done = subprocess.run(
        [SQLASSAY, "doctor", path, "--json"], env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 1, done.stderr
    found = {one["thing"]: one for one in json.loads(done.stdout)["findings"]}
    assert found[f"import {room}"]["state"] == "failed"
    assert found[f"import {room}"]["found"] == f"{shadow / room} hides ours at {ROOT / room}"
    assert found["Python"]["state"] == "ok"

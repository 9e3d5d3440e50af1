"""`sqlassay doctor`, with real parts."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
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


def test_models_of_one_name_are_told_apart_by_their_lines(
    world: World, server: ProviderServer, capsys: Capture
) -> None:
    gone = f"http://127.0.0.1:{unused_port()}/v1"
    models = [model_at(server.base_url), model_at(gone, label="other"), model_at(gone, label="again")]
    path = world.experiment(models=models)
    lines = [n for n, line in enumerate(path.read_text().splitlines(), 1) if line == "- adapter: openai"]
    code, found = doctor(world, capsys, path)
    told = {thing: one["state"] for thing, one in found.items() if thing.startswith("model ")}
    assert code == 1
    assert told == {
        f"model openai:good ({path.name}:{lines[0]})": "ok",
        f"model openai:good ({path.name}:{lines[1]})": "failed",
    }


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


@pytest.mark.parametrize("kind", ["package", "module"])
@pytest.mark.parametrize(
    ("room", "command"), [("sqlassay", "doctor"), ("evaluation", "doctor"), ("evaluation", "demo"), ("adapters", "run")]
)
def test_a_shadow_that_nothing_works_with_is_one_line(
    room: str, command: str, kind: str, world: World, tmp_path: Path
) -> None:
    """Where not even the doctor can speak, or where another command than the doctor needs what is hidden."""
    shadow = tmp_path / "elsewhere" / (room if kind == "package" else f"{room}.py")
    file = shadow / "__init__.py" if kind == "package" else shadow
    file.parent.mkdir(parents=True)
    file.write_text("")
    arguments = [command, str(world.experiment())] if command == "run" else [command]
    done = subprocess.run(
        [sys.executable, "-c", "from sqlassay_command import main; main()", *arguments],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path / "elsewhere"), str(ROOT)])},
        cwd=world.folder, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr.startswith(f"error: {shadow}: hides the package {room!r} of sqlassay (")
    assert done.stderr.count("\n") == 1


def test_a_package_of_ours_that_is_broken_is_no_shadow(tmp_path: Path) -> None:
    """What is missing in our own place is a fault of ours, and has a traceback."""
    shutil.copytree(ROOT / "sqlassay", tmp_path / "sqlassay")
    for room in ("prompts", "adapters", "database_backends", "evaluation"):
        (tmp_path / room).mkdir()
        (tmp_path / room / "__init__.py").write_text("")
    done = subprocess.run(
        [sys.executable, "-c", "from sqlassay_command import main; main()"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])},
        cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "ModuleNotFoundError: No module named 'evaluation.cli'" in done.stderr


def test_a_file_of_keys_that_others_can_read(world: World, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    path = world.folder / "keys"
    path.write_text("OPENAI_API_KEY=sk-very-secret-key\n")
    path.chmod(0o644)
    monkeypatch.setenv("SQLASSAY_SECRETS", str(path))
    monkeypatch.delenv("OPENAI_API_KEY")
    code, found = doctor(world, capsys)
    assert code == 1
    assert found["keys"]["state"] == "failed"
    assert found["keys"]["found"] == f"{path}: others can read it: its mode is 0644"
    assert str(found["keys"]["remedy"]).startswith(f"chmod 600 {path}")

"""The example experiments: each is valid, can be estimated, and runs whole with a provider on the loopback."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from evaluation.cli.app import run
from evaluation.examples import lay_out_demo
from evaluation.experiment import read_experiment
from tests.evaluation.world import items_of
from tests.providers.chat_completions import ChatCompletions
from tests.providers.ollama import OllamaChat
from tests.providers.server import Protocol, ProviderServer

Capture = pytest.CaptureFixture[str]
EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
SERVERS: dict[str, tuple[type[Protocol], str, str]] = {
    "nightly": (ChatCompletions, "OPENAI_BASE_URL", "NIGHTLY_MODEL"),
    "ab": (ChatCompletions, "OPENAI_BASE_URL", "AB_MODEL"),
    "local": (OllamaChat, "OLLAMA_HOST", "LOCAL_MODEL"),
}
"""What each example asks, the variable that says where it is, and the one that says which model."""
CELLS = {"nightly": 1, "ab": 2, "local": 4}


def test_every_example_is_known_here() -> None:
    assert {path.stem for path in EXAMPLES.glob("*.yaml")} == set(SERVERS)


@pytest.fixture
def copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The examples with their database, in the current folder."""
    shutil.copytree(EXAMPLES, tmp_path / "examples")
    lay_out_demo(tmp_path / "sqlassay-demo")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-none")
    for _, address, model in SERVERS.values():
        monkeypatch.delenv(address, raising=False)
        monkeypatch.delenv(model, raising=False)
    return tmp_path / "examples"


@pytest.mark.parametrize("name", SERVERS)
def test_it_can_be_estimated(
    name: str, copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    """As it stands: no variable and no key is needed, and no server is asked."""
    monkeypatch.delenv("OPENAI_API_KEY")
    monkeypatch.setenv("SQLASSAY_SECRETS", str(tmp_path / "none"))
    assert read_experiment(copy / f"{name}.yaml").experiment.name == name
    assert run(["run", f"examples/{name}.yaml", "--dry-run", "--json"]) == 0
    estimates = json.loads(capsys.readouterr().out)["estimates"]
    assert sum(one["requests"] for one in estimates) == CELLS[name] * 72
    if name != "local":
        assert run(["run", f"examples/{name}.yaml"]) == 2
        assert "no key for openai" in capsys.readouterr().err


@pytest.mark.parametrize("name", SERVERS)
def test_it_runs_whole(name: str, copy: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    protocol, address, model = SERVERS[name]
    with ProviderServer(protocol()) as server:
        monkeypatch.setenv(address, server.base_url)
        monkeypatch.setenv(model, "good")
        cost = [] if name == "local" else ["--max-cost", "1"]
        assert run(["run", f"examples/{name}.yaml", "--quiet", "--limit", "5", *cost]) == 0
        assert len(server.requests) >= 5
    runs = sorted(Path("runs").iterdir())
    assert [len(items_of(path)) for path in runs] == [5] * CELLS[name]
    statuses = {verdict["status"] for path in runs for item in items_of(path) for verdict in item["verdicts"]}
    assert statuses == {"incorrect"}  # the provider's only answer is about singers

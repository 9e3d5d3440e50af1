"""The nightly workflow runs: every `run:` of it, in order, as GitHub would, with a provider on the loopback."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.providers.chat_completions import ChatCompletions, completion
from tests.providers.server import ProviderServer, Reply

ROOT = Path(__file__).resolve().parent.parent
pytestmark = pytest.mark.timeout(900)  # two nights
WORKFLOW = ROOT / ".github" / "workflows" / "nightly.yml"
QUESTIONS = [json.loads(line) for line in (ROOT / "examples/demo/questions.jsonl").read_text("utf-8").splitlines()]
SHARDS = 2
KEY = "sk-of-the-night"
_EXPRESSION = re.compile(r"\$\{\{ *(.*?) *\}\}")


class Provider(ProviderServer):
    """Answers each question of the demo with its gold."""

    def choose(self, model: str, body: Mapping[str, Any]) -> str:
        """The question."""
        said = body["messages"][-1]["content"]
        return max((q["question"] for q in QUESTIONS if q["question"] in said), key=len)

    def reply(self, name: str) -> Reply:
        """Its gold."""
        gold = next(q["gold"] for q in QUESTIONS if q["question"] == name)
        gold = gold["sqlite"] if isinstance(gold, dict) else gold
        return Reply(body=completion(f"```sql\n{gold if isinstance(gold, str) else gold[0]}\n```"))


@dataclass
class Step:
    """What came of a step.

    Attributes:
        job: The job, with its shard.
        name: The step.
        code: Its exit code; `None` when it was left out.
        told: What it printed.
    """

    job: str
    name: str
    code: int | None
    told: str = ""


@dataclass
class Runner:
    """As much of GitHub's runner as the workflow needs. What it does not know, it fails on.

    Attributes:
        folder: Holds what outlives a job: caches and artifacts.
        environment: Of the machine.
        patience: Seconds that the experiment waits for a provider.
        steps: What was done.
    """

    folder: Path
    environment: Mapping[str, str]
    patience: int = 600
    night: str = ""
    steps: list[Step] = field(default_factory=list)

    def run(self, night: str, workflow: Mapping[str, Any]) -> list[Step]:
        """Run the jobs of one night."""
        self.steps, self.night = [], night
        assert workflow["defaults"] == {"run": {"shell": "bash"}}  # as `_bash` has it
        for name, job in workflow["jobs"].items():
            shards = range(1, SHARDS + 1) if "strategy" in job else [None]
            for shard in shards:
                self._job(name if shard is None else f"{name} {shard}", job, workflow["env"], shard)
        return self.steps

    def _job(self, name: str, job: Mapping[str, Any], env: Mapping[str, str], shard: int | None) -> None:
        work = self.folder / self.night / name.replace(" ", "-")
        shutil.copytree(ROOT / "examples", work / "examples")
        experiment = work / env["EXPERIMENT"]
        experiment.write_text(experiment.read_text().replace("patience: 600", f"patience: {self.patience}"))
        known = {
            "matrix.shard": str(shard),
            "strategy.job-total": str(SHARDS),
            "github.workspace": str(work),
            "github.run_id": self.night,
            "github.run_attempt": "1",
            "secrets.OPENAI_API_KEY": KEY,
            "vars.SQLASSAY_NIGHTLY == 'true'": "true",
            "!cancelled()": "true",
            "!cancelled() && vars.SQLASSAY_NIGHTLY == 'true'": "true",
        }
        assert self._filled(job["if"], known) == "true"
        failed = False
        for step in job["steps"]:
            label = step.get("name") or step["uses"]
            known["failure()"] = str(failed).lower()
            condition = self._filled(step["if"], known) == "true" if "if" in step else not failed
            done = Step(name, label, None)
            if condition and "run" in step:
                variables = {**env, **step.get("env", {})}
                done = self._bash(name, label, self._filled(step["run"], known), work, variables, known)
            elif condition:
                inputs = {key: self._filled(str(value), known) for key, value in step.get("with", {}).items()}
                self._action(step["uses"], inputs, work)
                done.code = 0
            failed = failed or bool(done.code)
            if "id" in step:
                outcome = "true" if done.code == 0 else "false"
                known[f"!cancelled() && steps.{step['id']}.outcome == 'success'"] = outcome
            self.steps.append(done)

    def _filled(self, text: str, known: Mapping[str, str]) -> str:
        return _EXPRESSION.sub(lambda found: known[found[1]], text)

    def _bash(
        self, job: str, name: str, script: str, work: Path, env: Mapping[str, str], known: Mapping[str, str]
    ) -> Step:
        variables = {key: self._filled(value, known) for key, value in env.items()}
        summary = {"GITHUB_STEP_SUMMARY": str(work / "summary.md")}
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],  # as with `shell: bash`
            cwd=work,
            env={**self.environment, **variables, **summary},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
            check=False,
        )
        return Step(job, name, done.returncode, done.stdout)

    def _action(self, uses: str, inputs: Mapping[str, str], work: Path) -> None:
        action, _, version = uses.partition("@")
        assert re.fullmatch(r"v\d+", version), f"{uses} is not pinned by its major version"
        artifacts, caches = self.folder / "artifacts", self.folder / "caches"
        match action:
            case "actions/checkout" | "actions/setup-python":
                pass
            case "actions/cache/restore":
                found = sorted(path for path in caches.glob("*") if path.name.startswith(inputs["restore-keys"]))
                if found:
                    shutil.copytree(found[-1], work / inputs["path"], dirs_exist_ok=True)
            case "actions/cache/save":
                if (work / inputs["path"]).exists():
                    shutil.copytree(work / inputs["path"], caches / inputs["key"])
            case "actions/upload-artifact":
                given, kept = work / inputs["path"], artifacts / inputs["name"]
                shutil.rmtree(kept, ignore_errors=True)
                kept.mkdir(parents=True)
                for path in given.iterdir() if given.is_dir() else filter(Path.exists, [given]):
                    shutil.copy(path, kept)
            case "actions/download-artifact":
                assert inputs["merge-multiple"] == "True"
                for path in artifacts.glob(f"{inputs['pattern']}/*"):
                    (work / inputs["path"]).mkdir(exist_ok=True)
                    shutil.copy(path, work / inputs["path"])
            case _:
                pytest.fail(f"the test does not know {uses}")


def content() -> dict[str, Any]:
    # `on` is a key of GitHub's and a truth value of YAML 1.1.
    found: dict[Any, Any] = yaml.safe_load(WORKFLOW.read_text("utf-8"))
    return {str(key).replace("True", "on"): value for key, value in found.items()}


@dataclass
class Night:
    """One night of the workflow.

    Attributes:
        runner: What ran it.
        steps: What was done.
        asked: How many questions the provider was asked.
    """

    runner: Runner
    steps: list[Step]
    asked: int


@pytest.fixture(scope="module")
def server() -> Iterator[ProviderServer]:
    with Provider(ChatCompletions()) as server:
        yield server


@pytest.fixture(scope="module")
def runner(server: ProviderServer, tmp_path_factory: pytest.TempPathFactory) -> Runner:
    folder = tmp_path_factory.mktemp("nightly")
    commands = folder / "bin"
    commands.mkdir()
    (commands / "pip").write_text('#!/bin/sh\n[ "$1 $2" = "install .[openai]" ]\n')  # it is installed
    (commands / "pip").chmod(0o755)
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("SQLASSAY_", "OPENAI_"))}
    path = os.pathsep.join([str(commands), str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = {**kept, "PATH": path, "OPENAI_BASE_URL": server.base_url, "NIGHTLY_MODEL": "good"}
    return Runner(folder, {**environment, "SQLASSAY_SECRETS": str(folder / "secrets")})


@pytest.fixture(scope="module")
def first(runner: Runner, server: ProviderServer) -> Night:
    steps = runner.run("1001", content())
    return Night(runner, steps, len(server.requests))


@pytest.fixture(scope="module")
def second(first: Night, server: ProviderServer) -> Night:
    """Nothing has changed since the first."""
    steps = first.runner.run("1002", content())
    return Night(first.runner, steps, len(server.requests) - first.asked)


STEPS = [step for job in content()["jobs"].values() for step in job["steps"]]


@pytest.mark.parametrize("night", ["first", "second"])
def test_every_step_ends_well(night: str, request: pytest.FixtureRequest) -> None:
    steps: list[Step] = request.getfixturevalue(night).steps
    assert [step for step in steps if step.code] == []
    left_out = {step.name for step in steps if step.code is None}
    assert left_out == {"Say why it broke"}
    assert {step.name for step in steps} == {step.get("name") or step["uses"] for step in STEPS}


def test_each_question_is_asked_once_and_never_again(first: Night, second: Night) -> None:
    """The second night finds the answers of the first in the cache."""
    assert (first.asked, second.asked) == (len(QUESTIONS), 0)


def test_the_merged_run_is_handed_out_and_kept(second: Night) -> None:
    work = second.runner.folder / "1002" / "gate"
    manifests = [json.loads(path.read_text()) for path in sorted((work / "runs").glob("*/manifest.json"))]
    assert [(one["status"], one["identity"]["dataset"]["questions"]) for one in manifests] == [("finished", 72)] * 2
    assert [one["shard"] for one in manifests[0]["merged"]["shards"]] == ["1/2", "2/2"]
    lines = [line for path in (work / "runs").glob("*/items.jsonl") for line in path.read_bytes().splitlines()]
    items = [json.loads(line) for line in lines]
    assert {item["id"] for item in items} == {question["id"] for question in QUESTIONS}
    right = sum(item["verdicts"][0]["status"] == "correct" for item in items)
    assert right == len(items) == 2 * len(QUESTIONS)
    assert (second.runner.folder / "artifacts" / "nightly" / "run.tar.gz").exists()


def test_no_key_is_left_anywhere(second: Night) -> None:
    for path in second.runner.folder.rglob("*"):
        assert not path.is_file() or KEY.encode() not in path.read_bytes(), path


def test_the_gate_lets_the_same_again_pass_and_remembers(second: Night) -> None:
    for night in ("1001", "1002"):
        work = second.runner.folder / night / "gate"
        assert (work / "gate.md").read_text() in (work / "summary.md").read_text()
        assert (work / "runs" / "baselines.json").exists()


def test_it_spends_nothing_by_itself_and_may_little() -> None:
    workflow = content()
    assert set(workflow["on"]) == {"schedule", "workflow_dispatch"}
    assert workflow["permissions"] == {"contents": "read"}
    assert workflow["concurrency"]["cancel-in-progress"] is False
    for job in workflow["jobs"].values():
        assert "vars.SQLASSAY_NIGHTLY == 'true'" in job["if"]
        assert job["timeout-minutes"]
    text = WORKFLOW.read_text("utf-8")
    assert set(re.findall(r"secrets\.(\w+)", text)) == {"OPENAI_API_KEY"}
    for script in (step["run"] for step in STEPS if "run" in step):
        assert "secrets." not in script  # a secret in a script is in the list of processes


def test_a_shard_that_was_lost_is_named(second: Night, tmp_path: Path) -> None:
    """As when its machine died: the merge says which is missing, and nothing is judged."""
    shutil.copytree(second.runner.folder / "artifacts" / "shard-1", tmp_path / "artifacts" / "shard-1")
    workflow = content()
    gate = {**workflow, "jobs": {"gate": workflow["jobs"]["gate"]}}
    steps = {step.name: step for step in Runner(tmp_path, second.runner.environment).run("1003", gate)}
    assert steps["Put the shards together"].code == 2
    assert [steps[name].code for name in ("Gate", "Write the reports", "Hand out the reports")] == [None] * 3
    summary = (tmp_path / "1003" / "gate" / "summary.md").read_text()
    assert summary.startswith("### No verdict")
    assert "missing of nightly: shard 2/2 of good" in summary


def test_a_night_without_a_provider_is_unusable_and_changes_no_baseline(second: Night, tmp_path: Path) -> None:
    """It is no drop, and tomorrow is held against the last night that was good."""
    runner = second.runner
    shutil.copytree(runner.folder / "caches" / "sqlassay-runs-1002-1", tmp_path / "caches" / "sqlassay-runs-1002-1")
    before = (tmp_path / "caches" / "sqlassay-runs-1002-1" / "baselines.json").read_bytes()
    # Nobody is there; and nobody has ten minutes.
    down = Runner(tmp_path, {**runner.environment, "OPENAI_BASE_URL": "http://127.0.0.1:9/v1"}, patience=1)
    steps = {step.name: step for step in down.run("1003", content())}
    assert [name for name, step in steps.items() if step.code] == ["Gate"]
    assert steps["Gate"].code == 1
    work = tmp_path / "1003" / "gate"
    assert "Gate unusable" in (work / "summary.md").read_text()
    assert "provider down" in (work / "summary.md").read_text()
    assert (tmp_path / "caches" / "sqlassay-runs-1003-1" / "baselines.json").read_bytes() == before


def test_a_shard_that_cannot_begin_says_why_on_the_page(second: Night, tmp_path: Path) -> None:
    workflow = content()
    shard = {**workflow, "jobs": {"shard": workflow["jobs"]["shard"]}}
    steps = Runner(tmp_path, {**second.runner.environment, "OPENAI_BASE_URL": "nowhere"}).run("1003", shard)
    assert {step.name for step in steps if step.code} == {"Run the shard", "Pack the shard"}
    assert (tmp_path / "1003" / "shard-2" / "summary.md").read_text().startswith("### Shard 2\n\n```text\nerror: ")

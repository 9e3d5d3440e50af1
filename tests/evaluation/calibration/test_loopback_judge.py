"""A judge on the loopback interface whose errors are known, from the first request to the corrected accuracy."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from evaluation.run_log import RunFolder
from sqlassay.errors import ExitCode
from tests.evaluation.calibration.judged import HARSH, LENIENT
from tests.evaluation.world import World, asked, model_at
from tests.providers.chat_completions import ChatCompletions, completion
from tests.providers.server import ProviderServer, Reply

CALIBRATED, REPORTED = 300, 300
WRONG = "SELECT count(*) + 1 FROM singer"
RIGHT = "SELECT count(*) FROM singer"
PRICES = {"input": 1.0, "output": 2.0}
"""For a million tokens; an answer has 120 and 30 of them."""


class FallibleJudge(ProviderServer):
    """Knows a wrong statement from a right one, and says otherwise at known rates, each time anew."""

    def __init__(self) -> None:
        super().__init__(ChatCompletions())
        self.times: Counter[str] = Counter()

    def choose(self, model: str, body: Mapping[str, Any]) -> str:
        (question,) = asked([body])
        self.times[question] += 1
        chance = random.Random(f"{question} {self.times[question]}")
        correct = not any("| " + WRONG in message["content"] for message in body["messages"])
        wrong = chance.random() < (HARSH if correct else LENIENT)
        return "correct" if correct != wrong else "incorrect"

    def reply(self, name: str) -> Reply:
        return Reply(body=completion(json.dumps({"why": "so it is", "categories": [], "grade": name})))


@pytest.fixture
def judge() -> Iterator[FallibleJudge]:
    with FallibleJudge() as judge:
        yield judge


def experiment(world: World, judge: FallibleJudge, name: str, **changes: object) -> Path:
    section = {**model_at(judge.base_url, "judge"), "prices": PRICES, "concurrency": 8, **changes}
    strategies = ["execution_match", {"strategy": "llm_judge", "settings": {"when": "always"}, "judges": [section]}]
    return world.experiment(name, strategies=strategies, repeats=2 if name == "first" else 1)


def test_the_errors_are_recovered_and_the_truth_is_covered(
    world: World, judge: FallibleJudge, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(world.folder)
    monkeypatch.delenv("SQLASSAY_CALIBRATIONS", raising=False)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-loopback")
    chance = random.Random(11)
    ids = [f"q{number}" for number in range(CALIBRATED + REPORTED)]
    world.questions([{"id": id_} for id_ in ids])
    world.answers({id_: f"```sql\n{RIGHT if chance.random() < 0.6 else WRONG}\n```" for id_ in ids})

    def told(*arguments: str | Path) -> Any:
        capsys.readouterr()
        assert world.run(*arguments, "--json") == ExitCode.OK
        return json.loads(capsys.readouterr().out)

    first = told("run", experiment(world, judge, "first"), "--limit", str(CALIBRATED), "--no-cache", "--quiet")
    assert [run["strategies"][1]["judge"]["calibrated"] for run in first["runs"]] == [False, False]
    found = told("judge", "calibrate", first["group"], "--runs", world.runs)
    assert found["rates"]["lenient"]["low"] <= LENIENT <= found["rates"]["lenient"]["high"]
    assert found["rates"]["harsh"]["low"] <= HARSH <= found["rates"]["harsh"]["high"]
    assert sum(found["confusion"].values()) == CALIBRATED
    assert found["repeats"]["items"] == CALIBRATED
    errs = 0.6 * HARSH * (1 - HARSH) + 0.4 * LENIENT * (1 - LENIENT)
    assert found["rates"]["flips_when_asked_again"] == pytest.approx(2 * errs, abs=0.06)
    spent = found["spent"]
    assert (spent["verdicts"], spent["unknown_cost"]) == (2 * CALIBRATED, 0)
    assert (spent["input_tokens"], spent["output_tokens"]) == (2 * CALIBRATED * 120, 2 * CALIBRATED * 30)
    assert spent["cost"] > 0

    others = ",".join(ids[CALIBRATED:])
    second = told("run", experiment(world, judge, "second"), "--ids", others, "--no-cache", "--quiet")
    (run,) = second["runs"]
    execution, judged = run["strategies"]
    low, high = judged["judge"]["interval_95"]
    assert low <= execution["score"] <= high
    assert judged["judge"]["caution"] is None
    assert world.run("report", second["group"], "--runs", world.runs) == ExitCode.OK
    shown = capsys.readouterr().out
    assert "llm_judge: corrected accuracy " in shown
    assert f"calibrated on {CALIBRATED} items of jsonl against execution_match" in shown

    warmer = experiment(world, judge, "warmer", parameters={"temperature": 0.7})
    (run,) = told("run", warmer, "--ids", "q0", "--no-cache", "--quiet")["runs"]
    assert run["strategies"][1]["judge"]["calibrated"] is False


def test_a_judge_that_is_asked_only_where_execution_has_not_proven_equality(
    world: World, judge: FallibleJudge, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(world.folder)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-loopback")
    world.questions(20)
    world.answers({f"q{n}": f"```sql\n{RIGHT if n % 2 else WRONG}\n```" for n in range(20)})
    strategies = ["execution_match", {"strategy": "llm_judge", "judges": [model_at(judge.base_url, "judge")]}]
    assert world.run("run", world.experiment(strategies=strategies), "--no-cache", "--quiet") == ExitCode.OK
    assert world.run("judge", "calibrate", "--runs", world.runs) == ExitCode.OK
    warned = capsys.readouterr().err
    assert "only 0 correct items" in warned
    assert "10 were settled before the judge was asked: ask it always, or give labels" in warned
    (folder,) = map(RunFolder, world.run_folders())
    assert folder.manifest["identity"]["strategies"][1]["when"] == "not_proven"


class FirstIsBetter(FallibleJudge):
    """Prefers what it is shown first, of every other question."""

    def choose(self, model: str, body: Mapping[str, Any]) -> str:
        (question,) = asked([body])
        return "first" if int(question[1:]) % 2 else "tie"


def test_a_pairwise_judge_is_asked_in_either_order_and_its_flips_are_told(
    world: World, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(world.folder)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-loopback")
    world.questions(20)
    world.answers({f"q{n}": f"```sql\n{RIGHT}\n```" for n in range(20)})
    (world.folder / "other.sql").write_text(f"{WRONG}\n" * 20)
    with FirstIsBetter() as judge:
        pairwise = {
            "strategy": "llm_judge_pairwise",
            "settings": {"against": "other.sql"},
            "judges": [model_at(judge.base_url, "judge")],
        }
        path = world.experiment(strategies=["execution_match", pairwise])
        assert world.run("run", path, "--no-cache", "--quiet") == ExitCode.OK
    assert "uncalibrated" in capsys.readouterr().out
    assert world.run("judge", "calibrate", "--runs", world.runs) == ExitCode.OK
    assert "50.0 % of 20 pairs of verdicts differ" in capsys.readouterr().out
    assert world.run("report", "--runs", world.runs) == ExitCode.OK
    shown = capsys.readouterr().out
    assert "no corrected accuracy; never held against the truth" in shown
    assert "flips when the order is swapped 50.0 %" in " ".join(shown.split())

"""`sqlassay run`: end to end with a provider, and what each exit code means."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

from tests.evaluation.world import GOLD, World, asked, items_of, model_at
from tests.providers.server import ProviderServer

Capture = pytest.CaptureFixture[str]


def test_from_question_to_table(world: World, server: ProviderServer, capsys: Capture) -> None:
    world.questions([{"id": "q0"}, {"id": "q1", "gold": "SELECT 7"}, {"id": "q2", "gold": "SELECT nope"}])
    model = model_at(
        server.base_url, parameters={"temperature": 0, "seed": 7}, prices={"input": 1_000_000, "output": 2_000_000}
    )
    path = world.experiment(models=[model], max_instrument_failures=0.5)
    assert world.run("run", path) == 0
    shown = capsys.readouterr()

    row = next(line for line in shown.out.splitlines() if "execution_match" in line)
    assert row.split()[-6:] == ["2", "1", "(0)", "1", "(0)", "1"]
    assert "1 unscored: gold failed" in shown.out
    assert "3 answers, 360 tokens in, 90 out, cost 540.0000" in shown.out
    (run,) = world.run_folders()
    assert f"sqlassay report {run.name.removesuffix('-01')} --runs {world.runs}" in shown.err

    assert sorted(asked(server.requests)) == ["q0", "q1", "q2"]
    request = server.requests[0]
    assert (request["model"], request["temperature"], request["seed"]) == ("good", 0, 7)
    first = next(item for item in items_of(run) if item["id"] == "q0")
    assert first["sql"] == GOLD
    answer = first["answer"]
    assert (answer["input_tokens"], answer["output_tokens"], answer["cost"]) == (120, 30, 180.0)
    assert (answer["model"], answer["request_id"], answer["cached"]) == ("good-2026-01-01", "req_123", False)


def test_the_second_time_nothing_is_asked(world: World, server: ProviderServer, capsys: Capture) -> None:
    world.questions(3)
    path = world.experiment(models=[model_at(server.base_url, prices={"input": 1, "output": 1})])
    assert [world.run("run", path, "-q"), world.run("run", path, "-q")] == [0, 0]
    assert len(server.requests) == 3
    assert "3 answers, 3 of them from the cache" in capsys.readouterr().out
    assert world.run("run", path, "-q", "--no-cache") == 0
    assert len(server.requests) == 6


def test_repeats_are_asked_for_each(world: World, server: ProviderServer) -> None:
    world.questions(2)
    assert world.run("run", world.experiment(models=[model_at(server.base_url)], repeats=3), "-q") == 0
    assert len(server.requests) == 6
    assert [len(items_of(run)) for run in world.run_folders()] == [2, 2, 2]


REASONS = {
    "refuses": "refused",
    "filtered": "refused",
    "truncated": "truncated",
    "out_of_thought": "truncated",
    "calls_a_tool": "no_sql",
    "too_long": "prompt_too_long",
}


def test_a_tool_call_is_an_answer(world: World, server: ProviderServer) -> None:
    world.questions(1)
    assert world.run("run", world.experiment(models=[model_at(server.base_url, "uses_two_tools")]), "-q") == 0
    (item,) = items_of(world.run_folders()[0])
    assert (item["extraction"], item["sql"]) == ("tool_call", 'SELECT count(*)\nFROM "singer"')
    assert item["removed"] == ["prose_before", "other_calls"]


@pytest.mark.parametrize(("model", "reason"), REASONS.items())
def test_what_the_system_under_test_does_wrong_is_incorrect(
    model: str, reason: str, world: World, server: ProviderServer
) -> None:
    world.questions(1)
    assert world.run("run", world.experiment(models=[model_at(server.base_url, model)]), "-q") == 0
    (item,) = items_of(world.run_folders()[0])
    assert [(verdict["status"], verdict["reason"]) for verdict in item["verdicts"]] == [("incorrect", reason)]


def test_too_many_instrument_failures_make_a_run_unusable(
    world: World, server: ProviderServer, capsys: Capture
) -> None:
    world.questions(2)
    retry = {"attempts": 2, "initial": 0}
    path = world.experiment(models=[model_at(server.base_url, "broken")], retry=retry)
    assert world.run("run", path, "-q") == 1
    shown = capsys.readouterr()
    assert "2 unscored: provider down" in shown.out
    assert (
        "broken · zero_shot@1 · sqlite: unusable: 100.0 % of the items are unscored, the experiment allows 5.0 %"
        in shown.err.splitlines()
    )
    (item, _) = items_of(world.run_folders()[0])
    assert [attempt["error"] for attempt in item["answer"]["attempts"]] == ["ProviderUnavailable"] * 2
    assert item["answer"]["finish_reason"] is None
    lenient = world.experiment(models=[model_at(server.base_url, "broken")], retry=retry, max_instrument_failures=1)
    assert world.run("run", lenient, "-q") == 0


@pytest.mark.parametrize(("model", "error"), [("bad_key", "AuthFailed"), ("missing", "ModelNotFound")])
def test_a_model_that_cannot_answer_is_the_users_to_mend(
    model: str, error: str, world: World, server: ProviderServer, capsys: Capture
) -> None:
    world.questions(30)
    models = [model_at(server.base_url, model, concurrency=2), model_at(server.base_url)]
    path = world.experiment(models=models)
    assert world.run("run", path, "-q") == 2
    shown = capsys.readouterr()
    assert f"{model} · zero_shot@1 · sqlite: stopped: {error}: openai {model} (HTTP 40" in shown.err
    assert shlex.join(["sqlassay", "run", str(path), "--resume", "--runs", str(world.runs)]) in shown.err
    stopped, finished = world.run_folders()
    assert json.loads((stopped / "manifest.json").read_text())["status"] == "stopped"
    assert len(items_of(finished)) == 30
    assert sum(request["model"] == model for request in server.requests) <= 4


def test_a_message_with_brackets_is_shown_as_it_is(world: World, capsys: Capture) -> None:
    world.questions(1)
    world.answers({"q0": {"answer": GOLD, "model": "[/INST]"}})
    path = world.experiment(
        models=[{"adapter": "replay", "model": "[bold]", "settings": {"path": "answers.jsonl"}, "label": "[/b]"}]
    )
    assert world.run("run", path) == 2
    shown = capsys.readouterr()
    assert "[/b] · zero_shot@1 · sqlite: stopped: ModelNotFound: replay [bold]: " in shown.err


def test_json_is_data_and_nothing_else(world: World, capsys: Capture) -> None:
    world.questions(2)
    world.answers({"q0": GOLD, "q1": "SELECT 0"})
    assert world.run("run", world.experiment(), "--json") == 0
    content = json.loads(capsys.readouterr().out)
    (summary,) = content["runs"]
    assert summary["run_id"] == f"{content['group']}-01"
    strategy = summary["strategies"][0]
    assert (strategy["scored"], strategy["system_failures"], strategy["instrument_failures"]) == (2, 1, 0)


def test_a_sample_is_that_of_the_experiments_seed(world: World) -> None:
    world.questions(30)
    world.answers({f"q{n}": GOLD for n in range(30)})
    dataset = {"format": "jsonl", "path": "questions.jsonl"}
    for seed, more in ((7, []), (0, ["--seed", "7"]), (0, [])):
        path = world.experiment(dataset={**dataset, "seed": seed})
        assert world.run("run", path, "-q", "--sample", "5", *more) == 0
    first, second, third = ({item["id"] for item in items_of(run)} for run in world.run_folders())
    assert first == second != third


MISTAKES = {
    "no experiment": ([], "no experiment (sqlassay run EXPERIMENT.yaml)"),
    "no such file": (["nope.yaml"], "nope.yaml: no such experiment file (check the path)"),
    "retry without resume": (["trial.yaml", "--retry-unscored"], "--retry-unscored needs --resume"),
    "nothing to resume": (["--resume"], "runs: nothing is left to resume (to run it anew, leave out --resume)"),
    "limit": (["trial.yaml", "--limit", "0"], "limit is 0 (give a whole number from 1)"),
    "seed without sample": (
        ["trial.yaml", "--seed", "0"],
        "--seed chooses a sample, and none is taken (add --sample N, or leave it out)",
    ),
    "unknown id": (
        ["trial.yaml", "--ids", "q7"],
        "trial.yaml:2: unknown question id 'q7' (the dataset has 1 question, ",
    ),
    "runs is a file": (["trial.yaml", "--runs", "answers.jsonl"], "cannot be written: Not a directory"),
}


@pytest.mark.parametrize(("arguments", "expected"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_one_line(
    arguments: list[str], expected: str, world: World, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(world.folder)
    world.questions(1)
    world.answers({"q0": GOLD})
    world.experiment()
    before = {path: path.read_bytes() for path in Path().rglob("*") if path.is_file()}
    assert world.run("run", "-q", *arguments) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("error: ")
    assert expected in shown.err
    assert shown.err.count("\n") == 1
    assert {path: path.read_bytes() for path in Path().rglob("*") if path.is_file()} == before

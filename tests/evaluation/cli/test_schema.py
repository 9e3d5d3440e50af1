"""`sqlassay schema`: what the harness writes and reads is what it publishes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from evaluation.examples import demo_source
from tests.evaluation.world import GOLD, World, items_of, model_at
from tests.providers.server import ProviderServer

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def validator(capsys: Capture, world: World, request: pytest.FixtureRequest) -> Draft202012Validator:
    assert world.run("schema", request.param) == 0
    schema = json.loads(capsys.readouterr().out)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def of(document: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("validator", [document], indirect=True)


def problems(validator: Draft202012Validator, value: object) -> list[str]:
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(value)]


@of("items")
def test_items(validator: Draft202012Validator, world: World, server: ProviderServer) -> None:
    world.questions(
        [
            {"id": "q0", "difficulty": "easy", "tags": ["a"]},
            {"id": "q1", "gold": ["SELECT 7", "SELECT nope"]},
            {"id": "q2", "db_id": "elsewhere"},
        ]
    )
    models = [model_at(server.base_url, name) for name in ("good", "refuses", "truncated", "broken", "no_usage")]
    path = world.experiment(models=models, retry={"attempts": 2, "initial": 0}, max_instrument_failures=1)
    assert world.run("run", path, "-q") == 0
    items = [item for run in world.run_folders() for item in items_of(run)]
    assert len(items) == 15
    assert [problem for item in items for problem in problems(validator, item)] == []

    for key in ("id", "verdicts", "sql"):
        assert problems(validator, {k: v for k, v in items[0].items() if k != key})
    wrong = {**items[0], "verdicts": [{**items[0]["verdicts"][0], "reason": "because"}]}
    assert problems(validator, wrong)


@of("verdicts")
def test_verdicts(validator: Draft202012Validator, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(world.folder)
    world.questions([{"id": "a"}, {"id": "b", "gold": "SELECT nope"}, {"id": "c"}])
    Path("p.sql").write_text(f"{GOLD}\n{GOLD}\nSELECT 1e999, x'00'\n")
    arguments = ["--dataset", "jsonl:questions.jsonl", "-o", "v.jsonl", "--convention", "bird", "-q"]
    assert world.run("score", "p.sql", *arguments) == 0
    lines = [json.loads(line) for line in Path("v.jsonl").read_text().splitlines()]
    assert len(lines) == 3
    assert [problem for line in lines for problem in problems(validator, line)] == []
    for key in ("id", "db_id", "strategy", "status", "score", "reason", "evidence"):
        assert problems(validator, {k: v for k, v in lines[0].items() if k != key})
    for key, value in {"id": 1, "status": "maybe", "reason": "because", "score": "1"}.items():
        assert problems(validator, {**lines[0], key: value})


DEMO = yaml.safe_load((demo_source() / "demo.yaml").read_text())
FULL: dict[str, Any] = {
    **DEMO,
    "dataset": {**DEMO["dataset"], "filter": {"db_id": "shop", "turn": 0, "tag": ["a", "b"]}, "only": [1, "q2"]},
    "backends": ["sqlite", {"backend": "duckdb", "target": "x-{db_id}.duckdb"}],
    "strategies": [{"strategy": "execution_match", "settings": {"relative_tolerance": 0.1}}],
    "retry": {"attempts": 2},
    "cache": "run",
    "gate": {"min_accuracy": 0.7, "drop": {"alpha": 0.01}, "latency": {"p95": 20}, "max_tokens": 1000, "max_age": 7},
    "output": {"runs": "r"},
}


FROM_ENVIRONMENT: dict[str, Any] = {
    **FULL,
    "name": "${NAME:-demo}",
    "dataset": {**FULL["dataset"], "sample": "${N}", "limit": "${N}", "seed": "${SEED:-0}", "ids": "${IDS:-field}"},
    "models": [{**DEMO["models"][0], "concurrency": "${N}", "prices": {"input": "${PRICE}"}}],
    "repeats": "${N}",
    "workers": "${N:-2}",
    "limits": {"seconds": "${N}", "gold_seconds": "${N}", "rows": "${N}", "megabytes": "${N}"},
    "retry": {"attempts": "${N}", "initial": "${N}", "maximum": "${N}"},
    "cache": "${CACHE}",
    "max_instrument_failures": "${SHARE}",
    "gate": {"min_accuracy": "${LEAST}", "drop": {"min_effect": "${EFFECT:-0.02}"}, "max_cost": "${BUDGET}"},
}


@of("experiment")
@pytest.mark.parametrize("content", [DEMO, FULL, FROM_ENVIRONMENT], ids=["demo", "full", "from the environment"])
def test_experiments(content: dict[str, Any], validator: Draft202012Validator) -> None:
    assert problems(validator, content) == []


WRONG: list[dict[str, Any]] = [
    {"name": "../x"},
    {"promts": ["zero_shot"]},
    {"models": []},
    {"models": [{"adapter": "replay"}]},
    {"limits": {"secnds": 1}},
    {"limits": {"seconds": 0}},
    {"backends": [5]},
    {"backends": [{"backend": "sqlite", "tarjet": "x"}]},
    {"cache": "some"},
    {"limits": {"rows": True}},
    {"workers": "two"},
    {"workers": "$N"},
    {"max_instrument_failures": 2},
    {"gate": {"min_acuracy": 1}},
    {"gate": {"drop": {"alpha": 0}}},
    {"gate": {"latency": {"p99": 1}}},
]


@of("experiment")
@pytest.mark.parametrize("change", WRONG, ids=str)
def test_an_editor_sees_the_mistakes(change: dict[str, Any], validator: Draft202012Validator) -> None:
    assert problems(validator, {**DEMO, **change})


def test_the_experiments_is_the_default(world: World, capsys: Capture) -> None:
    assert world.run("schema") == 0
    assert json.loads(capsys.readouterr().out)["title"] == "Experiment"


def test_an_unknown_document(world: World, capsys: Capture) -> None:
    assert world.run("schema", "manifest") == 2
    assert "'manifest' is not one of 'experiment', 'items', 'verdicts'" in capsys.readouterr().err

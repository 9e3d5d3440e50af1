"""Composite models in an experiment file: run, recorded, resumed and reported."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.evaluation.world import GOLD, World, items_of

BROKEN = "SELECT cnt FROM singer"


def tape(model: str, **more: object) -> dict[str, object]:
    return {"adapter": "replay", "model": model, "settings": {"path": "answers.jsonl"}, **more}


def record(world: World, *lines: dict[str, object]) -> None:
    path = world.folder / "answers.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))


def items(world: World, model: dict[str, object], **more: Any) -> list[dict[str, Any]]:
    assert world.run("run", world.experiment(models=[model], **more)) == 0
    return sorted((item for run in world.run_folders() for item in items_of(run)), key=lambda item: item["id"])


def sql(text: str) -> str:
    return f"```sql\n{text}\n```"


def test_fallback(world: World) -> None:
    world.questions(2)
    record(
        world,
        {"question_id": "q0", "model": "small", "answer": sql(GOLD)},
        {"question_id": "q1", "model": "small", "answer": sql(BROKEN)},
        {"question_id": "q1", "model": "large", "answer": sql(GOLD)},
    )
    first, second = items(world, {"fallback": [tape("small"), tape("large")], "when": "quality"})
    assert (first["answered_by"], first["calls"]) == ("small", [])
    assert second["answered_by"] == "large"
    assert [(c["model"], c["why"], c["sql"]) for c in second["calls"]] == [("small", "unknown column", BROKEN)]
    assert [item["verdicts"][0]["status"] for item in (first, second)] == ["correct", "correct"]


def test_router_and_its_report(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.questions([{"id": "q0", "question": "How many?"}, {"id": "q1", "question": "How many per age?"}])
    usage = {"usage": {"input_tokens": 1000, "output_tokens": 100}}
    record(
        world,
        {"question_id": "q0", "model": "sorter", "answer": '{"route": "easy", "confidence": 0.9}', **usage},
        {"question_id": "q1", "model": "sorter", "answer": '{"route": "easy", "confidence": 0.2}', **usage},
        {"question_id": "q0", "model": "small", "answer": sql(GOLD), **usage},
        {"question_id": "q1", "model": "large", "answer": sql(BROKEN), **usage},
    )
    prices = {"prices": {"input": 1, "output": 10}}
    router = {
        "classifier": tape("sorter", **prices),
        "routes": {
            "easy": {"model": tape("small", **prices), "description": "one table"},
            "hard": {"model": tape("large", prices={"input": 10, "output": 100}), "keywords": ["per"]},
        },
        "default": "easy",
    }
    first, second = items(world, {"label": "routed", "router": router})
    assert first["route"] == {"route": "easy", "decided_by": "classifier", "confidence": 0.9}
    assert second["route"] == {"route": "hard", "decided_by": "keywords", "confidence": 0.2}
    assert [call["role"] for call in first["calls"] + second["calls"]] == ["classifier", "classifier"]
    capsys.readouterr()
    assert world.run("report", "--runs", world.runs, "--by", "route") == 0
    shown = capsys.readouterr().out
    assert "easy: 2 answers, 2,000 tokens in, 200 out, cost 0.0040, 0.0040 per correct answer" in shown
    assert "hard: 2 answers, 2,000 tokens in, 200 out, cost 0.0220" in shown
    assert world.run("report", "--runs", world.runs, "--by", "route", "--json") == 0
    (run,) = json.loads(capsys.readouterr().out)["runs"]
    assert {part["title"]: part["strategies"][0]["score"] for part in run["slices"]} == {"easy": 1.0, "hard": 0.0}


def test_self_consistency_asks_each_sample_anew(world: World) -> None:
    world.questions(1)
    record(
        world,
        *(
            {"question_id": "q0", "repeat": number, "answer": sql(answer)}
            for number, answer in enumerate(["SELECT 7", GOLD, GOLD, "SELECT 8", GOLD, "SELECT 8"])
        ),
    )
    model = {"self_consistency": {"model": tape("tape"), "samples": 3}}
    found = items(world, model, repeats=2)
    assert {(item["sql"], item["note"]) for item in found} == {
        (GOLD, "sample 2: 2 of 3 agree"),
        ("SELECT 8", "sample 1: 2 of 3 agree"),
    }


def test_repair_reports_both_attempts_apart(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.questions(2)
    record(
        world,
        {"question_id": "q0", "prompt": "zero_shot@1", "answer": sql(BROKEN)},
        {"question_id": "q0", "prompt": "self_correct@1", "answer": sql(GOLD)},
        {"question_id": "q1", "prompt": "zero_shot@1", "answer": sql("SELECT 7")},
    )
    first, second = items(world, {"repair": {"model": tape("tape"), "attempts": 1}})
    assert (first["sql"], first["first"]["sql"]) == (GOLD, BROKEN)
    assert (first["verdicts"][0]["status"], first["first"]["verdicts"][0]["reason"]) == ("correct", "unknown_column")
    assert second["first"]["verdicts"] == second["verdicts"]
    capsys.readouterr()
    assert world.run("report", "--runs", world.runs, "--json") == 0
    (run,) = json.loads(capsys.readouterr().out)["runs"]
    assert [run["strategies"][0]["score"], run["first_attempts"][0]["score"]] == [0.5, 0.0]
    assert world.run("report", "--runs", world.runs) == 0
    assert "first attempt" in capsys.readouterr().out


@pytest.mark.parametrize("kind", ["repair", "router"])
def test_a_prompt_that_cannot_be_filled_is_refused_before_anything_is_asked(
    world: World, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    world.questions(1)
    record(world, {"question_id": "q0", "answer": sql(BROKEN)})
    (world.folder / "fix.yaml").write_text(
        "{name: fix, version: 1, output: sql_block, messages: [{role: user, content: '{{ errror }}'}]}"
    )
    route = {"model": tape("tape"), "description": "all"}
    model = {
        "repair": {"model": tape("tape"), "prompt": "fix.yaml"},
        "router": {
            "classifier": tape("tape"),
            "prompt": "fix.yaml",
            "routes": {"a": route, "b": route},
            "default": "a",
        },
    }
    assert world.run("run", world.experiment(models=[{kind: model[kind]}])) == 2
    assert "unknown variable in prompt fix@1: 'errror'" in capsys.readouterr().err
    assert not world.runs.exists()


def test_models_within_models(world: World) -> None:
    world.questions(1)
    record(
        world,
        {"question_id": "q0", "model": "a", "prompt": "zero_shot@1", "answer": sql(BROKEN)},
        {"question_id": "q0", "model": "a", "prompt": "self_correct@1", "answer": sql(BROKEN)},
        {"question_id": "q0", "model": "b", "answer": sql(GOLD)},
    )
    repaired = {"repair": {"model": tape("a"), "attempts": 1}}
    (item,) = items(world, {"fallback": [repaired, tape("b")], "when": "quality"})
    assert [(c["role"], c["model"]) for c in item["calls"]] == [("attempt 1", "a"), ("fallback", "a + repair")]
    assert item["answered_by"] == "b"


def test_a_composition_is_part_of_what_a_run_is(world: World) -> None:
    world.questions(1)
    record(world, {"question_id": "q0", "answer": sql(GOLD)})
    pair = {"fallback": [tape("a"), tape("b")]}
    variants: list[dict[str, object]] = [
        pair,
        {"fallback": [tape("a"), tape("b", concurrency=3, prices={"input": 1})], "label": "the same"},
        {**pair, "when": "quality"},
        {"fallback": pair["fallback"][::-1]},
        {"fallback": [tape("a"), tape("b", parameters={"temperature": 1})]},
    ]
    found = []
    for number, model in enumerate(variants):
        items(world, model, name=f"trial{number}")
        found.append(json.loads((world.run_folders()[-1] / "manifest.json").read_text())["identity"]["model"])
    assert found[0]["parts"].keys() == {"fallback.0", "fallback.1"}
    assert found[0] == found[1]
    assert all(found[0] != other for other in found[2:])

"""Prompts that show examples, in an experiment: run, recorded, resumed, estimated and refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from evaluation.experiment import read_experiment
from evaluation.grid import Grid
from tests.evaluation.world import GOLD, World, items_of, model_at
from tests.providers.server import ProviderServer

TRAIN = {"format": "jsonl", "path": "train.jsonl"}


def train(world: World, *golds: str, name: str = "train") -> None:
    lines = [
        {"id": f"t{number}", "question": f"Example {number}?", "db_id": "show", "gold": gold}
        for number, gold in enumerate(golds)
    ]
    (world.folder / f"{name}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))


def ages(count: int) -> list[str]:
    return [f"SELECT name FROM singer WHERE age = {number}" for number in range(count)]


def interrupt(run: Path) -> None:
    """Have a run look as if it had been ended before it was done."""
    manifest = json.loads((run / "manifest.json").read_text())
    (run / "manifest.json").write_text(json.dumps({**manifest, "status": "running"}))


def experiment(world: World, server: ProviderServer | None = None, **changes: Any) -> Path:
    more: dict[str, Any] = {"prompts": ["few_shot@1", "few_shot@2"], "examples": TRAIN}
    if server is not None:
        more["models"] = [model_at(server.base_url)]
    return world.experiment(**{**more, **changes})


@pytest.mark.parametrize("prompt", ["few_shot@1", "few_shot@2"])
def test_a_model_reads_examples_and_the_record_names_them(
    prompt: str, world: World, server: ProviderServer, caplog: pytest.LogCaptureFixture
) -> None:
    world.questions(2)
    train(world, ages(1)[0], GOLD, *ages(5))
    assert world.run("run", experiment(world, server, prompts=[prompt])) == 0
    assert not caplog.messages
    for item, request in zip(items_of(world.run_folders()[0]), server.requests, strict=True):
        answer = item["answer"]
        assert sorted(answer["examples"]) == ["t0", "t2", "t3", "t4", "t5"]
        assert answer["withheld"] == ["t1"]
        content = request["messages"][-1]["content"]
        shown = [part.partition("?")[0] for part in content.split("Question: Example ")[1:]]
        assert [f"t{number}" for number in shown] == answer["examples"]
        assert GOLD not in content


def test_a_prompt_without_examples_records_none(world: World, server: ProviderServer) -> None:
    world.questions(1)
    assert world.run("run", experiment(world, server, prompts=["zero_shot@1"], examples=None)) == 0
    (item,) = items_of(world.run_folders()[0])
    assert (item["answer"]["examples"], item["answer"]["withheld"]) == ([], [])


def test_questions_that_are_examples_too_are_counted(
    world: World, server: ProviderServer, caplog: pytest.LogCaptureFixture
) -> None:
    """A dataset as its own train split is no train split, which is said, and no answer is given away."""
    world.questions([{"id": f"q{number}", "gold": gold} for number, gold in enumerate(ages(6))])
    file = experiment(world, server, examples={"format": "jsonl", "path": "questions.jsonl"}, prompts=["few_shot@2"])
    assert world.run("run", file) == 0
    assert caplog.messages == [
        "examples: 6 of the 6 questions that are asked are examples too, which makes them no train split;"
        " none is shown its own answer"
    ]
    for item in items_of(world.run_folders()[0]):
        answer = item["answer"]
        assert sorted([*answer["examples"], *answer["withheld"]]) == [f"q{number}" for number in range(6)]
        assert item["id"] in answer["withheld"]


def test_answers_are_shared_as_long_as_the_examples_are_the_same(world: World, server: ProviderServer) -> None:
    world.questions(2)
    train(world, *ages(6))
    file = experiment(world, server)
    for _ in range(2):
        assert world.run("run", file) == 0
    assert len(server.requests) == 4
    train(world, *ages(6)[::-1])
    assert world.run("run", experiment(world, server, prompts=["few_shot@1"])) == 0
    assert len(server.requests) == 6


def test_examples_identify_the_runs_that_show_them(world: World) -> None:
    world.questions(2)
    world.answers({})
    train(world, *ages(7))

    def identities(**changes: Any) -> list[dict[str, Any]]:
        file = experiment(world, **{"prompts": ["zero_shot@1", "few_shot@1", "few_shot@2"], **changes})
        grid = Grid(read_experiment(file))
        return [grid.identity(cell) for cell in grid.cells]

    plain, static, similar = identities()
    assert "examples" not in plain
    assert static["examples"]["examples"] == similar["examples"]["examples"] == 7
    assert identities() == [plain, static, similar]
    fewer = identities(examples={**TRAIN, "limit": 6})
    assert fewer[0] == plain
    assert [one["examples"] for one in fewer[1:]] != [static["examples"], similar["examples"]]
    assert identities(prompts=["zero_shot@1"], examples=None) == [plain]
    train(world, *ages(7)[1:], "SELECT 1")
    assert identities()[1]["examples"] != static["examples"]


def test_a_run_whose_examples_changed_is_not_resumed(
    world: World, server: ProviderServer, capsys: pytest.CaptureFixture[str]
) -> None:
    world.questions(2)
    train(world, *ages(6))
    assert world.run("run", experiment(world, server, prompts=["few_shot@1"])) == 0
    run = world.run_folders()[0]
    lines = (run / "items.jsonl").read_text().splitlines(keepends=True)
    (run / "items.jsonl").write_text(lines[0])
    interrupt(run)
    train(world, *ages(7))
    assert world.run("run", "--resume", "--runs", world.runs) == 2
    assert "cannot be resumed: its examples was" in " ".join(capsys.readouterr().err.split())
    train(world, *ages(6))
    assert world.run("run", "--resume", "--runs", world.runs) == 0
    assert len(items_of(run)) == 2
    assert len(server.requests) == 2


def test_examples_count_in_a_dry_run(world: World, server: ProviderServer, capsys: pytest.CaptureFixture[str]) -> None:
    world.questions(2)
    train(world, *ages(6))
    file = experiment(world, server, prompts=["zero_shot@1", "few_shot@1"])
    assert world.run("run", file, "--dry-run", "--json") == 0
    plain, few = json.loads(capsys.readouterr().out)["estimates"]
    assert (plain["requests"], few["requests"]) == (2, 2)
    assert few["input_tokens"] > plain["input_tokens"] + 2 * 5 * len(ages(1)[0]) // 3
    assert server.requests == []


def test_prompts_of_composite_models_may_show_examples(world: World) -> None:
    world.questions(1)
    train(world, *ages(6))
    folder = world.folder / "prompts" / "mend"
    folder.mkdir(parents=True)
    (folder / "v1.yaml").write_text(
        "name: mend\nversion: 1\noutput: sql_block\nexamples: {select: static, count: 2}\n"
        "messages: [{role: user, content: 'Mend it: {% for e in examples %}{{ e.sql }};{% endfor %}'}]\n"
    )
    lines = [("zero_shot@1", "SELECT cnt FROM singer"), ("mend@1", GOLD)]
    (world.folder / "answers.jsonl").write_text(
        "".join(
            json.dumps({"question_id": "q0", "prompt": prompt, "answer": f"```sql\n{sql}\n```"}) + "\n"
            for prompt, sql in lines
        )
    )
    tape = {"adapter": "replay", "model": "tape", "settings": {"path": "answers.jsonl"}}
    repair = {"repair": {"model": tape, "prompt": "mend@1"}}
    file = experiment(world, prompts=["zero_shot@1"], models=[repair], prompt_folders=["prompts"])
    grid = Grid(read_experiment(file))
    assert "examples" in grid.identity(grid.cells[0])
    assert world.run("run", file) == 0
    (item,) = items_of(world.run_folders()[0])
    assert (item["sql"], item["answer"]["examples"]) == (GOLD, ["t0", "t1"])
    assert item["calls"][0]["answer"]["examples"] == []


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        (
            {"examples": None},
            "trial.yaml:14: prompt few_shot@2 shows examples, and the experiment has none"
            " (name the train split: `examples: {format: …, path: …}`)",
        ),
        (
            {"examples": {**TRAIN, "limit": 4}},
            "prompt few_shot@2 shows 5 examples, and there are 4 with SQL for SQLite"
            " (name a train split with more, or a prompt that shows fewer)",
        ),
        ({"examples": {**TRAIN, "path": "empty.jsonl"}}, "empty.jsonl: holds no questions"),
        ({"examples": {**TRAIN, "path": "nope.jsonl"}}, "nope.jsonl: no such file"),
        ({"examples": {**TRAIN, "format": "jsonll"}}, "unknown dataset format 'jsonll' (did you mean 'jsonl'?)"),
        ({"examples": {**TRAIN, "pth": "x"}}, "unknown key in examples: 'pth' (did you mean 'path'?)"),
        ({"examples": {**TRAIN, "only": ["t99"]}}, "unknown question id 't99'"),
        ({"examples": {**TRAIN, "filter": {"db_id": "nope"}}}, "unknown db_id in the filter: 'nope'"),
    ],
    ids=["none", "too few", "empty", "no file", "format", "key", "id", "filter"],
)
def test_examples_that_cannot_be_shown_are_one_line(
    changes: dict[str, Any], problem: str, world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.questions(1)
    world.answers({})
    train(world, *ages(6))
    train(world, name="empty")
    assert world.run("run", experiment(world, prompts=["few_shot@2"], **changes)) == 2
    shown = " ".join(capsys.readouterr().err.split())
    assert problem in shown
    assert not world.run_folders()


def test_unused_examples_are_not_read(world: World) -> None:
    world.questions(1)
    world.answers({"q0": f"```sql\n{GOLD}\n```"})
    assert world.run("run", experiment(world, prompts=["zero_shot@1"], examples={**TRAIN, "path": "nope.jsonl"})) == 0


def test_databases_of_examples_that_are_not_there_are_named(
    world: World, server: ProviderServer, caplog: pytest.LogCaptureFixture
) -> None:
    world.questions(1)
    lines = [{"id": f"t{n}", "question": "How?", "db_id": f"db{n}", "gold": f"SELECT {n}"} for n in range(5)]
    (world.folder / "train.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert world.run("run", experiment(world, server, prompts=["few_shot@1"])) == 0
    assert not caplog.messages
    assert world.run("run", experiment(world, server, prompts=["few_shot@2"])) == 0
    assert caplog.messages == [
        "examples: no schema of db0, db1, db2 and 2 more, so that their questions are compared by all their words"
    ]

"""`sqlassay demo`: finished, offline, and judged as a careful reader judged each answer."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from evaluation.cli.app import run
from tests.evaluation.world import items_of

Capture = pytest.CaptureFixture[str]

DISPUTED: frozenset[tuple[str, str, str]] = frozenset()
"""Answers, as (model, engine, question), on which the default convention and the careful reader differ."""


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo") / "here"
    patch = pytest.MonkeyPatch()
    patch.setenv("SQLASSAY_CACHE", str(tmp_path_factory.mktemp("cache")))
    try:
        assert run(["demo", str(folder)]) == 0
    finally:
        patch.undo()
    return folder


def runs(demo: Path) -> dict[tuple[str, str], list[dict[str, Any]]]:
    """The items of each run, by model and engine."""
    found = {}
    for folder in sorted((demo / "runs").iterdir()):
        manifest = json.loads((folder / "manifest.json").read_text())
        found[manifest["model_label"], manifest["identity"]["backend"]["name"]] = items_of(folder)
    return found


def label(demo: Path, model: str, engine: str) -> dict[str, str]:
    """What the careful reader said of each answer: of the engine's own line, else of the one for every engine."""
    lines = [json.loads(line) for line in (demo / "answers" / f"{model}.jsonl").read_text().splitlines()]
    general = {line["question_id"]: line["note"]["verdict"] for line in lines if "dialect" not in line}
    special = {line["question_id"]: line["note"]["verdict"] for line in lines if line.get("dialect") == engine}
    return {**general, **special}


def test_every_cell_is_complete(demo: Path) -> None:
    questions = len((demo / "questions.jsonl").read_text().splitlines())
    found = runs(demo)
    assert sorted(found) == [("careful", "duckdb"), ("careful", "sqlite"), ("hasty", "duckdb"), ("hasty", "sqlite")]
    assert {len({item["id"] for item in items}) for items in found.values()} == {questions}


def test_our_verdicts_are_the_careful_readers(demo: Path) -> None:
    differing = set()
    for (model, engine), items in runs(demo).items():
        wanted = label(demo, model, engine)
        assert set(wanted) == {item["id"] for item in items}
        ours = {item["id"]: item["verdicts"][0] for item in items}
        assert {verdict["strategy"] for verdict in ours.values()} == {"execution_match"}
        differing |= {(model, engine, name) for name, verdict in ours.items() if verdict["status"] != wanted[name]}
    assert differing == DISPUTED


def test_nothing_is_unscored(demo: Path) -> None:
    statuses = {v["status"] for items in runs(demo).values() for item in items for v in item["verdicts"]}
    assert statuses == {"correct", "incorrect"}


def test_the_answers_show_what_models_do_wrong(demo: Path) -> None:
    reasons = {v["reason"] for items in runs(demo).values() for item in items for v in item["verdicts"]}
    assert {"match", "match_vacuous", "no_sql", "syntax", "unknown_column", "wrong_order"} <= reasons


def test_two_prompts_are_judged_as_the_careful_reader_judged_them(demo: Path, tmp_path: Path, capsys: Capture) -> None:
    assert run(["run", str(demo / "ab.yaml"), "--runs", str(tmp_path), "--quiet", "--json"]) == 0
    (compared,) = json.loads(capsys.readouterr().out)["comparisons"]
    wanted: dict[str, dict[str, str]] = {"zero_shot@1": {}, "checklist@1": {}}
    for line in map(json.loads, (demo / "answers" / "ab.jsonl").read_text().splitlines()):
        for prompt in [line["prompt"]] if "prompt" in line else wanted:
            wanted[prompt][line["question_id"]] = line["note"]["verdict"]
    for folder, verdicts in zip(sorted(tmp_path.iterdir()), wanted.values(), strict=True):
        assert {item["id"]: item["verdicts"][0]["status"] for item in items_of(folder)} == verdicts
    before, after = wanted.values()
    flips = {
        side: [question for question in before if before[question] != after[question] == status]
        for side, status in (("only_candidate", "correct"), ("only_baseline", "incorrect"))
    }
    assert {side: [flip["id"] for flip in told] for side, told in compared["flips"].items()} == flips
    assert (compared["baseline"]["name"], compared["candidate"]["name"]) == ("zero_shot@1", "checklist@1")
    assert compared["difference_shown"]


def test_what_the_user_has_changed_stays(demo: Path, capsys: Capture) -> None:
    notes = demo / "README.md"
    notes.write_text("mine")
    experiment = demo / "demo.yaml"
    experiment.write_text(experiment.read_text().replace("backends: [sqlite, duckdb]", "backends: [sqlite]"))
    before = {path.name for path in (demo / "runs").iterdir()}
    assert run(["demo", str(demo), "--json"]) == 0
    assert notes.read_text() == "mine"
    content = json.loads(capsys.readouterr().out)
    assert len(content["runs"]) == 2
    assert before < {path.name for path in (demo / "runs").iterdir()}


def test_the_words_at_the_end_can_be_typed(demo: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(demo.parent)
    assert run(["demo", "here"]) == 0
    told = capsys.readouterr().err
    commands = [line.partition("sqlassay ")[2].split() for line in told.splitlines() if "sqlassay " in line]
    assert [command[0] for command in commands] == ["compare", "report", "run"]
    for command in commands:
        assert run(command) == 0


def test_the_process_ends_in_silence(demo: Path) -> None:
    """DuckDB's driver complains at the end of a process of what nobody has taken away."""
    command = [
        sys.executable,
        "-c",
        f"from evaluation.cli import main; import sys; sys.argv = ['sqlassay', 'demo', {str(demo)!r}]; main()",
    ]
    ended = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "leak" not in ended.stderr


def test_a_file_in_the_way_is_one_line(tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "file").write_text("precious")
    assert run(["demo", str(tmp_path / "file")]) == 2
    shown = capsys.readouterr()
    assert shown.err.startswith(f"error: {tmp_path / 'file'}")
    assert shown.err.count("\n") == 1
    assert (tmp_path / "file").read_text() == "precious"

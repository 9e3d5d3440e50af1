"""Commands that only read: `report`, `runs`, `datasets`, `plugins`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.evaluation.world import GOLD, World, items_of

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def world(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.chdir(world.folder)
    return world


@pytest.fixture
def group(world: World, capsys: Capture) -> str:
    """Two runs of one experiment."""
    world.questions([{"id": f"q{n}"} for n in range(3)] + [{"id": "q3", "gold": "SELECT nope"}])
    world.answers({"q0": GOLD, "q1": "SELECT 0", "q2": "I do not know.", "q3": GOLD})
    tape = {"adapter": "replay", "model": "tape", "settings": {"path": "answers.jsonl"}}
    path = world.experiment(
        models=[tape, {**tape, "label": "[again]", "parameters": {"seed": 2}}], max_instrument_failures=1
    )
    assert world.run("run", path, "-q") == 0
    capsys.readouterr()
    return world.run_folders()[0].name.removesuffix("-01")


def test_report_shows_the_three_counts(world: World, group: str, capsys: Capture) -> None:
    assert world.run("report", group) == 0
    shown = capsys.readouterr().out
    rows = [line.split() for line in shown.splitlines() if "execution_match " in line and "%" in line]
    assert [row[-6:] for row in rows] == [["3", "1", "(0)", "2", "(1)", "1"]] * 2
    assert shown.count("1 unscored: gold failed") == 2
    assert "[again] · zero_shot@1 · sqlite" in shown


@pytest.mark.parametrize("name", ["latest", "{group}", "{group}-01", "runs/{group}-01"])
def test_a_run_has_several_names(name: str, world: World, group: str, capsys: Capture) -> None:
    assert world.run("report", name.format(group=group), "--json") == 0
    runs = json.loads(capsys.readouterr().out)["runs"]
    assert [run["run_id"] for run in runs] == [f"{group}-01", f"{group}-02"][: 1 if "-01" in name else 2]


def test_report_can_be_made_again_from_what_is_on_disk(world: World, group: str, capsys: Capture) -> None:
    for path in [*world.folder.glob("*.jsonl"), *world.folder.glob("*.yaml"), world.database]:
        path.unlink()
    assert world.run("report", group) == 0
    assert "execution_match" in capsys.readouterr().out


def test_an_unfinished_run_says_so(world: World, group: str, capsys: Capture) -> None:
    run = Path("runs") / f"{group}-01"
    items = run / "items.jsonl"
    items.write_bytes(b"".join(items.read_bytes().splitlines(keepends=True)[:2]) + b'{"id": "q')
    manifest = json.loads((run / "manifest.json").read_text())
    (run / "manifest.json").write_text(json.dumps({**manifest, "status": "running"}))
    assert world.run("report", run.name) == 0
    assert f"{run.name}: running, 2 of 4 items" in capsys.readouterr().out


@pytest.mark.parametrize("status", ["correct", "incorrect", "unscored"])
def test_report_lists_items(status: str, world: World, group: str, capsys: Capture) -> None:
    assert world.run("report", f"{group}-01", "--show", status) == 0
    shown = " ".join(capsys.readouterr().out.split())
    listed = {question for question in ("q0", "q1", "q2", "q3") if f"{question} Question {question}?" in shown}
    assert listed == {"correct": {"q0"}, "incorrect": {"q1", "q2"}, "unscored": {"q3"}}[status]


@pytest.mark.parametrize(
    ("arguments", "listed"),
    [
        (["--show", "incorrect"], ["q1", "q2"]),
        (["--disagreements"], []),
        (["--show", "unscored", "--disagreements"], ["q3"]),
    ],
    ids=str,
)
def test_report_lists_items_for_programs_as_they_were_written(
    arguments: list[str], listed: list[str], world: World, group: str, capsys: Capture
) -> None:
    assert world.run("report", group, "--json", *arguments) == 0
    for run in json.loads(capsys.readouterr().out)["runs"]:
        written = items_of(Path("runs") / run["run_id"])
        assert run["shown_items"] == [item for item in written if item["id"] in listed]


HOSTILE = "\x1b[2J\x1b]0;owned\x07\x9b31m"


@pytest.mark.parametrize(
    "arguments", [["report"], ["report", "--show", "incorrect"], ["runs", "show", "latest"]], ids=str
)
def test_what_others_wrote_commands_no_terminal(arguments: list[str], world: World, capsys: Capture) -> None:
    gold = f'SELECT name AS "{HOSTILE}" FROM singer'
    world.questions([{"id": f"q{HOSTILE}", "question": HOSTILE, "gold": gold}])
    world.answers({f"q{HOSTILE}": f"```sql\nSELECT '{HOSTILE}' FROM nowhere -- {HOSTILE}\n```"})
    tape = {"adapter": "replay", "model": "tape", "settings": {"path": "answers.jsonl"}, "label": HOSTILE}
    assert world.run("run", world.experiment(models=[tape])) == 0
    assert world.run(*arguments) == 0
    shown = capsys.readouterr()
    assert not set("\x1b\x07\x9b") & set(shown.out + shown.err)
    assert "\\x1b[2J" in shown.out


def test_runs_list(world: World, group: str, capsys: Capture) -> None:
    assert world.run("runs", "list") == 0
    shown = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in shown] == ["run", f"{group}-01", f"{group}-02"]
    assert "finished" in shown[1]
    assert world.run("runs", "list", "--json") == 0
    rows = json.loads(capsys.readouterr().out)
    assert [(row["run_id"], row["status"], row["questions"]) for row in rows] == [
        (f"{group}-01", "finished", 4),
        (f"{group}-02", "finished", 4),
    ]


def test_runs_list_where_there_are_none(world: World, capsys: Capture) -> None:
    assert world.run("runs", "list") == 0
    shown = capsys.readouterr()
    assert (shown.out, shown.err) == ("", "no runs in runs; start with `sqlassay demo` or `sqlassay run`\n")
    assert world.run("runs", "list", "--json") == 0
    assert json.loads(capsys.readouterr().out) == []


def test_runs_show(world: World, group: str, capsys: Capture) -> None:
    assert world.run("runs", "show", f"{group}-01") == 0
    shown = capsys.readouterr().out
    for text in (group, "zero_shot@1", "jsonl", "sqlassay", "sqlite", "seconds 30.0", "trial.yaml sha256 "):
        assert text in shown
    assert world.run("runs", "show", group, "--json") == 0
    first, second = json.loads(capsys.readouterr().out)
    assert (first["cell"], second["cell"], first["cells"]) == (1, 2, 2)


MISTAKES = {
    "unknown run": (["report", "trail-1"], "runs: unknown run 'trail-1' ("),
    "unknown run to show": (["runs", "show", "nope"], "runs: unknown run 'nope' ("),
    "no runs": (["report", "--runs", "nothing"], "nothing: there are no runs yet (start with `sqlassay demo`)"),
    "unknown dataset": (["datasets", "show", "spdier:x"], "unknown dataset format 'spdier' (did you mean 'spider'?)"),
    "no dataset": (["datasets", "show", "jsonl"], "dataset 'jsonl' is not of the form FORMAT:PATH (such as spider:"),
    "no file": (["datasets", "show", "jsonl:nope.jsonl"], "nope.jsonl: no such file or folder ("),
}


@pytest.mark.parametrize(("arguments", "expected"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_one_line(arguments: list[str], expected: str, world: World, group: str, capsys: Capture) -> None:
    assert world.run(*arguments) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith(f"error: {expected}")
    assert shown.err.count("\n") == 1


def test_another_programs_manifest_is_named(world: World, group: str, capsys: Capture) -> None:
    (world.runs / "web").mkdir()
    (world.runs / "web" / "manifest.json").write_text('{"name": "my app"}')
    assert world.run("runs", "list") == 2
    assert "runs/web/manifest.json: is not the manifest of a run of sqlassay" in capsys.readouterr().err


def test_a_damaged_record_is_named(world: World, group: str, capsys: Capture) -> None:
    items = Path("runs") / f"{group}-01" / "items.jsonl"
    lines = items.read_bytes().splitlines(keepends=True)
    items.write_bytes(lines[0] + b"garbage\n" + b"".join(lines[1:]))
    assert world.run("report", group) == 2
    shown = capsys.readouterr()
    assert shown.err.startswith(f"error: runs/{group}-01/items.jsonl:2: not JSON: ")
    assert shown.err.count("\n") == 1


def test_datasets_list(world: World, capsys: Capture) -> None:
    assert world.run("datasets", "list") == 0
    table = capsys.readouterr().out
    assert world.run("datasets", "list", "--json") == 0
    rows = json.loads(capsys.readouterr().out)
    named = ["bird", "cosql", "csv", "defog", "jsonl", "langfuse", "sparc", "spider", "spider2"]
    assert [row["format"] for row in rows] == named
    assert all(row["what"] and row["package"] == "sqlassay" for row in rows)
    assert all(row["what"] in table for row in rows)


def test_datasets_show(world: World, capsys: Capture) -> None:
    world.questions([{"id": "a", "difficulty": "easy"}, {"id": "b", "gold": []}, {"id": "c", "db_id": "elsewhere"}])
    assert world.run("datasets", "show", "jsonl:questions.jsonl", "--json") == 0
    content = json.loads(capsys.readouterr().out)
    assert (content["questions"], content["without_gold"]) == (3, 1)
    assert content["difficulty"] == {"easy": 1, "not graded": 2}
    assert content["databases"] == [
        {"db_id": "elsewhere", "questions": 1, "engines": "missing"},
        {"db_id": "show", "questions": 2, "engines": "sqlite"},
    ]
    assert world.run("datasets", "show", "jsonl:questions.jsonl") == 0
    shown = capsys.readouterr().out
    assert "questions.jsonl: 3 questions, 1 without gold" in shown
    assert "difficulty: easy 1, not graded 2" in shown


def test_plugins(world: World, capsys: Capture) -> None:
    assert world.run("plugins", "--json") == 0
    rows = json.loads(capsys.readouterr().out)
    found = {(row["kind"], row["name"]) for row in rows if row["package"] == "sqlassay"}
    assert {
        ("strategy", "execution_match"),
        ("convention", "sqlassay"),
        ("convention", "bird"),
        ("adapter", "openai"),
        ("adapter", "replay"),
        ("backend", "sqlite"),
        ("backend", "duckdb"),
        ("dataset format", "spider"),
    } <= found
    assert world.run("plugins") == 0
    shown = capsys.readouterr().out
    assert all(row["target"] in shown for row in rows)

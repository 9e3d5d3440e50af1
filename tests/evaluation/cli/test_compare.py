"""`sqlassay compare`: runs, groups and files of predictions against each other, and every mistake in one line."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.evaluation.world import GOLD, SQLASSAY, World

Capture = pytest.CaptureFixture[str]

WRONG = "SELECT count(*) + 1 FROM singer"
DATASET = ("--dataset", "jsonl:questions.jsonl")


def questions(world: World, number: int = 12) -> None:
    world.questions({"id": f"q{n}", "difficulty": "easy" if n < 6 else "hard"} for n in range(number))


def predictions(name: str, marks: str) -> Path:
    """One statement per mark: right, wrong, broken, or none."""
    sql = {"+": GOLD, "-": WRONG, "!": "SELECT count(* FROM singer", " ": ""}
    Path(name).write_text("".join(f"{sql[mark]}\n" for mark in marks))
    return Path(name)


@pytest.fixture
def world(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.chdir(world.folder)
    questions(world)
    return world


def compare(world: World, *arguments: str | Path, workers: bool = True) -> int:
    return world.run("compare", *arguments, "-q", *(("--workers", "1") if workers else ()))


def compared(world: World, capsys: Capture, *arguments: str | Path) -> list[dict[str, Any]]:
    capsys.readouterr()
    assert compare(world, *arguments, "--json") == 0
    told: list[dict[str, Any]] = json.loads(capsys.readouterr().out)["comparisons"]
    return told


def replay(model: str) -> dict[str, object]:
    return {"adapter": "replay", "model": model, "settings": {"path": "answers.jsonl"}}


def made(world: World, answers: str, **changes: object) -> Path:
    """A finished run, of answers that are right or wrong."""
    world.answers({f"q{n}": f"```sql\n{GOLD if mark == '+' else WRONG}\n```" for n, mark in enumerate(answers)})
    before = set(world.run_folders())
    assert world.run("run", world.experiment(**changes), "-q") == 0
    (folder,) = set(world.run_folders()) - before
    return folder


def test_two_files(world: World, capsys: Capture) -> None:
    a, b = predictions("a.sql", "++++--------"), predictions("b.sql", "+++-++++++++")
    assert compare(world, a, b, *DATASET) == 0
    shown = capsys.readouterr().out
    # 8 coins to 1: 2 · (1 + 9) / 2⁹
    assert shown.startswith("b.sql is better than a.sql by 58.3 points (95 % interval ")
    assert ", p = 0.039)\n" in shown.splitlines(keepends=True)[0]
    used = ["a.sql", "100.0", "%", "100.0", "%", "100.0", "%", "100.0", "%", "12", "0", "0", "0"]
    assert used in [line.split() for line in shown.splitlines()]
    assert "only b.sql is right: 8, 5 of them here; --flips all shows all" in shown
    assert "only a.sql is right: 1\n" in shown
    assert f"wrong rows, 1 row of 1 in the gold: {WRONG}" in shown
    assert "[[3]] of 1" in shown
    assert "[[4]] of 1" in shown


def test_a_narrow_terminal_cuts_off_no_number(world: World) -> None:
    a, b = (
        predictions(f"a-long-name-of-a-system-{name}.sql", marks) for name, marks in (("a", 12 * "-"), ("b", 12 * "+"))
    )
    narrow = subprocess.run(
        [SQLASSAY, "compare", a, b, *DATASET, "-q"],
        env={**os.environ, "COLUMNS": "50"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    shown = [line.split() for line in narrow.splitlines()]
    assert [line[-3:] for line in shown if line[-1:] == ["p95"]] == [["p50", "/", "p95"]]
    assert ["difficulty", "questions", "A", "B", "difference", "interval", "(Holm)"] in shown
    assert sum(line[-4:] == ["12", "0", "0", "0"] for line in shown) == 2
    assert "a-long-name-" in narrow


def test_one_is_one(world: World, capsys: Capture) -> None:
    questions(world, 1)
    assert compare(world, predictions("a.sql", "-"), predictions("b.sql", "+"), *DATASET) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("no difference shown between b.sql and a.sql; with 1 paired question none could have been")
    assert "\n1 question would show nothing in 4 of 5 cases; to show 100.0 points takes 6\n" in shown
    assert "\neach slice is compared as the whole is; there is one\n" in shown


def test_everything_is_in_the_json(world: World, capsys: Capture) -> None:
    a, b = predictions("a.sql", "++++--------"), predictions("b.sql", "+++!++++ +++")
    (told,) = compared(world, capsys, a, b, *DATASET)
    assert told["verdict"].startswith("no difference shown between b.sql and a.sql; with 12 paired questions you")
    assert (told["both_right"], told["only_baseline"], told["only_candidate"], told["both_wrong"]) == (3, 1, 7, 1)
    assert told["p"] == told["p_mcnemar"] == pytest.approx(2 * 9 / 2**8)
    assert [told["baseline"]["accuracy"]["correct"], told["candidate"]["accuracy"]["correct"]] == [4, 10]
    assert told["candidate"]["accuracy"]["interval_95"] == pytest.approx([0.5520, 0.9530], abs=1e-4)  # Wilson, 10/12
    assert told["partings"] == [
        {"baseline": "wrong_rows", "candidate": "match", "answers": 7},
        {"baseline": "match", "candidate": "syntax", "answers": 1},
    ]
    (lost,) = told["flips"]["only_baseline"]
    assert (lost["id"], lost["gold"], lost["candidate"]["sql"]) == ("q3", [GOLD], "SELECT count(* FROM singer")
    assert "syntax error" in lost["candidate"]["evidence"]["message"]
    assert told["flips"]["only_candidate"][0]["baseline"]["evidence"] == {
        "missing": [[3]],
        "extra": [[4]],
        "missing_rows": 1,
        "extra_rows": 1,
    }
    assert told["sliced_by"] == "difficulty"
    assert [(part["slice"], part["questions"], part["difference"]) for part in told["slices"]] == [
        ("easy", 6, pytest.approx(1 / 6)),
        ("hard", 6, pytest.approx(5 / 6)),
    ]
    tables = told["tables"]["candidate"]
    assert (tables["answers"], tables["without_sql"], tables["unread"]) == (10, 1, 1)
    assert told["spending"]["baseline"]["cost"] is None
    assert told["spending"]["baseline"]["generation_seconds"] is None
    assert told["spending"]["baseline"]["execution_seconds"]["times"] == 12
    assert told["repeats"] is None


@pytest.mark.parametrize(("flips", "listed"), [("all", 8), ("3", 3), ("0", 0)])
def test_as_many_flips_as_wanted(flips: str, listed: int, world: World, capsys: Capture) -> None:
    a, b = predictions("a.sql", "----++++++++"), predictions("b.sql", "++++++++++++")
    predictions("c.sql", "------------")
    assert compare(world, "c.sql", b, *DATASET, "--flips", "0") == 0
    assert "--flips all shows all" in capsys.readouterr().out
    assert compare(world, "c.sql", a, *DATASET, "--flips", flips) == 0
    shown = capsys.readouterr().out
    assert shown.count("  [show]") == listed
    assert ("--flips all shows all" in shown) == (listed < 8)


def test_several_candidates_are_corrected_together(world: World, capsys: Capture) -> None:
    files = [predictions("a.sql", "-" * 12), predictions("b.sql", "+" * 12), predictions("c.sql", "++++++------")]
    told = compared(world, capsys, *files, *DATASET)
    assert [one["baseline"]["name"] for one in told] == ["a.sql", "a.sql"]
    assert [one["candidate"]["name"] for one in told] == ["b.sql", "c.sql"]
    assert [one["p"] for one in told] == pytest.approx([2 / 2**12, 2 / 2**6])
    assert [one["p_holm"] for one in told] == pytest.approx([4 / 2**12, 2 / 2**6])
    # Of the four slices together: 2 · 6 coins alike three times, and none.
    assert [part["p_holm"] for one in told for part in one["slices"]] == pytest.approx([4 * 2 / 2**6] * 3 + [1])
    assert compare(world, *files, *DATASET) == 0
    shown = capsys.readouterr().out
    assert "where the differences come from: --by KEY and --flips N" in shown
    assert "difficulty" not in shown
    assert compare(world, *files, *DATASET, "--by", "db_id", "--flips", "1") == 0
    shown = capsys.readouterr().out
    assert "p is corrected for 2 slices of all comparisons (Holm)" in shown
    assert "where the differences come from" not in shown


def test_files_of_one_name(world: World, capsys: Capture) -> None:
    for folder, marks in (("old", "-" * 12), ("new", "+" * 12)):
        Path(folder).mkdir()
        predictions(f"{folder}/p.sql", marks)
    (told,) = compared(world, capsys, "old/p.sql", "new/p.sql", *DATASET)
    assert (told["baseline"]["name"], told["candidate"]["name"]) == ("old/p.sql", "new/p.sql")


def test_a_run_and_a_file_are_scored_in_the_same_way(world: World, capsys: Capture) -> None:
    strategies = [{"strategy": "execution_match", "settings": {"row_order": "ignore"}}, "execution_match:bird"]
    dataset = {"format": "jsonl", "path": "questions.jsonl", "limit": 8}
    folder = made(world, "++++--------", strategies=strategies, dataset=dataset)
    file = predictions("b.sql", "++++++++++++")
    for label in ("execution_match", "execution_match:bird"):
        (told,) = compared(world, capsys, folder, file, *DATASET, "--strategy", label)
        assert (told["strategy"], told["pairs"], told["only_candidate"]) == (label, 8, 4)
    (told,) = compared(world, capsys, file, folder.name, *DATASET, "--runs", world.runs)
    assert (told["strategy"], told["only_baseline"]) == ("execution_match", 4)
    assert told["spending"]["candidate"]["tokens"]["asked"] == 8
    assert compare(world, folder, file, *DATASET, "--convention", "bird", "--limit", "7") == 2
    assert "b.sql is not compared with zero_shot@1 · tape: another selection (" in capsys.readouterr().err


def test_a_group_its_name_its_runs_and_their_folder_are_the_same(world: World, capsys: Capture) -> None:
    made(world, "++++++++++++", name="earlier")
    models = [
        {"adapter": "replay", "model": name, "settings": {"path": f"{name}.jsonl"}} for name in ("one", "two", "three")
    ]
    for right, name in ((4, "one"), (8, "two"), (12, "three")):
        world.answers({f"q{n}": GOLD if n < right else WRONG for n in range(12)}).rename(f"{name}.jsonl")
    world.answers({})
    assert world.run("run", world.experiment(models=models, name="new"), "-q") == 0
    group = [path for path in world.run_folders() if path.name.startswith("new")]
    name = group[0].name.rpartition("-")[0]
    runs = ("--runs", world.runs)
    told = [compared(world, capsys, *sides, *runs) for sides in ([name], ["latest"], group, [p.name for p in group])]
    assert [one["candidate"]["name"] for one in told[0]] == ["two", "three"]
    assert told[0] == told[1] == told[2] == told[3]
    alone = world.folder / "alone"
    alone.mkdir()
    for path in group:
        path.rename(alone / path.name)
    assert compared(world, capsys, alone) == told[0]


def test_repeats(world: World, capsys: Capture) -> None:
    for name, marks in (("a", ("++--", "+---")), ("b", ("++++", "++-+"))):
        answers = [
            {"question_id": f"q{n}", "repeat": repeat, "answer": GOLD if mark == "+" else WRONG}
            for repeat, row in enumerate(marks)
            for n, mark in enumerate(row)
        ]
        Path(f"{name}.jsonl").write_text("".join(f"{json.dumps(answer)}\n" for answer in answers))
    questions(world, 4)
    models = [{"adapter": "replay", "model": name, "settings": {"path": f"{name}.jsonl"}} for name in "ab"]
    assert world.run("run", world.experiment(models=models, repeats=2), "-q") == 0
    (told,) = compared(world, capsys, "latest", "--runs", world.runs)
    assert (told["questions"], told["pairs"]) == (4, 8)
    a, b = told["repeats"]["baseline"], told["repeats"]["candidate"]
    assert (a["pass_at"]["2"]["value"], a["pass_hat"]["2"]["value"], a["flip_rate"]) == (0.5, 0.25, 0.25)
    assert (b["pass_at"]["2"]["value"], b["pass_hat"]["2"]["value"], b["flip_rate"]) == (1, 0.75, 0.25)
    assert a["flip_rates"] == {"q0": 0, "q1": 1, "q2": 0, "q3": 0}
    assert a["variance"]["within"] == pytest.approx(0.125)  # one question of four has one of each: 2 · ½ · ½ / 4
    assert compare(world, "latest", "--runs", world.runs) == 0
    shown = capsys.readouterr().out
    rows = [line.split() for line in shown.splitlines()]
    assert ["repeats", "pass@2", "pass^2", "rate", "questions", "samples"] in rows
    assert ["b", "100.0", "%", "75.0", "%", "25.0", "%"] in [row[:7] for row in rows]


def test_cost_tokens_and_latency_stand_beside_accuracy(world: World, capsys: Capture) -> None:
    folders = []
    for name, marks in (("cheap", "+" * 6 + "-" * 6), ("dear", "+" * 12)):
        folder = made(world, marks, models=[replay(name)])
        items = [json.loads(line) for line in (folder / "items.jsonl").read_text().splitlines()]
        for number, item in enumerate(sorted(items, key=lambda item: int(item["position"]))):
            item["answer"] |= {"input_tokens": 100, "output_tokens": 10, "cost": 0.5, "seconds": 1.0 + number}
        (folder / "items.jsonl").write_text("".join(f"{json.dumps(item)}\n" for item in items))
        folders.append(folder)
    (told,) = compared(world, capsys, *folders)
    cheap = told["spending"]["baseline"]
    assert (cheap["cost"], cheap["cost_per_correct"]) == (6, 1)
    assert (cheap["tokens"]["input"], cheap["tokens"]["output"]) == (1200, 120)
    assert cheap["generation_seconds"] == {"p50": 6, "p95": 12, "times": 12}
    assert compare(world, *folders) == 0
    row = ["dear", "100.0", "%", "6.0000", "0.50000", "1,200", "120", "6.0", "s", "/", "12.0", "s"]
    assert row in [line.split()[:12] for line in capsys.readouterr().out.splitlines()]


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["a.sql", "b.sql"], "error: a.sql: a file of predictions needs --dataset (such as spider:data/spider)"),
        (["a.sql", *DATASET], "error: a.sql is the only side (name another run, group or file"),
        (["a.sql", "a.sql", *DATASET], "error: a.sql is given twice (name another run or file to compare with)"),
        (["a.sql", "./a.sql", *DATASET], "error: ./a.sql is the same as a.sql, or a part of it ("),
        (["a.sql", "nope", *DATASET], "error: runs: there are no runs yet (start with `sqlassay demo`)"),
        (["a.sql", "nope.sql", *DATASET], "error: nope.sql: there is no such file or folder (name a run, a folder"),
        (["a.sql", "databases", *DATASET], "error: runs: there are no runs yet"),
        (["a.sql", "short.sql", *DATASET], "error: short.sql: has 3 lines, the dataset 12 questions ("),
        (["a.sql", "b.sql", "--dataset", "jsonl:none.jsonl"], "error: none.jsonl: "),
        (["a.sql", "b.sql", "--dataset", "questions.jsonl"], "error: dataset 'questions.jsonl' is not of the form"),
        (
            ["a.sql", "b.sql", *DATASET, "--convention", "birds"],
            "error: unknown convention 'birds' (did you mean 'bird'?",
        ),
        (
            ["a.sql", "b.sql", *DATASET, "--convention", "bird", "--strategy", "x"],
            "error: --strategy: unknown strategy 'x'",
        ),
        (["a.sql", "b.sql", *DATASET, "--by", "model"], "error: --by: unknown slice 'model' (known: db_id, difficulty"),
        (["a.sql", "b.sql", *DATASET, "--flips", "many"], "error: --flips is 'many' (a number, or all)"),
    ],
)
def test_mistakes_are_one_line(arguments: list[str], why: str, world: World, capsys: Capture) -> None:
    predictions("a.sql", "+" * 12)
    predictions("b.sql", "-" * 12)
    predictions("short.sql", "+++")
    assert compare(world, *arguments) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith(why)
    assert shown.err.count("\n") == 1


def test_mistakes_about_runs(world: World, capsys: Capture) -> None:
    folder = made(world, "+" * 12)
    capsys.readouterr()
    for arguments, why in (
        ([folder.name], f"error: {folder.name} is the only side ("),
        ([folder, "latest"], f"error: latest is the same as {folder}, or a part of it ("),
        (["latest", "lates"], f"error: {world.runs}: unknown run 'lates'"),
        (["latest", "--strategy", "bird"], "error: --strategy: unknown strategy 'bird' (known: execution_match)"),
        (["latest", "--convention", "bird"], "error: --convention is for files of predictions, and there is none ("),
        (["latest", "--limit", "3"], "error: --limit is for files of predictions, and there is none ("),
    ):
        assert compare(world, *arguments, "--runs", world.runs) == 2
        shown = capsys.readouterr()
        assert shown.out == ""
        assert shown.err.startswith(why)
        assert shown.err.count("\n") == 1


def test_repeats_of_one_run_are_one_side(world: World, capsys: Capture) -> None:
    world.answers({f"q{n}": GOLD for n in range(12)})
    assert world.run("run", world.experiment(repeats=2), "-q") == 0
    one, other = world.run_folders()
    capsys.readouterr()
    assert compare(world, one, other) == 2
    alike = f"{one.name}, {other.name} are repeats of each other, and one side"
    assert capsys.readouterr().err.startswith(f"error: {alike} (")


def test_no_question_in_common(world: World, capsys: Capture) -> None:
    folders = [made(world, "+" * 12, models=[replay(name)]) for name in "ab"]
    for folder, kept in zip(folders, (slice(0, 6), slice(6, 12)), strict=True):
        lines = (folder / "items.jsonl").read_text().splitlines()
        lines.sort(key=lambda line: int(json.loads(line)["position"]))
        (folder / "items.jsonl").write_text("".join(f"{line}\n" for line in lines[kept]))
    capsys.readouterr()
    assert compare(world, *folders) == 2
    assert capsys.readouterr().err == "error: a and b have no question in common (resume what is not finished)\n"


@pytest.mark.parametrize("json_wanted", [False, True])
def test_nothing_scored(json_wanted: bool, world: World, capsys: Capture) -> None:
    world.questions({"id": f"q{n}", "gold": "SELECT nope FROM singer"} for n in range(12))
    a, b = predictions("a.sql", "+" * 12), predictions("b.sql", "-" * 12)
    assert compare(world, a, b, *DATASET, *(["--json"] if json_wanted else [])) == 1
    shown = capsys.readouterr()
    assert "b.sql is not compared with a.sql: no question has a verdict in both\n" in shown.err
    assert "left out: 12 unscored of a.sql and b.sql (q0, q1, q2, q3, q4 and 7 more)" in shown.err
    assert bool(shown.out) == json_wanted
    if json_wanted:
        assert json.loads(shown.out)["comparisons"][0]["pairs"] == 0


def test_every_reason_against_a_comparison_is_told(world: World, capsys: Capture) -> None:
    one = made(world, "+" * 12, name="one", models=[replay("m")])
    questions(world, 11)
    with closing(sqlite3.connect(world.database)) as connection:
        connection.execute("INSERT INTO singer VALUES (4, 'Dan', 20)")
        connection.commit()
    strategies = [{"strategy": "execution_match", "settings": {"row_order": "ignore"}}]
    other = made(world, "+" * 12, name="two", strategies=strategies)
    capsys.readouterr()
    assert compare(world, one, other) == 2
    assert capsys.readouterr().err == (
        "error: tape is not compared with m: another dataset; other settings of execution_match; other content of the"
        " databases (compare what was measured in the same way)\n"
    )

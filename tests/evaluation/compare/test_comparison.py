"""Runs compared question by question: what is compared with what, over which questions, and how it is told."""

from __future__ import annotations

import csv
import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from evaluation.compare.comparison import compare
from evaluation.compare.notes import notes
from evaluation.compare.screen import comparisons, more
from evaluation.compare.sentence import sentence
from evaluation.run_log import RunFolder
from tests.evaluation.world import GOLD, World

Capture = pytest.CaptureFixture[str]
REASONS = {"+": "match", "-": "wrong_rows", "?": "provider_down"}
"""What a run says of its questions, q0, q1 and so on: right, wrong, unscored; a space is a question not done."""


def run(
    runs: Path,
    marks: str,
    *,
    prompt: str = "a@1",
    model: str = "m",
    backend: str = "sqlite",
    repeat: int = 0,
    group: str = "g",
    status: str = "finished",
    identity: Mapping[str, object] | None = None,
) -> RunFolder:
    """A run as it is on disk."""
    number = 1 + len(list(runs.glob("*"))) if runs.exists() else 1
    folder = runs / f"{group}-{number:02d}"
    folder.mkdir(parents=True)
    manifest = {
        "run_id": folder.name,
        "group": group,
        "cells": 9,
        "title": f"{model} · {prompt} · {backend}",
        "status": status,
        "started": f"2026-01-01T00:00:{number:02d}+00:00",
        "experiment": {"name": "trial"},
        "max_instrument_failures": 1,
        "model_label": model,
        "identity": {
            "dataset": {"format": "jsonl", "sha256": "d", "questions": len(marks)},
            "selection": {"limit": None},
            "prompt": {"ref": prompt, "sha256": "p"},
            "backend": {"name": backend, "engine": "3"},
            "repeat": repeat,
            "strategies": [{"label": "execution_match", "version": "1"}, {"label": "other", "version": "1"}],
            **(identity or {}),
        },
    }
    (folder / "manifest.json").write_text(json.dumps(manifest))
    lines = [
        {
            "id": f"q{number}",
            "position": number,
            "db_id": "show",
            "question": f"How many of number {number}?",
            "sql": f"SELECT {number} -- {prompt}",
            "verdicts": [
                {"strategy": "other", "status": "correct", "score": 1.0, "reason": "match"},
                {
                    "strategy": "execution_match",
                    "status": {"+": "correct", "-": "incorrect", "?": "unscored"}[mark],
                    "score": float(mark == "+"),
                    "reason": REASONS[mark],
                },
            ],
        }
        for number, mark in enumerate(marks)
        if mark != " "
    ]
    # Items finish in any order.
    (folder / "items.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in reversed(lines)))
    return RunFolder(folder)


def compared(*runs: RunFolder) -> list[tuple[str, str, str]]:
    """Where, baseline, candidate of each comparison."""
    return [(one.baseline.where, one.baseline.name, one.candidate.name) for one in compare(runs)]


def test_the_four_counts_and_the_flips(tmp_path: Path) -> None:
    one, other = run(tmp_path, "++--+-+"), run(tmp_path, "+-+-++-", prompt="b@1")
    (found,) = compare([one, other])
    told = found.to_json()
    assert (told["both_right"], told["only_baseline"], told["only_candidate"], told["both_wrong"]) == (2, 2, 2, 1)
    assert (told["questions"], told["pairs"], told["difference"], told["p"], told["p_holm"]) == (7, 7, 0, 1, 1)
    assert told["strategy"] == "execution_match"
    assert [flip["id"] for flip in told["flips"]["only_baseline"]] == ["q1", "q6"]
    assert told["flips"]["only_candidate"][0] == {
        "id": "q2",
        "repeat": 0,
        "db_id": "show",
        "question": "How many of number 2?",
        "gold": [],
        "gold_rows": None,
        "baseline": {"reason": "wrong_rows", "sql": "SELECT 2 -- a@1", "rows": None, "evidence": {}},
        "candidate": {"reason": "match", "sql": "SELECT 2 -- b@1", "rows": None, "evidence": {}},
    }


def test_the_verdict_comes_in_one_sentence(tmp_path: Path) -> None:
    """30 to 10 of 72; without drawing at random, the interval would be 11.0 to 43.0."""
    one = run(tmp_path, "+" * 30 + "-" * 10 + "+" * 32)
    other = run(tmp_path, "-" * 30 + "+" * 10 + "+" * 32, prompt="b@1")
    (worse,), (better,) = compare([one, other]), compare([other, one])
    assert sentence(worse) == "b@1 is worse than a@1 by 27.8 points (95 % interval 10.8 to 43.2, p = 0.002)"
    assert sentence(better) == "a@1 is better than b@1 by 27.8 points (95 % interval 10.8 to 43.2, p = 0.002)"
    assert worse.shown


def test_no_difference_says_what_could_have_been_seen(tmp_path: Path) -> None:
    alike = [run(tmp_path, "+-" * 50), run(tmp_path, "+-" * 50, prompt="b@1")]
    (found,) = compare(alike)
    assert sentence(found) == (
        "no difference shown between b@1 and a@1; with 100 paired questions you could have seen 7.8 points"
    )
    few = [run(tmp_path, "+", group="few"), run(tmp_path, "-", prompt="b@1", group="few")]
    (found,) = compare(few)
    assert sentence(found).endswith("; with 1 paired question none could have been seen")


def test_what_one_could_not_score_is_left_out_and_named(tmp_path: Path) -> None:
    one, other = run(tmp_path, "+?-+?+ "), run(tmp_path, "?++-?-+", prompt="b@1", status="interrupted")
    (found,) = compare([one, other])
    assert (found.pairs, len(found.won), len(found.lost)) == (3, 1, 2)
    assert notes(found) == [
        "left out: 1 unscored of a@1 and b@1 (q4)",
        "left out: 1 unscored of a@1 (q1)",
        "left out: 1 unscored of b@1 (q0)",
        "left out: 1 that b@1 has and a@1 has not",
        "b@1: g-02 is interrupted; compared is what both have",
    ]
    told = found.to_json()
    assert [asked["id"] for asked in told["candidate"]["unscored"]] == ["q0", "q4"]
    assert (told["only_in_baseline"], told["only_in_candidate"]) == (0, 1)


def test_nothing_scored_in_both(tmp_path: Path) -> None:
    runs = [run(tmp_path, "+?"), run(tmp_path, "?-", prompt="b@1"), run(tmp_path, "+-", prompt="c@1")]
    nothing, something = compare(runs)
    assert sentence(nothing) == "b@1 is not compared with a@1: no question has a verdict in both"
    told = nothing.to_json()
    assert (told["p"], told["p_holm"], told["difference"], told["interval_95"]) == (None, None, None, None)
    assert something.comparisons == 1


def test_repeats_are_paired_with_their_like_and_are_no_further_questions(tmp_path: Path) -> None:
    marks = {"a@1": ("+-+--+--", "+-+--+--"), "b@1": ("++++++++", "+++++++-")}
    runs = [
        run(tmp_path, one, prompt=prompt, repeat=repeat)
        for prompt, repeats in marks.items()
        for repeat, one in enumerate(repeats)
    ]
    (found,) = compare(runs)
    assert (found.pairs, len(found.won), len(found.lost)) == (16, 9, 0)
    assert found.paired is not None
    assert dict(found.paired.differences) == {0: 3, 2: 4, 1: 1}
    assert found.adjusted_p == 2 * 0.5**5
    assert sentence(found).startswith(
        "no difference shown between b@1 and a@1; with 8 paired questions, 16 pairs of answers, you could have seen "
    )
    assert [(flip.asked.id, flip.asked.repeat) for flip in found.won][:2] == [("q1", 0), ("q1", 1)]


def test_several_are_each_compared_with_the_first_and_corrected(tmp_path: Path) -> None:
    marks = ("-" * 20 + "+" * 20, "+" * 40, "-" * 13 + "+" * 27, "-" * 18 + "+" * 22)
    runs = [run(tmp_path, one, prompt=f"{name}@1") for name, one in zip("abcd", marks, strict=True)]
    found = compare(runs)
    assert [(one.baseline.name, one.candidate.name) for one in found] == [
        ("a@1", "b@1"),
        ("a@1", "c@1"),
        ("a@1", "d@1"),
    ]
    plain = [one.paired.p for one in found if one.paired is not None]
    assert [one.adjusted_p for one in found] == pytest.approx([3 * plain[0], 2 * plain[1], plain[2]])
    assert [one.shown for one in found] == [True, True, False]
    alone = compare([runs[0], runs[3]])[0].detectable
    assert alone is not None
    assert found[2].detectable is not None
    assert found[2].detectable > alone  # as the strictest of the three tests


def test_of_several_dimensions_the_first_is_compared_in_each_combination_of_the_others(tmp_path: Path) -> None:
    grid = [
        run(tmp_path, "+-", model=model, prompt=prompt, backend=backend)
        for model in "xy"
        for prompt in ("a@1", "b@1")
        for backend in ("sqlite", "duckdb")
    ]
    where = [f"{model} · {backend}" for model in "xy" for backend in ("sqlite", "duckdb")]
    assert compared(*grid) == [(one, "a@1", "b@1") for one in where]
    assert compared(*grid[0:2], *grid[4:6]) == [("sqlite", "x", "y"), ("duckdb", "x", "y")]
    assert compared(*grid[0:2]) == [("", "sqlite", "duckdb")]
    assert compared(grid[0]) == []
    # Picked by hand, more than one thing apart.
    assert compared(grid[0], grid[6]) == [("", "a@1 · x", "b@1 · y")]
    # The other order, the other baseline.
    assert compared(grid[2], grid[0]) == [("", "b@1", "a@1")]


def test_a_prompt_without_history_is_compared_beside_each_history(tmp_path: Path) -> None:
    plain = run(tmp_path, "+-", prompt="a@1")
    gold, own = (run(tmp_path, "++", prompt="b@1", identity={"history": {"by": by}}) for by in ("gold", "own"))
    assert compared(plain, own) == [("", "a@1", "b@1")]
    assert compared(plain, gold, own) == [("gold", "a@1", "b@1"), ("own", "a@1", "b@1")]
    assert compared(gold, own) == [("", "gold", "own")]
    other = run(tmp_path, "++", prompt="b@1", group="new", identity={"history": {"by": "own"}})
    assert compared(plain, other) == [("", "a@1", "b@1 · own")]


def test_runs_of_several_experiments_are_compared_with_the_first(tmp_path: Path) -> None:
    old = run(tmp_path, "+-", group="old")
    again, other = run(tmp_path, "++", group="new"), run(tmp_path, "++", group="new", prompt="b@1")
    assert compared(old, other) == [("", "a@1", "b@1")]
    assert compared(old, again) == [("", "old", "new")]
    assert compared(old, again, other) == [("", "a@1 · old", "a@1 · new"), ("", "a@1 · old", "b@1 · new")]


def test_a_prompt_that_was_changed_under_its_name_is_told(tmp_path: Path) -> None:
    old, new = (
        run(tmp_path, "+-", group=group, identity={"prompt": {"ref": "a@1", "sha256": sha256}})
        for group, sha256 in (("old", "0" * 64), ("new", "1" * 64))
    )
    (found,) = compare([old, new])
    assert notes(found) == ["a@1 was not the same prompt in old and new: sha256 000000000000 and 111111111111"]
    (found,) = compare([old, run(tmp_path, "+-", prompt="b@1")])
    assert notes(found) == []


@pytest.mark.parametrize(
    ("identity", "why"),
    [
        ({"dataset": {"format": "jsonl", "sha256": "other", "questions": 2}}, "another dataset"),
        ({"selection": {"limit": 3}}, "another selection"),
        ({"strategies": [{"label": "execution_match", "version": "2"}]}, "other settings of execution_match"),
        ({"strategies": [{"label": "other", "version": "1"}]}, "no verdicts of execution_match, only of other"),
    ],
)
def test_what_cannot_be_compared_is_not(identity: dict[str, object], why: str, tmp_path: Path) -> None:
    (found,) = compare([run(tmp_path, "+-"), run(tmp_path, "++", prompt="b@1", group="h", identity=identity)])
    assert sentence(found) == f"b@1 is not compared with a@1: {why}"
    assert found.to_json()["not_compared"] == why
    assert more([found], "sqlassay") == ""


def test_it_fits_a_hundred_columns(tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    from evaluation.cli.screen import Screen

    long = "provider/family-of-models-with-a-long-name-2026-01-01"
    runs = [run(tmp_path, "-" * 900 + "+" * 900, model=f"{long}-{size}") for size in ("small", "large")]
    runs.append(run(tmp_path, "+" * 850 + "-" * 850 + "+" * 100, model=f"{long}-larger"))
    for found in (compare(runs), compare(runs[1:])):
        screen = Screen(width=100)
        for part in comparisons(found):
            screen.print(part)
    shown = capsys.readouterr().out.splitlines()
    assert max(map(len, shown)) <= 100
    assert "\x1b" not in "".join(shown)
    assert sum("wrong rows  How many of number" in line for line in shown) == 10
    numbers = next(line for line in shown if line.split()[-4:] == ["100", "800", "850", "50"])
    assert "+2.8" in numbers


TWO = ("zero_shot@1", "short@1")


def prepare(world: World) -> Path:
    """An experiment on two prompts: of 12 questions, the second has 8 right that the first has not."""
    world.questions(12)
    folder = world.folder / "prompts" / "short"
    folder.mkdir(parents=True)
    (folder / "v1.yaml").write_text(
        "name: short\nversion: 1\ndescription: Short.\noutput: sql_block\nstop: []\n"
        "messages: [{role: user, content: '{{ schema }} {{ question }}'}]\n"
    )
    lines = [
        {"question_id": f"q{n}", "prompt": prompt, "answer": GOLD if prompt == TWO[1] or n < 4 else "SELECT 'x'"}
        for prompt in TWO
        for n in range(12)
    ]
    (world.folder / "answers.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    return world.experiment(prompts=list(TWO), prompt_folders=["prompts"])


# 12 questions and one more for either side, drawn again: 3/14 to 12/14 (the formula says 24.5 to 89.8); p is 2/2⁸
VERDICT = "short@1 is better than zero_shot@1 by 66.7 points (95 % interval 21.4 to 85.7, p = 0.008)"


def test_one_command_from_two_prompts_to_the_better_one(world: World, capsys: Capture) -> None:
    path = prepare(world)
    assert world.run("run", path, "-q") == 0
    at_the_end = capsys.readouterr()
    assert VERDICT in at_the_end.out
    assert "only short@1 is right: 8, 5 of them here" in at_the_end.out
    assert "  q4  wrong rows  Question q4?" in at_the_end.out.splitlines()
    one, other = world.run_folders()
    assert f"sqlassay compare {one} {other}\n" in at_the_end.err

    group = one.name.removesuffix("-01")
    told = []
    for names in ([group], [one.name, other.name], [one.name, group], []):
        assert world.run("report", *names, "--runs", world.runs, "--json") == 0
        told.append(json.loads(capsys.readouterr().out)["comparisons"])
    assert told[0] == told[1] == told[2] == told[3]
    ((only,),) = [told[0]]
    assert [flip["id"] for flip in only["flips"]["only_candidate"]] == [f"q{n}" for n in range(4, 12)]
    assert world.run("report", one, other) == 0
    assert VERDICT in capsys.readouterr().out
    assert world.run("compare", one, other) == 0
    assert capsys.readouterr().out.startswith(f"{VERDICT}\n")
    assert world.run("report", other, one) == 0
    assert VERDICT.replace("short@1 is better than zero_shot@1", "zero_shot@1 is worse than short@1") in (
        capsys.readouterr().out
    )


def test_two_databases_of_one_engine_are_no_repeats_of_each_other(world: World, capsys: Capture) -> None:
    """Such as two versions of a server: told apart by their labels, by the comparison and by the gate."""
    shutil.copytree(world.folder / "databases", world.folder / "newer")
    backends = [
        {"backend": "sqlite", "target": f"{world.folder}/databases/{{db_id}}/{{db_id}}.sqlite", "label": "old"},
        {"backend": "sqlite", "target": f"{world.folder}/newer/{{db_id}}/{{db_id}}.sqlite", "label": "new"},
    ]
    world.questions(8)
    world.answers({f"q{number}": GOLD for number in range(8)})
    assert world.run("run", world.experiment(backends=backends), "-q") == 0
    assert "no difference shown between new and old; with 8 paired questions" in capsys.readouterr().out
    assert world.run("gate", "--runs", world.runs, "--json") == 0
    usable = [one for one in json.loads(capsys.readouterr().out)["rules"] if one["rule"] == "usable"]
    assert [(one["cell"], "8 of 8 answers" in one["words"]) for one in usable] == [
        ("tape · zero_shot@1 · old", True),
        ("tape · zero_shot@1 · new", True),
    ]


def test_an_interrupted_run_is_compared_as_far_as_it_got(world: World, capsys: Capture) -> None:
    path = prepare(world)
    assert world.run("run", path, "-q", "--json") == 0
    before = json.loads(capsys.readouterr().out)["comparisons"]
    _, other = world.run_folders()
    manifest: dict[str, Any] = json.loads((other / "manifest.json").read_text())
    (other / "manifest.json").write_text(json.dumps({**manifest, "status": "interrupted"}))
    lines = (other / "items.jsonl").read_text().splitlines(keepends=True)
    (other / "items.jsonl").write_text("".join(lines[:9]))
    assert world.run("report", "--runs", world.runs) == 0
    shown = capsys.readouterr().out
    assert "left out: 3 that zero_shot@1 has and short@1 has not" in shown
    assert f"short@1: {other.name} is interrupted; compared is what both have" in shown
    assert world.run("run", path, "--resume", "-q", "--json") == 0
    assert json.loads(capsys.readouterr().out)["comparisons"] == before


REAL = [
    # What only either has right, and statsmodels 0.14, `mcnemar(exact=True)`.
    ("codes-1b_sft", "codes-15b_sft", 26, 89, 2.9523783298817333e-09),
    ("graphix-t5_dail-repo", "codes-1b_sft", 85, 60, 0.04587706851008294),
    ("dail-sql_gpt4_sc", "codes-15b_sft", 66, 76, 0.4502079923492317),
]


@pytest.mark.data
@pytest.mark.parametrize(("one", "other", "only_a", "only_b", "p"), REAL)
def test_real_systems(one: str, other: str, only_a: int, only_b: int, p: float, tmp_path: Path) -> None:
    """By the official verdicts of Spider's test suite on 972 questions."""
    path = Path(os.environ["SQLASSAY_DATA"]) / "spider" / "convention_verdicts.csv"
    marks = {one: "", other: ""}
    with path.open(newline="") as file:
        for row in csv.DictReader(file):
            if row["system"] in marks:
                marks[row["system"]] += "+" if row["spider"] == "1" else "-"
    (found,) = compare([run(tmp_path, marks[name], model=name) for name in (one, other)])
    assert (found.pairs, len(found.lost), len(found.won)) == (972, only_a, only_b)
    assert found.adjusted_p == pytest.approx(p, rel=1e-8)

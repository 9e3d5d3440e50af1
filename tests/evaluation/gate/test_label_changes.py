"""Changes of questions: refused, drafted, reviewed, compared without them, and in the end settled."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from evaluation.gate.snapshot import digest_of
from tests.evaluation.gate.nights import forget, night
from tests.evaluation.world import GOLD, World

Capture = pytest.CaptureFixture[str]
OTHER = "SELECT count(*) FROM singer WHERE 1"
REVIEWED = {"reviewed_by": "Ann", "reason": "The gold was wrong."}


def gate(world: World, *arguments: str | Path) -> int:
    return world.run("gate", "--runs", world.runs, *arguments)


def review(path: Path, entries: list[dict[str, Any]] | None = None) -> Path:
    """Sign the entries of a draft, or write these."""
    if entries is None:
        entries = [{**entry, **REVIEWED} for entry in yaml.safe_load(path.read_text())["changes"]]
    path.write_text(yaml.safe_dump({"changes": entries}))
    return path


KINDS = {
    # golds of the second night, marks of the second night, words, kind, id
    "gold": ({"q1": OTHER}, "++++++++", "1 gold has changed: q1", "gold_changed", "q1"),
    "golds": ({"q1": [GOLD, OTHER]}, "++++++++", "1 gold has changed: q1", "gold_changed", "q1"),
    "removed": ({}, "+++++++", "1 question has vanished: q7", "removed", "q7"),
    "added": ({}, "+++++++++", "1 question is new: q8", "added", "q8"),
}


@pytest.mark.parametrize("index_only", [False, True], ids=["folder", "index"])
@pytest.mark.parametrize(("golds", "marks", "words", "kind", "question"), KINDS.values(), ids=KINDS)
def test_from_the_refusal_to_the_night_after(
    golds: dict[str, Any],
    marks: str,
    words: str,
    kind: str,
    question: str,
    index_only: bool,
    world: World,
    capsys: Capture,
) -> None:
    of_before = "SELECT 3"
    before = night(world, "++++++++", {"q1": of_before})
    assert gate(world, "--promote") == 0
    golds = {"q1": of_before, **golds}
    now = night(world, marks, golds)
    if index_only:
        forget(before)
    against = "latest-green" if index_only else str(before)
    capsys.readouterr()
    assert gate(world, now, "--baseline", against) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert f"error: the baseline {before.name} cannot be compared with: {words} (draft their review" in shown.err

    draft = world.folder / "label_changes.yaml"
    assert gate(world, now, "--baseline", against, "--write-label-changes", draft) == 0
    assert f"wrote {draft}: 1 change to review" in capsys.readouterr().err
    (entry,) = yaml.safe_load(draft.read_text())["changes"]
    assert (entry["id"], entry["kind"], entry["reviewed_by"], entry["reason"]) == (question, kind, "", "")
    if kind == "gold_changed":
        assert entry["now"] == golds[question]
        assert entry["was"] == (f"sha256:{digest_of([of_before])}" if index_only else of_before)
    assert gate(world, now, "--baseline", against) == 2
    assert re.search(r"label_changes.yaml:\d+: .* is not reviewed: `reviewed_by` is empty \(", capsys.readouterr().err)

    review(draft)
    assert gate(world, now, "--baseline", against, "--promote") == 0
    told = capsys.readouterr().out
    assert f"of {8 if kind == 'added' else 7} paired answers 0 lost, 0 won; left out: 1 changed" in told
    assert gate(world, now, "--baseline", against if not index_only else "none", "--write-label-changes", "x.yaml") == 0
    assert "no change is left to review; nothing is written" in capsys.readouterr().err

    # The night after: the baseline is of after the change, and the entry is done with.
    night(world, marks, golds)
    assert gate(world) == 0
    assert f"label_changes.yaml: the baseline is of after these changes, whose entries can go: {question}" in (
        capsys.readouterr().out
    )


def test_another_question_under_an_old_id(world: World, capsys: Capture) -> None:
    before = night(world, "+++")
    lines = (world.folder / "questions.jsonl").read_text().replace("Question q1?", "What is it?")
    (world.folder / "questions.jsonl").write_text(lines)
    assert world.run("run", world.folder / "trial.yaml", "-q") == 0
    (now,) = set(world.run_folders()) - {before}
    capsys.readouterr()
    assert gate(world, now, "--baseline", before) == 2
    assert "1 question has changed: q1 (" in capsys.readouterr().err
    draft = world.folder / "draft.yaml"
    assert gate(world, now, "--baseline", before, "--write-label-changes", draft) == 0
    (entry,) = yaml.safe_load(draft.read_text())["changes"]
    assert (entry["was"], entry["now"]) == (["show", "Question q1?", ""], ["show", "What is it?", ""])
    assert gate(world, now, "--baseline", before, "--label-changes", review(draft)) == 0


def test_other_files_with_the_same_questions(world: World, capsys: Capture) -> None:
    before = night(world, "+++")
    path = world.folder / "questions.jsonl"
    path.write_text(path.read_text().replace('"db_id"', '"difficulty": "easy", "db_id"'))
    assert world.run("run", world.folder / "trial.yaml", "-q") == 0
    (now,) = set(world.run_folders()) - {before}
    capsys.readouterr()
    assert gate(world, now, "--baseline", before) == 2
    assert "the files of the dataset have changed, and no question has (" in capsys.readouterr().err
    draft = world.folder / "draft.yaml"
    assert gate(world, now, "--baseline", before, "--write-label-changes", draft) == 0
    assert gate(world, now, "--baseline", before, "--label-changes", review(draft)) == 0


def test_many_changes_are_ten_ids_and_a_number(world: World, capsys: Capture) -> None:
    before = night(world, 13 * "+")
    now = night(world, 12 * "+", {f"q{n}": OTHER for n in range(12)})
    capsys.readouterr()
    assert gate(world, now, "--baseline", before) == 2
    shown = capsys.readouterr().err
    assert (
        "12 golds have changed: q0, q1, q2, q3, q4, q5, q6, q7, q8, q9 and 2 more; 1 question has vanished: q12 ("
        in (shown)
    )
    assert shown.count("\n") == 1
    # Nothing to pair is nothing judged, and said.
    draft = world.folder / "draft.yaml"
    assert gate(world, now, "--baseline", before, "--write-label-changes", draft) == 0
    assert gate(world, now, "--baseline", before, "--label-changes", review(draft)) == 0
    assert "not judged  drop                     no question is scored in both; left out: 13 changed" in (
        capsys.readouterr().out
    )


def test_a_draft_replaces_no_file(world: World, capsys: Capture) -> None:
    before, now = night(world, "++"), night(world, "++", {"q1": OTHER})
    draft = world.folder / "draft.yaml"
    draft.write_text("mine")
    capsys.readouterr()
    assert gate(world, now, "--baseline", before, "--write-label-changes", draft) == 2
    assert "draft.yaml: is there already (name another file" in capsys.readouterr().err
    assert draft.read_text() == "mine"


def test_a_draft_takes_in_only_what_is_not_reviewed(world: World) -> None:
    before, now = night(world, "+++"), night(world, "+++", {"q1": OTHER, "q2": OTHER})
    one = {"id": "q1", "kind": "gold_changed", "was": GOLD, "now": OTHER, **REVIEWED}
    labels = review(world.folder / "labels.yaml", [one])
    draft = world.folder / "draft.yaml"
    arguments = (now, "--baseline", before, "--label-changes", labels)
    assert gate(world, *arguments) == 2
    assert gate(world, *arguments, "--write-label-changes", draft) == 0
    assert [entry["id"] for entry in yaml.safe_load(draft.read_text())["changes"]] == ["q2"]


RIGHT: dict[str, Any] = {"id": "q1", "kind": "gold_changed", "was": GOLD, "now": OTHER, **REVIEWED}
WRONG: dict[str, tuple[object, str]] = {
    "unknown id": (
        [RIGHT, {**RIGHT, "id": "q9"}],
        "stale entry: nothing of the kind gold_changed as it",
    ),
    "unknown removed": (
        [RIGHT, {"id": "q9", "kind": "removed", "was": GOLD, **REVIEWED}],
        "stale entry: nothing of the kind removed as it says has become of question 'q9'",
    ),
    "another now": ([{**RIGHT, "now": "SELECT 1"}], "1 gold has changed: q1 ("),
    "another was": ([{**RIGHT, "was": 64 * "0"}], "1 gold has changed: q1 ("),
    "another kind": ([{**RIGHT, "kind": "question_changed"}], "1 gold has changed: q1 ("),
    "files have not": (
        [RIGHT, {"kind": "files_changed", "was": 64 * "0", "now": 64 * "1", **REVIEWED}],
        "has become of the dataset's files (delete the entry",
    ),
    "no reviewer": (
        [{**RIGHT, "reviewed_by": " "}],
        "labels.yaml:2: gold_changed of q1: is not reviewed: `",
    ),
    "reviewer left out": ([{k: v for k, v in RIGHT.items() if k != "reviewed_by"}], "`reviewed_by` is empty (who has"),
    "no reason": ([{**RIGHT, "reason": None}], "gold_changed of q1: is not reviewed: `reason` is empty (why is"),
    "twice": ([RIGHT, dict(RIGHT)], "labels.yaml:8: q1: is there twice (delete one)"),
    "no was": (
        [{k: v for k, v in RIGHT.items() if k != "was"}],
        "gold_changed of q1: lacks `was` (it is told by",
    ),
    "too much": ([{**RIGHT, "kind": "removed"}], "removed of q1: has `now` (it is told by id and was)"),
    "a typo": ([{**RIGHT, "reviewd_by": "x"}], "unknown key in changes.0: 'reviewd_by' (did you mean 'reviewed_by'?)"),
    "unknown kind": ([{**RIGHT, "kind": "gone"}], "changes.0.kind: Input should be 'gold_changed', 'question_changed'"),
    "no list": ("q1", "labels.yaml:1: changes: is no list"),
    "no date": ([{**RIGHT, "date": "soon"}], "changes.0.date: Input should be a valid date"),
}


@pytest.mark.parametrize(("entries", "expected"), WRONG.values(), ids=WRONG)
def test_a_wrong_entry_is_one_line(entries: object, expected: str, world: World, capsys: Capture) -> None:
    before, now = night(world, "++"), night(world, "++", {"q1": OTHER})
    labels = world.folder / "labels.yaml"
    labels.write_text(yaml.safe_dump({"changes": entries}, sort_keys=False))
    capsys.readouterr()
    assert gate(world, now, "--baseline", before, "--label-changes", labels) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert expected in shown.err
    assert shown.err.count("\n") == 1


@pytest.mark.parametrize(
    ("was", "now"),
    [
        (GOLD, OTHER),
        (f"  {GOLD}\n", [OTHER]),
        (digest_of([GOLD]), f"sha256:{digest_of([OTHER])}{48 * '0'}"),
    ],
    ids=["texts", "with space, as a list", "digests"],
)
def test_an_entry_names_golds_by_text_or_digest(was: object, now: object, world: World) -> None:
    before, run = night(world, "++"), night(world, "++", {"q1": OTHER})
    entry = {**RIGHT, "was": was, "now": now, "date": "2026-11-20"}
    labels = review(world.folder / "labels.yaml", [entry])
    assert gate(world, run, "--baseline", before, "--label-changes", labels) == 0


def test_a_number_is_an_id(world: World, capsys: Capture) -> None:
    labels = world.folder / "labels.yaml"
    labels.write_text(f"changes:\n- {json.dumps({**RIGHT, 'id': 7})}\n")
    before, now = night(world, "++"), night(world, "++")
    capsys.readouterr()
    assert gate(world, now, "--baseline", before, "--label-changes", labels) == 2
    assert "has become of question '7' (" in capsys.readouterr().err

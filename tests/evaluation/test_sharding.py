"""Shards are the whole, each question in exactly one; merged, they are the run that it would have been as one."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.datasets.base import Question
from evaluation.datasets.selection import Selection
from evaluation.experiment import read_experiment
from evaluation.grid import Grid
from evaluation.groups import new_group
from evaluation.run_log import RunFolder
from evaluation.runs import find_runs, summarise
from evaluation.sharding import Shard
from tests.evaluation.world import GOLD, World, asked, items_of, model_at
from tests.providers.server import ProviderServer

Capture = pytest.CaptureFixture[str]

names = st.text(max_size=8)
questions = st.lists(
    st.builds(
        Question, id=names, text=st.just("?"), db_id=st.just("d"), conversation=st.none() | st.sampled_from("abc")
    ),
    max_size=40,
    unique_by=lambda question: question.id,
)


@given(questions, st.integers(1, 50))
def test_each_question_is_in_exactly_one_shard(found: list[Question], of: int) -> None:
    for question in found:
        assert sum(question in Shard(number, of) for number in range(1, of + 1)) == 1


@given(questions, st.integers(1, 50))
def test_a_conversation_is_in_one_shard(found: list[Question], of: int) -> None:
    shards = {q.conversation: [n for n in range(1, of + 1) if q in Shard(n, of)] for q in found if q.conversation}
    for question in found:
        if question.conversation:
            assert question in Shard(shards[question.conversation][0], of)


def test_a_question_stays_in_its_shard_for_ever() -> None:
    """Nights are compared with nights of another process, another machine, another Python."""
    assert [next(n for n in range(1, 5) if Shard(n, 4).has(f"q{i}", None)) for i in range(12)] == [
        *(3, 4, 2, 2, 3, 4, 1, 4, 2, 3, 4, 1)
    ]


def test_shards_are_about_equal() -> None:
    sizes = Counter(next(n for n in range(1, 5) if Shard(n, 4).has(str(i), None)) for i in range(4000))
    assert all(900 < size < 1100 for size in sizes.values())


@pytest.mark.parametrize(
    "text", ["0/4", "5/4", "x", "1/0", "", "1", "/4", "1/", "-1/4", "1/4/4", "1.0/4", " 1/4", "١/٢"]
)
def test_what_is_no_shard_is_one_line(text: str, world: World, capsys: Capture) -> None:
    assert world.run("run", world.experiment(), f"--shard={text}") == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line == f"error: --shard {text!r} is no shard (number them from 1: 1/4, 2/4, 3/4, 4/4)"
    assert not world.runs.exists()


MIXED = [
    *({"id": f"q{n}"} for n in range(7)),
    *(
        {"id": f"{name}{turn}", "conversation": name, "turn": turn}
        for name in ("ann", "bob", "cy")
        for turn in range(3)
    ),
    {"id": "wrong", "gold": "SELECT 7"},
    {"id": "no gold", "gold": "SELECT nope"},
]
GRID: dict[str, Any] = {
    "prompts": ["zero_shot@1", "conversational@1"],
    "repeats": 2,
    "max_instrument_failures": 1,
    "strategies": ["execution_match", "execution_match:bird"],
}


def records(run: Path) -> dict[str, Any]:
    """What must be the same whether or not it was run in shards: all but times, and what the cache knew."""
    found = {}
    for item in items_of(run):
        verdicts = [(one["strategy"], one["status"], one["reason"], one["score"]) for one in item["verdicts"]]
        kept = ("position", "question", "db_id", "conversation", "turn", "turns", "history", "sql")
        found[item["id"]] = ({key: item[key] for key in kept}, verdicts, item["answer"]["prompt_sha256"])
    assert len(found) == len(items_of(run))
    return found


def figures(run: RunFolder) -> dict[str, Any]:
    """The summary but for the run's name."""
    told = summarise(run).to_json()
    return {key: value for key, value in told.items() if key not in ("run_id", "tokens", "judging")}


@pytest.mark.parametrize("of", [1, 3, 20])
def test_merged_shards_are_the_whole_run(of: int, world: World, server: ProviderServer, capsys: Capture) -> None:
    world.questions(MIXED)
    path = world.experiment(models=[model_at(server.base_url)], **GRID)
    assert world.run("run", path, "-q", "--runs", world.folder / "whole") == 0
    whole = find_runs("latest", world.folder / "whole")
    shards = world.folder / "shards"
    for number in range(1, of + 1):
        assert world.run("run", path, "-q", "--shard", f"{number}/{of}", "--runs", shards) == 0
    capsys.readouterr()

    assert world.run("runs", "merge", shards, "--runs", world.runs) == 0

    assert f"{4 * of} shard{'s' if 4 * of > 1 else ''} merged" in capsys.readouterr().err
    merged = find_runs("latest", world.runs)
    assert len(merged) == len(whole) == 4
    for one, other in zip(merged, whole, strict=True):
        assert records(one.path) == records(other.path)
        assert figures(one) == figures(other)
        assert one.manifest["identity"] == other.manifest["identity"]
        assert one.manifest["databases"] == other.manifest["databases"]
        assert (one.manifest["title"], one.manifest["status"]) == (other.manifest["title"], "finished")
        assert one.prompts() == other.prompts()
        assert [one["shard"] for one in one.manifest["merged"]["shards"]] == [f"{n}/{of}" for n in range(1, of + 1)]
    assert world.run("run", path, "--resume") == 2
    assert "left to resume" in capsys.readouterr().err
    assert len(server.requests) == 4 * len(MIXED)  # by the whole; the shards found the same prompts in the cache


def test_a_shard_is_of_the_selection(world: World) -> None:
    """Filtered, sampled and limited first: so many machines more or less do not change which questions are asked."""
    world.questions(40)
    file = read_experiment(world.experiment())
    file = file.with_selection({**vars(Selection(30, 35, 5)), "filters": [], "ids": []})
    world.answers({})
    whole = list(Grid(file).placed())
    parts = [list(Grid(file, Shard(number, 3)).placed()) for number in (1, 2, 3)]
    assert sorted((one for part in parts for one in part), key=lambda placed: placed[0]) == whole
    assert len(whole) == 30
    assert all(parts)


def test_a_shard_without_questions_is_a_run(world: World, server: ProviderServer, capsys: Capture) -> None:
    world.questions(1)
    path = world.experiment(models=[model_at(server.base_url)])
    empty = next(n for n in range(1, 10) if not Shard(n, 9).has("q0", None))
    assert world.run("run", path, "-q", "--shard", f"{empty}/9") == 0
    assert server.requests == []
    (run,) = world.run_folders()
    manifest = json.loads((run / "manifest.json").read_text())
    assert manifest["status"] == "finished"
    assert manifest["identity"]["dataset"]["questions"] == 0
    assert manifest["identity"]["shard"] == {"number": empty, "of": 9, "questions": 1}
    assert world.run("report", "latest", "--runs", world.runs) == 0


def test_a_resumed_run_stays_in_its_shard(world: World, server: ProviderServer) -> None:
    world.questions(20)
    path = world.experiment(models=[model_at(server.base_url)])
    assert world.run("run", path, "-q", "--shard", "2/3") == 0
    (run,) = world.run_folders()
    mine = {item["id"] for item in items_of(run)}
    assert 0 < len(mine) < 20
    lines = (run / "items.jsonl").read_bytes().splitlines(keepends=True)
    (run / "items.jsonl").write_bytes(b"".join(lines[:2]))
    assert world.run("run", path, "-q", "--resume", "--shard", "1/3") == 2
    changed(run, status="running")
    assert world.run("run", path, "-q", "--resume") == 0
    assert {item["id"] for item in items_of(run)} == mine
    assert len(items_of(run)) == len(mine)


def test_shards_that_begin_in_one_second_have_names_of_their_own(tmp_path: Path) -> None:
    groups = [new_group("nightly", tmp_path / str(n), Shard(n, 2)) for n in (1, 2)]
    assert [group[-5:] for group in groups] == ["-1of2", "-2of2"]


def changed(run: Path, **changes: object) -> None:
    """Change a manifest."""
    manifest = json.loads((run / "manifest.json").read_text())
    (run / "manifest.json").write_text(json.dumps({**manifest, **changes}))


@pytest.fixture
def shards(world: World, server: ProviderServer) -> dict[str, Path]:
    """Three shards of two cells: their folders by shard and cell, such as `2/3 01`."""
    world.questions(12)
    path = world.experiment(models=[model_at(server.base_url), model_at(server.base_url, "other")])
    found = {}
    for number in (1, 2, 3):
        assert world.run("run", path, "-q", "--shard", f"{number}/3", "--runs", world.folder / "shards") == 0
        for run in (world.folder / "shards").glob(f"*{number}of3-*"):
            found[f"{number}/3 {run.name[-2:]}"] = run
    assert len(found) == 6
    return found


def identity(run: Path, **changes: object) -> Mapping[str, object]:
    return {**json.loads((run / "manifest.json").read_text())["identity"], **changes}


def refused(world: World, capsys: Capture, *arguments: str | Path) -> str:
    """The line that a merge is refused with; nothing appears."""
    capsys.readouterr()
    assert world.run("runs", "merge", *arguments, "--runs", world.runs) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert not world.runs.exists() or list(world.runs.glob("*/")) == []
    return line


def named(shards: Mapping[str, Path], *left_out: str) -> Sequence[Path]:
    return [path for name, path in shards.items() if name not in left_out]


def test_missing_shards_are_named(shards: dict[str, Path], world: World, capsys: Capture) -> None:
    line = refused(world, capsys, *named(shards, "1/3 01", "2/3 01", "3/3 02"))
    assert "missing of trial: shard 1/3, 2/3 of good · zero_shot@1 · sqlite; 3/3 of other · " in line
    line = refused(world, capsys, *named(shards, "1/3 02", "2/3 02", "3/3 02"))
    assert "shard 1/3, 2/3, 3/3 of cell 2" in line


def test_what_is_missing_may_be_allowed(
    shards: dict[str, Path], world: World, server: ProviderServer, capsys: Capture
) -> None:
    assert world.run("runs", "merge", *named(shards, "3/3 01"), "--allow-missing", "--runs", world.runs) == 0
    first, second = find_runs("latest", world.runs)
    assert (first.manifest["status"], second.manifest["status"]) == ("interrupted", "finished")
    server.requests.clear()
    assert world.run("run", "--resume", "--runs", world.runs, "-q", "--no-cache") == 0
    assert {item["id"] for item in items_of(first.path)} == {f"q{n}" for n in range(12)}
    assert sorted(asked(server.requests)) == sorted(item["id"] for item in items_of(shards["3/3 01"]))
    assert RunFolder(first.path).manifest["status"] == "finished"


def test_only_a_later_cell_may_be_there(shards: dict[str, Path], world: World) -> None:
    runs = named(shards, "1/3 01", "2/3 01", "3/3 01")
    assert world.run("runs", "merge", *runs, "--allow-missing", "--runs", world.runs) == 0
    assert [path.name[-3:] for path in world.runs.glob("*/")] == ["-02"]


def test_a_shard_that_is_there_twice_is_named(shards: dict[str, Path], world: World, capsys: Capture) -> None:
    path = world.folder / "trial.yaml"
    assert world.run("run", path, "-q", "--shard", "2/3", "--runs", world.folder / "shards") == 0
    line = refused(world, capsys, world.folder / "shards")
    assert "shard 2/3 of good · zero_shot@1 · sqlite is there twice: trial-" in line
    same = [*named(shards), shards["1/3 01"]]
    assert world.run("runs", "merge", *same, "--runs", world.runs) == 0  # but the same run twice is one


def test_an_unfinished_shard_is_named(shards: dict[str, Path], world: World, capsys: Capture) -> None:
    changed(shards["2/3 02"], status="stopped", stopped_by="AuthFailed: no")
    line = refused(world, capsys, *named(shards))
    assert "shard 2/3 of other · zero_shot@1 · sqlite is not finished: stopped: AuthFailed: no" in line
    assert world.run("runs", "merge", *named(shards), "--allow-missing", "--runs", world.runs) == 0
    first, second = find_runs("latest", world.runs)
    assert first.manifest["status"] == "finished"
    assert (second.manifest["status"], second.manifest["stopped_by"]) == ("stopped", "AuthFailed: no")


def test_foreign_shards_are_named(
    shards: dict[str, Path], world: World, server: ProviderServer, capsys: Capture
) -> None:
    run = shards["3/3 01"]
    before = (run / "manifest.json").read_text()

    changed(run, identity=identity(run, limits={"rows": 5}))
    assert f"{run}: shard 3/3 of good · zero_shot@1 · sqlite does not belong to trial-" in (
        line := refused(world, capsys, *named(shards))
    )
    assert 'its limits is {"rows": 5}, not {' in line

    (run / "manifest.json").write_text(before)
    changed(run, databases={"show": "0" * 64})
    assert "its database show is of other content" in refused(world, capsys, *named(shards))

    (run / "manifest.json").write_text(before)
    changed(run, identity=identity(run, shard={"number": 3, "of": 4, "questions": 12}))
    assert "is shard 3/4, and trial-" in refused(world, capsys, *named(shards))

    other = world.experiment("other", models=[model_at(server.base_url)])
    assert world.run("run", other, "-q", "--shard", "3/3", "--runs", world.folder / "other") == 0
    line = refused(world, capsys, *named(shards, "3/3 01"), world.folder / "other")
    assert "is of another experiment file than trial-" in line


def test_items_of_another_shard_are_refused(shards: dict[str, Path], world: World, capsys: Capture) -> None:
    run = shards["1/3 01"]
    (run / "items.jsonl").write_bytes((shards["2/3 01"] / "items.jsonl").read_bytes())
    (count,) = {len(items_of(run))}
    changed(run, identity=identity(run, dataset={**identity(run)["dataset"], "questions": count}))  # type: ignore[dict-item]
    line = refused(world, capsys, *named(shards))
    assert "belongs to another shard than 1/3" in line


def test_lost_items_are_noticed(shards: dict[str, Path], world: World, capsys: Capture) -> None:
    items = shards["1/3 01"] / "items.jsonl"
    lines = items.read_bytes().splitlines(keepends=True)
    items.write_bytes(b"".join(lines[1:]))
    line = refused(world, capsys, *named(shards), "--allow-missing")
    assert f"has {len(lines) - 1} items, and shard 1/3 has {len(lines)} questions" in line


def test_a_shard_that_is_being_written_is_refused(shards: dict[str, Path], world: World, capsys: Capture) -> None:
    from filelock import FileLock

    with FileLock(shards["2/3 01"] / ".lock"):
        assert "another process is writing this run" in refused(world, capsys, *named(shards))


def test_what_is_no_shard_is_refused(world: World, server: ProviderServer, capsys: Capture) -> None:
    world.questions(2)
    path = world.experiment(models=[model_at(server.base_url)])
    assert world.run("run", path, "-q", "--runs", world.folder / "plain") == 0
    (run,) = (world.folder / "plain").iterdir()
    assert "is no shard of an experiment" in refused(world, capsys, run)
    assert "there is no shard in this folder" in refused(world, capsys, world.folder / "plain")


def test_answers_that_are_kept_with_the_runs_are_merged(world: World, server: ProviderServer) -> None:
    world.questions(6)
    path = world.experiment(models=[model_at(server.base_url)], cache="run")
    for number in (1, 2):
        assert world.run("run", path, "-q", "--shard", f"{number}/2", "--runs", world.folder / "shards") == 0
    assert world.run("runs", "merge", world.folder / "shards", "--runs", world.runs) == 0
    (run,) = world.run_folders()
    (run / "items.jsonl").write_text("")
    changed(run, status="running")
    server.requests.clear()
    assert world.run("run", path, "--resume", "-q") == 0
    assert len(items_of(run)) == 6
    assert server.requests == []


def test_the_newest_run_is_the_merged_one(shards: dict[str, Path], world: World) -> None:
    folder = world.folder / "shards"
    assert world.run("runs", "merge", folder, "--runs", folder) == 0
    assert [run.run_id.count("of3") for run in find_runs("latest", folder)] == [0, 0]
    assert {item["sql"] for item in items_of(find_runs("latest", folder)[0].path)} == {GOLD}


def test_a_run_goes_on_where_the_experiment_is_now(world: World, server: ProviderServer, tmp_path: Path) -> None:
    """A merged run was begun on another machine, where the same file was at another place."""
    world.questions(3)
    path = world.experiment(models=[model_at(server.base_url)])
    assert world.run("run", path, "-q") == 0
    (run,) = world.run_folders()
    (run / "items.jsonl").write_text("")
    manifest = json.loads((run / "manifest.json").read_text())
    changed(run, status="running", experiment={**manifest["experiment"], "path": str(tmp_path / "gone" / "trial.yaml")})
    assert world.run("run", path, "--resume", "-q") == 0
    assert len(items_of(run)) == 3

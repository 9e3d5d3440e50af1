"""The grid: which runs there are, what identifies them, and that nobody is told before the disk is."""

from __future__ import annotations

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from database_backends.runner import Runner
from evaluation.experiment import ExperimentFile, read_experiment
from evaluation.grid import Cell, Grid
from evaluation.grid_runner import GridRunner, Observer
from evaluation.groups import new_group
from evaluation.records import ItemRecord
from evaluation.store import Store
from sqlassay.errors import UserError
from tests.evaluation.world import GOLD, World, items_of


def read(world: World, **changes: object) -> ExperimentFile:
    return read_experiment(world.experiment(**changes))


@pytest.fixture
def world(world: World) -> World:
    world.questions(6)
    world.answers({f"q{n}": GOLD if n % 2 else "SELECT 0" for n in range(6)})
    return world


TAPE = {"adapter": "replay", "model": "tape", "settings": {"path": "answers.jsonl"}}
OTHER = {**TAPE, "model": "tape2", "label": "second"}


class Told(Observer):
    """Remembers what it was told, and what was on disk at that time."""

    def __init__(self, runs: Path) -> None:
        self.runs = runs
        self.heard: list[tuple[str, ...]] = []
        self.on_disk: list[bool] = []

    def run_started(self, cell: Cell, total: int, done: int) -> None:
        self.heard.append(("started", cell.title, str(total), str(done)))

    def item_known(self, cell: Cell, record: ItemRecord) -> None:
        self.heard.append(("known", record.id))

    def item_recorded(self, cell: Cell, record: ItemRecord) -> None:
        self.heard.append(("item", record.id))
        run = self.runs / f"g-{cell.number:02d}"
        self.on_disk.append(record.id in {item["id"] for item in items_of(run)})

    def run_ended(self, cell: Cell, run_id: str, status: str) -> None:
        manifest = json.loads((self.runs / run_id / "manifest.json").read_text())
        self.heard.append(("ended", run_id, status))
        self.on_disk.append(manifest["status"] == status)


def run(
    world: World, runner: Runner, file: ExperimentFile, *observers: Observer, store: Store | None = None, **more: Any
) -> list[str]:
    return asyncio.run(GridRunner(Grid(file), "g", world.runs, runner, store, observers, **more).run())


def test_the_cells_are_the_product(world: World) -> None:
    grid = Grid(read(world, models=[TAPE, OTHER], backends=["sqlite"], repeats=2, prompts=["zero_shot@1"]))
    assert [(cell.number, cell.title) for cell in grid.cells] == [
        (1, "tape · zero_shot@1 · sqlite"),
        (2, "tape · zero_shot@1 · sqlite · repeat 2"),
        (3, "second · zero_shot@1 · sqlite"),
        (4, "second · zero_shot@1 · sqlite · repeat 2"),
    ]
    assert grid.total == 6


def test_every_cell_is_a_run(world: World, runner: Runner) -> None:
    told = Told(world.runs)
    assert run(world, runner, read(world, models=[TAPE, OTHER]), told) == ["g-01", "g-02"]
    for folder in world.run_folders():
        manifest = json.loads((folder / "manifest.json").read_text())
        assert (manifest["status"], manifest["run_id"], manifest["group"]) == ("finished", folder.name, "g")
        assert sorted(item["id"] for item in items_of(folder)) == [f"q{n}" for n in range(6)]
    assert told.heard[0] == ("started", "tape · zero_shot@1 · sqlite", "6", "0")
    assert told.heard[7] == ("ended", "g-01", "finished")
    assert told.heard[15] == ("ended", "g-02", "finished")


def test_nobody_is_told_of_an_item_before_it_is_on_disk(world: World, runner: Runner) -> None:
    told = Told(world.runs)
    run(world, runner, read(world), told)
    assert told.on_disk == [True] * 7


def test_an_observer_that_fails_does_not_fail_the_run(
    world: World, runner: Runner, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken(Told):
        def item_recorded(self, cell: Cell, record: ItemRecord) -> None:
            super().item_recorded(cell, record)
            raise ZeroDivisionError

    broken, told = Broken(world.runs), Told(world.runs)
    run(world, runner, read(world), broken, told)
    assert [heard[0] for heard in broken.heard] == ["started", "item"]
    assert [heard[0] for heard in told.heard] == ["started", *["item"] * 6, "ended"]
    assert caplog.messages == ["Broken failed and is told nothing more"]


def test_a_finished_run_is_not_run_again(world: World, runner: Runner) -> None:
    run(world, runner, read(world))
    before = {path: path.read_bytes() for path in world.runs.rglob("*") if path.is_file()}
    told = Told(world.runs)
    run(world, runner, read(world), told)
    assert told.heard == [
        ("started", "tape · zero_shot@1 · sqlite", "6", "6"),
        *(("known", json.loads(line)["id"]) for line in before[world.runs / "g-01" / "items.jsonl"].splitlines()),
        ("ended", "g-01", "finished"),
    ]
    assert {path: path.read_bytes() for path in world.runs.rglob("*") if path.is_file()} == before


def test_only_what_is_missing_is_done(world: World, runner: Runner) -> None:
    run(world, runner, read(world))
    items = world.runs / "g-01" / "items.jsonl"
    lines = items.read_bytes().splitlines(keepends=True)
    items.write_bytes(b"".join(lines[:3]) + lines[3][:-1])
    told = Told(world.runs)
    run(world, runner, read(world), told)
    kept = {json.loads(line)["id"] for line in lines[:3]}
    assert [heard[1] for heard in told.heard if heard[0] == "known"] == [json.loads(line)["id"] for line in lines[:3]]
    assert {heard[1] for heard in told.heard if heard[0] == "item"} == {f"q{n}" for n in range(6)} - kept
    assert items.read_bytes().startswith(b"".join(lines[:3]))
    assert sorted(item["id"] for item in items_of(world.runs / "g-01")) == [f"q{n}" for n in range(6)]


STAYS = {
    "concurrency": {"models": [{**TAPE, "concurrency": 3}]},
    "prices": {"models": [{**TAPE, "prices": {"input": 1, "output": 2}}]},
    "label": {"models": [{**TAPE, "label": "better"}]},
    "retry": {"retry": {"attempts": 9}},
    "workers": {"workers": 2},
    "cache": {"cache": "run"},
    "failures": {"max_instrument_failures": 1.0},
    "defaults written out": {"backends": ["sqlite"], "strategies": ["execution_match"], "limits": {"seconds": 30}},
}
CHANGES = {
    "model": ("model", {"models": [OTHER]}),
    "parameters": ("parameters", {"models": [{**TAPE, "parameters": {"temperature": 1}}]}),
    "tokens of the schema": ("schema_tokens", {"models": [{**TAPE, "schema_tokens": 9}]}),
    "selection": ("dataset", {"dataset": {"format": "jsonl", "path": "questions.jsonl", "limit": 3}}),
    "backend": ("backend", {"backends": [{"backend": "duckdb", "target": "x.duckdb"}]}),
    "strategies": ("strategies", {"strategies": ["execution_match:bird"]}),
    "settings of a strategy": (
        "strategies",
        {"strategies": [{"strategy": "execution_match", "settings": {"relative_tolerance": 0.1}}]},
    ),
    "time": ("limits", {"limits": {"seconds": 3}}),
    "time of golds": ("limits", {"limits": {"gold_seconds": 3}}),
    "rows": ("limits", {"limits": {"rows": 3}}),
    "memory": ("limits", {"limits": {"megabytes": 300}}),
}


@pytest.mark.parametrize("changes", STAYS.values(), ids=STAYS)
def test_what_cannot_change_an_outcome_does_not_end_a_run(changes: dict[str, object], world: World) -> None:
    before, after = Grid(read(world)), Grid(read(world, **changes))
    assert before.identity(before.cells[0]) == after.identity(after.cells[0])


@pytest.mark.parametrize(("key", "changes"), CHANGES.values(), ids=CHANGES)
def test_what_can_change_an_outcome_does(key: str, changes: dict[str, object], world: World) -> None:
    before, after = Grid(read(world)), Grid(read(world, **changes))
    old, new = before.identity(before.cells[0]), after.identity(after.cells[0])
    assert next(name for name in old if old[name] != new[name]) == key


def test_the_questions_and_the_answers_identify_a_run_too(world: World) -> None:
    before = Grid(read(world))
    old = before.identity(before.cells[0])
    world.questions(7)
    world.answers({"q0": "SELECT 1"})
    after = Grid(read(world))
    new = after.identity(after.cells[0])
    assert [name for name in old if old[name] != new[name]] == ["dataset", "model"]


def test_what_a_prompt_shows_of_the_schema_identifies_a_run(world: World) -> None:
    shop = world.folder / "databases" / "show" / "database_description"
    shop.mkdir()
    (shop / "singer.csv").write_text("original_column_name,column_description\nage,in years\n")
    (world.folder / "dev.json").write_text('[{"db_id": "show", "question": "x", "SQL": "SELECT 1"}]')
    dataset = {"format": "bird", "path": "dev.json"}

    def identity(prompt: str, **model: object) -> dict[str, object]:
        grid = Grid(read(world, dataset=dataset, prompts=[prompt], models=[{**TAPE, **model}]))
        return grid.identity(grid.cells[0])

    plain, before = identity("zero_shot@1"), identity("zero_shot@5", schema_tokens=500)
    assert (plain["schema_tokens"], plain["descriptions"], plain["tokenizers"]) == (None, None, None)
    assert (before["schema_tokens"], before["tokenizers"]) == (500, {"": "estimate"})
    (shop / "singer.csv").write_text("original_column_name,column_description\nage,in months\n")
    after = identity("zero_shot@5", schema_tokens=500)
    assert [key for key in before if before[key] != after[key]] == ["descriptions"]
    assert identity("zero_shot@1") == plain


def test_a_run_that_became_another_is_refused(world: World, runner: Runner) -> None:
    run(world, runner, read(world))
    with pytest.raises(UserError) as caught:
        run(world, runner, read(world, limits={"rows": 5}))
    shown = str(caught.value)
    assert shown.startswith(f"{world.runs / 'g-01'}: run g-01 cannot be resumed: its limits was {{")
    assert "'" not in shown
    assert '"rows": 5' in shown
    assert shown.endswith("(undo the change, or start a new run without --resume)")


def test_the_manifest_says_what_was_run(world: World, runner: Runner) -> None:
    run(world, runner, read(world))
    manifest = json.loads((world.runs / "g-01" / "manifest.json").read_text())
    assert manifest["experiment"]["text"] == (world.folder / "trial.yaml").read_text()
    assert set(manifest["versions"]) == {"sqlassay", "python", "sqlglot", "platform"}
    identity = manifest["identity"]
    assert identity["prompt"]["ref"] == "zero_shot@1"
    assert len(identity["prompt"]["sha256"]) == len(identity["dataset"]["sha256"]) == 64
    assert identity["strategies"][0]["convention"] == "sqlassay"
    assert manifest["started"] <= manifest["ended"]


@pytest.mark.parametrize("shared", [True, False])
def test_golds_are_kept_between_runs(shared: bool, world: World, runner: Runner, tmp_path: Path) -> None:
    file = read(world, models=[TAPE, OTHER])
    with closing(Store(tmp_path / "store.sqlite")) as store:
        run(world, runner, file, store=store if shared else None)
    cached = [item["golds"][0]["cached"] for item in items_of(world.runs / "g-02")]
    assert cached == [True] * 6 if shared else not all(cached)


def test_a_group_never_takes_a_name_that_is_taken(tmp_path: Path) -> None:
    """Processes that start in the same second each get a name of their own."""
    with ThreadPoolExecutor(4) as threads:
        names = list(threads.map(lambda _: new_group("demo", tmp_path), range(20)))
    assert len(set(names)) == 20
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(f"{name}-01" for name in names)


def test_runs_that_cannot_be_a_folder_are_one_line(tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("")
    with pytest.raises(UserError, match=r"runs: (is not a folder|cannot be written)"):
        new_group("demo", tmp_path / "runs")


def test_a_group_needs_no_folder(tmp_path: Path) -> None:
    assert new_group("demo", tmp_path / "nope").startswith("demo-2")

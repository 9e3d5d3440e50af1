"""A cell in numbers."""

from __future__ import annotations

import shutil
from dataclasses import replace

from evaluation.gate.cells import cells_of
from evaluation.gate.measured import measure
from evaluation.run_log import RunFolder
from tests.evaluation.gate.nights import night
from tests.evaluation.world import GOLD, World


def test_a_question_whose_database_is_gone_has_no_other_golds(world: World) -> None:
    """What the run could not come to is a failure of the instrument, and no change of the dataset."""
    world.questions([{"id": "q0"}, {"id": "q1", "db_id": "elsewhere"}])
    world.answers({"q0": GOLD, "q1": GOLD})
    path = world.experiment(max_instrument_failures=1)
    assert world.run("run", path, "-q") == 0
    (before,) = world.run_folders()
    (cell,) = cells_of([RunFolder(before)])
    assert [bool(kept.golds) for _, kept in sorted(measure(cell, None).snapshot.questions.items())] == [True, False]

    shutil.copytree(world.database.parent, world.folder / "databases" / "elsewhere")
    (world.folder / "databases" / "elsewhere" / "show.sqlite").rename(
        world.folder / "databases" / "elsewhere" / "elsewhere.sqlite"
    )
    assert world.run("run", path, "-q") == 0
    (now,) = set(world.run_folders()) - {before}
    assert world.run("gate", now, "--baseline", before) == 0
    assert world.run("gate", before, "--baseline", now) == 0


def test_repeats_are_one_cell(world: World) -> None:
    night(world, "+-", repeats=3)
    (cell,) = cells_of([RunFolder(path) for path in reversed(world.run_folders())])
    assert cell.title == "tape · zero_shot@1 · sqlite"
    assert [run.manifest["identity"]["repeat"] for run in cell.runs] == [0, 1, 2]
    found = measure(cell, None)
    assert {one: kept.verdicts for one, kept in found.snapshot.questions.items()} == {"q0": "ccc", "q1": "iii"}
    assert (found.items, found.scored, found.accuracy) == (6, 6, 0.5)
    assert replace(found.snapshot, questions={}).label == "execution_match"

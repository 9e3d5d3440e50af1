"""The gate and `sqlassay compare` say the same of the same two runs."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluation.compare.answers import Asked, Pair, Told
from evaluation.compare.comparison import clustered_of
from evaluation.compare.sentence import points
from evaluation.gate.snapshot import Kept, Snapshot, pairs
from evaluation.verdicts import Reason
from tests.evaluation.gate.nights import forget
from tests.evaluation.gate.test_baselines import ONE
from tests.evaluation.world import GOLD, World

Capture = pytest.CaptureFixture[str]
REASONS = {"c": Reason.MATCH, "i": Reason.WRONG_ROWS}
MARKS = st.text("ci", min_size=2, max_size=2)


@settings(max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 8), st.none() | st.integers(0, 5), MARKS, MARKS), min_size=1, max_size=60))
def test_the_statistics_are_the_same(questions: list[tuple[int, int | None, str, str]]) -> None:
    """Also where the baseline is from before conversations were kept."""
    turns = [(f"db_{db}", None if turn is None else f"c{db}-{turn}", *both) for db, turn, *both in questions]
    before = {f"q{n}": Kept(db, "", "", marks) for n, (db, _, marks, _) in enumerate(turns)}
    now = {f"q{n}": Kept(db, "", "", marks, conversation) for n, (db, conversation, _, marks) in enumerate(turns)}
    answers = [
        Pair(
            Asked(f"q{n}", repeat),
            *(Told(n, "?", db, REASONS[marks[repeat]], None, conversation=conversation) for marks in both),
        )
        for n, (db, conversation, *both) in enumerate(turns)
        for repeat in range(2)
    ]
    gated, compared = pairs(replaced(before), replaced(now)).clustered, clustered_of(answers)
    assert gated == compared
    assert gated is not None
    assert (gated.p, gated.interval()) == (compared.p, compared.interval())


def replaced(questions: dict[str, Kept]) -> Snapshot:
    return replace(ONE, questions=questions)


ALIKE = ("+" * 20, "+" * 20)
LOST = ("+" * 20, "-" * 10 + "+" * 10)
GAINED = ("-" + "+" * 19, "+" * 20)
DATABASES = {
    "all on two of ten databases": ([LOST, LOST, *[GAINED] * 4, *[ALIKE] * 4], 0, True),
    "on each of ten": ([("+" * 20, "--" + "+" * 18)] * 10, 3, False),
    "a little on nine of ten": ([("+" * 20, "--" + "+" * 18)] * 8 + [LOST, ALIKE], 3, True),
}


def compared_runs(world: World, capsys: Capture) -> tuple[Path, Path, dict[str, Any]]:
    """The two runs, and what `compare` says of them."""
    before, now = world.run_folders()
    capsys.readouterr()
    assert world.run("compare", before, now, "--json") == 0
    (compared,) = json.loads(capsys.readouterr().out)["comparisons"]
    return before, now, compared


@pytest.mark.parametrize(("databases", "code", "clustered"), DATABASES.values(), ids=DATABASES)
def test_so_are_the_verdicts(
    databases: list[tuple[str, str]], code: int, clustered: bool, world: World, capsys: Capture
) -> None:
    """Also from the index alone, which knows the database of each question."""
    named = {f"db_{number}": marks for number, marks in enumerate(databases)}
    for name in named:
        shutil.copytree(world.database.parent, world.folder / "databases" / name)
        (world.folder / "databases" / name / "show.sqlite").rename(world.folder / "databases" / name / f"{name}.sqlite")
    ids = {name: [f"{name}-{n}" for n in range(len(marks[0]))] for name, marks in named.items()}
    world.questions([{"id": one, "db_id": name} for name, ids_of in ids.items() for one in ids_of])
    for side in (0, 1):
        marks = {one: mark for name, of in ids.items() for one, mark in zip(of, named[name][side], strict=True)}
        world.answers({one: GOLD if mark == "+" else "SELECT 0" for one, mark in marks.items()})
        assert world.run("run", world.experiment(), "-q") == 0
    before, now, compared = compared_runs(world, capsys)
    assert compared["p_mcnemar"] < 0.05
    assert compared["difference_shown"] is (code == 3)
    assert (compared["clustered_by"] == "db_id") is clustered

    assert world.run("gate", before, "--runs", world.runs, "--baseline", "none", "--promote") == 0
    capsys.readouterr()
    told = []
    for baseline in (str(before), "latest-green"):
        if baseline == "latest-green":
            forget(before)
        assert world.run("gate", now, "--runs", world.runs, "--baseline", baseline, "--json") == code
        (drop,) = (one for one in json.loads(capsys.readouterr().out)["rules"] if one["rule"] == "drop")
        told.append(drop)
    assert told[0] == told[1]
    low, high = compared["interval_95"]
    by = "; clustered by database" if clustered else ""
    p = "< 0.001" if compared["p"] < 0.001 else f"= {compared['p']:.3f}"
    assert f"(95 % interval {points(-high)} to {points(-low)}, p {p}{by})" in told[0]["words"]
    assert told[0]["measured"] == pytest.approx(compared["difference"])
    assert told[0]["interval_95"] == pytest.approx(compared["interval_95"])
    assert told[0]["p"] == pytest.approx(compared["p_holm"])


def test_turns_of_a_conversation_are_one_coin_to_both(world: World, capsys: Capture) -> None:
    """Twelve answers lost would be beyond luck; they are those of four conversations, on one database."""
    turns = [(f"c{number}", turn) for number in range(10) for turn in range(3)]
    world.questions([{"id": f"{one}-{turn}", "conversation": one, "turn": turn} for one, turn in turns])
    for lost in ((), ("c1", "c3", "c5", "c7")):
        world.answers({f"{one}-{turn}": "SELECT 0" if one in lost else GOLD for one, turn in turns})
        assert world.run("run", world.experiment(), "-q") == 0
    before, now, compared = compared_runs(world, capsys)
    assert compared["p_mcnemar"] < 0.001
    assert (compared["p"], compared["clustered_by"]) == (0.125, "conversation")
    assert [compared[side]["accuracy"]["clustered_by"] for side in ("baseline", "candidate")] == [None, "conversation"]

    assert world.run("gate", before, "--runs", world.runs, "--baseline", "none", "--promote") == 0
    forget(before)
    capsys.readouterr()
    assert world.run("gate", now, "--runs", world.runs) == 0
    assert "p = 0.125; clustered by conversation), which may be luck" in capsys.readouterr().out

"""Old groups go, the oldest first; what is needed or being written stays."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from filelock import FileLock
from hypothesis import given
from hypothesis import strategies as st

from evaluation.cli import app
from evaluation.pruning import old_groups, parse_age
from evaluation.run_log import staging
from sqlassay.errors import UserError
from tests.evaluation.test_archives import MANIFEST

Capture = pytest.CaptureFixture[str]


def nights(folder: Path) -> Path:
    """Five groups of two runs, 50, 40, … 10 days old: `night-5` to `night-1`."""
    for age in range(1, 6):
        began = datetime.now(UTC) - timedelta(days=10 * age)
        for cell in (1, 2):
            run = folder / f"night-{age}-0{cell}"
            run.mkdir(parents=True)
            about = {"run_id": run.name, "group": f"night-{age}", "cells": 2, "started": f"{began:%FT%T}+00:00"}
            (run / "manifest.json").write_text(json.dumps({**MANIFEST, **about}))
            (run / "items.jsonl").write_bytes(b"x" * 1000)
    return folder


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    return nights(tmp_path / "runs")


def left(runs: Path) -> list[str]:
    assert not list(runs.glob(".unfinished-*"))
    found = sorted(path.name for path in runs.glob("night-*"))
    groups = sorted({name[:7] for name in found})
    assert found == [f"{group}-0{cell}" for group in groups for cell in (1, 2)]  # whole groups
    return groups


def prune(runs: Path, *arguments: str) -> int:
    return app.run(["runs", "prune", "--runs", str(runs), *arguments])


CASES = {
    "--keep 2": ["night-1", "night-2"],
    "--keep 0": [],
    "--keep 9": ["night-1", "night-2", "night-3", "night-4", "night-5"],
    "--older-than 35d": ["night-1", "night-2", "night-3"],
    "--older-than 5w": ["night-1", "night-2", "night-3"],
    "--older-than 840h": ["night-1", "night-2", "night-3"],
    "--older-than 5d": [],
    "--keep 1 --older-than 35d": ["night-1", "night-2", "night-3"],
    "--keep 4 --older-than 35d": ["night-1", "night-2", "night-3", "night-4"],
}


@pytest.mark.parametrize(("arguments", "stay"), CASES.items(), ids=CASES)
def test_what_is_old_goes(arguments: str, stay: list[str], runs: Path) -> None:
    assert prune(runs, *arguments.split(), "--yes") == 0
    assert left(runs) == stay


@given(st.integers(0, 8), st.none() | st.integers(0, 60))
def test_the_oldest_go_first(runs_of: Path, keep: int, days: int | None) -> None:
    found = old_groups(runs_of, keep=keep, older_than=None if days is None else timedelta(days=days))
    assert [group.name for group in found] == [f"night-{age}" for age in range(5, 5 - len(found), -1)]
    assert len(found) <= max(0, 5 - keep)


@pytest.fixture(scope="module")
def runs_of(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return nights(tmp_path_factory.mktemp("nights"))


def test_it_says_what_goes_and_how_much(runs: Path, capsys: Capture) -> None:
    assert prune(runs, "--keep", "4", "--dry-run") == 0
    shown = capsys.readouterr()
    size = sum(path.stat().st_size for path in runs.glob("night-5-*/*"))
    assert size > 2000
    row = next(line for line in shown.out.splitlines() if "night-5" in line)
    assert row.split()[:2] + row.split()[3:] == ["night-5", "2", f"{size:,}"]
    assert shown.err == "nothing was deleted\n"
    assert len(left(runs)) == 5
    assert prune(runs, "--keep", "4", "--yes") == 0
    assert capsys.readouterr().err == f"1 group of runs, {size:,} bytes: deleted\n"


def test_as_json(runs: Path, capsys: Capture) -> None:
    (runs / "baselines.json").write_text('{"green": "night-5-01"}')
    assert prune(runs, "--keep", "3", "--yes", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["deleted"] is True
    assert [(one["group"], one["runs"], one["kept"]) for one in told["groups"]] == [
        ("night-5", ["night-5-01", "night-5-02"], "baselines.json names it"),
        ("night-4", ["night-4-01", "night-4-02"], None),
    ]
    assert left(runs) == ["night-1", "night-2", "night-3", "night-5"]


def test_baselines_stay(runs: Path, capsys: Capture) -> None:
    index = {"latest-green": {"trial": {"tape": {"run_id": "night-4-02", "path": "runs/night-3-01/items.jsonl"}}}}
    (runs / "baselines.json").write_text(json.dumps(index))
    assert prune(runs, "--keep", "0", "--yes") == 0
    assert left(runs) == ["night-3", "night-4"]
    assert "stays: baselines.json names it" in capsys.readouterr().out
    assert (runs / "baselines.json").exists()


def test_without_knowing_the_baselines_nothing_goes(runs: Path, capsys: Capture) -> None:
    (runs / "baselines.json").write_bytes(b"\xff\xfe")
    assert prune(runs, "--keep", "0", "--yes") == 2
    assert "cannot be read, and says which runs are still needed" in capsys.readouterr().err
    assert len(left(runs)) == 5


@pytest.mark.parametrize("lock", [".lock", ".langfuse.lock"])
def test_what_is_being_written_stays(lock: str, runs: Path, capsys: Capture) -> None:
    with FileLock(runs / "night-5-02" / lock):
        assert prune(runs, "--keep", "0", "--yes") == 0
    assert left(runs) == ["night-5"]
    assert "stays: it is being written" in capsys.readouterr().out


def test_without_a_terminal_it_does_not_ask(runs: Path, capsys: Capture) -> None:
    assert prune(runs, "--keep", "4") == 2
    line = capsys.readouterr().err
    assert line.startswith(f"error: {runs}: 1 group of runs, ")
    assert line.endswith("bytes would be deleted (add --yes, or --dry-run to look)\n")
    assert len(left(runs)) == 5


@pytest.mark.parametrize(("answer", "stay"), [("y", 4), ("n", 5), ("", 5)])
def test_at_a_terminal_it_asks(
    answer: str, stay: int, runs: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    import io

    terminal = io.StringIO(f"{answer}\n")
    monkeypatch.setattr(terminal, "isatty", lambda: True)
    monkeypatch.setattr(sys, "stdin", terminal)
    assert prune(runs, "--keep", "4") == 0
    assert "Delete 1 group of runs, " in capsys.readouterr().err
    assert len(left(runs)) == stay


def test_what_a_killed_process_left_goes_and_what_is_in_use_stays(runs: Path) -> None:
    script = "import os, sys, pathlib; from evaluation.run_log import staging\n"
    script += "with staging(pathlib.Path(sys.argv[1])): os.kill(os.getpid(), 9)"
    subprocess.run([sys.executable, "-c", script, str(runs)], check=False)
    assert len(list(runs.glob(".unfinished-*"))) == 1
    assert prune(runs, "--keep", "9", "--dry-run") == 0
    assert len(list(runs.glob(".unfinished-*"))) == 1
    with staging(runs) as used:
        assert list(runs.glob(".unfinished-*")) == [used]
        assert prune(runs, "--keep", "9") == 0
        with staging(runs):
            assert used.is_dir()
    assert len(left(runs)) == 5


def test_nothing_is_old(runs: Path, capsys: Capture) -> None:
    assert prune(runs, "--keep", "5") == 0
    assert capsys.readouterr().err == f"no group in {runs} is old\n"


def test_one_must_say_what_is_old(runs: Path, capsys: Capture) -> None:
    assert prune(runs, "--yes") == 2
    assert "nothing says which runs are old (give --keep N, --older-than AGE, or both)" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["", "30", "d", "-1d", "1.5d", "30 d", "30D", "1y", "٣d"])
def test_what_is_no_age_is_refused(text: str) -> None:
    with pytest.raises(UserError, match=r"is no age \(such as 12h, 30d or 8w\)"):
        parse_age(text)


def test_a_merged_run_is_as_old_as_the_merge(runs: Path) -> None:
    """Else it would go with the shards of a night that began before."""
    path = runs / "night-5-02" / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "merged": {"at": f"{datetime.now(UTC):%FT%T}+00:00"}}))
    assert prune(runs, "--keep", "1", "--yes") == 0
    assert left(runs) == ["night-5"]

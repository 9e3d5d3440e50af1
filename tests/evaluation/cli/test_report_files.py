"""`sqlassay report --output`."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import duckdb
import pytest

from tests.evaluation.world import GOLD, World

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def world(world: World, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> World:
    monkeypatch.chdir(world.folder)
    world.questions([{"id": f"q{n}"} for n in range(3)] + [{"id": "q3", "gold": "SELECT nope"}])
    world.answers({"q0": GOLD, "q1": "SELECT 0", "q2": "I do not know.", "q3": GOLD})
    tape = {"adapter": "replay", "model": "tape", "settings": {"path": "answers.jsonl"}}
    again = {**tape, "label": "again", "parameters": {"seed": 2}}
    assert world.run("run", world.experiment(models=[tape, again], max_instrument_failures=1), "-q") == 0
    capsys.readouterr()
    return world


def test_one_command_writes_every_format_from_the_log_alone(world: World, capsys: Capture) -> None:
    for path in [*world.folder.glob("*.jsonl"), *world.folder.glob("*.yaml"), world.database]:
        path.unlink()
    names = ["o.md", "o.XML", "o.csv", "o.parquet"]
    assert world.run("report", "latest", *(word for name in names for word in ("-o", name))) == 0
    shown = capsys.readouterr()
    assert (shown.out, shown.err) == ("", "".join(f"wrote {name}\n" for name in names))
    assert "no difference shown between again and tape" in Path("o.md").read_text()
    suites = ElementTree.parse("o.XML").getroot()
    assert [[suite.attrib[key] for key in ("tests", "failures", "errors")] for suite in suites] == [["4", "2", "1"]] * 2
    for name in ("o.csv", "o.parquet"):
        with duckdb.connect() as database:
            found = database.execute(
                f"SELECT model, status, count(*) FROM '{name}' GROUP BY ALL ORDER BY ALL"
            ).fetchall()
        counts = [("correct", 1), ("incorrect", 2), ("unscored", 1)]
        assert found == [(model, *count) for model in ("again", "tape") for count in counts]
    assert not list(Path().glob(".o.*"))


def test_a_format_can_be_piped(world: World, capsys: Capture) -> None:
    assert world.run("report", "latest", "--format", "csv") == 0
    assert capsys.readouterr().out.startswith("run_id,group,title,")


def test_a_summary_of_a_job_is_a_file_of_another_ending(world: World) -> None:
    assert world.run("report", "latest", "--format", "markdown", "-o", "step_summary") == 0
    assert Path("step_summary").read_text().startswith("<!-- sqlassay report -->")


MISTAKES = {
    "unknown ending": (["-o", "o.md", "-o", "o.doc"], "o.doc: no report format has this ending (end it in one of "),
    "no ending": (["-o", "report"], "report: no report format has this ending"),
    "unknown format": (["--format", "markdwon"], "unknown report format 'markdwon' (did you mean 'markdown'?)"),
    "no folder": (["-o", "nowhere/o.md"], "nowhere/o.md: cannot be written: No such file or directory"),
    "no folder, by DuckDB": (["-o", "nowhere/o.csv"], "nowhere/o.csv: cannot be written: No such file or directory"),
    "a file as folder": (["-o", "answers.jsonl/o.xml"], "answers.jsonl/o.xml: cannot be written: Not a directory"),
    "unwritable": (["-o", "/proc/o.parquet"], "/proc/o.parquet: cannot be written: No such file or directory"),
}


@pytest.mark.parametrize(("arguments", "expected"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_one_line_and_writes_nothing(
    arguments: list[str], expected: str, world: World, capsys: Capture
) -> None:
    before = set(Path().iterdir())
    assert world.run("report", "latest", *arguments) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith(f"error: {expected}")
    assert shown.err.count("\n") == 1
    assert set(Path().iterdir()) == before


def test_a_report_that_fails_leaves_the_one_before(world: World, capsys: Capture) -> None:
    assert world.run("report", "latest", "-o", "o.md") == 0
    before = Path("o.md").read_bytes()
    items = next(world.runs.glob("*/items.jsonl"))
    items.write_bytes(b"{}\n" + items.read_bytes())
    assert world.run("report", "latest", "-o", "o.md") == 2
    assert "items.jsonl:1: not an item record" in capsys.readouterr().err
    assert Path("o.md").read_bytes() == before
    assert not list(Path().glob(".o.*"))

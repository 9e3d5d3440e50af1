"""The program itself: what help says and costs, and what becomes of errors and of readers that go away."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

from evaluation.cli.app import run
from tests.evaluation.world import GOLD, SQLASSAY, World

Capture = pytest.CaptureFixture[str]

COMMANDS = {
    "run": ("EXPERIMENT.yaml", "--resume", "--retry-unscored", "--runs", "--limit", "--json", "Example:"),
    "score": ("PREDICTIONS", "--dataset", "--convention", "--output", "--overwrite", "--json", "Example:"),
    "verdict": ("--database", "--gold", "--predicted", "--question", "--cases", "--convention", "--json", "Example:"),
    "report": ("RUN", "--runs", "--show", "--json", "three counts"),
    "runs list": ("--runs", "--json"),
    "runs show": ("RUN", "--runs", "--json"),
    "datasets list": ("--json",),
    "datasets show": ("FORMAT:PATH", "--databases", "--json"),
    "plugins": ("--json",),
    "schema": ("experiment", "items", "verdicts"),
    "demo": ("FOLDER", "--json"),
}
WITHOUT_TABLE = {"schema"}


def help_of(capsys: Capture, *command: str) -> str:
    assert run([*command, "--help"]) == 0
    shown = capsys.readouterr()
    assert shown.err == ""
    return shown.out


def test_help_names_every_command_and_every_exit_code(capsys: Capture) -> None:
    shown = " ".join(help_of(capsys).split())
    for command in {name.split()[0] for name in COMMANDS}:
        assert f" {command} " in shown
    for words in (
        "Exit codes: 0 finished",
        "1 finished but unusable",
        "2 a mistake",
        "130 interrupted",
        "First steps:",
    ):
        assert words in shown


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_a_command_explains_its_options(command: str, capsys: Capture) -> None:
    shown = help_of(capsys, *command.split())
    assert shown.startswith("Usage: ")
    for word in COMMANDS[command]:
        assert word in shown
    assert max(map(len, shown.splitlines())) <= 100


def test_every_command_that_prints_a_table_takes_json(capsys: Capture) -> None:
    takers = {command for command in COMMANDS if re.search(r"^ +--json {2,}", help_of(capsys, *command.split()), re.M)}
    assert takers == set(COMMANDS) - WITHOUT_TABLE


def test_no_command_shows_the_help(capsys: Capture) -> None:
    assert run([]) == 2
    shown = capsys.readouterr()
    assert "Usage: sqlassay" in shown.out + shown.err


def test_version(capsys: Capture) -> None:
    assert run(["--version"]) == 0
    assert capsys.readouterr().out.startswith("sqlassay 0.")


HEAVY = {"pydantic", "duckdb", "sqlglot", "rich", "yaml", "jinja2", "tenacity", "pebble", "sqlite3", "asyncio"}
VENDORS = {"openai", "google", "ollama", "anthropic", "httpx", "psycopg", "pymysql", "trino", "langfuse"}


@pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"], ["score", "--help"], ["--version"]])
def test_help_imports_nothing_that_it_does_not_need(arguments: list[str]) -> None:
    script = (
        "import sys; from evaluation.cli.app import run; run(sys.argv[1:])\n"
        "print(*sorted({name.partition('.')[0] for name in sys.modules}), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=True)
    assert (VENDORS | HEAVY) & set(done.stderr.split()) == set()


def test_listing_plugins_imports_no_vendor() -> None:
    script = (
        "import sys; from evaluation.cli.app import run; run(['plugins', '--json'])\n"
        "print(*sorted({name.partition('.')[0] for name in sys.modules}), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert (VENDORS | {"duckdb", "pydantic"}) & set(done.stderr.split()) == set()


@pytest.mark.parametrize("arguments", [["schema"], ["runs", "show", "latest", "--json"], ["report", "--json"]])
def test_a_reader_that_goes_away_is_no_error(arguments: list[str], world: World, capsys: Capture) -> None:
    world.questions(1)
    world.answers({"q0": GOLD})
    assert world.run("run", world.experiment(), "-q") == 0
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [SQLASSAY, *arguments], cwd=world.folder, stdout=writing, stderr=subprocess.PIPE, text=True, check=False
    )
    os.close(writing)
    assert done.stderr == ""


def test_a_bug_shows_where_it_is(world: World) -> None:
    """Only mistakes of the user's are one line; ours show their traceback."""
    script = (
        "import sys; from evaluation.cli import app; import evaluation.runs\n"
        "evaluation.runs.all_runs = lambda runs: 1 / 0\n"
        "app.run(['runs', 'list'])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "ZeroDivisionError" in done.stderr

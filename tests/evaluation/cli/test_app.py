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
    "backends check": ("DATABASE", "--dataset", "--expect", "--quick", "--json", "Example:"),
    "backends bench": ("ENGINE:TARGET", "--queries", "--dataset", "--pool", "--seconds", "--json", "Example:"),
    "langfuse up": ("--folder", "--wait", "--json", "Example:"),
    "langfuse down": ("--folder", "--volumes", "--yes"),
    "langfuse status": ("--folder", "--json"),
    "langfuse setup": ("--folder", "--port", "--save-keys", "--show-secret", "--json", "Example:"),
    "langfuse validate": ("--host", "--folder", "--project", "--read-only", "--wait", "--json", "Example:"),
    "langfuse health": ("--host", "--folder", "--watch", "--every", "--times", "--json", "Example:"),
    "plugins": ("--json",),
    "schema": ("experiment", "items", "verdicts"),
    "demo": ("FOLDER", "--json"),
}
WITHOUT_TABLE = {"schema", "langfuse down"}


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
        "141 the reader of the output has gone",
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


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["run", "--help"],
        ["score", "--help"],
        ["backends", "--help"],
        ["backends", "check", "--help"],
        ["--version"],
    ],
)
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


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["schema"], ["runs", "show", "latest", "--json"], ["report"], ["report", "--json"]],
    ids=str,
)
@pytest.mark.parametrize("buffered", [True, False], ids=["at the end", "at once"])
def test_a_reader_that_goes_away_is_no_error(arguments: list[str], buffered: bool, world: World) -> None:
    world.questions(1)
    world.answers({"q0": GOLD})
    assert world.run("run", world.experiment(), "-q") == 0
    reading, writing = os.pipe()
    os.close(reading)
    environment = {**os.environ, **({} if buffered else {"PYTHONUNBUFFERED": "1"})}
    done = subprocess.run(
        [SQLASSAY, *arguments],
        cwd=world.folder,
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        check=False,
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (141, "")


def test_nobody_who_listens_to_the_progress_ends_no_run(world: World) -> None:
    world.questions(1)
    world.answers({"q0": GOLD})
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [SQLASSAY, "run", world.experiment()], cwd=world.folder, stdout=subprocess.PIPE, stderr=writing, check=False
    )
    os.close(writing)
    assert done.returncode == 0
    assert b"100.0 %" in done.stdout


@pytest.mark.parametrize(("columns", "widest"), [("80", 80), ("120", 120), (None, 160)])
def test_piped_tables_are_as_wide_as_the_reader_says(columns: str | None, widest: int, world: World) -> None:
    world.questions(12)
    world.answers({f"q{number}": GOLD for number in range(12)})
    tape = {"adapter": "replay", "model": "tape", "settings": {"path": "answers.jsonl"}}
    models = [{**tape, "label": f"a long label of a model, {n}", "parameters": {"seed": n}} for n in range(2)]
    path = world.experiment(models=models, strategies=["execution_match", "execution_match:bird"])
    environment = {key: value for key, value in os.environ.items() if key != "COLUMNS"}
    if columns is not None:
        environment["COLUMNS"] = columns
    done = subprocess.run(
        [SQLASSAY, "run", path, "-q"],
        cwd=world.folder,
        capture_output=True,
        text=True,
        env=environment,
        check=True,
    )
    lines = done.stdout.splitlines()
    assert max(map(len, lines)) <= widest
    row = next(line for line in lines if "execution_match:bird" in line)
    assert ("100.0 %" in row) == (columns is None)
    for words in ("a long label of a model, 1 · zero_shot@1 · sqlite", "100.0 %", "75.8 – 100.0"):
        assert words in done.stdout


def test_where_the_shell_does_not_find_it_the_words_to_type_say_where_it_is(world: World) -> None:
    world.questions(1)
    world.answers({"q0": GOLD})
    path = world.experiment()
    for folders, name in (("/usr/bin:/bin", str(SQLASSAY)), (str(SQLASSAY.parent), "sqlassay")):
        environment = {**os.environ, "PATH": folders}
        done = subprocess.run(
            [SQLASSAY, "run", path, "-q"], cwd=world.folder, capture_output=True, text=True, env=environment, check=True
        )
        assert f"; more: {name} report trial-" in done.stderr


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

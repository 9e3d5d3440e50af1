"""`sqlassay verdict`: one pair or a list of traps; and the same from Python."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from evaluation import Reason, Status, verdict
from sqlassay.errors import UnknownName, UserError
from tests.evaluation.world import GOLD, World

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def world(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.chdir(world.folder)
    return world


def settle(world: World, gold: str, predicted: str, *more: str) -> int:
    return world.run(
        "verdict", "--database", f"sqlite:{world.database}", "--gold", gold, "--predicted", predicted, *more
    )


def test_the_two_results_are_shown_side_by_side(world: World, capsys: Capture) -> None:
    assert settle(world, "SELECT name, age FROM singer", "SELECT name, 1 + age AS age FROM singer") == 0
    shown = capsys.readouterr().out
    lines = shown.splitlines()
    assert lines[0] == "execution_match: incorrect, wrong rows"
    assert "gold: 3 rows" in lines[1]
    assert "predicted: 3 rows" in lines[1]
    assert any("Ann" in line and "31" in line and "32" in line for line in lines)
    assert any(line.count("NULL") == 2 for line in lines)
    assert "execution_match, rows that the prediction lacks (2):" in lines
    assert "  'Ann', 31" in lines
    assert "execution_match, rows that it has too much (2):" in lines
    assert "  'Ann', 32" in lines


def test_an_order_that_is_not_checked_is_told_with_the_reason(world: World, capsys: Capture) -> None:
    gold = "SELECT DISTINCT name FROM singer ORDER BY age"
    assert settle(world, gold, "SELECT DISTINCT name FROM singer") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "execution_match: correct, match ambiguous"
    assert lines[-1] == "execution_match, order: not checked (the key age cannot be computed)"


def test_several_conventions_may_differ(world: World, capsys: Capture) -> None:
    pair = ("SELECT name, age FROM singer", "SELECT age, name FROM singer")
    assert settle(world, *pair, "--convention", "sqlassay", "--convention", "bird") == 0
    assert capsys.readouterr().out.splitlines()[:2] == [
        "execution_match: correct, match",
        "execution_match:bird: incorrect, wrong rows",
    ]


def test_any_gold_may_be_met(world: World, capsys: Capture) -> None:
    assert settle(world, "SELECT 7", GOLD, "--gold", GOLD) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("execution_match: correct, match\n")
    assert shown.count("gold: 1 row") == 2


def test_a_failure_is_shown_in_the_engines_words(world: World, capsys: Capture) -> None:
    assert settle(world, GOLD, "SELECT nme FROM singer") == 0
    shown = capsys.readouterr().out
    assert shown.startswith("execution_match: incorrect, unknown column\n")
    assert "predicted: unknown column" in shown
    assert "no such column: nme" in shown


def test_brackets_in_cells_are_shown_as_they_are(world: World, capsys: Capture) -> None:
    assert settle(world, "SELECT '[/x] [bold]y[/bold]' AS \"[z]\"", "SELECT '[red]' AS \"[/z]\"") == 0
    shown = capsys.readouterr().out
    for text in ("[/x] [bold]y[/bold]", "[red]", "[z]", "[/z]"):
        assert text in shown


def test_control_characters_in_headers_and_messages_are_shown(world: World, capsys: Capture) -> None:
    assert settle(world, 'SELECT 1 AS "\x1b[2Jhead"', 'SELECT 2 AS "\x9bother"') == 0
    assert settle(world, "SELECT 1", 'SELECT "\x1b[2Jcolumn" FROM singer, "\x07table"') == 0
    shown = capsys.readouterr().out
    assert not set("\x1b\x07\x9b") & set(shown)
    for text in ("\\x1b[2Jhead", "\\x9bother", "no such table: \\x07table"):
        assert text in shown


def test_strategies_with_settings(world: World, capsys: Capture) -> None:
    pair = ("SELECT name FROM singer", "SELECT name FROM singer WHERE 1")
    asked = ["--strategy", "exact_set_match", "--strategy", "execution_match:row_order=ignore"]
    assert settle(world, *pair, *asked) == 0
    assert capsys.readouterr().out.splitlines()[:2] == [
        "exact_set_match: incorrect, different clauses",
        "execution_match: correct, match",
    ]
    assert settle(world, *pair, "--strategy", "execution_match:row_ordr=ignore") == 2
    assert "unknown setting of convention 'sqlassay': 'row_ordr' (did you mean 'row_order'?)" in capsys.readouterr().err


def test_nothing_scored_is_not_to_be_used(world: World, capsys: Capture) -> None:
    assert settle(world, "SELECT nope FROM singer", GOLD) == 1
    shown = capsys.readouterr()
    assert shown.out.startswith("execution_match: unscored, gold failed\n")
    assert shown.err == "nothing could be scored\n"


@pytest.mark.parametrize("engine", ["sqlite", "duckdb"])
def test_a_file_that_is_no_database_is_one_line(engine: str, world: World, capsys: Capture) -> None:
    Path("notes.txt").write_text("no database, but long enough to be read as one" * 20)
    assert world.run("verdict", "--database", f"{engine}:notes.txt", "--gold", GOLD, "--predicted", GOLD) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith(f"error: {engine}:notes.txt: ")
    assert shown.err.endswith(" (name a database that it can read)\n")
    assert shown.err.count("\n") == 1


@pytest.mark.parametrize("gold", ["", " \n", "-- nothing", ";"])
def test_a_gold_without_sql_is_one_line(gold: str, world: World, capsys: Capture) -> None:
    assert settle(world, gold, GOLD) == 2
    assert capsys.readouterr() == ("", "error: a gold holds no SQL (give the right statement)\n")
    with pytest.raises(UserError, match="a gold holds no SQL"):
        verdict(f"sqlite:{world.database}", gold, GOLD)


def test_json(world: World, capsys: Capture) -> None:
    assert settle(world, "SELECT x'00', 1e999, 9007199254740993", "SELECT 1", "--json", "--question", "How?") == 0
    settled = json.loads(capsys.readouterr().out)
    assert set(settled) == {"golds", "predicted", "verdicts"}
    (given,) = settled["verdicts"]
    assert (given["strategy"], given["status"], given["reason"], given["score"]) == (
        "execution_match",
        "incorrect",
        "missing_columns",
        0.0,
    )
    assert settled["golds"][0]["first_rows"] == [["x'00'", "inf", "9007199254740993"]]
    assert (settled["predicted"]["rows"], settled["predicted"]["first_rows"]) == (1, [[1]])


MISTAKES: dict[str, tuple[list[str], str]] = {
    "nothing": ([], "--database, --gold and --predicted are needed (or --cases FILE for a list of pairs)"),
    "no prediction": (
        ["--database", "sqlite:x", "--gold", "SELECT 1"],
        "--database, --gold and --predicted are needed (or --cases FILE for a list of pairs)",
    ),
    "no engine": (
        ["--database", "x.sqlite", "--gold", "a", "--predicted", "b"],
        "database 'x.sqlite' is not ENGINE:TARGET (such as sqlite:shop.sqlite)",
    ),
    "unknown engine": (
        ["--database", "sqllite:x", "--gold", "a", "--predicted", "b"],
        "unknown backend 'sqllite' (did you mean 'sqlite'?)",
    ),
    "no file": (["--database", "sqlite:x", "--gold", "a", "--predicted", "b"], "x: no such database file"),
    "unknown convention": (
        ["--convention", "brid", "--database", "sqlite:x", "--gold", "a", "--predicted", "b"],
        "unknown convention 'brid' (did you mean 'bird'?)",
    ),
    "both": (
        ["--cases", "x", "--gold", "a"],
        "--cases brings its own databases and statements (leave out the other options)",
    ),
}


@pytest.mark.parametrize(("arguments", "expected"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_one_line(arguments: list[str], expected: str, world: World, capsys: Capture) -> None:
    assert world.run("verdict", *arguments) == 2
    shown = capsys.readouterr()
    assert (shown.out, shown.err) == ("", f"error: {expected}\n")


# Lists of traps.

TRAP: dict[str, Any] = {
    "id": "one",
    "setup": "CREATE TABLE t (a INTEGER); INSERT INTO t VALUES (1), (1)",
    "gold": "SELECT DISTINCT a FROM t",
    "pred": "SELECT a FROM t",
    "expected": "incorrect",
}


def cases(*traps: object) -> Path:
    path = Path("cases.json")
    path.write_text(json.dumps(traps))
    return path


def test_traps_of_both_engines(world: World, capsys: Capture) -> None:
    setup = ["CREATE TABLE t (a DATE)", "INSERT INTO t VALUES ('2020-01-01')"]
    path = cases(
        TRAP,
        {
            **TRAP,
            "id": "list",
            "setup": ["CREATE TABLE t (a INTEGER)", "INSERT INTO t VALUES (1)"],
            "expected": "correct",
        },
        {**TRAP, "id": "duck", "engine": "duckdb", "setup": setup, "pred": "FROM t", "expected": "correct"},
        {**TRAP, "id": "golds", "gold": ["SELECT 7", "SELECT a FROM t"], "expected": "correct"},
        {**TRAP, "id": "bad gold", "gold": "SELECT nope", "expected": "unscored"},
        {**TRAP, "id": "write", "pred": "DROP TABLE t", "why": "other keys are notes"},
    )
    assert world.run("verdict", "--cases", path) == 0
    assert capsys.readouterr().out == "6 of 6 verdicts are as expected\n"


def test_an_unexpected_verdict_is_printed_and_exits_with_1(world: World, capsys: Capture) -> None:
    path = cases(TRAP, {**TRAP, "id": "two", "expected": "correct"})
    assert world.run("verdict", "--cases", path, "--convention", "sqlassay", "--convention", "bird") == 1
    lines = capsys.readouterr().out.splitlines()
    assert [line.split() for line in lines[1:-1]] == [
        ["one", "execution_match:bird", "incorrect", "correct", "match"],
        ["two", "execution_match", "correct", "incorrect", "missing_distinct"],
    ]
    assert lines[-1] == "2 of 4 verdicts are as expected"


def test_traps_as_json(world: World, capsys: Capture) -> None:
    assert world.run("verdict", "--cases", cases(TRAP, {**TRAP, "id": "two", "expected": "correct"}), "--json") == 1
    rows = json.loads(capsys.readouterr().out)
    assert [(row["id"], row["status"], row["expected"], row["as_expected"]) for row in rows] == [
        ("one", "incorrect", "incorrect", True),
        ("two", "incorrect", "correct", False),
    ]


WRONG_CASES: dict[str, tuple[bytes | object, str]] = {
    "not JSON": (b'[\n{"id": 1},\n]', "cases.json, line 3, column 1: broken JSON: "),
    "binary": (b"\x00\x01\x02", "cases.json, line 1: holds a zero byte: this is binary, not text"),
    "empty file": (b"", "cases.json: is empty (was it written to the end?)"),
    "an object": (TRAP, "cases.json: is not a list of cases (a JSON list of objects with id, setup, engine, "),
    "nothing": ([], "cases.json: is not a list of cases (a JSON list of objects with id, setup, engine, "),
    "no object": ([TRAP, 5], "cases.json: case 2: is not an object"),
    "no id": ([{**TRAP, "id": None}], "cases.json: case 1: the key 'id' is missing or is not text"),
    "an id twice": ([TRAP, TRAP], "cases.json: case 2: the id 'one' is there twice"),
    "no setup": (
        [{**TRAP, "setup": []}],
        "cases.json: case 1: the key 'setup' is missing, or is not text or a list of texts",
    ),
    "setup of numbers": (
        [{**TRAP, "setup": [1]}],
        "cases.json: case 1: the key 'setup' is missing, or is not text or a list of texts",
    ),
    "another word": (
        [{**TRAP, "expected": "wrong"}],
        "cases.json: case 1: expected is 'wrong' (one of correct, incorrect, unscored)",
    ),
    "no engine": ([{**TRAP, "engine": 5}], "cases.json: case 1: the key 'engine' is missing or is not text"),
    "unknown engine": (
        [{**TRAP, "engine": "sqllite"}],
        "cases.json: case 1: unknown backend 'sqllite' (did you mean 'sqlite'?)",
    ),
    "setup that fails": ([{**TRAP, "setup": "CREATE TBLE t"}], 'cases.json: case 1: the setup fails: near "TBLE"'),
}


@pytest.mark.parametrize(("content", "expected"), WRONG_CASES.values(), ids=WRONG_CASES)
def test_a_bad_list_is_one_line(content: bytes | object, expected: str, world: World, capsys: Capture) -> None:
    Path("cases.json").write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    assert world.run("verdict", "--cases", "cases.json") == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith(f"error: {expected}")
    assert shown.err.count("\n") == 1


def test_a_missing_list(world: World, capsys: Capture) -> None:
    assert world.run("verdict", "--cases", "nope.json") == 2
    assert capsys.readouterr().err == "error: nope.json: no such file or folder (check the path)\n"


# From Python.


def test_from_python(world: World) -> None:
    database = f"sqlite:{world.database}"
    right = verdict(database, GOLD, "SELECT 3")
    assert (right.status, right.reason, right.score) == (Status.CORRECT, Reason.MATCH, 1.0)
    assert verdict(database, ["SELECT 7", GOLD], GOLD).status is Status.CORRECT
    wrong = verdict(database, GOLD, "SELECT 4", question="How many?")
    assert (wrong.status, wrong.evidence["missing"]) == (Status.INCORRECT, [[3]])
    swapped = ("SELECT name, age FROM singer", "SELECT age, name FROM singer")
    assert verdict(database, *swapped).status is Status.CORRECT
    assert verdict(database, *swapped, convention="bird").status is Status.INCORRECT


def test_mistakes_from_python(world: World) -> None:
    with pytest.raises(UserError, match="no such database file"):
        verdict("sqlite:nope", GOLD, GOLD)
    with pytest.raises(UnknownName, match="did you mean 'bird'"):
        verdict(f"sqlite:{world.database}", GOLD, GOLD, convention="brid")


def test_beside_a_running_event_loop(world: World) -> None:
    async def cell_of_a_notebook() -> Status:
        return verdict(f"sqlite:{world.database}", GOLD, GOLD).status

    assert asyncio.run(cell_of_a_notebook()) is Status.CORRECT


@pytest.mark.parametrize("how", ["script", "command", "stdin"])
def test_in_a_script_without_a_main_guard(how: str, world: World) -> None:
    source = (
        "print('ran')\nfrom evaluation import verdict\n"
        f"print(verdict('sqlite:{world.database}', 'SELECT 1', 'SELECT 1').reason)\n"
    )
    Path("script.py").write_text(source)
    arguments = {"script": ["script.py"], "command": ["-c", source], "stdin": ["-"]}[how]
    done = subprocess.run(
        [sys.executable, *arguments], input=source, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "ran\nmatch\n", "")

"""`sqlassay score`: one line per question and strategy, mistakes in one line, nothing written over."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.evaluation.world import GOLD, World

Capture = pytest.CaptureFixture[str]

QUESTIONS: list[dict[str, object]] = [
    {"id": "a"},
    {"id": "b", "gold": "SELECT name, age FROM singer"},
    {"id": "c", "gold": "SELECT nope FROM singer"},
    {"id": "d", "db_id": "elsewhere"},
    {"id": "e", "gold": ["SELECT 7", GOLD]},
]
PREDICTIONS = [GOLD, "SELECT age, name FROM singer", GOLD, GOLD, GOLD]


@pytest.fixture
def world(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.chdir(world.folder)
    world.questions(QUESTIONS)
    Path("p.sql").write_text("".join(f"{sql}\n" for sql in PREDICTIONS))
    return world


def score(world: World, *arguments: str, predictions: str = "p.sql") -> int:
    return world.run("score", predictions, "--dataset", "jsonl:questions.jsonl", "--workers", "1", "-q", *arguments)


def verdicts(path: str = "v.jsonl") -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path(path).read_text().splitlines()]


def test_a_line_per_question_and_strategy(world: World) -> None:
    code = score(world, "--convention", "sqlassay", "--convention", "bird", "--output", "v.jsonl")
    assert code == 0
    lines = verdicts()
    assert all(list(line) == ["id", "db_id", "strategy", "status", "score", "reason", "evidence"] for line in lines)
    assert [(v["id"], v["strategy"], v["status"], v["reason"], v["score"]) for v in lines] == [
        ("a", "execution_match", "correct", "match", 1),
        ("a", "execution_match:bird", "correct", "match", 1),
        ("b", "execution_match", "correct", "match", 1),
        ("b", "execution_match:bird", "incorrect", "wrong_rows", 0),
        ("c", "execution_match", "unscored", "gold_failed", 0),
        ("c", "execution_match:bird", "unscored", "gold_failed", 0),
        ("d", "execution_match", "unscored", "database_missing", 0),
        ("d", "execution_match:bird", "unscored", "database_missing", 0),
        ("e", "execution_match", "correct", "match", 1),
        ("e", "execution_match:bird", "correct", "match", 1),
    ]
    assert lines[6]["db_id"] == "elsewhere"
    assert lines[3]["evidence"]["missing"] == [["Ann", 31], ["Bob", 45], ["Cleo", None]]
    assert lines[4]["evidence"]["kind"] == "unknown_column"


def test_ids_are_the_position_where_there_are_none_or_where_that_is_wanted(world: World) -> None:
    Path("questions.jsonl").write_text('{"question": "x", "db_id": "show", "gold": "SELECT 1"}\n' * 3)
    Path("three.sql").write_text("SELECT 1\n" * 3)
    assert score(world, "--output", "v.jsonl", predictions="three.sql") == 0
    assert [line["id"] for line in verdicts()] == ["0", "1", "2"]
    world.questions(QUESTIONS)
    assert score(world, "--output", "v.jsonl", "--overwrite", "--ids-by-position") == 0
    assert [line["id"] for line in verdicts()] == ["0", "1", "2", "3", "4"]


def test_the_three_counts_are_always_there(world: World, capsys: Capture) -> None:
    assert score(world) == 0
    shown = capsys.readouterr()
    row = next(line for line in shown.out.splitlines() if "execution_match" in line)
    assert row.split()[2:4] == ["100.0", "%"]
    assert row.split()[7:] == ["3", "3", "(0)", "0", "(0)", "2"]
    assert "1 unscored: gold failed" in shown.out
    assert "1 unscored: database missing" in shown.out


def test_json_is_data_and_nothing_else(world: World, capsys: Capture) -> None:
    assert world.run("score", "p.sql", "--dataset", "jsonl:questions.jsonl", "--json") == 0
    shown = capsys.readouterr()
    summary = json.loads(shown.out)
    assert (summary["items"], summary["total"], summary["tokens"]["asked"]) == (5, 5, 0)
    (strategy,) = summary["strategies"]
    assert (strategy["scored"], strategy["system_failures"], strategy["instrument_failures"]) == (3, 0, 2)
    assert strategy["reasons"] == {"database_missing": 1, "gold_failed": 1, "match": 3}


@pytest.mark.parametrize(("allowed", "code"), [("0.39", 1), ("0.4", 0), ("1", 0), ("0", 1)])
def test_too_many_instrument_failures_make_it_unusable(allowed: str, code: int, world: World) -> None:
    assert score(world, "--max-instrument-failures", allowed) == code


def test_a_file_that_is_there_is_not_written_over(world: World, capsys: Capture) -> None:
    Path("v.jsonl").write_text("precious\n")
    assert score(world, "--output", "v.jsonl") == 2
    shown = capsys.readouterr()
    assert (shown.out, shown.err) == (
        "",
        "error: v.jsonl: is there already (name another file or add --overwrite)\n",
    )
    assert Path("v.jsonl").read_text() == "precious\n"
    assert score(world, "--output", "v.jsonl", "--overwrite") == 0
    assert len(verdicts()) == 5


def test_a_mistake_found_late_leaves_the_old_file_and_no_other(world: World) -> None:
    Path("v.jsonl").write_text("precious\n")
    before = sorted(Path().iterdir())
    assert score(world, "--output", "v.jsonl", "--overwrite", "--ids", "z") == 2
    assert (Path("v.jsonl").read_text(), sorted(Path().iterdir())) == ("precious\n", before)


def test_verdicts_go_to_a_pipe_as_well(world: World) -> None:
    process = world.start("score", "p.sql", "--dataset", "jsonl:questions.jsonl", "-q", "-o", "/dev/stdout", "--json")
    out, _ = process.communicate()
    assert process.returncode == 0
    assert [json.loads(line)["id"] for line in out.splitlines()[:5]] == list("abcde")
    assert Path("/dev/stdout").is_symlink()


def test_one_engine_for_both_sides(world: World) -> None:
    duckdb = pytest.importorskip("duckdb")
    with closing(duckdb.connect(str(world.folder / "databases" / "show" / "show.duckdb"))) as connection:
        connection.execute("CREATE TABLE singer AS SELECT 1 AS id, 'Ann' AS name, 31 AS age")
    world.questions([{"id": "a", "gold": "SELECT name FROM singer QUALIFY row_number() OVER (ORDER BY id) = 1"}])
    Path("one.sql").write_text("FROM singer SELECT name\n")
    assert score(world, "--backend", "duckdb", "--output", "v.jsonl", predictions="one.sql") == 0
    assert verdicts()[0]["status"] == "correct"


def test_selections(world: World) -> None:
    for arguments, ids in {
        ("--limit", "2"): "ab",
        ("--ids", "e, a"): "ae",
        ("--filter", "db_id=elsewhere", "--filter", "db_id=show", "--limit", "4"): "abcd",
    }.items():
        assert score(world, *arguments, "-o", "v.jsonl", "--overwrite") == 0
        assert "".join(line["id"] for line in verdicts()) == ids


def test_golds_are_known_the_second_time_until_the_database_changes(world: World) -> None:
    assert score(world, "--output", "v.jsonl") == 0
    with closing(sqlite3.connect(world.database)) as connection:
        connection.execute("DELETE FROM singer WHERE id = 3")
        connection.commit()
    Path("p.sql").write_text("SELECT 2\n" * 5)
    assert score(world, "--output", "v.jsonl", "--overwrite") == 0
    assert verdicts()[0]["status"] == "correct"


BROKEN_JSON = '{"sql": "SELECT 1"}\n' * 2 + '{"sql": \n' + '{"sql": "SELECT 1"}\n' * 2
MISTAKES: dict[str, tuple[dict[str, bytes | str], list[str], str]] = {
    "missing predictions": (
        {},
        ["q.sql"],
        "q.sql: no such file or folder (did you mean 'p.sql'?)",
    ),
    "too short": (
        {"q.sql": "SELECT 1\n" * 4},
        ["q.sql"],
        "q.sql: has 4 lines, the dataset 5 questions"
        " (one for each question, in the order of the dataset; an empty line where there is no SQL)",
    ),
    "too long": (
        {"q.sql": "SELECT 1\n" * 6},
        ["q.sql"],
        "q.sql: has 6 lines, the dataset 5 questions"
        " (one for each question, in the order of the dataset; an empty line where there is no SQL)",
    ),
    "broken line": (
        {"q.jsonl": BROKEN_JSON},
        ["q.jsonl"],
        "q.jsonl, line 3, column 8: broken JSON: Expecting value",
    ),
    "binary garbage": (
        {"q.sql": bytes(range(256)) * 40},
        ["q.sql"],
        "q.sql, line 1: holds a zero byte: this is binary, not text (save the file as UTF-8 text)",
    ),
    "a database": (
        {},
        ["databases/show/show.sqlite"],
        "databases/show/show.sqlite: is a SQLite database, not UTF-8 text (give the file of questions or predictions)",
    ),
    "a folder": ({}, ["databases"], "databases: is a folder, not a file (give the file in it)"),
    "unknown convention": ({}, ["--convention", "brid"], "unknown convention 'brid' (did you mean 'bird'?)"),
    "unknown format": (
        {},
        ["--dataset", "sipder:x"],
        "unknown dataset format 'sipder' (did you mean 'spider'?)",
    ),
    "missing dataset": (
        {},
        ["--dataset", "jsonl:question.jsonl"],
        "question.jsonl: no such file or folder (did you mean 'questions.jsonl'?)",
    ),
    "unknown backend": ({}, ["--backend", "sqlte"], "unknown backend 'sqlte' (did you mean 'sqlite'?)"),
    "an id twice": (
        {"questions.jsonl": '{"id": "a", "question": "x", "db_id": "show"}\n' * 2},
        [],
        "questions.jsonl: question id 'a' is at line 1 and at line 2"
        " (give each question its own id, or count them from 0 with --ids-by-position)",
    ),
    "broken question file": (
        {"questions.jsonl": '{"id": "a", "question": "x", "db_id": "show"}\n{"id": \n'},
        [],
        "questions.jsonl, line 2, column 7: broken JSON: Expecting value",
    ),
    "folder of output": ({}, ["-o", "nope/v.jsonl"], "nope/v.jsonl: its folder is not there (make nope)"),
    "output is a folder": ({}, ["-o", "databases"], "databases: is a folder (name a file in it)"),
    "filter": ({}, ["--filter", "db_id"], "filter 'db_id' is not of the form KEY=VALUE (such as db_id=world_1)"),
    "no database at all": (
        {"questions.jsonl": '{"id": "a", "question": "x", "db_id": "nope", "gold": "SELECT 1"}\n', "q.sql": "x\n"},
        ["q.sql"],
        "questions.jsonl: none of its databases is there for SQLite: nope"
        " (name their folder: --databases DIR, or `databases:` in the experiment file)",
    ),
}


@pytest.mark.parametrize(("files", "arguments", "expected"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_one_line_and_nothing_is_written(
    files: dict[str, bytes | str], arguments: list[str], expected: str, world: World, capsys: Capture
) -> None:
    for name, content in files.items():
        Path(name).write_bytes(content if isinstance(content, bytes) else content.encode())
    before = {path: path.read_bytes() for path in Path().rglob("*") if path.is_file()}
    named = bool(arguments) and not arguments[0].startswith("-")
    predictions, options = (arguments[0], arguments[1:]) if named else ("p.sql", arguments)
    output = [] if "-o" in options else ["-o", "v.jsonl"]
    code = world.run("score", predictions, "--dataset", "jsonl:questions.jsonl", *output, *options)
    shown = capsys.readouterr()
    assert (code, shown.out, shown.err) == (2, "", f"error: {expected}\n")
    assert {path: path.read_bytes() for path in Path().rglob("*") if path.is_file()} == before


USAGE = {
    "no dataset": (["score", "p.sql"], "Error: Missing option '--dataset'."),
    "no predictions": (["score", "--dataset", "jsonl:questions.jsonl"], "Error: Missing argument 'PREDICTIONS'."),
    "no such option": (["score", "p.sql", "--datset", "x"], "Error: No such option: --datset"),
    "no time": (["score", "p.sql", "--dataset", "x:y", "--timeout", "0"], "Error: Invalid value for '--timeout': "),
    "no rows": (["score", "p.sql", "--dataset", "x:y", "--max-rows", "0"], "Error: Invalid value for '--max-rows': "),
    "no command": (["scoer"], "Error: No such command 'scoer'."),
}


@pytest.mark.parametrize(("arguments", "expected"), USAGE.values(), ids=USAGE)
def test_a_wrong_command_says_how_it_is_used(
    arguments: list[str], expected: str, world: World, capsys: Capture
) -> None:
    assert world.run(*arguments) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("Usage: ")
    assert expected in shown.err


EXACT = [
    ("a", "correct", "match"),
    ("b", "incorrect", "different_clauses"),
    ("c", "unscored", "gold_failed"),
    ("d", "unscored", "database_missing"),
    ("e", "correct", "match"),
]


def test_a_strategy_alone_executes_nothing(world: World) -> None:
    world.questions(
        [
            {**question, "gold": "SELECT name FROM singer"} if question["id"] == "b" else question
            for question in QUESTIONS
        ]
    )
    assert score(world, "--strategy", "exact_set_match", "--output", "v.jsonl") == 0
    assert [(v["id"], v["status"], v["reason"]) for v in verdicts()] == EXACT
    assert {v["strategy"] for v in verdicts()} == {"exact_set_match"}
    assert verdicts()[1]["evidence"] == {"components": ["select", "select(no AGG)"]}


def test_strategies_beside_conventions(world: World) -> None:
    more = ["--strategy", "exact_set_match", "--strategy", "execution_match:bird"]
    assert score(world, "--convention", "bird", *more[:2], "--output", "v.jsonl") == 0
    assert [v["strategy"] for v in verdicts()[:2]] == ["execution_match:bird", "exact_set_match"]
    assert score(world, *more, "--output", "w.jsonl") == 0
    assert [v["strategy"] for v in verdicts("w.jsonl")[:2]] == ["exact_set_match", "execution_match:bird"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--strategy", "exact_set"], "error: unknown strategy 'exact_set' (did you mean 'exact_set_match'?)\n"),
        (
            ["--convention", "bird", "--strategy", "execution_match:bird"],
            "error: the strategy 'execution_match:bird' is there twice (leave one out)\n",
        ),
    ],
)
def test_strategies_that_cannot_be(arguments: list[str], message: str, world: World, capsys: Capture) -> None:
    assert score(world, *arguments) == 2
    assert capsys.readouterr().err == message


@pytest.mark.parametrize("how", ["itself", "a link"])
@pytest.mark.parametrize("file", ["p.sql", "questions.jsonl", "databases/show/show.sqlite"])
def test_the_output_never_replaces_what_is_read(file: str, how: str, world: World, capsys: Capture) -> None:
    before = Path(file).read_bytes()
    given = Path(file)
    if how == "a link":
        given = Path("other.jsonl")
        given.hardlink_to(file)
    assert score(world, "-o", str(given), "--overwrite") == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err == f"error: {given}: is read by this command, as {file} (name another file)\n"
    assert Path(file).read_bytes() == given.read_bytes() == before


def test_nothing_scored_is_not_to_be_used(world: World, capsys: Capture) -> None:
    for ids, extra, code in (("c,d", [], 1), ("c,d", ["--max-instrument-failures", "1"], 0), ("a,c,d", [], 0)):
        assert score(world, "--ids", ids, *extra) == code
        told = capsys.readouterr().err
        assert told == ("p.sql: unusable: no question could be scored\n" if code else "")
    assert score(world, "--max-instrument-failures", "0.3") == 1
    told = capsys.readouterr().err
    assert told == "p.sql: unusable: 40.0 % of the questions are unscored, --max-instrument-failures is 0.3\n"


def test_a_strategy_has_settings(world: World) -> None:
    world.questions([{"id": "a", "gold": "SELECT 1.0"}])
    Path("one.sql").write_text("SELECT 1.0001\n")
    for spec, status in (("execution_match", "incorrect"), ("execution_match:relative_tolerance=1e-3", "correct")):
        assert score(world, "--strategy", spec, "-o", "v.jsonl", "--overwrite", predictions="one.sql") == 0
        assert [verdict["status"] for verdict in verdicts()] == [status]

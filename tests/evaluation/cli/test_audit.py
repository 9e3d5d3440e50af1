"""`sqlassay audit`: a table or JSON, and an exit code for CI."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from evaluation.audit.probes import every_probe
from tests.evaluation.world import World

Capture = pytest.CaptureFixture[str]
NAMES = [probe.name for probe in every_probe()]
GOOD: list[dict[str, object]] = [
    {"id": "a"},
    {"id": "b", "gold": "SELECT name FROM singer WHERE age > 99"},
    {"id": "c", "gold": ["SELECT 7", "SELECT name FROM singer LIMIT 1"]},
    {"id": "d", "db_id": "elsewhere"},
    {"id": "e", "gold": None},
]


@pytest.fixture
def world(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.chdir(world.folder)
    world.questions(GOOD)
    return world


def audit(world: World, *arguments: str) -> int:
    return world.run("audit", "jsonl:questions.jsonl", "--workers", "1", *arguments)


def report(world: World, capsys: Capture, *arguments: str) -> dict[str, Any]:
    capsys.readouterr()
    audit(world, "--json", *arguments)
    value: dict[str, Any] = json.loads(capsys.readouterr().out)
    return value


def test_the_table_has_counts_and_what_fired(world: World, capsys: Capture) -> None:
    assert audit(world) == 0
    out, err = capsys.readouterr()
    lines = out.splitlines()
    assert lines[0].rstrip() == "questions.jsonl: 5 questions, 5 golds, 1 without a database"
    table = {line.split()[0]: line.split()[1:4] for line in lines[2:20]}
    assert list(table) == NAMES
    assert table["duplicate_id"] == ["0", "5", "0"]
    assert table["empty"] == ["1", "3", "2"]
    assert [line.split()[:4] for line in lines[22:]] == [
        ["b", "show", "empty", "fired"],
        ["c,", "gold", "2", "show"],
    ]
    assert err == ""


def test_verbose_shows_the_statement_and_the_rows(world: World, capsys: Capture) -> None:
    assert audit(world, "--probe", "limit_without_order", "--verbose") == 0
    lines = capsys.readouterr().out.splitlines()[4:]
    assert lines[0] == "c, gold 2  show  limit_without_order  fired"
    assert lines[1] == "  the LIMIT takes 1 of 3 rows, and no ORDER BY says which"
    assert lines[2].startswith("  WITH sqlassay_rows(c1) AS (SELECT name FROM singer)")
    assert lines[3:] == ["  ('Ann', 1)", "  ('Bob', 1)", "  ('Cleo', 1)"]


def test_json_is_what_the_schema_says(world: World, capsys: Capture) -> None:
    assert world.run("schema", "audit") == 0
    validator = Draft202012Validator(json.loads(capsys.readouterr().out))
    found, everything = report(world, capsys), report(world, capsys, "--all")
    assert [list(validator.iter_errors(value)) for value in (found, everything)] == [[], []]
    assert {line["answer"] for line in found["findings"]} == {"fired"}
    assert {line["answer"] for line in everything["findings"]} == {"fired", "quiet", "not_applicable"}
    assert all(line["reason"] for line in everything["findings"])
    assert len(everything["findings"]) == 5 * 2 + 6 * (len(NAMES) - 2)
    assert found["probes"] == everything["probes"]
    assert [probe["name"] for probe in found["probes"]] == NAMES
    assert sum(probe["fired"] for probe in found["probes"]) == len(found["findings"])
    assert (found["questions"], found["golds"], found["without_database"]) == (5, 5, 1)
    assert list(validator.iter_errors({**found, "findings": [{}]}))


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        ((), 0, ""),
        (("--fail-on", "empty"), 1, "empty"),
        (("--fail-on", "clock, empty,limit_without_order"), 1, "clock, empty, limit_without_order"),
        (("--fail-on", "clock"), 0, ""),
        (("--fail-on", "all"), 1, "empty, limit_without_order"),
        (("--fail-on", "none"), 0, ""),
        (("--fail-on", "empty", "--probe", "clock"), 0, ""),
        (("--fail-on", "empty", "--ids", "a"), 0, ""),
    ],
)
def test_exit_codes(arguments: tuple[str, ...], code: int, told: str, world: World, capsys: Capture) -> None:
    assert audit(world, *arguments) == code
    err = capsys.readouterr().err
    assert [name for name in ("empty", "limit_without_order") if name in told] == [
        name for name in ("empty", "limit_without_order") if name in err
    ]
    assert ("exit code 1" in err) is bool(code)


@pytest.mark.parametrize(
    ("gold", "probe"),
    [
        ("SELECT nope", "failing"),
        ("SELECT FROM", "not_parsing"),
        ("SELECT random()", "randomness"),
        ("WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c", "timing_out"),
    ],
)
def test_what_matters_unless_told_otherwise(gold: str, probe: str, world: World, capsys: Capture) -> None:
    world.questions([{"id": "a", "gold": gold}])
    found = report(world, capsys, "--timeout", "0.3")
    assert probe in found["failed_on"]
    assert set(found["failed_on"]) <= {probe.name for probe in every_probe() if probe.fatal}
    assert audit(world, "--timeout", "0.3") == 1


def test_the_same_id_twice_can_be_audited(world: World, capsys: Capture) -> None:
    world.questions([{"id": "a"}, {"id": "b"}, {"id": "a", "question": "Another?"}])
    found = report(world, capsys)
    assert found["failed_on"] == ["duplicate_id"]
    assert [(line["position"], line["id"]) for line in found["findings"]] == [(0, "a"), (2, "a")]
    assert report(world, capsys, "--ids", "a")["questions"] == 2
    assert report(world, capsys, "--ids", "b", "--probe", "duplicate_id")["findings"] == []
    assert len(report(world, capsys, "--limit", "1")["findings"]) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--probe", "emty"), "did you mean"),
        (("--fail-on", "emty"), "did you mean"),
        (("--backend", "oracle"), "oracle"),
        (("--ids", "nobody"), "nobody"),
        (("--backend", "duckdb"), "none of its databases is there"),
        (("--databases", "nowhere"), "nowhere"),
    ],
)
def test_mistakes(arguments: tuple[str, ...], message: str, world: World, capsys: Capture) -> None:
    assert audit(world, *arguments) == 2
    err = capsys.readouterr().err
    assert message in err
    assert len(err.splitlines()) == 1


def test_a_broken_file_is_a_mistake(world: World, capsys: Capture) -> None:
    Path("questions.jsonl").write_text('{"question": "x"}\n')
    assert audit(world) == 2
    assert "db_id" in capsys.readouterr().err

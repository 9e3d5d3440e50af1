"""Golds that are results in files: how they are read, and a whole `score` over a folder that has them."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from database_backends.result import ExecutionFailure, ResultTable
from evaluation.cli.app import run
from evaluation.datasets.base import GoldResult
from evaluation.gold_result import read_result
from evaluation.golds import Gold


def read(file: Path, *columns: int, most_rows: int = 100) -> ResultTable:
    found = read_result(GoldResult(file, columns), most_rows)
    assert isinstance(found, ResultTable)
    return found


def test_a_table_is_read(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_bytes(b'\xef\xbb\xbfName,n,n\r\n"Ann, the first",007,1.50\r\nBob,,2\r\n"",12,\r\n')
    table = read(file)
    assert table.columns == ("Name", "n", "n")
    assert table.rows == [("Ann, the first", "007", 1.5), ("Bob", None, 2), (None, "12", None)]
    assert not table.truncated
    assert read(file, 2, 0) == ResultTable(("n", "Name"), ("", ""), [(1.5, "Ann, the first"), (2, "Bob"), (None, None)])


def test_a_header_alone_is_an_empty_result(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("a,b\n")
    assert read(file) == ResultTable(("a", "b"), ("", ""), [])


@pytest.mark.parametrize(("most_rows", "rows", "cut"), [(1, 1, True), (2, 2, True), (3, 3, False), (4, 3, False)])
def test_a_long_result_is_cut(tmp_path: Path, most_rows: int, rows: int, cut: bool) -> None:
    file = tmp_path / "a.csv"
    file.write_text("a\n1\n2\n3\n")
    table = read(file, most_rows=most_rows)
    assert (len(table.rows), table.truncated) == (rows, cut)


@pytest.mark.parametrize(
    ("content", "message"),
    {
        b"": "{file}: is empty (was it written to the end?)",
        b"a,b\n1\n": "{file}, line 2: has 1 cell, the header 2"
        " (put cells that hold commas or line ends in double quotes)",
        b'a,b\n1,"2\n': "{file}, line 2: a quoted cell is never closed (put quotes inside a quoted cell twice)",
        b"a\n\xff\n": "{file}, line 2: byte 0xff is not UTF-8 text (save the file as UTF-8)",
        b"a,b\n1,2\n": "{file}: has 2 columns, none at the place 2 (condition columns count from 0)",
    }.items(),
)
def test_what_cannot_be_read_is_a_failure(tmp_path: Path, content: bytes, message: str) -> None:
    file = tmp_path / "a.csv"
    file.write_bytes(content)
    found = read_result(GoldResult(file, (0, 2) if b"1,2" in content else ()), 100)
    assert isinstance(found, ExecutionFailure)
    assert found.message == message.format(file=file)


def test_a_file_that_is_gone_is_a_failure(tmp_path: Path) -> None:
    found = read_result(GoldResult(tmp_path / "a.csv"), 100)
    assert isinstance(found, ExecutionFailure)
    assert found.message == f"{tmp_path / 'a.csv'}: no such file or folder (check the path)"


def test_what_is_written_down(tmp_path: Path) -> None:
    table = ResultTable(("a",), ("",), [(1,)])
    record = Gold("", table, cached=False, result=GoldResult(tmp_path / "local002_a.csv")).record
    assert (record.sql, record.source, record.rows) == ("", "local002_a.csv", 1)
    assert Gold("SELECT 1", table, cached=True).record.source is None


class Folder:
    """A folder in Spider 2.0-lite's layout, with two databases."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.gold = path / "evaluation_suite" / "gold"
        (self.gold / "exec_result").mkdir(parents=True)
        localdb = path / "resource" / "databases" / "spider2-localdb"
        localdb.mkdir(parents=True)
        for name, rows in (("shop", "(1, 'a', 1.5), (2, 'b', 2.25), (3, 'c', NULL)"), ("farm", "(7, '2014', 0.1)")):
            with closing(sqlite3.connect(localdb / f"{name}.sqlite")) as connection:
                connection.execute("CREATE TABLE t (id INTEGER, name TEXT, price REAL)")
                connection.execute(f"INSERT INTO t VALUES {rows}")
                connection.commit()
        self.lines: list[tuple[dict[str, object], dict[str, object], str]] = []

    def add(
        self,
        predicted: str,
        *golds: str,
        db: str = "shop",
        columns: object = (),
        ignore_order: bool = True,
        **more: Any,
    ) -> None:
        """A question, its gold files and the prediction."""
        name = more.get("name", f"local{len(self.lines):03}")
        for letter, gold in zip("abc", golds, strict=False):
            file = f"{name}_{letter}.csv" if len(golds) > 1 else f"{name}.csv"
            (self.gold / "exec_result" / file).write_text(gold)
        question: dict[str, object] = {"instance_id": name, "db": db, "question": "?", "external_knowledge": None}
        rule: dict[str, object] = {"instance_id": name, "condition_cols": columns, "ignore_order": ignore_order}
        self.lines.append((question, rule, predicted))

    def score(self, *arguments: str) -> list[dict[str, Any]]:
        """The verdicts of one convention."""
        for file, place in ((self.path / "spider2-lite.jsonl", 0), (self.gold / "spider2lite_eval.jsonl", 1)):
            file.write_text("".join(f"{json.dumps(line[place])}\n" for line in self.lines))
        (self.path / "p.sql").write_text("".join(f"{predicted}\n" for *_, predicted in self.lines))
        output = self.path / "verdicts.jsonl"
        given = ["score", str(self.path / "p.sql"), "--dataset", f"spider2:{self.path}", "-q", "--workers", "1"]
        code = run([*given, "--output", str(output), "--overwrite", *arguments])
        verdicts = [json.loads(line) for line in output.read_text().splitlines()]
        assert code == (0 if any(verdict["status"] != "unscored" for verdict in verdicts) else 1)
        return verdicts

    def reasons(self, *arguments: str) -> list[str]:
        """The reason of each verdict."""
        return [verdict["reason"] for verdict in self.score(*arguments)]


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path / "lite")


FULL = "id,name,price\n1,a,1.5\n2,b,2.25\n3,c,\n"

JUDGED: list[tuple[str, tuple[str, ...], dict[str, Any], str, str]] = [
    ("SELECT * FROM t", (FULL,), {}, "match", "match"),
    ("SELECT price, id, name FROM t", (FULL,), {}, "match", "wrong_rows"),
    ("SELECT * FROM t WHERE id > 1", (FULL,), {}, "missing_rows", "missing_rows"),
    # Types that a CSV does not have.
    ("SELECT name FROM t", ("year\n2014\n",), {"db": "farm"}, "match", "match"),
    ("SELECT CAST(name AS INTEGER) FROM t", ("year\n2014\n",), {"db": "farm"}, "match", "match"),
    ("SELECT printf('%.2f', price) FROM t", ("p\n1.50\n2.25\n0.00\n",), {}, "match", "match"),
    ("SELECT ''", ('a\n""\n',), {}, "match", "match"),
    ("SELECT 1.0 / 3", ("x\n0.333333333\n",), {}, "match", "wrong_rows"),
    # Several golds: any may be met.
    ("SELECT id FROM t", ("id\n9\n", "id\n1\n2\n3\n"), {}, "match", "match"),
    ("SELECT id FROM t", ("id\n9\n", "id\n8\n"), {}, "wrong_rows", "wrong_rows"),
    # Columns: more are free under our convention; those that do not count are not looked for.
    ("SELECT id, name, price, 1 FROM t", (FULL,), {}, "match", "extra_columns"),
    ("SELECT id, name AS title, price * 1.00000001 AS x FROM t", ("n,p\na,1.5\nb,2.25\nc,\n",), {}, "match", None),
    ("SELECT name FROM t", (FULL,), {"columns": [1]}, "match", "match"),
    ("SELECT name FROM t", (FULL,), {"columns": [0, 1]}, "missing_columns", "missing_columns"),
    ("SELECT id AS other, name FROM t", (FULL,), {"columns": [1]}, "match", "extra_columns"),
    ("SELECT name FROM t", ("x\n9\n", FULL), {"columns": [[0], [1]]}, "match", "match"),
    ("SELECT name FROM t", (FULL,), {"columns": [3]}, "gold_failed", "gold_failed"),
    # Order.
    ("SELECT id FROM t ORDER BY id DESC", ("id\n1\n2\n3\n",), {}, "match", "match"),
    ("SELECT id FROM t ORDER BY id DESC", ("id\n1\n2\n3\n",), {"ignore_order": False}, "wrong_order", "match"),
    ("SELECT id FROM t ORDER BY id", ("id\n1\n2\n3\n",), {"ignore_order": False}, "match", "match"),
    ("SELECT 5, id FROM t ORDER BY id DESC", ("id\n1\n2\n3\n",), {"ignore_order": False}, "wrong_order", None),
    ("SELECT 5, id FROM t ORDER BY id", ("id\n1\n2\n3\n",), {"ignore_order": False}, "match", "extra_columns"),
    # The instrument.
    ("SELECT id FROM t", (), {}, "gold_missing", "gold_missing"),
    ("SELECT id FROM t", ("id,b\n1\n",), {}, "gold_failed", "gold_failed"),
    ("SELECT id FROM t", ("id\n9\n", "id,b\n1\n"), {}, "gold_failed", "gold_failed"),
    ("SELECT id FROM t", ("id,b\n1\n", "id\n1\n2\n3\n"), {}, "match", "match"),
    ("SELECT id FROM t", (FULL,), {"db": "ga4", "name": "bq001"}, "database_missing", "database_missing"),
    ("SELECT nope FROM t", (FULL,), {}, "unknown_column", "unknown_column"),
    ("SELECT id FROM t WHERE 0", ("id\n",), {"ignore_order": False}, "match_vacuous", "match_vacuous"),
]


def test_a_folder_is_scored(folder: Folder) -> None:
    for predicted, golds, how, _, _ in JUDGED:
        folder.add(predicted, *golds, **how)
    assert folder.reasons() == [expected for *_, expected, _ in JUDGED]
    bird = [
        (found, expected) for found, (*_, expected) in zip(folder.reasons("--convention", "bird"), JUDGED, strict=True)
    ]
    assert [found for found, expected in bird if expected] == [expected for _, expected in bird if expected]


def test_spider_knows_whether_order_counts(folder: Folder) -> None:
    for ignored in (True, False):
        folder.add("SELECT id FROM t ORDER BY id DESC", "id\n1\n2\n3\n", ignore_order=ignored)
    assert folder.reasons("--convention", "spider") == ["match", "wrong_order"]


def test_spider2_goes_by_what_the_dataset_says(folder: Folder) -> None:
    for ignored in (True, False):
        folder.add("SELECT 5, id FROM t ORDER BY id DESC", "id\n1\n2\n3\n", ignore_order=ignored)
    folder.add(
        "SELECT name, '007', ROUND(price, 2) FROM t", FULL + "4,d,9\n", "a,price,z\nx,1.501,7\ny,2.25,7\nz,0,7\n"
    )
    folder.lines[2][1]["condition_cols"] = [[], [1, 2]]
    folder.add("SELECT name FROM t", FULL, columns=[0])
    assert folder.reasons("--convention", "spider2") == ["match", "extra_columns", "match", "wrong_rows"]


def test_the_evidence_names_the_file(folder: Folder) -> None:
    folder.add("SELECT id FROM t", "id,b\n1\n")
    (verdict,) = folder.score()
    assert verdict["evidence"]["message"] == (
        f"{folder.gold}/exec_result/local000.csv, line 2: has 1 cell, the header 2"
        " (put cells that hold commas or line ends in double quotes)"
    )

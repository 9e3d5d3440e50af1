from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from evaluation.datasets.base import GoldResult, Question
from evaluation.datasets.digest import dataset_digest
from evaluation.datasets.selection import Selection
from evaluation.datasets.spider2 import Spider2Dataset
from sqlassay.errors import UserError

QUESTION = {"instance_id": "local002", "db": "shop", "question": "One?", "external_knowledge": None, "temporal": True}
RULE = {"instance_id": "local002", "condition_cols": [], "ignore_order": True, "toks": "12"}
QUESTIONS = "spider2-lite.jsonl"
GOLD = "evaluation_suite/gold"
RULES = f"{GOLD}/spider2lite_eval.jsonl"
RESULTS = f"{GOLD}/exec_result"


def lines(*entries: object) -> str:
    return "".join(f"{json.dumps(entry)}\n" for entry in entries)


def build(folder: Path, files: Mapping[str, str]) -> Path:
    for name, text in {QUESTIONS: lines(QUESTION), RULES: lines(RULE), **files}.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return folder


def one(folder: Path) -> Question:
    (question,) = Spider2Dataset(folder).questions()
    return question


def test_the_least(tmp_path: Path) -> None:
    (tmp_path / QUESTIONS).write_text(lines(QUESTION))
    assert one(tmp_path) == Question("local002", "One?", "shop", tags=("sqlite",))


def test_results_in_the_order_of_their_letters(tmp_path: Path) -> None:
    names = ["local002_b.csv", "local002.csv", "local002_a.csv", "local0021.csv", "local002_ab.csv", "local002_a.txt"]
    build(tmp_path, {f"{RESULTS}/{name}": "a\n" for name in names})
    assert [result.path for result in one(tmp_path).gold_results] == [
        tmp_path / RESULTS / name for name in ("local002.csv", "local002_a.csv", "local002_b.csv")
    ]
    assert one(tmp_path).golds("sqlite") == ()


def test_an_id_that_ends_like_a_letter_of_a_result(tmp_path: Path) -> None:
    questions = [{**QUESTION, "instance_id": name} for name in ("sf_bq029", "sf_bq029_1")]
    rules = [{**RULE, "instance_id": name} for name in ("sf_bq029", "sf_bq029_1")]
    files = {QUESTIONS: lines(*questions), RULES: lines(*rules)}
    build(tmp_path, {**files, f"{RESULTS}/sf_bq029_a.csv": "", f"{RESULTS}/sf_bq029_1.csv": ""})
    found = [[result.path.name for result in q.gold_results] for q in Spider2Dataset(tmp_path).questions()]
    assert found == [["sf_bq029_a.csv"], ["sf_bq029_1.csv"]]


CONDITION_COLUMNS: dict[str, tuple[object, list[tuple[int, ...]]]] = {
    "none": ([], [(), (), ()]),
    "null": (None, [(), (), ()]),
    "for all": ([0, 2], [(0, 2), (0, 2), (0, 2)]),
    "for each": ([[0], [], [2, 1]], [(0,), (), (2, 1)]),
    "too few": ([[0]], [(0,), (), ()]),
    "too many": ([[0], [1], [2], [3]], [(0,), (1,), (2,)]),
    "a bare number among lists": ([[0, 1], 2, []], [(0, 1), (2,), ()]),
}


@pytest.mark.parametrize(("given", "read"), CONDITION_COLUMNS.values(), ids=CONDITION_COLUMNS)
def test_condition_columns(tmp_path: Path, given: object, read: list[tuple[int, ...]]) -> None:
    files = {f"{RESULTS}/local002_{letter}.csv": "a\n" for letter in "abc"}
    build(tmp_path, {**files, RULES: lines({**RULE, "condition_cols": given, "ignore_order": False})})
    assert one(tmp_path).gold_results == tuple(
        GoldResult(tmp_path / RESULTS / f"local002_{letter}.csv", columns, ignore_order=False)
        for letter, columns in zip("abc", read, strict=True)
    )


@pytest.mark.parametrize(
    ("instance", "dialect"),
    [("local002", "sqlite"), ("bq001", "bigquery"), ("ga001", "bigquery"), ("sf_bq001", "snowflake"), ("x1", None)],
)
def test_sql_is_the_gold_where_there_is_no_result(tmp_path: Path, instance: str, dialect: str | None) -> None:
    build(tmp_path, {QUESTIONS: lines({**QUESTION, "instance_id": instance}), f"{GOLD}/sql/{instance}.sql": "SELECT 1"})
    assert one(tmp_path).gold_by_dialect == ({} if dialect is None else {dialect: ("SELECT 1",)})
    assert one(tmp_path).gold == ()
    assert one(tmp_path).tags == (() if dialect is None else (dialect,))
    (tmp_path / RESULTS).mkdir()
    (tmp_path / RESULTS / f"{instance}.csv").touch()
    (tmp_path / RULES).write_text(lines({**RULE, "instance_id": instance}))
    assert one(tmp_path).gold_by_dialect == {}


@pytest.mark.parametrize(
    ("name", "evidence"),
    [(None, ""), ("", ""), ("a.md", "Read me.\n"), ("gone.md", ""), ("../../secret", ""), ("../" + QUESTIONS, "")],
)
def test_the_document_is_the_evidence(tmp_path: Path, name: str | None, evidence: str) -> None:
    (tmp_path / "secret").write_text("secret")
    files = {QUESTIONS: lines({**QUESTION, "external_knowledge": name}), "resource/documents/a.md": "Read me.\n"}
    assert one(build(tmp_path / "lite", files)).evidence == evidence


def test_ids_by_position_and_selection_by_id(tmp_path: Path) -> None:
    questions = [{**QUESTION, "instance_id": name} for name in ("bq001", "local002", "local003")]
    build(tmp_path, {QUESTIONS: lines(*questions), f"{RESULTS}/local002.csv": "a\n"})
    (chosen,) = Selection(ids=("local002",)).apply(Spider2Dataset(tmp_path).questions())
    assert (chosen.id, len(chosen.gold_results)) == ("local002", 1)
    by_position = list(Spider2Dataset(tmp_path, ids="position").questions())
    assert [(q.id, len(q.gold_results)) for q in by_position] == [("0", 0), ("1", 1), ("2", 0)]


def test_databases(tmp_path: Path) -> None:
    build(tmp_path, {})
    names = ("resource/databases/spider2-localdb/a", "resource/databases/sqlite/b", "spider2-localdb/c")
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / f"{name}.sqlite").touch()
    dataset = Spider2Dataset(tmp_path)
    for name in names:
        assert dataset.database(name[-1], (".sqlite",)) == tmp_path / f"{name}.sqlite"
    assert dataset.database("ga4", (".sqlite",)) is None


def bad_rule(**fields: object) -> dict[str, str]:
    return {RULES: lines(RULE | fields), f"{RESULTS}/local002.csv": "a\n"}


def test_the_digest_knows_every_file(tmp_path: Path) -> None:
    rest = (f"{RESULTS}/local002.csv", f"{GOLD}/sql/local002.sql", "resource/documents/a.md")
    build(tmp_path, dict.fromkeys(rest, "a\n"))
    dataset = Spider2Dataset(tmp_path)
    found = {dataset_digest(dataset)}
    for number, name in enumerate((QUESTIONS, RULES, *rest), start=2):
        (tmp_path / name).write_text("changed")
        found.add(dataset_digest(dataset))
        assert len(found) == number
    (tmp_path / rest[0]).rename(tmp_path / RESULTS / "local002_a.csv")
    assert dataset_digest(dataset) not in found


BAD: dict[str, tuple[dict[str, str], str]] = {
    "no questions": ({QUESTIONS: "\n"}, "{questions}: holds no questions (was it written to the end?)"),
    "broken line": (
        {QUESTIONS: lines(QUESTION) + "{"},
        "{questions}, line 2, column 2: broken JSON: Expecting property name enclosed in double quotes",
    ),
    "no id": (
        {QUESTIONS: lines({**QUESTION, "instance_id": ""})},
        "{questions}, line 1: has no 'instance_id' (is it a question file? every question needs 'instance_id')",
    ),
    "no database": (
        {QUESTIONS: lines({**QUESTION, "db": None})},
        "{questions}, line 1: has no 'db' (is it a question file? every question needs 'db')",
    ),
    "an id twice": (
        {QUESTIONS: lines(QUESTION, QUESTION)},
        "{questions}: question id 'local002' is at line 1 and at line 2"
        " (give each question its own id, or count them from 0 with --ids-by-position)",
    ),
    "a document that is no text": (
        {QUESTIONS: lines({**QUESTION, "external_knowledge": 7})},
        "{questions}, line 1: 'external_knowledge' is the number 7, not text",
    ),
    "results without a line": (
        {RULES: "", f"{RESULTS}/local002.csv": "a\n"},
        "{rules}: no line has the instance_id 'local002', which has gold results (is the file complete?)",
    ),
    "a rule twice": (
        {RULES: lines(RULE, RULE), f"{RESULTS}/local002.csv": "a\n"},
        "{rules}: instance_id 'local002' is at line 1 and at line 2 (take one of the lines out)",
    ),
    "columns that are no list": (
        bad_rule(condition_cols=1),
        "{rules}, line 1: 'condition_cols' is the number 1, not a list",
    ),
    "columns by name": (
        bad_rule(condition_cols=["a"]),
        "{rules}, line 1: 'condition_cols' is text, not a column's place from 0",
    ),
    "columns from the end": (
        bad_rule(condition_cols=[[-1]]),
        "{rules}, line 1: 'condition_cols' is the number -1, not a column's place from 0",
    ),
    "columns that are true": (
        bad_rule(condition_cols=[True]),
        "{rules}, line 1: 'condition_cols' is true, not a column's place from 0",
    ),
    "no order": (bad_rule(ignore_order=None), "{rules}, line 1: 'ignore_order' is null, not true or false"),
    "an order that is a number": (
        bad_rule(ignore_order=1),
        "{rules}, line 1: 'ignore_order' is the number 1, not true or false",
    ),
}


@pytest.mark.parametrize(("files", "message"), BAD.values(), ids=BAD)
def test_a_bad_file_is_one_line(tmp_path: Path, files: dict[str, str], message: str) -> None:
    build(tmp_path, files)
    with pytest.raises(UserError) as caught:
        list(Spider2Dataset(tmp_path).questions())
    assert str(caught.value) == message.format(questions=tmp_path / QUESTIONS, rules=tmp_path / RULES)


def test_results_without_the_file_of_rules(tmp_path: Path) -> None:
    build(tmp_path, {f"{RESULTS}/local002.csv": "a\n"})
    (tmp_path / RULES).unlink()
    with pytest.raises(UserError) as caught:
        list(Spider2Dataset(tmp_path).questions())
    assert str(caught.value) == f"{tmp_path / RULES}: no such file or folder (check the path)"

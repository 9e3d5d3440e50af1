from __future__ import annotations

import json
from pathlib import Path

import pytest

from evaluation.datasets.base import Question
from evaluation.datasets.spider import SpiderDataset
from sqlassay.errors import UserError
from sqlassay.schema import Column, ForeignKey, Schema, Table

ENTRY = {"db_id": "shop", "query": "SELECT  1", "question": "One?", "sql": {"from": []}, "query_toks": ["SELECT"]}
QUESTION = Question("0", "One?", "shop", ("SELECT  1",))

GOOD = {
    "all keys": ([ENTRY], [QUESTION]),
    "no gold": ([{"db_id": "shop", "question": "One?"}], [Question("0", "One?", "shop")]),
    "blank gold": ([{**ENTRY, "query": " "}], [Question("0", "One?", "shop")]),
    "two": ([ENTRY, ENTRY], [QUESTION, Question("1", "One?", "shop", ("SELECT  1",))]),
}

BAD = {
    "empty file": ("", "{file}: is empty (was it written to the end?)"),
    "no questions": ("[]", "{file}: holds no questions (was it written to the end?)"),
    "cut off": (
        '[\n{"db_id": "shop",\n',
        "{file}, line 3, column 1: broken JSON: Expecting property name enclosed in double quotes",
    ),
    "comma": ('[{"a": 1}\n {"a": 2}]', "{file}, line 2, column 2: broken JSON: Expecting ',' delimiter"),
    "lines": (
        '{"a": 1}\n{"a": 2}\n',
        "{file}, line 2, column 1: broken JSON: Extra data (if it holds one object per line, name it .jsonl)",
    ),
    "object": ('{"a": 1}', "{file}: holds an object, not a list of questions (give the question file)"),
    "list of texts": ('[{"db_id": "a", "question": "b"}, "c"]', "{file}, entry 2: is text, not an object"),
    "no question": (
        '[{"db_id": "shop"}]',
        "{file}, entry 1: has no 'question' (is it a question file? every question needs 'question')",
    ),
    "null db_id": (
        '[{"db_id": null, "question": "?"}]',
        "{file}, entry 1: has no 'db_id' (is it a question file? every question needs 'db_id')",
    ),
    "number as question": ('[{"db_id": "a", "question": 7}]', "{file}, entry 1: 'question' is the number 7, not text"),
    "object as gold": (
        '[{"db_id": "a", "question": "b", "query": {}}]',
        "{file}, entry 1: 'query' is an object, not text or a list of texts",
    ),
    "too deep": ("[" * 100_000, "{file}, line 1: JSON that cannot be read: nested too deeply"),
    "endless number": (
        "[" + "9" * 5_000 + "]",
        "{file}, line 1: JSON that cannot be read: Exceeds the limit (4300 digits) for integer string conversion:"
        " value has 5000 digits; use sys.set_int_max_str_digits() to increase the limit",
    ),
}


@pytest.mark.parametrize(("entries", "questions"), GOOD.values(), ids=GOOD)
def test_questions_are_read(tmp_path: Path, entries: list[object], questions: list[Question]) -> None:
    file = tmp_path / "dev.json"
    file.write_text(json.dumps(entries))
    assert list(SpiderDataset(tmp_path).questions()) == questions
    assert list(SpiderDataset(file, ids="position").questions()) == questions


@pytest.mark.parametrize(("text", "message"), BAD.values(), ids=BAD)
def test_a_bad_file_is_one_line(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "dev.json"
    file.write_text(text)
    with pytest.raises(UserError) as caught:
        list(SpiderDataset(file).questions())
    assert str(caught.value) == message.format(file=file)


def test_the_question_file_of_a_folder(tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        SpiderDataset(tmp_path)
    assert str(caught.value) == (
        f"{tmp_path}: no spider question file in this folder: looked for dev.json, test.json, train.json,"
        " train_spider.json, train_others.json (give the question file itself)"
    )
    for name in ("tables.json", "train_spider.json"):
        (tmp_path / name).touch()
    assert SpiderDataset(tmp_path).question_file == tmp_path / "train_spider.json"
    (tmp_path / "train_others.json").touch()
    with pytest.raises(UserError) as caught:
        SpiderDataset(tmp_path)
    assert str(caught.value) == (
        f"{tmp_path}: several question files in this folder: train_others.json, train_spider.json"
        f" (name one, such as spider:{tmp_path / 'train_others.json'})"
    )
    (tmp_path / "dev.json").touch()
    assert SpiderDataset(tmp_path).question_file == tmp_path / "dev.json"


def test_databases_are_beside_the_question_file(tmp_path: Path) -> None:
    (tmp_path / "dev.json").touch()
    for file in ("database/shop/shop.sqlite", "databases/flat.db", "elsewhere/shop/shop.sqlite"):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).touch()
    beside = SpiderDataset(tmp_path)
    assert beside.database("shop", (".sqlite", ".db")) == tmp_path / "database/shop/shop.sqlite"
    assert beside.database("flat", (".sqlite", ".db")) == tmp_path / "databases/flat.db"
    assert beside.database("shop", (".duckdb",)) is None
    assert beside.database("shop", ()) is None
    assert beside.database("gone", (".sqlite",)) is None
    given = SpiderDataset(tmp_path / "dev.json", databases=tmp_path / "elsewhere")
    assert given.database("shop", (".sqlite",)) == tmp_path / "elsewhere/shop/shop.sqlite"
    assert given.database("flat", (".db",)) is None


@pytest.mark.parametrize("db_id", ["../outside", "shop/../../outside", "", ".", "..", "/outside"])
def test_no_db_id_leads_out_of_the_folder(tmp_path: Path, db_id: str) -> None:
    (tmp_path / "dev.json").touch()
    (tmp_path / "database" / "shop").mkdir(parents=True)
    (tmp_path / "outside.sqlite").touch()
    (tmp_path / "database" / "..sqlite").touch()
    assert SpiderDataset(tmp_path).database(db_id, (".sqlite",)) is None


def test_databases_that_are_no_folder(tmp_path: Path) -> None:
    (tmp_path / "dev.json").touch()
    for name, problem in (
        ("gone", "no such file or folder (check the path)"),
        ("dev.json", "is a file, not a folder of databases (give the folder it is in)"),
    ):
        with pytest.raises(UserError) as caught:
            SpiderDataset(tmp_path, databases=tmp_path / name)
        assert str(caught.value) == f"{tmp_path / name}: {problem}"


def test_names_too_long_for_the_file_system(tmp_path: Path) -> None:
    (tmp_path / "dev.json").touch()
    assert SpiderDataset(tmp_path).database("x" * 5000, (".sqlite",)) is None
    path = tmp_path / ("x" * 5000)
    with pytest.raises(UserError) as caught:
        SpiderDataset(path)
    assert str(caught.value) == f"{path}: cannot be read: File name too long (check the path and its permissions)"


@pytest.mark.data
def test_spider_dev(data: Path) -> None:
    dataset = SpiderDataset(data / "spider")
    questions = list(dataset.questions())
    assert len(questions) == 1034
    assert [question.id for question in questions] == [str(position) for position in range(1034)]
    golds = (data / "spider" / "dev_gold.sql").read_text().splitlines()
    assert [f"{question.gold[0]}\t{question.db_id}" for question in questions] == golds
    found = {question.db_id: dataset.database(question.db_id, (".sqlite",)) for question in questions}
    assert [db_id for db_id, file in found.items() if file is None] == ["wta_1"]


@pytest.mark.data
def test_a_dataset_of_spider_s_shape_for_duckdb(data: Path) -> None:
    dataset = SpiderDataset(data / "duckdb_nsql")
    questions = list(dataset.questions())
    assert len(questions) == 75
    assert all(question.gold and dataset.database(question.db_id, (".duckdb",)) for question in questions)


SELECTED = [0, [0, [0, 1, False], None]]
ANNOTATION = {
    "select": [False, [SELECTED]],
    "from": {"table_units": [["table_unit", 0]], "conds": []},
    **dict.fromkeys(("where", "groupBy", "having", "orderBy"), ()),
    **dict.fromkeys(("limit", "intersect", "union", "except")),
}
GRADED = {
    "easy": (ANNOTATION, "easy"),
    "medium": ({**ANNOTATION, "select": [False, [SELECTED, SELECTED]]}, "medium"),
    "hard": ({**ANNOTATION, "union": ANNOTATION}, "hard"),
    "extra": ({**ANNOTATION, "union": ANNOTATION, "limit": 1, "orderBy": ["asc", [SELECTED[1]]]}, "extra"),
    "not there": (None, None),
    "text": ("SELECT 1", None),
    "another form": ({"select": 1}, None),
}


@pytest.mark.parametrize(("annotation", "difficulty"), GRADED.values(), ids=GRADED)
def test_difficulty_is_the_hardness_of_the_annotation(
    tmp_path: Path, annotation: object, difficulty: str | None
) -> None:
    (tmp_path / "dev.json").write_text(json.dumps([{**ENTRY, "sql": annotation}]))
    (question,) = SpiderDataset(tmp_path).questions()
    assert question.difficulty == difficulty


TABLES = {
    "db_id": "shop",
    "table_names_original": ["Region", "Customer"],
    "column_names_original": [[-1, "*"], [0, "Id"], [1, "Name"], [1, "Region_Id"]],
    "column_types": ["text", "number", "text", "number"],
    "primary_keys": [1],
    "foreign_keys": [[3, 1]],
}


def test_tables_json_describes_databases(tmp_path: Path) -> None:
    (tmp_path / "dev.json").write_text(json.dumps([ENTRY]))
    assert SpiderDataset(tmp_path).schema("shop") is None
    assert SpiderDataset(tmp_path).files == (tmp_path / "dev.json",)
    (tmp_path / "tables.json").write_text(json.dumps([TABLES]))
    dataset = SpiderDataset(tmp_path)
    assert dataset.files == (tmp_path / "dev.json", tmp_path / "tables.json")
    assert dataset.schema("elsewhere") is None
    assert dataset.schema("shop") == Schema(
        (
            Table("Region", (Column("Id", "number", primary_key=True),)),
            Table(
                "Customer",
                (Column("Name", "text"), Column("Region_Id", "number")),
                (ForeignKey(("Region_Id",), "Region", ("Id",)),),
            ),
        )
    )


BAD_TABLES = {
    "not a list": ({}, "{file}: holds an object, not a list of questions (give the question file)"),
    "a key is missing": (
        [{"db_id": "shop"}],
        "{file}, entry 1: does not describe a database as Spider does: KeyError: 'column_names_original'",
    ),
    "no such column": (
        [{**TABLES, "foreign_keys": [[9, 1]]}],
        "{file}, entry 1: does not describe a database as Spider does: IndexError: list index out of range",
    ),
    "types are missing": (
        [{**TABLES, "column_types": []}],
        "{file}, entry 1: does not describe a database as Spider does: ValueError: zip() argument 2 is shorter than"
        " argument 1",
    ),
}


@pytest.mark.parametrize(("content", "message"), BAD_TABLES.values(), ids=BAD_TABLES)
def test_a_bad_tables_json_is_one_line(tmp_path: Path, content: object, message: str) -> None:
    (tmp_path / "dev.json").write_text(json.dumps([ENTRY]))
    (tmp_path / "tables.json").write_text(json.dumps(content))
    with pytest.raises(UserError) as caught:
        SpiderDataset(tmp_path).schema("shop")
    assert str(caught.value) == message.format(file=tmp_path / "tables.json")

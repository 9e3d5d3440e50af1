from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
import sqlglot

from evaluation.datasets.base import Question
from evaluation.datasets.defog import DefogDataset
from sqlassay.errors import UserError

FILES = {
    "idk": (105, 105),
    "instruct_advanced_mysql": (64, 75),
    "instruct_advanced_postgres": (64, 79),
    "instruct_advanced_sqlite": (64, 76),
    "instruct_basic_mysql": (40, 40),
    "instruct_basic_postgres": (40, 41),
    "instruct_basic_sqlite": (40, 40),
    "questions_gen_mysql": (210, 350),
    "questions_gen_postgres": (210, 364),
    "questions_gen_sqlite": (210, 351),
}

UNPARSED = {("questions_gen_sqlite", "203")}
"""Golds that SQLite runs and sqlglot does not parse: `LIMIT 2 - (SELECT …)`."""


def test_a_question_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(
        "db_name,db_type,query_category,query,question,instructions,full_instructions\n"
        'shop,sqlite,group_by,"SELECT {a,b} FROM t GROUP BY {};SELECT 1;",How many?,Count.,All.\n'
        "shop,sqlite,,,Why?,,\n"
    )
    assert list(DefogDataset(tmp_path).questions()) == [
        Question(
            "0",
            "How many?",
            "shop",
            (
                "SELECT a FROM t GROUP BY a",
                "SELECT b FROM t GROUP BY b",
                "SELECT a, b FROM t GROUP BY a, b",
                "SELECT 1",
            ),
            evidence="Count.",
            tags=("group_by",),
        ),
        Question("1", "Why?", "shop"),
    ]


def test_the_least_columns(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("question,db_name\nHow many?,shop\n")
    assert list(DefogDataset(tmp_path).questions()) == [Question("0", "How many?", "shop")]


@pytest.mark.parametrize(
    ("text", "message"),
    {
        "question,query\nx,SELECT 1\n": "{file}, line 1: no column 'db_name'"
        " (the first line must name the columns, with commas)",
        "question,db_name,query\nx,a,SELECT 1\nx,a,": None,
        'question,db_name,query\nx,a,"SELECT {a,b,c,d,e,f,g,h,i,j,k,l,m}"\n': "{file}, line 2: stands for more than"
        " 4,096 queries (put fewer columns in braces: n of them stand for 2^n - 1 queries)",
    }.items(),
)
def test_a_bad_file_is_one_line(tmp_path: Path, text: str, message: str | None) -> None:
    file = tmp_path / "a.csv"
    file.write_text(text)
    if message is None:
        assert len(list(DefogDataset(file).questions())) == 2
        return
    with pytest.raises(UserError) as caught:
        list(DefogDataset(file).questions())
    assert str(caught.value) == message.format(file=file)


def test_databases_are_beside_the_file_or_one_folder_up(tmp_path: Path) -> None:
    for file in ("questions/a.csv", "sqlite_derived/shop.db", "questions/databases/farm/farm.db"):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).touch()
    dataset = DefogDataset(tmp_path / "questions" / "a.csv")
    assert dataset.database("shop", (".sqlite", ".db")) == tmp_path / "sqlite_derived/shop.db"
    assert dataset.database("farm", (".sqlite", ".db")) == tmp_path / "questions/databases/farm/farm.db"


@pytest.mark.data
@pytest.mark.parametrize(("name", "questions", "golds"), [(name, *counts) for name, counts in FILES.items()], ids=FILES)
def test_every_gold_of_the_published_files_parses(data: Path, name: str, questions: int, golds: int) -> None:
    found = list(DefogDataset(data / "defog" / "questions" / f"{name}.csv").questions())
    assert (len(found), sum(len(question.gold) for question in found)) == (questions, golds)
    dialect = name.rpartition("_")[2] if "_" in name else "postgres"
    for question in found:
        for gold in question.gold:
            if (name, question.id) in UNPARSED:
                continue
            assert "{" not in gold
            (statement,) = sqlglot.parse(gold, dialect=dialect)
            assert isinstance(statement, sqlglot.exp.Query)


@pytest.mark.data
@pytest.mark.parametrize("name", [name for name in FILES if name.endswith("sqlite")])
def test_every_gold_for_sqlite_runs(data: Path, name: str) -> None:
    dataset = DefogDataset(data / "defog" / "questions" / f"{name}.csv")
    for question in dataset.questions():
        database = dataset.database(question.db_id, (".sqlite", ".db"))
        assert database is not None
        with closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)) as connection:
            for gold in question.gold:
                connection.execute(gold).fetchall()

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.datasets.base import Question
from evaluation.datasets.csv import CsvDataset
from sqlassay.errors import UserError

GOOD = {
    "the least": ("question,db_id\nx,a\n", Question("0", "x", "a")),
    "everything": (
        'id,question,db_id,gold,evidence,difficulty,tags,turn\nq1,x,a,"SELECT 1, 2",e,hard,t|u,0\n',
        Question("q1", "x", "a", ("SELECT 1, 2",), {}, "e", "hard", ("t", "u"), 0),
    ),
    "empty cells": (
        "id,question,db_id,gold,evidence,difficulty,tags,turn\n,x,a,,,,,\n",
        Question("0", "x", "a"),
    ),
    "several golds": (
        'question,db_id,gold\nx,a,"[""SELECT 1"", ""SELECT 2""]"\n',
        Question("0", "x", "a", ("SELECT 1", "SELECT 2")),
    ),
    "gold by dialect": (
        'question,db_id,gold\nx,a,"{""sqlite"": ""SELECT 1""}"\n',
        Question("0", "x", "a", (), {"sqlite": ("SELECT 1",)}),
    ),
    "tags as a list": ('question,db_id,tags\nx,a,"[""t|u"", ""v""]"\n', Question("0", "x", "a", tags=("t|u", "v"))),
    "line ends in a cell": (
        'question,db_id,gold\nx,a,"SELECT 1\r\n  FROM t\n"\n',
        Question("0", "x", "a", ("SELECT 1\r\n  FROM t\n",)),
    ),
    "mark, carriage returns, blank lines": ("\ufeffquestion,db_id\r\n\r\nx,a\r\n\r\n", Question("0", "x", "a")),
    "long cell": ("question,db_id,gold\nx,a," + "y" * 200_000, Question("0", "x", "a", ("y" * 200_000,))),
    "text after a closing quote": ('question,db_id\n"the ""x"" y" z,a\n', Question("0", 'the "x" y z', "a")),
}

BAD = {
    "empty": ("", "{file}: holds no questions (was it written to the end?)"),
    "header alone": ("question,db_id\n", "{file}: holds no questions (was it written to the end?)"),
    "no header": (
        "x,a\n",
        "{file}, line 1: unknown column 'x'"
        " (known: conversation, db_id, difficulty, evidence, gold, id, question, tags, turn)",
    ),
    "semicolons": (
        "question;db_id\nx;a\n",
        "{file}, line 1: unknown column 'question;db_id' (did you mean 'question'?)",
    ),
    "missing column": (
        "question,gold\nx,SELECT 1\n",
        "{file}, line 1: no column 'db_id' (the first line must name the columns, with commas)",
    ),
    "column twice": (
        "question,db_id,question\nx,a,y\n",
        "{file}, line 1: two columns are named 'question' (rename one)",
    ),
    "one cell too many": (
        "question,db_id,gold\nx,a,SELECT 1\n\nx,a,SELECT 1, 2\n",
        "{file}, line 4: has 4 cells, the header 3 (put cells that hold commas or line ends in double quotes)",
    ),
    "one cell": (
        'question,db_id\n"x\ny",a\nz\n',
        "{file}, line 4: has 1 cell, the header 2 (put cells that hold commas or line ends in double quotes)",
    ),
    "open quote": (
        'question,db_id,gold\nx,a,SELECT 1\ny,b,"SELECT\n2\n',
        "{file}, line 3: a quoted cell is never closed (put quotes inside a quoted cell twice)",
    ),
    "carriage return alone": (
        "question,db_id\nx\ry,a\n",
        "{file}, line 2: a carriage return is the end of a line (save it with newlines)",
    ),
    "empty question": (
        "question,db_id\n,a\n",
        "{file}, line 2: has no 'question' (is it a question file? every question needs 'question')",
    ),
    "broken JSON": (
        'question,db_id,gold\nx,a,"[""SELECT 1"""\n',
        "{file}, line 2: 'gold' holds broken JSON: Expecting ',' delimiter (mend the JSON or write plain text)",
    ),
    "turn": ("question,db_id,turn\nx,a,two\n", "{file}, line 2: 'turn' is text, not a whole number from 0"),
    "endless turn": (
        f"question,db_id,turn\nx,a,{'9' * 5000}\n",
        "{file}, line 2: 'turn' is text, not a whole number from 0",
    ),
    "id twice": (
        "id,question,db_id\n1,x,a\n1,x,a\n",
        "{file}: question id '1' is at line 2 and at line 3"
        " (give each question its own id, or count them from 0 with --ids-by-position)",
    ),
}


@pytest.mark.parametrize(("text", "question"), GOOD.values(), ids=GOOD)
def test_a_question_is_read(tmp_path: Path, text: str, question: Question) -> None:
    (tmp_path / "a.csv").write_bytes(text.encode())
    assert list(CsvDataset(tmp_path).questions()) == [question]


@pytest.mark.parametrize(("text", "message"), BAD.values(), ids=BAD)
def test_a_bad_file_is_one_line(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "a.csv"
    file.write_bytes(text.encode())
    with pytest.raises(UserError) as caught:
        list(CsvDataset(file).questions())
    assert str(caught.value) == message.format(file=file)


names = st.text(st.characters(exclude_characters="\0", codec="utf-8"), min_size=1).filter(str.strip)
plain = names.filter(lambda text: not text.startswith(("[", "{")))
questions = st.builds(
    Question,
    id=names,
    text=names,
    db_id=names,
    gold=plain.map(lambda gold: (gold,)) | st.lists(names).map(tuple),
    evidence=st.just("") | names,
    difficulty=st.none() | names,
    tags=st.lists(names).map(tuple),
    turn=st.none() | st.integers(min_value=0, max_value=9),
)


@given(st.lists(questions, min_size=1, unique_by=lambda question: question.id))
def test_what_is_written_is_read(tmp_path_factory: pytest.TempPathFactory, questions: list[Question]) -> None:
    file = tmp_path_factory.mktemp("csv") / "a.csv"
    with file.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(["id", "question", "db_id", "gold", "evidence", "difficulty", "tags", "turn"])
        writer.writerows(as_row(question) for question in questions)
    assert list(CsvDataset(file).questions()) == questions


def as_row(question: Question) -> list[object]:
    is_plain = len(question.gold) == 1 and not question.gold[0].startswith(("[", "{"))
    return [
        question.id,
        question.text,
        question.db_id,
        question.gold[0] if is_plain else json.dumps(question.gold),
        question.evidence,
        question.difficulty,
        json.dumps(question.tags),
        question.turn,
    ]

from __future__ import annotations

import json
from pathlib import Path

import pytest

from evaluation.datasets.base import Question
from evaluation.datasets.bird import BirdDataset
from sqlassay.errors import UserError

ENTRIES = [
    {"question_id": 1471, "db_id": "a", "question": "x", "evidence": "e", "SQL": "SELECT 1", "difficulty": "simple"},
    {"question_id": "1472", "db_id": "b", "question": "y", "evidence": "", "SQL": "SELECT 2"},
]
QUESTIONS = [
    Question("1471", "x", "a", ("SELECT 1",), evidence="e", difficulty="simple"),
    Question("1472", "y", "b", ("SELECT 2",)),
]

GOOD = {
    "array": (json.dumps(ENTRIES, indent=1), QUESTIONS),
    "lines": ("\n".join(map(json.dumps, ENTRIES)) + "\n\n", QUESTIONS),
    "lines after blank ones": ("\n \n" + "\n".join(map(json.dumps, ENTRIES)), QUESTIONS),
    "array after a mark": ("\ufeff" + json.dumps(ENTRIES), QUESTIONS),
    "training": ('[{"db_id": "a", "question": "x", "SQL": "SELECT 1"}]', [Question("0", "x", "a", ("SELECT 1",))]),
}

BAD = {
    "empty": ("", "{file}: is empty (was it written to the end?)"),
    "line of broken JSON": (
        '{"question_id": 1, "db_id": "a", "question": "x"}\n{"question_id": 2,\n',
        "{file}, line 2, column 19: broken JSON: Expecting property name enclosed in double quotes",
    ),
    "line that is a list": (
        '{"question_id": 1, "db_id": "a", "question": "x"}\n\n[]\n',
        "{file}, line 3: is a list, not an object",
    ),
    "id twice": (
        json.dumps([*ENTRIES, ENTRIES[0]]),
        "{file}: question id '1471' is at entry 1 and at entry 3"
        " (give each question its own id, or count them from 0 with --ids-by-position)",
    ),
    "id that is a list": (
        '[{"question_id": [1], "db_id": "a", "question": "x"}]',
        "{file}, entry 1: 'question_id' is a list, not text",
    ),
    "id that is true": (
        '[{"question_id": true, "db_id": "a", "question": "x"}]',
        "{file}, entry 1: 'question_id' is true, not text",
    ),
    "evidence that is a number": (
        '[{"db_id": "a", "question": "x", "evidence": 0.5}]',
        "{file}, entry 1: 'evidence' is the number 0.5, not text",
    ),
}


@pytest.mark.parametrize(("text", "questions"), GOOD.values(), ids=GOOD)
def test_questions_are_read(tmp_path: Path, text: str, questions: list[Question]) -> None:
    file = tmp_path / "dev.json"
    file.write_text(text, encoding="utf-8")
    assert list(BirdDataset(tmp_path).questions()) == questions


@pytest.mark.parametrize(("text", "message"), BAD.values(), ids=BAD)
def test_a_bad_file_is_one_line(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "dev.json"
    file.write_text(text)
    with pytest.raises(UserError) as caught:
        list(BirdDataset(file).questions())
    assert str(caught.value) == message.format(file=file)


def test_ids_by_position_take_the_place_of_ids_that_come_twice(tmp_path: Path) -> None:
    (tmp_path / "dev.json").write_text(json.dumps([*ENTRIES, ENTRIES[0]]))
    assert [question.id for question in BirdDataset(tmp_path, ids="position").questions()] == ["0", "1", "2"]


def test_databases_are_beside_the_file_or_one_folder_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for file in ("questions/dev.json", "databases/up/up.sqlite", "questions/dev_databases/beside/beside.sqlite"):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).touch()
    dataset = BirdDataset(tmp_path / "questions")
    assert dataset.database("up", (".sqlite",)) == tmp_path / "databases/up/up.sqlite"
    assert dataset.database("beside", (".sqlite",)) == tmp_path / "questions/dev_databases/beside/beside.sqlite"
    monkeypatch.chdir(tmp_path / "questions")
    assert BirdDataset(Path("dev.json")).database("up", (".sqlite",)) == Path("../databases/up/up.sqlite")


@pytest.mark.data
def test_bird_dev(data: Path) -> None:
    dataset = BirdDataset(data / "bird" / "questions" / "dev.json")
    questions = list(dataset.questions())
    assert [question.id for question in questions] == [str(position) for position in range(1534)]
    assert all(question.gold and question.difficulty for question in questions)
    assert sum(dataset.database(question.db_id, (".sqlite",)) is not None for question in questions) == 274


@pytest.mark.data
@pytest.mark.parametrize("name", ["mini_dev_sqlite.v2025.json", "ibm_bird_mini_dev_postgres.json"])
def test_bird_mini_dev(data: Path, name: str) -> None:
    questions = list(BirdDataset(data / "bird" / "questions" / name).questions())
    assert (len(questions), questions[0].id) == (500, "1471")


@pytest.mark.data
def test_the_two_ids_that_mini_dev_of_2024_has_twice(data: Path) -> None:
    file = data / "bird" / "questions" / "mini_dev_sqlite.v2024.json"
    with pytest.raises(UserError, match="question id '137' is at entry 485 and at entry 488"):
        list(BirdDataset(file).questions())
    assert len(list(BirdDataset(file, ids="position").questions())) == 500


@pytest.mark.data
def test_a_folder_of_several_question_files_names_them(data: Path) -> None:
    folder = data / "bird" / "questions"
    with pytest.raises(UserError) as caught:
        BirdDataset(folder)
    assert str(caught.value) == (
        f"{folder}: several question files in this folder: dev.json, mini_dev_sqlite.v2024.json,"
        f" mini_dev_sqlite.v2025.json (name one, such as bird:{folder / 'dev.json'})"
    )

"""SParC and CoSQL: interactions become conversations. The fixtures have the published shape."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from evaluation.datasets.cosql import CosqlDataset
from evaluation.datasets.opening import open_dataset
from evaluation.datasets.sparc import SparcDataset
from sqlassay.errors import UserError

TOKENS = {"utterance_toks": ["How", "many", "?"]}
FLIGHTS = {
    "database_id": "flight_2",
    "interaction": [
        {"utterance": "List all airlines.", "query": "SELECT * FROM airlines", "sql": {"from": []}, **TOKENS},
        {"utterance": "Of these, which are in the USA?", "query": "SELECT * FROM airlines WHERE Country  =  'USA'"},
        {"utterance": "How many are there?", "query": "SELECT count(*) FROM airlines WHERE Country  =  'USA'"},
    ],
    "final": {"utterance": "How many airlines are in the USA?", "query": "SELECT count(*) FROM airlines"},
}
PETS = {
    "database_id": "pets_1",
    "interaction": [{"utterance": "Which pets are there?", "query": "SELECT PetType FROM pets"}],
    "final": {"utterance": "Which pets are there?", "query": "SELECT PetType FROM pets"},
}
COSQL = {**FLIGHTS, "final": {**FLIGHTS["final"], "goal": "Find out how many airlines are American."}}  # type: ignore[dict-item]


def write(path: Path, *entries: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(entries))
    return path


def test_every_utterance_is_a_turn(tmp_path: Path) -> None:
    write(tmp_path / "dev.json", FLIGHTS, PETS)
    questions = list(SparcDataset(tmp_path).questions())
    told = [(q.id, q.db_id, q.conversation, q.turn, q.turns, q.before and q.before.id) for q in questions]
    assert told == [
        ("0", "flight_2", "0", 0, 3, None),
        ("1", "flight_2", "0", 1, 3, "0"),
        ("2", "flight_2", "0", 2, 3, "1"),
        ("3", "pets_1", "1", 0, 1, None),
    ]
    last = questions[2]
    assert last.text == "How many are there?"
    assert last.gold == ("SELECT count(*) FROM airlines WHERE Country  =  'USA'",)
    assert [turn.text for turn in last.earlier] == ["List all airlines.", "Of these, which are in the USA?"]


@pytest.mark.data
def test_hardness_is_that_of_each_turn(tmp_path: Path, data: Path) -> None:
    """An annotation of Spider's, in the place that SParC has for it."""
    spider = json.loads((data / "spider" / "dev.json").read_text())
    turns = [{"utterance": one["question"], "query": one["query"], "sql": one["sql"]} for one in spider[:40]]
    write(tmp_path / "dev.json", {"database_id": "concert_singer", "interaction": turns})
    own = [question.difficulty for question in open_dataset(f"spider:{data / 'spider'}").questions()]
    found = [question.difficulty for question in SparcDataset(tmp_path).questions()]
    assert found == own[:40]
    assert len(set(found)) > 1


@pytest.mark.parametrize("given", [".", "sql_state_tracking", "sql_state_tracking/cosql_dev.json"])
def test_cosql_lies_in_folders_of_its_own(given: str, tmp_path: Path) -> None:
    write(tmp_path / "sql_state_tracking" / "cosql_dev.json", COSQL)
    write(tmp_path / "sql_state_tracking" / "cosql_train.json", PETS)
    write(tmp_path / "tables.json")
    database = tmp_path / "database" / "flight_2" / "flight_2.sqlite"
    database.parent.mkdir(parents=True)
    database.touch()
    dataset = CosqlDataset(tmp_path / given)
    assert [question.turn for question in dataset.questions()] == [0, 1, 2]
    assert dataset.database("flight_2", (".sqlite",)) == database
    assert [file.name for file in dataset.files] == ["cosql_dev.json", "tables.json"]


BAD: Mapping[str, tuple[object, str]] = {
    "a Spider file": (
        {"db_id": "shop", "question": "One?", "query": "SELECT 1"},
        "{file}, entry 1: has no 'interaction', a list of turns"
        " (is it a sparc file? `datasets list` tells the formats)",
    ),
    "no turns": (
        {"database_id": "shop", "interaction": []},
        "{file}, entry 1: has no 'interaction', a list of turns"
        " (is it a sparc file? `datasets list` tells the formats)",
    ),
    "a turn that is none": (
        {"database_id": "shop", "interaction": [PETS["interaction"][0], "two"]},  # type: ignore[index]
        "{file}, entry 1, turn 1: is text, not an object",
    ),
    "a turn without its question": (
        {"database_id": "shop", "interaction": [{"query": "SELECT 1"}]},
        "{file}, entry 1, turn 0: has no 'utterance' (is it a question file? every question needs 'utterance')",
    ),
    "no database": (
        {"interaction": [{"utterance": "One?"}]},
        "{file}, entry 1, turn 0: has no 'db_id' (is it a question file? every question needs 'db_id')",
    ),
}


@pytest.mark.parametrize(("entry", "message"), BAD.values(), ids=BAD)
def test_a_bad_file_is_one_line(entry: object, message: str, tmp_path: Path) -> None:
    file = write(tmp_path / "dev.json", entry)
    with pytest.raises(UserError) as caught:
        list(SparcDataset(file).questions())
    assert str(caught.value) == message.format(file=file)

from __future__ import annotations

import json
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.datasets.base import Question
from evaluation.datasets.jsonl import JsonlDataset
from sqlassay.errors import UserError

GOOD = {
    "the least": ('{"question": "x", "db_id": "a"}', Question("0", "x", "a")),
    "everything": (
        '{"id": "q1", "question": "x", "db_id": "a", "gold": "SELECT 1", "evidence": "e", "difficulty": "hard",'
        ' "tags": ["t", "u"], "turn": 2}',
        Question("q1", "x", "a", ("SELECT 1",), {}, "e", "hard", ("t", "u"), 2),
    ),
    "nulls": (
        '{"id": null, "question": "x", "db_id": "a", "gold": null, "evidence": null, "difficulty": null,'
        ' "tags": null, "turn": null}',
        Question("0", "x", "a"),
    ),
    "several golds": (
        '{"question": "x", "db_id": "a", "gold": ["SELECT 1", "SELECT 2"]}',
        Question("0", "x", "a", ("SELECT 1", "SELECT 2")),
    ),
    "gold by dialect": (
        '{"question": "x", "db_id": "a", "gold": {"sqlite": "SELECT 1", "postgres": ["SELECT 2", "SELECT 3"]}}',
        Question("0", "x", "a", (), {"sqlite": ("SELECT 1",), "postgres": ("SELECT 2", "SELECT 3")}),
    ),
    "gold by dialect with a default": (
        '{"question": "x", "db_id": "a", "gold": {"default": "SELECT 1", "postgres": "SELECT 2"}}',
        Question("0", "x", "a", ("SELECT 1",), {"postgres": ("SELECT 2",)}),
    ),
    "no gold": ('{"question": "x", "db_id": "a", "gold": []}', Question("0", "x", "a")),
    "number as id": ('{"id": 7, "question": "x", "db_id": "a"}', Question("7", "x", "a")),
    "one tag": ('{"question": "x", "db_id": "a", "tags": "t"}', Question("0", "x", "a", tags=("t",))),
    "line separators": ('{"question": "x\u2028\x85y", "db_id": "a"}', Question("0", "x\u2028\x85y", "a")),
    "mark and carriage return": ('\ufeff{"question": "x", "db_id": "a"}\r\n', Question("0", "x", "a")),
}

BAD = {
    "empty": ("", "{file}: holds no questions (was it written to the end?)"),
    "blank": ("\n \n", "{file}: holds no questions (was it written to the end?)"),
    "broken": (
        '{"question": "x", "db_id": "a"}\n\n{"question": "x" "db_id": "a"}',
        "{file}, line 3, column 18: broken JSON: Expecting ',' delimiter",
    ),
    "cut off": (
        '{"question": "x", "db_id": "a"}\n{"question": "x',
        "{file}, line 2, column 14: broken JSON: Unterminated string starting at",
    ),
    "array": ('[{"question": "x", "db_id": "a"}]', "{file}, line 1: is a list, not an object"),
    "unknown key": (
        '{"question": "x", "db_id": "a", "evidnce": "e"}',
        "{file}, line 1: unknown key 'evidnce' (did you mean 'evidence'?)",
    ),
    "far key": (
        '{"question": "x", "db_id": "a", "zzz": "e"}',
        "{file}, line 1: unknown key 'zzz'"
        " (known: conversation, db_id, difficulty, evidence, gold, id, question, tags, turn)",
    ),
    "unknown dialect": (
        '{"question": "x", "db_id": "a", "gold": {"postgress": "SELECT 1"}}',
        "{file}, line 1: unknown dialect 'postgress' (did you mean 'postgres'?)",
    ),
    "gold of numbers": (
        '{"question": "x", "db_id": "a", "gold": [1]}',
        "{file}, line 1: 'gold' is the number 1, not text or a list of texts",
    ),
    "gold of gold": (
        '{"question": "x", "db_id": "a", "gold": {"sqlite": {"a": "b"}}}',
        "{file}, line 1: 'gold' is an object, not text or a list of texts",
    ),
    "negative turn": (
        '{"question": "x", "db_id": "a", "turn": -1}',
        "{file}, line 1: 'turn' is the number -1, not a whole number from 0",
    ),
    "turn that is true": (
        '{"question": "x", "db_id": "a", "turn": true}',
        "{file}, line 1: 'turn' is true, not a whole number from 0",
    ),
    "turn as text": (
        '{"question": "x", "db_id": "a", "turn": "1"}',
        "{file}, line 1: 'turn' is text, not a whole number from 0",
    ),
    "id twice": (
        '{"id": 1, "question": "x", "db_id": "a"}\n\n{"id": "1", "question": "x", "db_id": "a"}',
        "{file}: question id '1' is at line 1 and at line 3"
        " (give each question its own id, or count them from 0 with --ids-by-position)",
    ),
}


@pytest.mark.parametrize(("text", "question"), GOOD.values(), ids=GOOD)
def test_a_question_is_read(tmp_path: Path, text: str, question: Question) -> None:
    (tmp_path / "a.jsonl").write_bytes(text.encode())
    assert list(JsonlDataset(tmp_path).questions()) == [question]


@pytest.mark.parametrize(("text", "message"), BAD.values(), ids=BAD)
def test_a_bad_file_is_one_line(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "a.jsonl"
    file.write_text(text)
    with pytest.raises(UserError) as caught:
        list(JsonlDataset(file).questions())
    assert str(caught.value) == message.format(file=file)


def test_questions_before_a_bad_line_are_given(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    file.write_text('{"question": "x", "db_id": "a"}\n{')
    questions = JsonlDataset(file).questions()
    assert next(questions) == Question("0", "x", "a")
    with pytest.raises(UserError):
        next(questions)


def test_a_hundred_thousand_questions_take_the_memory_of_their_ids(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    line = json.dumps({"question": "x" * 1000, "db_id": "a", "gold": "SELECT 1"}) + "\n"
    with file.open("w") as out:
        out.writelines(line for _ in range(100_000))
    tracemalloc.start()
    try:
        assert sum(1 for _ in JsonlDataset(file).questions()) == 100_000
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()


names = st.text(min_size=1).filter(str.strip)
questions = st.builds(
    Question,
    id=names,
    text=names,
    db_id=names,
    gold=st.lists(names).map(tuple),
    gold_by_dialect=st.just({}) | st.dictionaries(st.sampled_from(["sqlite", "postgres"]), st.lists(names).map(tuple)),
    evidence=st.text(),
    difficulty=st.none() | names,
    tags=st.lists(names).map(tuple),
    turn=st.none() | st.integers(min_value=0, max_value=9),
)


@given(st.lists(questions, min_size=1, unique_by=lambda question: question.id))
def test_what_is_written_is_read(tmp_path_factory: pytest.TempPathFactory, questions: list[Question]) -> None:
    file = tmp_path_factory.mktemp("jsonl") / "a.jsonl"
    file.write_text("".join(json.dumps(as_fields(question)) + "\n" for question in questions))
    assert list(JsonlDataset(file).questions()) == questions


def as_fields(question: Question) -> dict[str, object]:
    golds = {"default": question.gold, **question.gold_by_dialect} if question.gold_by_dialect else question.gold
    return {
        "id": question.id,
        "question": question.text,
        "db_id": question.db_id,
        "gold": golds,
        "evidence": question.evidence,
        "difficulty": question.difficulty,
        "tags": question.tags,
        "turn": question.turn,
    }

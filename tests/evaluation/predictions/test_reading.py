from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.datasets.base import Question
from evaluation.datasets.bird import BirdDataset
from evaluation.datasets.spider import SpiderDataset
from evaluation.predictions.reading import read_predictions
from sqlassay.errors import UnknownName, UserError


def asked(*questions: str) -> list[Question]:
    """Questions written as `id@db_id`."""
    return [Question(question.split("@")[0], "?", question.split("@")[1]) for question in questions]


PLAIN = asked("q1@shop", "q2@farm", "q3@shop")
"""Ids that are no positions."""
NUMBERED = asked("1471@shop", "1472@farm", "0@shop")
"""Ids of which one is the position of another question."""
SHUFFLED = asked("2@shop", "0@farm", "1@shop")
"""Ids that are all positions, of other questions."""

TALKS = [replace(question, conversation=talk) for question, talk in zip(PLAIN, ("0", "0", "1"), strict=True)]
"""Two turns of one conversation, and one of another."""

BIRD = "\t----- bird -----\t"

GOOD = {
    "text": ("a.sql", "A\nB\nC\n", PLAIN, ["A", "B", "C"]),
    "text without a last newline": ("a.txt", "A\nB\nC", PLAIN, ["A", "B", "C"]),
    "text with carriage returns": ("a.sql", "A\r\nB\r\nC\r\n", PLAIN, ["A", "B", "C"]),
    "text after a mark": ("a.sql", "\ufeffA\nB\nC\n", PLAIN, ["A", "B", "C"]),
    "blank lines are no SQL": ("a.sql", "\n \t\nC\n", PLAIN, ["", "", "C"]),
    "last line blank": ("a.sql", "A\nB\n\n", PLAIN, ["A", "B", ""]),
    "spaces are kept": ("a.sql", " A \nB  ;\n\tC\n", PLAIN, [" A ", "B  ;", "\tC"]),
    "other line separators are kept": (
        "a.sql",
        "A\x0b\x0c\nB\u2028\x85\nC\rC\n",
        PLAIN,
        ["A\x0b\x0c", "B\u2028\x85", "C\rC"],
    ),
    "db_ids are cut": ("a.sql", "A\tshop\nB b\tfarm\nC\tc\tshop\n", PLAIN, ["A", "B b", "C\tc"]),
    "db_ids are cut where most lines have one": ("a.sql", "A\tshop\nB b\tfarm\nC\n", PLAIN, ["A", "B b", "C"]),
    "db_ids are cut beside blank lines": ("a.sql", "A\tshop\n\n\n", PLAIN, ["A", "", ""]),
    "a line of nothing but a db_id": ("a.sql", "A\tshop\n\tfarm\nC\tshop\n", PLAIN, ["A", "", "C"]),
    "a tab before a table": ("a.sql", "FROM\tshop\nB\nC\n", PLAIN, ["FROM\tshop", "B", "C"]),
    "tabs": ("a.sql", "A\ta\nB\tb\nC\tc\n", PLAIN, ["A\ta", "B\tb", "C\tc"]),
    "blank lines between conversations": ("a.sql", "A\nB\n\nC\n", TALKS, ["A", "B", "C"]),
    "blank lines after conversations": ("a.sql", "A\tshop\nB\tfarm\n\nC\tshop\n\n", TALKS, ["A", "B", "C"]),
    "blank lines between and for no SQL": ("a.sql", "\nB\n\n\n", TALKS, ["", "B", ""]),
    "conversations without blank lines": ("a.sql", "A\nB\nC\n", TALKS, ["A", "B", "C"]),
    "conversations, no SQL": ("a.sql", "A\nB\n\n", TALKS, ["A", "B", ""]),
    "object by id": ("a.json", '{"q3": "C", "q1": "A", "q2": "B"}', PLAIN, ["A", "B", "C"]),
    "object by position": ("a.json", '{"0": "A", "2": "C", "1": "B"}', PLAIN, ["A", "B", "C"]),
    "ids and positions overlap: ids": ("a.json", '{"1471": "A", "1472": "B", "0": "C"}', NUMBERED, ["A", "B", "C"]),
    "ids and positions overlap: positions": ("a.json", '{"0": "A", "1": "B", "2": "C"}', NUMBERED, ["A", "B", "C"]),
    "ids that are positions: ids": ("a.json", '{"0": "A", "1": "B", "2": "C"}', SHUFFLED, ["C", "A", "B"]),
    "ids that are positions: positions in BIRD's files": (
        "a.json",
        json.dumps({"0": f"A{BIRD}shop", "1": f"B{BIRD}farm", "2": f"C{BIRD}shop"}),
        SHUFFLED,
        ["A", "B", "C"],
    ),
    "BIRD": (
        "a.json",
        json.dumps({"0": f" A\n{BIRD}shop", "1": f"{BIRD}farm", "2": f"C{BIRD}x{BIRD}shop"}),
        PLAIN,
        [" A\n", "", f"C{BIRD}x"],
    ),
    "BIRD without a database": ("a.json", json.dumps({"0": f"A{BIRD}", "1": "B", "2": "C"}), PLAIN, ["A", "B", "C"]),
    "failed generation": ("a.json", '{"0": 0, "1": null, "2": false}', PLAIN, ["", "", ""]),
    "array of texts": ("a.json", '["A", " ", null]', PLAIN, ["A", "", ""]),
    "array of objects in order": ("a.json", '[{"sql": "A"}, {"pred": "B"}, {"query": "C"}]', PLAIN, ["A", "B", "C"]),
    "array of objects by id": (
        "a.json",
        '[{"id": "q3", "sql": "C"}, {"question_id": "q1", "sql": "A"}, {"id": "q2", "sql": null}]',
        PLAIN,
        ["A", "", "C"],
    ),
    "lines by id": (
        "a.jsonl",
        '{"id": 0, "sql": "C"}\n\n{"id": 1472, "predicted_sql": "B"}\n{"id": "1471", "prediction": "A"}\n',
        NUMBERED,
        ["A", "B", "C"],
    ),
    "lines in order": ("a.ndjson", '{"sql": "A"}\n{"sql": "B"}\n{"sql": "C"}\n', PLAIN, ["A", "B", "C"]),
    "a gold beside the prediction": (
        "a.jsonl",
        '{"query": "G", "prediction": "A"}\n{"sql": "G", "pred": null}\n{"query": "G", "sql": "C"}\n',
        PLAIN,
        ["A", "", "C"],
    ),
    "table by id": ("a.csv", 'id,sql\nq3,"C\nc"\nq1,"A, a"\nq2,\n', PLAIN, ["A, a", "", "C\nc"]),
    "table in order": ("a.csv", "sql,model\nA,m\nB,m\nC,m\n", PLAIN, ["A", "B", "C"]),
    "suffix in capitals": ("a.JSON", '["A", "B", "C"]', PLAIN, ["A", "B", "C"]),
    "sniffed array": ("a", '\n ["A", "B", "C"]', PLAIN, ["A", "B", "C"]),
    "sniffed object": ("a.out", '{"0": "A",\n"1": "B", "2": "C"}', PLAIN, ["A", "B", "C"]),
    "sniffed object in one line": ("a.out", '{"0": "A", "1": "B", "2": "C"}\n', PLAIN, ["A", "B", "C"]),
    "sniffed lines": ("a.out", '{"sql": "A"}\n{"sql": "B"}\n{"sql": "C"}\n', PLAIN, ["A", "B", "C"]),
    "sniffed table": ("a.out", "id,sql\nq1,A\nq2,B\nq3,C\n", PLAIN, ["A", "B", "C"]),
    "sniffed text": ("a.out", "SELECT id, sql FROM t\nB\nC\n", PLAIN, ["SELECT id, sql FROM t", "B", "C"]),
}

TEXT_REMEDY = "(one for each question, in the order of the dataset; an empty line where there is no SQL)"
ENTRY_REMEDY = "(one for each question, in the order of the dataset; empty text where there is no SQL)"
ORDER_REMEDY = "(is this the dataset that the predictions were made for, in its order?)"
KEYS_REMEDY = "(name the SQL one of pred, predicted_sql, prediction, query, sql)"

BAD = {
    "empty text": ("a.sql", "", PLAIN, f"{{file}}: has 0 lines, the dataset 3 questions {TEXT_REMEDY}"),
    "a line too few": ("a.sql", "A\nB\n", PLAIN, f"{{file}}: has 2 lines, the dataset 3 questions {TEXT_REMEDY}"),
    "a line too many": ("a.sql", "A\nB\nC\n\n", PLAIN, f"{{file}}: has 4 lines, the dataset 3 questions {TEXT_REMEDY}"),
    "many lines too few": (
        "a.txt",
        "A\n" * 1033,
        asked(*(f"{number}@a" for number in range(1034))),
        f"{{file}}: has 1,033 lines, the dataset 1,034 questions {TEXT_REMEDY}",
    ),
    "another order of db_ids": (
        "a.sql",
        "A\tshop\nB\tshop\nC\tshop\n",
        PLAIN,
        f"{{file}}, line 2: is for database 'shop', but question 'q2' is about 'farm' {ORDER_REMEDY}",
    ),
    "latin-1": (
        "a.sql",
        b"A\n\xe4\nC\n",
        PLAIN,
        "{file}, line 2: byte 0xe4 is not UTF-8 text (save the file as UTF-8)",
    ),
    "garbage": (
        "a",
        b"\x80\x04\x95\x10\0",
        PLAIN,
        "{file}, line 1: byte 0x80 is not UTF-8 text (save the file as UTF-8)",
    ),
    "gzip": ("a.json", b"\x1f\x8b\x08", PLAIN, "{file}: is a gzip archive, not UTF-8 text (unpack it first)"),
    "array too short": ("a.json", '["A"]', PLAIN, f"{{file}}: has 1 entry, the dataset 3 questions {ENTRY_REMEDY}"),
    "empty object": ("a.json", "{}", PLAIN, f"{{file}}: has 0 entries, the dataset 3 questions {ENTRY_REMEDY}"),
    "text as JSON": (
        "a.json",
        '"A"',
        PLAIN,
        "{file}: holds text, not predictions (write an object of SQL by question id, or a list)",
    ),
    "broken JSON": (
        "a.json",
        '{"0": "A",\n"1": "B"\n"2": "C"}',
        PLAIN,
        "{file}, line 3, column 1: broken JSON: Expecting ',' delimiter",
    ),
    "lines under the suffix of JSON": (
        "a.json",
        '{"sql": "A"}\n{"sql": "B"}\n',
        PLAIN,
        "{file}, line 2, column 1: broken JSON: Extra data (if it holds one object per line, name it .jsonl)",
    ),
    "object in an object": (
        "a.json",
        '{"predictions": {"0": "A"}}',
        PLAIN,
        "{file}, key 'predictions': is an object, not SQL (write the SQL as text)",
    ),
    "list of lists": (
        "a.json",
        '["A", ["B"], "C"]',
        PLAIN,
        "{file}, entry 2: is a list, not SQL (write the SQL as text)",
    ),
    "missing ids": (
        "a.json",
        '{"q2": "B"}',
        PLAIN,
        "{file}: has no prediction for 2 of 3 questions: 'q1', 'q3'"
        " (give every question of the dataset an entry, with empty SQL where there is none)",
    ),
    "many missing ids": (
        "a.json",
        '{"0": "B"}',
        asked(*(f"{number}@a" for number in range(1034))),
        "{file}: has no prediction for 1,033 of 1,034 questions: '1', '2', '3', …"
        " (give every question of the dataset an entry, with empty SQL where there is none)",
    ),
    "unknown key": (
        "a.json",
        '{"q1": "A", "q2": "B", "q4": "C"}',
        PLAIN,
        "{file}, key 'q4': unknown question id 'q4' (the dataset has 3 questions, from 'q1' to 'q3')",
    ),
    "position beyond the end": (
        "a.json",
        '{"0": "A", "1": "B", "2": "C", "37": "D"}',
        PLAIN,
        "{file}, key '37': unknown question id '37' (the dataset has 3 questions, from '0' to '2')",
    ),
    "key twice": (
        "a.json",
        '{"q1": "A", "q1": "B"}',
        PLAIN,
        "{file}, key 'q1': is a second prediction for question 'q1' (the first is at key 'q1'; keep one)",
    ),
    "BIRD for another database": (
        "a.json",
        json.dumps({"0": f"A{BIRD}shop", "1": f"B{BIRD}zoo", "2": f"C{BIRD}shop"}),
        PLAIN,
        f"{{file}}, key '1': is for database 'zoo', but question 'q2' is about 'farm' {ORDER_REMEDY}",
    ),
    "deep object of unknown suffix": (
        "a.out",
        '{"a":' + "[" * 100_000 + "\n1",
        PLAIN,
        "{file}, line 1: JSON that cannot be read: nested too deeply",
    ),
    "broken line": (
        "a.jsonl",
        '{"sql": "A"}\n{"sql": "B"\n',
        PLAIN,
        "{file}, line 2, column 12: broken JSON: Expecting ',' delimiter",
    ),
    "line that is text": ("a.jsonl", '"A"\n', PLAIN, "{file}, line 1: is text, not an object"),
    "id twice": (
        "a.jsonl",
        '{"id": "q1", "sql": "A"}\n{"id": "q2", "sql": "B"}\n{"id": "q1", "sql": "C"}\n',
        PLAIN,
        "{file}, line 3: is a second prediction for question 'q1' (the first is at line 1; keep one)",
    ),
    "position where an id is meant": (
        "a.jsonl",
        '{"id": 0, "sql": "A"}\n{"id": 1, "sql": "B"}\n{"id": 2, "sql": "C"}\n',
        PLAIN,
        "{file}, line 1: unknown question id '0' (the dataset has 3 questions, from 'q1' to 'q3')",
    ),
    "some without an id": (
        "a.jsonl",
        '{"id": "q1", "sql": "A"}\n{"sql": "B"}\n{"id": "q3", "sql": "C"}\n',
        PLAIN,
        "{file}, line 2: has no id, but other entries have one (give every entry an id, or none)",
    ),
    "no SQL key": ("a.jsonl", '{"id": "q1", "SQL": "A"}\n', PLAIN, f"{{file}}, line 1: has no 'sql' {KEYS_REMEDY}"),
    "no SQL column": ("a.csv", "id,answer\nq1,A\n", PLAIN, f"{{file}}, line 2: has no 'sql' {KEYS_REMEDY}"),
    "parsed SQL": (
        "a.jsonl",
        '{"sql": {"from": []}}\n',
        PLAIN,
        "{file}, line 1: is an object, not SQL (write the SQL as text)",
    ),
    "unknown id in a table": (
        "a.csv",
        "id,sql\nq1,A\nzz,B\n",
        PLAIN,
        "{file}, line 3: unknown question id 'zz' (the dataset has 3 questions, from 'q1' to 'q3')",
    ),
    "rows too few": ("a.csv", "sql\nA\n", PLAIN, f"{{file}}: has 1 entry, the dataset 3 questions {ENTRY_REMEDY}"),
    "row of another width": (
        "a.csv",
        "id,sql\nq1,SELECT a, b\n",
        PLAIN,
        "{file}, line 2: has 3 cells, the header 2 (put cells that hold commas or line ends in double quotes)",
    ),
}


@pytest.mark.parametrize(("name", "text", "questions", "sql"), GOOD.values(), ids=GOOD)
def test_predictions_are_matched(
    tmp_path: Path, name: str, text: str, questions: list[Question], sql: list[str]
) -> None:
    file = tmp_path / name
    file.write_bytes(text.encode())
    predictions = read_predictions(file, iter(questions))
    assert predictions.file == file
    assert list(predictions.sql_by_id.items()) == [
        (question.id, own) for question, own in zip(questions, sql, strict=True)
    ]


@pytest.mark.parametrize(("name", "text", "questions", "message"), BAD.values(), ids=BAD)
def test_a_bad_file_is_one_line(
    tmp_path: Path, name: str, text: str | bytes, questions: list[Question], message: str
) -> None:
    file = tmp_path / name
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    with pytest.raises(UserError) as caught:
        read_predictions(file, questions)
    assert str(caught.value) == message.format(file=file)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    for name in ("a.sql", "a.json", "a"):
        with pytest.raises(UserError) as caught:
            read_predictions(tmp_path / name, PLAIN)
        assert str(caught.value) == f"{tmp_path / name}: no such file or folder (check the path)"


def test_the_format_is_told(tmp_path: Path) -> None:
    for name, text, form in (
        ("a.sql", "A", "text"),
        ("a.json", '["A"]', "json"),
        ("a.jsonl", '{"sql": "A"}', "jsonl"),
        ("a.csv", "sql\nA", "csv"),
    ):
        (tmp_path / name).write_text(text)
        assert read_predictions(tmp_path / name, PLAIN[:1]).format == form


def test_an_unknown_id_carries_its_name(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    file.write_text('{"id": "q9", "sql": "A"}\n')
    with pytest.raises(UnknownName) as caught:
        read_predictions(file, PLAIN)
    assert (caught.value.name, caught.value.known) == ("q9", ("q1", "q2", "q3"))


sqls = st.text(st.characters(exclude_characters="\0", codec="utf-8"))
lines = sqls.map(lambda text: text.replace("\n", " ").rstrip("\r"))


def as_read(sql: str) -> str:
    return sql if sql.strip() else ""


@given(st.lists(lines, min_size=1))
def test_lines_come_back_as_they_were(tmp_path_factory: pytest.TempPathFactory, written: list[str]) -> None:
    file = tmp_path_factory.mktemp("text") / "a.sql"
    file.write_bytes("".join(line + "\n" for line in written).encode())
    if written[0].startswith("\ufeff") or file.read_bytes().startswith(b"PK\x03\x04"):
        return
    questions = asked(*(f"{number}@a" for number in range(len(written))))
    assert list(read_predictions(file, questions).sql_by_id.values()) == list(map(as_read, written))


@given(st.lists(sqls, min_size=1), st.sampled_from(["object", "array", "lines", "lines by id", "table"]))
def test_sql_comes_back_as_it_was(tmp_path_factory: pytest.TempPathFactory, written: list[str], form: str) -> None:
    folder = tmp_path_factory.mktemp("keyed")
    questions = asked(*(f"q{number}@a" for number in range(len(written))))
    by_id = {question.id: sql for question, sql in zip(questions, written, strict=True)}
    file = folder / "a.json"
    if form == "object":
        file.write_text(json.dumps(by_id))
    elif form == "array":
        file.write_text(json.dumps(written))
    elif form == "table":
        file = folder / "a.csv"
        with file.open("w", encoding="utf-8", newline="") as out:
            csv.writer(out).writerows([("id", "sql"), *by_id.items()])
    else:
        file = folder / "a.jsonl"
        keyed = form == "lines by id"
        rows = [{"id": own, "sql": sql} if keyed else {"sql": sql} for own, sql in by_id.items()]
        file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert read_predictions(file, questions).sql_by_id == {own: as_read(sql) for own, sql in by_id.items()}


@pytest.mark.data
def test_every_published_spider_file(data: Path) -> None:
    questions = list(SpiderDataset(data / "spider").questions())
    files = sorted((data / "spider" / "predictions").glob("*.txt"))
    assert len(files) == 12
    for file in files:
        sql = list(read_predictions(file, questions).sql_by_id.values())
        assert sql == file.read_bytes().decode().removesuffix("\n").split("\n")


@pytest.mark.data
def test_spider_s_gold_as_predictions(data: Path) -> None:
    questions = list(SpiderDataset(data / "spider").questions())
    predictions = read_predictions(data / "spider" / "dev_gold.sql", questions)
    assert predictions.sql_by_id == {question.id: question.gold[0] for question in questions}


@pytest.mark.data
def test_every_published_bird_file(data: Path) -> None:
    folder = data / "bird" / "questions"
    dev = list(BirdDataset(folder / "dev.json").questions())
    mini = list(BirdDataset(folder / "mini_dev_sqlite.v2024.json", ids="position").questions())
    newer = list(BirdDataset(folder / "mini_dev_sqlite.v2025.json").questions())
    files = sorted((data / "bird" / "predictions").glob("*.json"))
    assert len(files) == 20
    for file in files:
        expected = [sql.split(BIRD)[0] for sql in json.loads(file.read_text()).values()]
        right, wrong = (mini, dev) if "mini" in file.name else (dev, newer)
        assert list(read_predictions(file, right).sql_by_id.values()) == expected
        with pytest.raises(UserError, match="is for database"):
            read_predictions(file, wrong)
        if "mini" in file.name:
            assert list(read_predictions(file, newer).sql_by_id)[:2] == ["1471", "1472"]


@pytest.mark.data
def test_bird_s_gold_as_predictions(data: Path) -> None:
    folder = data / "bird" / "questions"
    questions = list(BirdDataset(folder / "mini_dev_sqlite.v2024.json", ids="position").questions())
    predictions = read_predictions(folder / "mini_dev_sqlite_gold.v2024.sql", questions)
    assert predictions.sql_by_id == {question.id: question.gold[0] for question in questions}

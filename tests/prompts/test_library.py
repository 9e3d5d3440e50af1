"""Finding prompts, and the lock on those that are shipped."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from pathlib import Path

import pytest

from prompts import library
from prompts.library import SHIPPED, load, refs
from prompts.schema_text.style import SchemaStyle
from prompts.schema_text.text import SchemaText
from prompts.template import Shots
from sqlassay.errors import UnknownName, UserError
from sqlassay.schema import Column, Schema, Table

LOCK = json.loads((SHIPPED / "lock.json").read_text("utf-8"))
BODY = "messages: [{role: user, content: '{{ question }}'}]\noutput: sql_block\n"


def add(folder: Path, name: str, version: int, *, says: str | None = None) -> Path:
    path = folder / name / f"v{version}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"name: {says or name}\nversion: {version}\n{BODY}", "utf-8")
    return path


def test_every_shipped_prompt_is_as_it_was_released() -> None:
    files = {f"{path.parent.name}@{path.stem[1:]}": path for path in SHIPPED.glob("*/*.yaml")}
    digests = {ref: hashlib.sha256(path.read_bytes()).hexdigest() for ref, path in files.items()}
    assert digests == LOCK, "released prompts are never edited; add a new version and its digest to lock.json"


ORDINARY = {"dialect", "dialect_rules", "schema", "evidence", "question"}
"""What every prompt is given."""
_JUDGE = {"grades", "categories"}
_CANDIDATE = {"candidate_sql", "candidate_result"}
_GOLD = {"gold_sql", "gold_result", "ordered"}
MORE = {
    "conversational": {"history"},
    "few_shot": {"examples"},
    "router_classify": {"routes"},
    "self_correct": {"sql", "error"},
    "judge_gold": _JUDGE | _CANDIDATE | _GOLD,
    "judge_on_fail": _JUDGE | _CANDIDATE | _GOLD,
    "judge_pairwise": _JUDGE | {f"{place}_{what}" for place in ("first", "second") for what in ("sql", "result")},
    "judge_reference_free": _JUDGE | _CANDIDATE,
    "judge_rubric": _JUDGE | _CANDIDATE | _GOLD | {"criteria"},
}
"""What some prompts are given besides."""


@pytest.mark.parametrize("ref", refs())
def test_every_shipped_prompt_loads(ref: str) -> None:
    template = load(ref)
    assert template.ref == ref
    assert template.description
    assert template.sha256 == LOCK[ref]
    assert template.variables <= ORDINARY | MORE.get(template.name, set())


def test_zero_shot() -> None:
    values = {"dialect": "DuckDB", "schema": "CREATE TABLE t (a INT);", "question": "How many?"}
    system, user = load("zero_shot@1").render({**values, "evidence": "a is small"}).messages
    assert system.role == "system"
    assert "DuckDB" in system.content
    assert user.content.startswith(
        "Schema of the DuckDB database:\n\nCREATE TABLE t (a INT);\n\nWhat you need to know:"
    )
    assert (
        "a is small\n\nQuestion:\n\nHow many?\n\nAnswer with exactly one DuckDB query in one ```sql block"
        in user.content
    )
    plain = load("zero_shot@1").render({**values, "evidence": ""}).messages[1].content
    assert "need to know" not in plain
    assert "\n\n\n" not in plain


# Bytes of version 1 with a small schema; what a released prompt renders to never changes either.
RENDERED = "771215ea021239850a1234d4304a08b07f7b1c3cd3071f4e4e112908add1fb9d"


def test_a_released_prompt_renders_as_ever() -> None:
    schema = SchemaText(Schema((Table("t", (Column("a", "INT", False, True), Column("b", ""))),)), dialect="sqlite")
    values = {"dialect": "SQLite", "schema": schema.about("?").text, "question": "How many?", "evidence": "b is c"}
    assert load("zero_shot@1").render(values).sha256 == RENDERED


def test_the_versions_of_zero_shot_differ_in_what_they_say_they_do() -> None:
    values = {"dialect": "D", "dialect_rules": "- RULE", "schema": "S", "question": "Q", "evidence": "EVIDENCE"}
    first, *others = (load(f"zero_shot@{version}") for version in (1, 2, 3, 4, 5))
    assert [one.schema for one in (first, *others)] == [
        SchemaStyle(),
        SchemaStyle("ddl", rows=3),
        SchemaStyle("compact"),
        SchemaStyle(),
        SchemaStyle("m_schema", values=3, descriptions=True),
    ]
    same = [one.render(values).messages == first.render(values).messages for one in others]
    assert same == [True, True, False, False]
    without, richest = (one.render(values) for one in others[2:])
    assert without.messages == first.render({**values, "evidence": ""}).messages
    assert richest.messages[1] == first.render(values).messages[1]
    rest = richest.messages[0].content.removeprefix(first.render(values).messages[0].content)
    assert rest == "\n\nWhat holds for D:\n\n- RULE"
    unruled = load("zero_shot@5").render({**values, "dialect_rules": ""})
    assert unruled.messages == first.render(values).messages, "a dialect without rules"


def test_conversational() -> None:
    values = {"dialect": "SQLite", "schema": "CREATE TABLE t (a INT);", "question": "And {{ now }}?", "evidence": ""}
    turns = [{"question": "How many?", "sql": "SELECT count(*)\nFROM t"}, {"question": "Why?", "sql": None}]
    _, user = load("conversational@1").render({**values, "history": turns}).messages
    assert user.content == (
        "Schema of the SQLite database:\n\nCREATE TABLE t (a INT);\n\n"
        "The conversation so far, the oldest question first:\n\n"
        "Question: How many?\n\n```sql\nSELECT count(*)\nFROM t\n```\n\n"
        "Question: Why?\n\nThere is no query for this question.\n\n"
        "Question that is to be answered now:\n\nAnd {{ now }}?\n\n"
        "Answer with exactly one SQLite query in one ```sql block, and with nothing else:"
        " no explanation, no second query."
    )


def test_the_first_turn_is_asked_as_zero_shot_asks() -> None:
    values = {"dialect": "SQLite", "schema": "CREATE TABLE t (a INT);", "question": "How many?", "evidence": "a is b"}
    _, first = load("conversational@1").render({**values, "history": []}).messages
    _, alone = load("zero_shot@1").render(values).messages
    assert first == alone


@pytest.mark.parametrize("ref", ["zero_shot@1", "zero_shot@v1"])
def test_references(ref: str) -> None:
    assert load(ref).ref == "zero_shot@1"


def test_the_newest_version_is_the_highest_number(tmp_path: Path) -> None:
    for version in (2, 10, 9):
        add(tmp_path, "mine", version)
    assert load("mine", [tmp_path]).version == 10
    assert load("mine@2", [tmp_path]).version == 2
    assert [ref for ref in refs([tmp_path]) if ref.startswith("mine")] == ["mine@2", "mine@9", "mine@10"]


@pytest.mark.parametrize(
    ("ref", "guess"),
    [
        ("zero_shoot", "did you mean 'zero_shot'?"),
        ("zero_shot@77", "did you mean 'zero_shot"),
        ("zero_shot@one", "did you mean 'zero_shot"),
        ("", "known: chain_of_thought, chain_of_thought@1"),
        ("../zero_shot", "did you mean 'zero_shot'?"),
    ],
)
def test_an_unknown_prompt_suggests_the_nearest(ref: str, guess: str) -> None:
    with pytest.raises(UnknownName, match=re.escape(guess)):
        load(ref)


def test_a_file(tmp_path: Path) -> None:
    path = tmp_path / "draft.yaml"
    shutil.copy(add(tmp_path, "draft", 1), path)
    assert load(str(path)).ref == "draft@1"
    assert load(str(SHIPPED / "zero_shot" / "v1.yaml")).ref == "zero_shot@1"


def test_a_missing_file_or_folder(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot read the prompt"):
        load(str(tmp_path / "none.yaml"))
    with pytest.raises(UserError, match="no such folder of prompts"):
        load("zero_shot", [tmp_path / "none"])


def test_one_name_in_two_places_names_both(tmp_path: Path) -> None:
    path = add(tmp_path, "zero_shot", 2)
    for ref, folders in (("zero_shot", [tmp_path]), (str(path), [])):
        with pytest.raises(UserError) as raised:
            load(ref, folders)
        assert str(SHIPPED / "zero_shot") in str(raised.value)
        assert str(path.parent) in str(raised.value)
        assert "give yours another name" in str(raised.value)


def test_a_file_in_the_wrong_place(tmp_path: Path) -> None:
    add(tmp_path, "mine", 1, says="yours")
    with pytest.raises(UserError, match=re.escape("it is yours@1 and so belongs in yours/v1.yaml")):
        load("mine", [tmp_path])


@pytest.mark.parametrize("change", ["edited", "not in the lock"])
def test_an_edited_shipped_prompt_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: str) -> None:
    shipped = tmp_path / "templates"
    shutil.copytree(SHIPPED, shipped)
    monkeypatch.setattr(library, "SHIPPED", shipped)
    load("zero_shot@1")
    if change == "edited":
        with (shipped / "zero_shot" / "v1.yaml").open("a", encoding="utf-8") as file:
            file.write("# better\n")
    else:
        (shipped / "lock.json").write_text("{}", "utf-8")
    with pytest.raises(UserError, match=re.escape("released prompts are never edited: restore the file, or add v6")):
        load("zero_shot@1")


def linked(folder: Path, name: str, more: str) -> str:
    add(folder, name, 1)
    path = folder / name / "v1.yaml"
    path.write_text(path.read_text("utf-8") + more, "utf-8")
    return f"{name}@1"


def test_a_linked_prompt_brings_the_one_that_it_is_linked_by() -> None:
    decompose = load("decompose@1")
    assert decompose.linker == load("schema_link@1")
    assert decompose.identity == {
        "ref": "decompose@1",
        "sha256": LOCK["decompose@1"],
        "linking": {"ref": "schema_link@1", "sha256": LOCK["schema_link@1"]},
    }
    assert "linking" not in load("zero_shot@1").identity


def test_a_linked_prompt_may_be_the_users_own(tmp_path: Path) -> None:
    add(tmp_path, "finder", 1)
    (tmp_path / "finder" / "v1.yaml").write_text(f"name: finder\nversion: 1\n{BODY}".replace("sql_block", "json"))
    linker = load(linked(tmp_path, "mine", "linking: finder@1\n"), [tmp_path]).linker
    assert linker is not None
    assert linker.ref == "finder@1"


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        ("linking: schema_lnk@1", "unknown prompt 'schema_lnk@1' (did you mean 'schema_link@1'?)"),
        ("linking: schema_link@9", "unknown prompt 'schema_link@9'"),
        ("linking: zero_shot@1", "prompt zero_shot@1 does not answer with JSON (its `output` must be json)"),
        ("linking: decompose@1", "prompt decompose@1 is linked by another itself (schema_link@1)"),
        ("linking: mine@1", "prompt mine@1 is linked by another itself (mine@1)"),
        ("linking: other@1", "prompt other@1 is linked by another itself (mine@1)"),
    ],
)
def test_what_a_prompt_cannot_be_linked_by(tmp_path: Path, more: str, problem: str) -> None:
    linked(tmp_path, "other", "linking: mine@1\n")
    ref = linked(tmp_path, "mine", f"{more}\n")
    with pytest.raises(UserError) as caught:
        load(ref, [tmp_path])
    assert str(caught.value).startswith(f"{tmp_path / 'mine' / 'v1.yaml'}: linking: ")
    assert problem in str(caught.value)


def test_few_shot_versions_differ_in_the_choice_alone() -> None:
    static, similar = load("few_shot@1"), load("few_shot@2")
    assert static.messages == similar.messages
    assert (static.examples, similar.examples) == (Shots("static", 5), Shots("similar", 5))


def test_few_shot_shows_examples() -> None:
    values = {"dialect": "SQLite", "schema": "CREATE TABLE t (a INT);", "question": "How many?", "evidence": ""}
    example = {"question": "Which?", "sql": "SELECT a FROM u", "db_id": "d", "evidence": ""}
    content = load("few_shot").render({**values, "examples": [example, {**example, "evidence": "a is b"}]})
    shown = content.messages[1].content
    assert "Question: Which?\n\n```sql\nSELECT a FROM u\n```\n\nQuestion: Which?\nWhat was known: a is b\n" in shown
    assert shown.index("SELECT a FROM u") < shown.index("CREATE TABLE t") < shown.index("How many?")
    assert load("few_shot").render({**values, "examples": []}).messages[1].content.startswith("Schema of the SQLite")


def test_a_chain_of_thought_ends_with_its_query() -> None:
    """A model that shows a draft, whatever it was told, is taken at its last word."""
    answer = "1. Names.\n2. First:\n```sql\nSELECT a FROM t\n```\n3. Sorted.\n\n```sql\nSELECT a FROM t ORDER BY a\n```"
    assert load("chain_of_thought@1").extract(answer).sql == "SELECT a FROM t ORDER BY a"

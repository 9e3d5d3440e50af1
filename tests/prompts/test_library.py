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
from sqlassay.errors import UnknownName, UserError

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


_JUDGE = {"grades", "categories"}
_CANDIDATE = {"candidate_sql", "candidate_result"}
_GOLD = {"gold_sql", "gold_result", "ordered"}
MORE = {
    "router_classify": {"routes"},
    "self_correct": {"sql", "error"},
    "judge_gold": _JUDGE | _CANDIDATE | _GOLD,
    "judge_on_fail": _JUDGE | _CANDIDATE | _GOLD,
    "judge_pairwise": _JUDGE | {f"{place}_{what}" for place in ("first", "second") for what in ("sql", "result")},
    "judge_reference_free": _JUDGE | _CANDIDATE,
    "judge_rubric": _JUDGE | _CANDIDATE | _GOLD | {"criteria"},
}
"""What prompts of composite models and of judges are given besides."""


@pytest.mark.parametrize("ref", refs())
def test_every_shipped_prompt_loads(ref: str) -> None:
    template = load(ref)
    assert template.ref == ref
    assert template.description
    assert template.sha256 == LOCK[ref]
    assert template.variables <= {"dialect", "schema", "evidence", "question"} | MORE.get(template.name, set())


def test_zero_shot() -> None:
    values = {"dialect": "DuckDB", "schema": "CREATE TABLE t (a INT);", "question": "How many?"}
    system, user = load("zero_shot").render({**values, "evidence": "a is small"}).messages
    assert system.role == "system"
    assert "DuckDB" in system.content
    assert user.content.startswith(
        "Schema of the DuckDB database:\n\nCREATE TABLE t (a INT);\n\nWhat you need to know:"
    )
    assert (
        "a is small\n\nQuestion:\n\nHow many?\n\nAnswer with exactly one DuckDB query in one ```sql block"
        in user.content
    )
    plain = load("zero_shot").render({**values, "evidence": ""}).messages[1].content
    assert "need to know" not in plain
    assert "\n\n\n" not in plain


@pytest.mark.parametrize("ref", ["zero_shot", "zero_shot@1", "zero_shot@v1"])
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
        ("zero_shot@2", "did you mean 'zero_shot@1'?"),
        ("zero_shot@one", "did you mean 'zero_shot@1'?"),
        ("", "known: judge_gold, judge_gold@1, judge_on_fail"),
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
    load("zero_shot")
    if change == "edited":
        with (shipped / "zero_shot" / "v1.yaml").open("a", encoding="utf-8") as file:
            file.write("# better\n")
    else:
        (shipped / "lock.json").write_text("{}", "utf-8")
    with pytest.raises(UserError, match=re.escape("released prompts are never edited; add v2")):
        load("zero_shot")

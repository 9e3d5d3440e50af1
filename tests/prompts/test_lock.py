"""Released prompts: once a version is locked, it is what it was, in a user's folder as among those that are shipped."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from prompts.drafting import draft
from prompts.library import SHIPPED, load, refs
from prompts.lock import LOCK, read_lock, release
from prompts.template import read
from prompts.writing import write_version
from sqlassay.errors import UnknownName, UserError
from tests.prompts.test_library import add


def test_nothing_is_lost_when_many_release_at_once(tmp_path: Path) -> None:
    made = [read(add(tmp_path, f"mine{number}", 1)) for number in range(40)]
    with ThreadPoolExecutor(8) as pool:
        released = list(pool.map(lambda one: release(tmp_path, [one]), made))
    assert released == [[one] for one in made]
    assert set(read_lock(tmp_path)) == {one.ref for one in made}


def test_an_unreleased_prompt_is_used_and_known_to_be_one(tmp_path: Path) -> None:
    add(tmp_path, "mine", 1)
    assert not load("mine", [tmp_path]).released
    assert load("zero_shot").released


def test_releasing(tmp_path: Path) -> None:
    paths = [add(tmp_path, "mine", version) for version in (1, 2)]
    first, second = map(read, paths)
    assert release(tmp_path, [first]) == [first]
    assert release(tmp_path, [first, second]) == [second]
    assert release(tmp_path, [first, second]) == []
    assert read_lock(tmp_path) == {"mine@1": first.sha256, "mine@2": second.sha256}
    assert load("mine@1", [tmp_path]).released
    assert not list(tmp_path.glob("*.tmp"))


def test_an_edited_released_prompt_is_refused_however_it_is_named(tmp_path: Path) -> None:
    path = add(tmp_path, "mine", 1)
    release(tmp_path, [read(path)])
    path.write_text(path.read_text() + "# better\n")
    expected = re.escape(f"{path}: prompt mine@1 is not what was released under this name: lock.json says ")
    for ref, folders in (("mine", [tmp_path]), ("mine@1", [tmp_path]), (str(path), [])):
        with pytest.raises(UserError, match=expected + ".*never edited: restore the file, or add v2"):
            load(ref, folders)
    before = (tmp_path / LOCK).read_bytes()
    other = read(add(tmp_path, "other", 1))
    with pytest.raises(UserError, match="released prompts are never edited: restore the file, or add v2"):
        release(tmp_path, [other, read(path)])
    assert (tmp_path / LOCK).read_bytes() == before


@pytest.mark.parametrize("other", ["v01.yaml", "v1.yml", "better.yaml"])
def test_an_edited_released_prompt_is_refused_under_another_name_beside_its_lock(other: str, tmp_path: Path) -> None:
    path = add(tmp_path, "mine", 1)
    release(tmp_path, [read(path)])
    renamed = path.rename(path.with_name(other))
    assert load(str(renamed)).released
    renamed.write_text(renamed.read_text() + "# better\n")
    with pytest.raises(UserError, match="prompt mine@1 is not what was released under this name"):
        load(str(renamed))


@pytest.mark.parametrize("edited", [lambda text: text.replace(b"\n", b"\r\n"), lambda text: b"\xef\xbb\xbf" + text])
def test_line_ends_and_byte_order_marks_are_edits(edited: Callable[[bytes], bytes], tmp_path: Path) -> None:
    path = add(tmp_path, "mine", 1)
    release(tmp_path, [read(path)])
    path.write_bytes(edited(path.read_bytes()))
    with pytest.raises(UserError, match="prompt mine@1 is not what was released under this name"):
        load("mine@1", [tmp_path])


def test_who_edited_a_released_prompt_is_told_the_next_free_version(tmp_path: Path) -> None:
    path, *others = (add(tmp_path, "mine", version) for version in (1, 2, 3))
    release(tmp_path, [read(path), *map(read, others)])
    others[1].unlink()
    path.write_text(path.read_text() + "# better\n")
    with pytest.raises(UserError, match="restore the file, or add v4"):
        load("mine@1", [tmp_path])


def test_a_file_by_itself_has_no_lock(tmp_path: Path) -> None:
    path = add(tmp_path, "mine", 1)
    release(tmp_path, [read(path)])
    alone = tmp_path / "draft.yaml"
    alone.write_text(path.read_text() + "# better\n")
    assert not load(str(alone)).released


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("{", "not a lock of prompts: Expecting"),
        ("[]", "not a lock of prompts: it must hold a digest for each ref"),
        ('{"mine@1": 5}', "not a lock of prompts: it must hold a digest for each ref"),
        ('{"mine@1": "a", "mine@1": "b"}', "not a lock of prompts: mine@1 is there twice"),
        (b"\xff", "not a lock of prompts: "),
    ],
)
def test_a_broken_lock_is_named(content: str | bytes, problem: str, tmp_path: Path) -> None:
    add(tmp_path, "mine", 1)
    (tmp_path / LOCK).write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(UserError) as raised:
        load("mine", [tmp_path])
    assert str(raised.value).startswith(f"{tmp_path / LOCK}: {problem}")
    assert str(raised.value).endswith("(restore the file)")


@pytest.mark.parametrize("other", ["v01.yaml", "v1.yml"])
def test_one_version_in_two_files_names_both(other: str, tmp_path: Path) -> None:
    path = add(tmp_path, "mine", 1)
    path.with_name(other).write_text(path.read_text())
    for look in (lambda: load("mine@1", [tmp_path]), lambda: refs([tmp_path])):
        with pytest.raises(UserError) as raised:
            look()
        assert "version 1 of prompt 'mine' is there twice: " in str(raised.value)
        assert str(path) in str(raised.value)
        assert str(path.with_name(other)) in str(raised.value)
        assert "keep one, as v1.yaml" in str(raised.value)


@pytest.mark.parametrize("other", ["v01.yaml", "v1.yml"])
def test_a_version_under_another_spelling_is_told_where_it_belongs(other: str, tmp_path: Path) -> None:
    path = add(tmp_path, "mine", 1)
    path.rename(path.with_name(other))
    with pytest.raises(UserError, match=re.escape("it is mine@1 and so belongs in mine/v1.yaml")):
        load("mine", [tmp_path])


def test_a_folder_that_is_named_twice(tmp_path: Path) -> None:
    add(tmp_path, "mine", 1)
    with pytest.raises(UserError, match="two prompts are named 'mine'"):
        load("mine", [tmp_path, tmp_path])


def test_drafts(tmp_path: Path) -> None:
    folder = tmp_path / "prompts"
    first = draft("mine", folder)
    assert first == folder / "mine" / "v1.yaml"
    made = load("mine", [folder])
    assert (made.ref, made.messages) == ("mine@1", load("zero_shot@1").messages)
    first.write_text(first.read_text().replace("Question:", "Q:"))
    assert load(str(draft("mine", folder))).messages == load("mine@1", [folder]).messages
    third = draft("mine", folder, "self_correct@1")
    assert third.name == "v3.yaml"
    assert load("mine", [folder]).messages == load("self_correct@1").messages


def test_the_number_of_a_released_version_is_never_given_again(tmp_path: Path) -> None:
    add(tmp_path, "mine", 1)
    gone = add(tmp_path, "mine", 2)
    release(tmp_path, [read(gone)])
    gone.unlink()
    assert draft("mine", tmp_path).name == "v3.yaml"
    fields = {"messages": [{"role": "user", "content": "{{ question }}"}], "output": "sql_block"}
    (tmp_path / "mine" / "v3.yaml").unlink()
    assert write_version("mine", tmp_path, fields, place="there")[0].ref == "mine@3"


@pytest.mark.parametrize(
    ("name", "source", "error", "problem"),
    [
        ("Mine", None, UserError, "'Mine' cannot be a name"),
        ("../mine", None, UserError, "'../mine' cannot be a name"),
        ("zero_shot", None, UserError, "is the name of a shipped prompt"),
        ("mine", "zero_shoot", UnknownName, "did you mean 'zero_shot'?"),
    ],
)
def test_what_cannot_be_drafted(
    name: str, source: str | None, error: type[UserError], problem: str, tmp_path: Path
) -> None:
    with pytest.raises(error, match=re.escape(problem)):
        draft(name, tmp_path, source)
    assert list(tmp_path.iterdir()) == []


def test_a_source_in_another_layout_is_left_alone(tmp_path: Path) -> None:
    path = add(tmp_path, "mine", 1)
    path.write_text(
        "{name: mine, version: 1, messages: [{role: user, content: '{{ question }}'}], output: sql_block}\n"
    )
    with pytest.raises(UserError, match="do not stand at the start of a line"):
        draft("yours", tmp_path, "mine")
    assert not list(tmp_path.glob("yours/*"))


def test_what_is_shipped_is_locked() -> None:
    assert set(json.loads((SHIPPED / LOCK).read_text())) == set(refs())

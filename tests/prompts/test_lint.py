"""What lint finds: everything that is wrong with a file, each with its line."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prompts.flaws import refuse_flawed
from prompts.library import SHIPPED, load, refs
from prompts.lint import lint_file, lint_folder
from prompts.lock import LOCK, release
from prompts.template import read
from prompts.variables import CORRECTION, EVERY, JUDGE, QUESTION, ROUTER
from sqlassay.errors import UnknownName, UserError
from tests.prompts.test_library import add

GOOD = """\
name: mine
version: 1
messages:
  - role: system
    content: You write {{ dialect }}.
  - role: user
    content: |
      {{ schema }}

      {{ question }}
output: sql_block
stop: []
"""


def linted(folder: Path, text: str | bytes) -> list[tuple[int, str, bool]]:
    path = folder / "mine" / "v1.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return [(problem.line, problem.text, problem.fatal) for problem in lint_file(path)]


def test_a_good_file_has_no_problems(tmp_path: Path) -> None:
    assert linted(tmp_path, GOOD) == []


def test_what_is_shipped_has_no_problems() -> None:
    assert lint_folder(SHIPPED) == []


@pytest.mark.parametrize(
    ("old", "new", "line", "problem", "fatal"),
    [
        ("name: mine\n", "", 1, "the key 'name' is missing", True),
        ("name: mine", "name: Mine", 1, "name: must be lower-case letters", True),
        ("version: 1", "version: one", 2, "version: must be a whole number from 1", True),
        ("stop: []", "stpo: []", 12, "stpo: unknown key 'stpo' (did you mean 'stop'?)", True),
        ("stop: []", "stop: ['a', 1]", 12, "stop[1]: must be text", True),
        ("stop: []", "output: json", 12, "the key 'output' is there twice", True),
        ("role: user", "role: you", 6, "messages[1].role: must be one of", True),
        ("role: user\n    content: |", "content: |", 6, "messages[1]: the key 'role' is missing", True),
        ("sql_block", "sqlblock", 11, "output: unknown output 'sqlblock' (did you mean 'sql_block'?)", True),
        ("sql_block", "json", 11, "the output is json, and no message asks for JSON", False),
        ("{{ dialect }}", "{{ dailect }}", 5, "unknown variable 'dailect' (did you mean 'dialect'?)", True),
        ("{{ question }}", "{{ question | uper }}", 10, "unknown filter 'uper' (did you mean 'upper'?)", True),
        ("{{ question }}", "{{ question is strnig }}", 10, "unknown test 'strnig' (did you mean 'string'?)", True),
        ("{{ question }}", "{{ question.__class__ }}", 10, "'__class__' of 'question' is out of reach", True),
        ("{{ question }}", "{{ question['x'] }}", 10, "'x' of 'question' is out of reach", True),
        ("{{ question }}", "{{ question.upper() }}", 10, "'upper' is a method", True),
        ("{{ question }}", "{{ [question] | map(attribute='__class__') }}", 10, "'__class__' is out of reach", True),
        ("{{ question }}", "{{ question }}{% include 'x' %}", 10, "cannot include, import or extend", True),
        ("{{ question }}", "{{ question", 10, "unexpected end of template", True),
        ("{{ question }}", "{{ question + 1 }}", 10, "can only concatenate str", True),
        ("{{ question }}", "{{ question | dictsort }}", 10, "'str' object has no attribute 'items'", True),
        ("{{ question }}", "{{ [question] | map('upper') }}", 10, "has no text; `join` makes one of a list", True),
        ("{{ question }}", "{{ question | random }}", 10, "unknown filter 'random'", True),
        ("{{ question }}", "{{ question }}{{ history[0].question }}", 10, "at the first turn of a conversation", True),
        (
            "{{ question }}",
            "{{ question }}{% for turn in history %}{{ turn.sql }}{% endfor %}",
            10,
            "the word 'None', where a turn before has no SQL",
            True,
        ),
        (
            "{{ question }}",
            "{{ question }}{% for turn in history %}{{ turn.sql | trim }}{% endfor %}",
            10,
            "the word 'None', where a turn before has no SQL",
            True,
        ),
        (
            "{{ question }}",
            "{{ question }}\n\n      {{ history | map(attribute='sql') | join('; ') }}",
            12,
            "the word 'None', where a turn before has no SQL",
            True,
        ),
        (
            "{{ question }}",
            "{{ question }}{% for turn in history %}{{ turn.sql or 'None' }}{% endfor %}",
            10,
            "",
            False,
        ),
        (
            "{{ question }}",
            "{% macro say(text) %}{{ text }} (or none) {% endmacro %}"
            "{{ say(question) }}{% for turn in history %}{{ say(turn.sql or '') }}{% endfor %}",
            10,
            "",
            False,
        ),
        ("{{ question }}", "{{ question }} \t", 10, "white space at the end of the line goes to the model", False),
        ("{{ question }}", "{% set a = 1 %}{{ question }}", 10, "'a' is set and never used", False),
        ("{{ question }}", "How many?", 7, "no message mentions the variable 'question'", True),
        ("{{ schema }}", "", 7, "no message mentions the variable 'schema'", False),
        ("content: |", "content: |+", 10, "", False),
        ("version: 1", "version: 2", 0, "it is mine@2 and so belongs in mine/v2.yaml", True),
        ("name: mine", "name: yours", 0, "it is yours@1 and so belongs in yours/v1.yaml", True),
        ("name: mine", "name: [", 3, "not YAML: ", True),
        ("name: mine", "name: \x01", 1, "not YAML: holds the character #x0001", True),
        ("stop: []", "stop: &a [*a]", 0, "nested too deeply, or within itself", True),
        ("name: mine", "name: 2024-13-01", 0, "not YAML: month must be in 1..12", True),
        (GOOD, "- a\n", 1, "must be a mapping with the keys name, version, messages, output", True),
        (GOOD, "", 1, "must be a mapping with the keys name, version, messages, output", True),
    ],
)  # fmt: skip
def test_each_problem_has_its_line(old: str, new: str, line: int, problem: str, fatal: bool, tmp_path: Path) -> None:
    found = linted(tmp_path, GOOD.replace(old, new))
    if not problem:
        assert found == []
        return
    (at, text, severe), *more = found
    assert (at, severe, more) == (line, fatal, [])
    assert problem in text


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    assert linted(tmp_path, GOOD.encode() + b"# \xff\n") == [(13, "is not UTF-8: byte 0xff", True)]


def test_all_at_once(tmp_path: Path) -> None:
    text = GOOD.replace("name: mine", "nmae: mine").replace("role: user", "role: you")
    text = text.replace("{{ schema }}", "{{ scheme | uper }} ").replace("stop: []", "stop: [1, 2]")
    assert [line for line, _, _ in linted(tmp_path, text)] == [1, 1, 6, 8, 8, 8, 12, 12]


def test_what_is_about_folders(tmp_path: Path) -> None:
    path = add(tmp_path, "mine", 1)
    path.write_text(GOOD)
    path.with_name("v01.yaml").write_text(GOOD)
    path.with_name("old.yaml").write_text("x")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / LOCK).write_text('{"gone@1": "a"}')
    told = [str(problem).replace(str(tmp_path), "") for problem in lint_folder(tmp_path)]
    assert told[0] == "/mine/old.yaml: warning: is no version of a prompt, and never loaded: they are named v<N>.yaml"
    assert "version 1 of prompt 'mine' is there twice" in told[1]
    assert any("v01.yaml: error: it is mine@1 and so belongs in mine/v1.yaml" in one for one in told)
    assert told[-1] == "/lock.json: error: gone@1 is released, and its file is gone"
    assert lint_folder(tmp_path / "mine") == lint_folder(tmp_path)[:-1]


def test_an_edited_released_file(tmp_path: Path) -> None:
    assert linted(tmp_path, GOOD) == []
    release(tmp_path, [read(tmp_path / "mine" / "v1.yaml")])
    ((line, text, fatal),) = linted(tmp_path, GOOD + "# more\n")
    assert (line, fatal) == (0, True)
    assert "released prompts are never edited: restore the file, or add v2" in text


def test_a_name_that_is_taken(tmp_path: Path) -> None:
    path = tmp_path / "zero_shot" / "v1.yaml"
    path.parent.mkdir()
    path.write_text(GOOD.replace("mine", "zero_shot"))
    (problem,) = lint_file(path)
    assert "two prompts are named 'zero_shot'" in problem.text


WRITTEN = st.text() | st.text().map(lambda text: GOOD.replace("{{ schema }}", text))


@given(st.binary() | WRITTEN.map(lambda text: text.encode()))
def test_lint_never_raises(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    linted(tmp_path_factory.mktemp("prompts"), content)


@pytest.mark.parametrize("ref", refs())
def test_the_variables_of_what_is_shipped_are_known(ref: str) -> None:
    template = load(ref)
    template.render(EVERY)
    given = {"router_classify": {**QUESTION, **ROUTER}, "self_correct": {**QUESTION, **CORRECTION}}
    judges = {**QUESTION, **JUDGE} if template.grades else QUESTION
    refuse_flawed(template, given.get(template.name, judges))


def test_a_variable_that_no_run_gives_is_refused(tmp_path: Path) -> None:
    path = add(tmp_path, "mine", 1)
    path.write_text(GOOD.replace("{{ schema }}", "{% if evidence %}{{ scheme }}{% endif %}"))
    with pytest.raises(UnknownName) as raised:
        refuse_flawed(load("mine", [tmp_path]))
    assert str(raised.value) == (f"{path}: unknown variable in prompt mine@1: 'scheme' (did you mean 'schema'?)")


@pytest.mark.parametrize(
    ("ref", "whose"),
    [("judge_gold", "a judge"), ("self_correct", "a correction"), ("router_classify", "a router's classifier")],
)
def test_a_prompt_of_somebody_else_is_called_so(ref: str, whose: str) -> None:
    with pytest.raises(UserError, match=f"prompt {ref}@1 is for {whose}: nothing else is given '"):
        refuse_flawed(load(ref))


def test_a_folder_without_prompts_is_called_so(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "draft.yaml").write_text(GOOD)
    assert [str(one) for one in lint_folder(tmp_path)] == [
        f"{tmp_path}: warning: holds no prompts: each is <name>/v<N>.yaml"
    ]
    add(tmp_path, "mine", 1)
    assert not any("holds no prompts" in one.text for one in lint_folder(tmp_path))


def test_a_prompt_that_fails_on_some_question_is_refused(tmp_path: Path) -> None:
    path = add(tmp_path, "mine", 1)
    path.write_text(GOOD.replace("{{ question }}", "{{ question }} after {{ history[0].question }}"))
    with pytest.raises(UserError, match=re.escape(f"{path}: messages[1].content: line 3: list object has no element")):
        refuse_flawed(load("mine", [tmp_path]))


def test_the_prompt_that_links_is_checked_too(tmp_path: Path) -> None:
    link = add(tmp_path, "link", 1)
    link.write_text(GOOD.replace("mine", "link").replace("sql_block", "json").replace("{{ schema }}", "{{ scheme }}"))
    add(tmp_path, "mine", 1).write_text(f"{GOOD}linking: link@1\n")
    with pytest.raises(UnknownName, match=re.escape(f"{link}: unknown variable in prompt link@1: 'scheme'")):
        refuse_flawed(load("mine", [tmp_path]))

"""Prompts from elsewhere, written into a folder."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prompts.sources import template_of
from prompts.writing import write_version
from sqlassay.errors import UserError

FIELDS = {"messages": [{"role": "user", "content": "{{ question }}\n\n  x \n"}], "output": "sql_block"}


def test_versions_follow_each_other(tmp_path: Path) -> None:
    first, is_new = write_version("mine", tmp_path, FIELDS, place="there")
    assert (first.ref, is_new, first.path) == ("mine@1", True, tmp_path / "mine" / "v1.yaml")
    again, is_new = write_version("mine", tmp_path, FIELDS, place="there")
    assert (again.ref, is_new) == ("mine@1", False)
    second, is_new = write_version("mine", tmp_path, {**FIELDS, "stop": ["#"]}, place="there")
    assert (second.ref, second.stop, is_new) == ("mine@2", ("#",), True)
    third, _ = write_version("mine", tmp_path, FIELDS, place="there")
    assert third.ref == "mine@3"
    assert third.messages == first.messages


@given(text=st.text() | st.text(" \n\t\r\x85ab#:-'\"|>{"), number=st.uuids())
def test_any_text_is_read_back(text: str, number: object, tmp_path_factory: pytest.TempPathFactory) -> None:
    fields = {**FIELDS, "messages": [{"role": "user", "content": template_of([text])}]}
    made, _ = write_version("mine", tmp_path_factory.getbasetemp() / str(number), fields, place="there")
    assert made.render({}).messages[0].content == text


@pytest.mark.parametrize(
    ("name", "fields", "problem"),
    [
        ("Mine", FIELDS, "there: name: must be lower-case letters"),
        ("zero_shot", FIELDS, "'zero_shot' is the name of a shipped prompt"),
        ("mine", {**FIELDS, "output": "sq"}, "there: output: unknown output 'sq'"),
        (
            "mine",
            {**FIELDS, "messages": [{"role": "user", "content": "{{ a.b() }}{% x %}"}]},
            "there: messages[0].content",
        ),
    ],
)
def test_what_is_no_prompt_is_not_written(tmp_path: Path, name: str, fields: dict[str, object], problem: str) -> None:
    with pytest.raises(UserError) as raised:
        write_version(name, tmp_path, fields, place="there")
    assert str(raised.value).startswith(problem)
    assert not list(tmp_path.iterdir())

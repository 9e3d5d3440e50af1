"""Prompts from and for LangChain, with the real library: what is rendered there is rendered here."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prompts.langchain import chat_prompt, html_escaped, messages_of, read_chat_prompt, settings_in, written
from prompts.library import load, refs
from prompts.rendering import compiled
from prompts.template import read
from prompts.variables import EVERY
from prompts.writing import write_version
from sqlassay.errors import UserError

pytest.importorskip("langchain_core", reason="needs the extra langchain")

from langchain_core.prompts import (
    ChatPromptTemplate,
    HumanMessagePromptTemplate,
    SystemMessagePromptTemplate,
)
from langchain_core.prompts import PromptTemplate as Theirs

VALUES: dict[str, Any] = {
    "question": "How {many} {{are}} {% there %} & <who>?\n",
    "schema": "CREATE TABLE t (a)",
    "dialect": "SQLite",
    "evidence": "",
}
SHIPPED = [ref for ref in refs() if load(ref).variables <= set(EVERY)]
"""Those that can be rendered here: there is a value for every variable."""
ROLES = {"system": "system", "human": "user", "ai": "assistant"}


def theirs(prompt: ChatPromptTemplate, values: dict[str, Any]) -> list[tuple[str, str]]:
    """What LangChain renders."""
    return [(ROLES[message.type], str(message.content)) for message in prompt.format_messages(**values)]


def ours(messages: Sequence[dict[str, str]], values: dict[str, Any]) -> list[tuple[str, str]]:
    """What we render."""
    return [(one["role"], compiled(one["content"]).render(values)) for one in messages]


def of(text: str, form: Any = "f-string") -> ChatPromptTemplate:
    """A template of one message."""
    return ChatPromptTemplate([HumanMessagePromptTemplate(prompt=Theirs.from_template(text, template_format=form))])


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("{question}", "f-string"),
        ('Answer {question} as {{"sql": "{schema}"}}', "f-string"),
        ("{{{question}}} {{% raw %}} {{#", "f-string"),
        ("a\n{question}\n", "f-string"),
        ("a\r\n{question}\n\n", "f-string"),
        ("{{{question}}}", "mustache"),
        ("{{&question}} {x} {% y", "mustache"),
        ("{{{ question }}} {{! a note }}{{schema}}", "mustache"),
        ("{{ question }}\n", "jinja2"),
        ("{% if evidence %}\n  {{ evidence }}\n{% else %}\nnone\n{% endif %}\n{{ question | upper }}", "jinja2"),
        ("  {# a note #}\n{% for n in [1, 2] %}\n {{ n }}\n{%- endfor %}\n", "jinja2"),
        ("{% raw %}{{ question }}{% endraw %}", "jinja2"),
    ],
)
def test_the_same_is_rendered(text: str, form: str) -> None:
    prompt = of(text, form)
    assert ours(messages_of(prompt), VALUES) == theirs(prompt, VALUES)


@given(
    st.lists(
        st.sampled_from(["{question}", "{{", "}}", "\n", " ", "%}}", "#}}", "x", "\r"]) | st.text("ab%#\n", max_size=3)
    )
)
def test_any_f_string_is_rendered_the_same(pieces: list[str]) -> None:
    prompt = of("".join(pieces))
    assert ours(messages_of(prompt), VALUES) == theirs(prompt, VALUES)


def test_html_of_mustache_is_not_taken_over() -> None:
    prompt = of("{{question}}", "mustache")
    assert "&lt;who&gt;" in theirs(prompt, VALUES)[0][1]
    assert ours(messages_of(prompt), VALUES) == [("user", VALUES["question"])]
    assert html_escaped(prompt)
    assert not html_escaped(of("{question}"))


def test_roles_fixed_messages_and_partial_variables() -> None:
    from langchain_core.messages import AIMessage, SystemMessage

    prompt = ChatPromptTemplate.from_messages(
        [SystemMessage("{as} it is"), ("human", "{shot}"), AIMessage("{% x"), ("user", "{dialect}: {question}")]
    ).partial(dialect="{MySQL}", shot="a{{b")
    assert messages_of(prompt)[3] == {"role": "user", "content": "{MySQL}: {{ question }}"}
    assert ours(messages_of(prompt), VALUES) == theirs(prompt, {"question": VALUES["question"]})


@pytest.mark.parametrize("ref", SHIPPED)
def test_shipped_prompts_go_there_and_come_back(ref: str, tmp_path: Path) -> None:
    template = load(ref)
    values = {name: EVERY[name] for name in template.variables}
    for evidence in ("", "a is small"):
        values = {**values, **({"evidence": evidence} if "evidence" in values else {})}
        wanted = [(message.role, message.content) for message in template.render(values).messages]
        prompt = chat_prompt(template)
        assert theirs(prompt, values) == wanted
        path = tmp_path / "there.json"
        path.write_text(written(prompt), "utf-8")
        back = read_chat_prompt(str(path))
        made, _ = write_version("back", tmp_path, {**settings_in(back), "messages": messages_of(back)}, place="x")
        assert [(message.role, message.content) for message in made.render(values).messages] == wanted
        assert (made.output, made.stop, made.description) == (template.output, template.stop, template.description)


def test_what_is_exported_says_what_it_is(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    content = "[{role: system, content: 'JSON: {} {{ dialect }}'}, {role: user, content: '{{ a | e }}'}]"
    path.write_text(f"name: mine\nversion: 1\nmessages: {content}\noutput: json\nstop: ['#']\n", "utf-8")
    prompt = chat_prompt(read(path))
    first, second = (message.prompt for message in prompt.messages)  # type: ignore[union-attr]
    assert (first.template, first.template_format) == ("JSON: {{}} {dialect}", "f-string")
    assert (second.template, second.template_format) == ("{{ a | e }}", "jinja2")
    assert isinstance(prompt.messages[0], SystemMessagePromptTemplate)
    assert settings_in(prompt) == {"output": "json", "stop": ["#"]}
    assert json.loads(written(prompt))["id"] == ["langchain", "prompts", "chat", "ChatPromptTemplate"]


def _with(*messages: Any) -> ChatPromptTemplate:
    return ChatPromptTemplate.from_messages(list(messages))


@pytest.mark.parametrize(
    ("prompt", "problem"),
    [
        (_with("x", ("placeholder", "{history}")), "message 2: it is a MessagesPlaceholder 'history'"),
        (_with(("human", [{"type": "image_url", "image_url": "{x}"}])), "message 1: it has parts, such as images"),
        (of("{price:.2f}"), "message 1: {price:.2f} is more than a variable"),
        (of("{question!r}"), "message 1: {question!r} is more than a variable"),
        (of("{{#rows}}x{{/rows}}", "mustache"), "message 1: {{#rows}} is more than a variable"),
        (of("{{a.b}}", "mustache"), "message 1: {{a.b}} is more than a variable"),
        (of("{{ a }} {{ b }}", "jinja2").partial(b="x"), "message 1: the partial variable 'b' is filled into Jinja2"),
        (of("{a} {b}").partial(b=lambda: "x"), "message 1: the partial variable 'b' is no text"),
    ],
)
def test_what_cannot_be_read(prompt: ChatPromptTemplate, problem: str) -> None:
    with pytest.raises(UserError) as raised:
        messages_of(prompt)
    assert str(raised.value).startswith(problem)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("{", "is not JSON"),
        ('{"_type": "chat"}', "is not what LangChain writes (write it with langchain_core.load.dumps)"),
        ('{"lc": 1, "type": "constructor", "id": ["os", "system"], "kwargs": {}}', "LangChain cannot read it: "),
        (None, "cannot be read: No such file"),
    ],
)
def test_files_that_are_none(tmp_path: Path, content: str | None, problem: str) -> None:
    path = tmp_path / "prompt.json"
    if content is not None:
        path.write_text(content, "utf-8")
    with pytest.raises(UserError, match=re.escape(f"{path}: {problem}")):
        read_chat_prompt(str(path))


def test_modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    text = "from langchain_core.prompts import ChatPromptTemplate, PromptTemplate\n"
    text += "chat = ChatPromptTemplate.from_messages(['{question}'])\nplain = PromptTemplate.from_template('x')\n"
    (tmp_path / "of_an_app.py").write_text(text, "utf-8")
    (tmp_path / "broken_app.py").write_text("1 / 0\n", "utf-8")
    assert messages_of(read_chat_prompt("of_an_app:chat")) == [{"role": "user", "content": "{{ question }}"}]
    for source, problem in {
        "of_an_app:plain": "it is a PromptTemplate, not a ChatPromptTemplate",
        "of_an_app:char": "it cannot be imported: AttributeError: module 'of_an_app' has no attribute 'char'",
        "gone_app:chat": "there is no module 'gone_app'",
        "broken_app:chat": "it cannot be imported: ZeroDivisionError",
        "of_an_app": "there is no file 'of_an_app' (name a JSON file, or module:attribute)",
    }.items():
        with pytest.raises(UserError, match=re.escape(problem)):
            read_chat_prompt(source)
    del sys.modules["of_an_app"]

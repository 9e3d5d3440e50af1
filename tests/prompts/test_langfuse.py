"""Prompts at Langfuse, through the official SDK and a server on the loopback interface."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from prompts import langfuse
from prompts.drafting import draft
from prompts.langfuse import Pushed, fetch, pinned, push
from prompts.library import load
from prompts.template import read
from sqlassay.errors import UnknownName, UserError
from tests.providers.langfuse import KEYS, LangfuseServer

pytest.importorskip("langfuse", reason="needs the extra langfuse")

CHAT = [{"role": "system", "content": "{{dialect}}.\n"}, {"role": "user", "content": "{{schema}} {% {{ question }}"}]
VALUES = {"dialect": "SQLite", "schema": "CREATE TABLE t (a)", "question": "{{ how }} many?"}


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[LangfuseServer]:
    with LangfuseServer() as server:
        monkeypatch.delenv("LANGFUSE_BASE_URL", raising=False)
        monkeypatch.setenv("LANGFUSE_HOST", server.base_url)
        monkeypatch.setenv("LANGFUSE_PUBLIC_KEY", KEYS[0])
        monkeypatch.setenv("LANGFUSE_SECRET_KEY", KEYS[1])
        server.add("ask", CHAT, labels=("production",), config={"stop": ["###"], "output": "json"})
        server.add("ask", "Just {{question}}", labels=("staging",))
        yield server


def test_a_version(server: LangfuseServer) -> None:
    template = load("langfuse:ask@1")
    assert (template.ref, template.output, template.stop) == ("langfuse:ask@1", "json", ("###",))
    assert template.variables == {"dialect", "schema", "question"}
    rendered = template.render(VALUES)
    assert [(message.role, message.content) for message in rendered.messages] == [
        ("system", "SQLite.\n"),
        ("user", "CREATE TABLE t (a) {% {{ how }} many?"),
    ]
    assert server.requests == ["GET /api/public/v2/prompts/ask?version=1"]


def test_a_text_is_the_users(server: LangfuseServer) -> None:
    template = fetch("langfuse:ask@staging")
    assert (template.ref, template.output) == ("langfuse:ask@2", "sql_block")
    assert [(one.role, one.content) for one in template.render(VALUES).messages] == [("user", "Just {{ how }} many?")]


def test_a_label_is_asked_for_each_time_and_means_a_version(server: LangfuseServer) -> None:
    assert pinned("langfuse:ask@production") == "langfuse:ask@1"
    server.add("ask", "Newer", labels=("production",))
    assert pinned("langfuse:ask@production") == "langfuse:ask@3"
    assert len(server.requests) == 2
    assert [pinned("langfuse:ask@1"), pinned("zero_shot")] == ["langfuse:ask@1", "zero_shot"]
    assert len(server.requests) == 2


def test_the_digest_is_that_of_the_content(server: LangfuseServer) -> None:
    before = fetch("langfuse:ask@1").sha256
    server.prompts["ask"][0]["labels"] = ["other"]
    assert fetch("langfuse:ask@1").sha256 == before
    server.prompts["ask"][0]["config"] = {"stop": [], "output": "json"}
    assert fetch("langfuse:ask@1").sha256 != before


def test_a_name_in_folders(server: LangfuseServer) -> None:
    server.add("sql team/ask", "{{question}}", labels=("production",))
    assert fetch("langfuse:sql team/ask@production").ref == "langfuse:sql team/ask@1"


def test_what_means_nothing_here_is_told(server: LangfuseServer, caplog: pytest.LogCaptureFixture) -> None:
    server.add("tuned", "{{question}}", config={"temperature": 0, "model": "m"})
    with caplog.at_level(logging.WARNING):
        fetch("langfuse:tuned@1")
    assert "langfuse:tuned@1: its config has model, temperature, which means nothing here" in caplog.text


@pytest.mark.parametrize(
    ("ref", "problem"),
    [
        ("langfuse:asc@1", "unknown prompt at Langfuse 'asc' (did you mean 'ask'?)"),
        ("langfuse:ask@7", "unknown version of langfuse:ask: '7' (known: 1, 2)"),
        ("langfuse:ask@prod", "unknown label of langfuse:ask: 'prod' (did you mean 'production'?)"),
    ],
)
def test_what_is_not_there_suggests_the_nearest(server: LangfuseServer, ref: str, problem: str) -> None:
    with pytest.raises(UnknownName) as raised:
        fetch(ref)
    assert str(raised.value) == problem


@pytest.mark.parametrize("ref", ["langfuse:ask", "langfuse:@1", "langfuse:ask@", "langfuse:ask@LATEST!"])
def test_a_reference_says_which_version(ref: str) -> None:
    with pytest.raises(UserError, match=re.escape("langfuse:NAME@3 or langfuse:NAME@production")):
        load(ref)


@pytest.mark.parametrize(
    ("prompt", "config", "problem"),
    [
        ([{"role": "tool", "content": "x"}], {}, "messages[0].role: must be one of system, user, assistant"),
        ([{"type": "placeholder", "name": "history"}], {}, "it has a placeholder for messages, 'history'"),
        ("x", {"output": "sqll"}, "unknown output 'sqll'"),
        ("x", {"stop": "###"}, "stop: must be a list"),
        ("x", {"template_format": "f-string"}, "unknown template_format in the config: 'f-string'"),
        ("{% if %}", {"template_format": "jinja2"}, "messages[0].content: line 1"),
        ("x", ["stop"], "the config of the prompt is no object"),
    ],
)
def test_what_cannot_be_a_prompt(server: LangfuseServer, prompt: Any, config: Any, problem: str) -> None:
    server.add("bad", prompt, config=config)
    with pytest.raises(UserError) as raised:
        fetch("langfuse:bad@1")
    assert str(raised.value).startswith("langfuse:bad@1: ")
    assert problem in str(raised.value)


@pytest.mark.parametrize(
    ("ill", "problem"),
    [
        ("hang", "gave no answer within 0.2 s"),
        (500, "answered with the HTTP status 500"),
        (403, "answered with the HTTP status 403"),
        (429, "answered with the HTTP status 429"),
        ("<html>Log in</html>", "is not Langfuse's API"),
        ("{}", "is not Langfuse's API"),
        ("[]", "is not Langfuse's API"),
    ],
)
def test_a_server_that_is_ill(
    server: LangfuseServer, ill: str | int, problem: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing that was fetched before takes the place of an answer, and one question is one request."""
    fetch("langfuse:ask@1")
    monkeypatch.setattr(langfuse, "SECONDS", 0.2)
    server.ill = ill
    for call in (lambda: fetch("langfuse:ask@1"), lambda: fetch("langfuse:ask@production")):
        del server.requests[:]
        with pytest.raises(UserError) as raised:
            call()
        assert problem in str(raised.value)
        assert not any(key in str(raised.value) for key in KEYS)
        assert len(server.requests) == 1


def test_no_server(server: LangfuseServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANGFUSE_BASE_URL", "http://127.0.0.1:9")
    with pytest.raises(UserError, match=r"cannot be reached: .*refused"):
        fetch("langfuse:ask@1")
    monkeypatch.setenv("LANGFUSE_BASE_URL", "nonsense")
    with pytest.raises(UserError, match="'nonsense' is no base URL of Langfuse"):
        fetch("langfuse:ask@1")


def test_no_address(server: LangfuseServer, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LANGFUSE_BASE_URL", "LANGFUSE_HOST"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(UserError, match=r"no address of Langfuse \(set LANGFUSE_BASE_URL"):  # nobody named the cloud
        fetch("langfuse:ask@1")


def test_no_proxy_is_asked_for_a_server_on_this_machine(
    server: LangfuseServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    server.add("ask", "{{question}}")
    assert fetch("langfuse:ask@1").ref == "langfuse:ask@1"


def test_wrong_keys_and_none(server: LangfuseServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANGFUSE_SECRET_KEY", "sk-lf-of-another-project")
    with pytest.raises(UserError, match="does not accept the keys") as raised:
        fetch("langfuse:ask@1")
    assert "sk-lf" not in str(raised.value)
    monkeypatch.delenv("LANGFUSE_SECRET_KEY")
    with pytest.raises(UserError, match=r"no key for Langfuse \(set the environment variable LANGFUSE_SECRET_KEY"):
        fetch("langfuse:ask@1")


def test_what_is_pushed_comes_back(server: LangfuseServer) -> None:
    template = load("zero_shot@1")
    assert push(template, message="first", label="production") == Pushed("langfuse:zero_shot@1", is_new=True)
    (made,) = server.prompts["zero_shot"]
    assert (made["commitMessage"], made["labels"]) == ("first", ["production", "latest"])
    assert made["config"]["template_format"] == "jinja2"
    back = fetch("langfuse:zero_shot@production")
    for evidence in ("", "a is small"):
        values = {**VALUES, "evidence": evidence}
        assert back.render(values).messages == template.render(values).messages
    assert (back.output, back.stop, back.description) == (template.output, template.stop, template.description)


def test_the_same_is_pushed_once(server: LangfuseServer, tmp_path: Path) -> None:
    path = tmp_path / "plain.yaml"
    written = (
        "name: plain\nversion: 1\nmessages:\n- role: user\n  content: |\n    {x} {{ question }}\noutput: sql_block\n"
    )
    path.write_text(written, "utf-8")
    assert push(read(path), message="first").is_new
    assert server.prompts["plain"][0]["prompt"] == [{"role": "user", "content": "{x} {{question}}"}]
    assert server.prompts["plain"][0]["config"] == {"output": "sql_block"}
    assert push(read(path), message="again") == Pushed("langfuse:plain@1", is_new=False)
    assert push(read(path), message="again", label="a") == Pushed("langfuse:plain@1", is_new=False, relabelled=True)
    assert push(read(path), message="again", label="a") == Pushed("langfuse:plain@1", is_new=False)
    path.write_text(written + "stop: [x]\n", "utf-8")
    assert push(read(path), message="stops", label="a") == Pushed("langfuse:plain@2", is_new=True)
    assert [one["labels"] for one in server.prompts["plain"]] == [[], ["a", "latest"]]
    rendered = fetch("langfuse:plain@2").render(VALUES)
    assert rendered.messages == read(path).render(VALUES).messages


def test_a_prompt_of_langfuse_is_in_no_file(server: LangfuseServer, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="prompt langfuse:ask@1 is in no file"):
        draft("mine", tmp_path, "langfuse:ask@1")


def test_a_prompt_of_langfuse_is_not_pushed(server: LangfuseServer) -> None:
    with pytest.raises(UserError, match="langfuse:ask@1 is at Langfuse already"):
        push(fetch("langfuse:ask@1"), message="x")


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "langfuse", None)
    for attempt in (lambda: fetch("langfuse:ask@1"), lambda: push(load("zero_shot@1"), message="x")):
        with pytest.raises(UserError, match="needs the extra 'langfuse', which is not installed"):
            attempt()

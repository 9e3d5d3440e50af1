"""`sqlassay prompts import`, `export` and `push`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from evaluation.cli.app import run
from prompts.library import load
from prompts.template import Shots
from tests.providers.langfuse import KEYS, LangfuseServer

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[LangfuseServer]:
    with LangfuseServer() as server:
        monkeypatch.setenv("LANGFUSE_BASE_URL", server.base_url)
        monkeypatch.setenv("LANGFUSE_PUBLIC_KEY", KEYS[0])
        monkeypatch.setenv("LANGFUSE_SECRET_KEY", KEYS[1])
        yield server


def test_there_and_back(tmp_path: Path, capsys: Capture) -> None:
    pytest.importorskip("langchain_core", reason="needs the extra langchain")
    assert run(["prompts", "export", "langchain", "zero_shot@1"]) == 0
    file = tmp_path / "zero.json"
    file.write_text(capsys.readouterr().out, "utf-8")
    arguments = ["prompts", "import", "langchain", str(file), "--name", "zero", "--folder", str(tmp_path / "mine")]
    assert run(arguments) == 0
    shown = capsys.readouterr()
    assert shown.out == f"{tmp_path / 'mine' / 'zero' / 'v1.yaml'}\n"
    assert "zero@1 is new" in shown.err
    assert "its variables: dialect, evidence, question, schema" in shown.err
    assert run(arguments) == 0
    assert "zero@1 says the same already" in capsys.readouterr().err
    assert run([*arguments, "--output", "json"]) == 0
    assert capsys.readouterr().out.endswith("v2.yaml\n")
    assert "output: json" in (tmp_path / "mine" / "zero" / "v2.yaml").read_text("utf-8")


def their_file(tmp_path: Path, text: str) -> Path:
    pytest.importorskip("langchain_core", reason="needs the extra langchain")
    from langchain_core.load import dumps
    from langchain_core.prompts import ChatPromptTemplate

    file = tmp_path / "theirs.json"
    file.write_text(dumps(ChatPromptTemplate([("human", text)], template_format="jinja2")), "utf-8")
    return file


def test_examples_of_an_import_are_said(tmp_path: Path, capsys: Capture) -> None:
    file = their_file(tmp_path, "{% for one in examples %}{{ one.sql }}{% endfor %}{{ question }}")
    arguments = ["prompts", "import", "langchain", str(file), "--name", "shots", "--folder", str(tmp_path)]
    for more, problem in (
        ([], "it mentions 'examples', and not which (say it: --examples similar:5)"),
        (["--examples", "5"], "--examples '5' is not HOW:COUNT (such as similar:5)"),
        (["--examples", "nearest:5"], "must be one of static, similar"),
    ):
        assert run([*arguments, *more]) == 2
        assert problem in " ".join(capsys.readouterr().err.split())
    assert run([*arguments, "--examples", "similar:5"]) == 0
    assert load("shots", [tmp_path]).examples == Shots("similar", 5)


def test_variables_of_other_prompts_are_called_so(tmp_path: Path, capsys: Capture) -> None:
    file = their_file(tmp_path, "{{ question }} {{ candidate_sql }} {{ sql }} {{ error }} {{ routes }} {{ price }}")
    assert run(["prompts", "import", "langchain", str(file), "--name", "x", "--folder", str(tmp_path)]) == 0
    shown = " ".join(capsys.readouterr().err.split())
    for said in (
        "only the prompt of a router's classifier is given routes",
        "only the prompt of a correction is given error, sql",
        "only the prompt of a judge is given candidate_sql",
        "no run gives price: call them question, ",
    ):
        assert said in shown


def test_a_mistake_is_one_line(tmp_path: Path, capsys: Capture) -> None:
    pytest.importorskip("langchain_core", reason="needs the extra langchain")
    assert run(["prompts", "import", "langchain", str(tmp_path / "no.json"), "--name", "x"]) == 2
    assert capsys.readouterr().err == f"error: {tmp_path / 'no.json'}: cannot be read: No such file or directory\n"


def test_push(server: LangfuseServer, capsys: Capture) -> None:
    pytest.importorskip("langfuse", reason="needs the extra langfuse")
    arguments = ["prompts", "push", "zero_shot@1", "--langfuse", "--message", "Name the dialect"]
    assert run([*arguments, "--label", "staging"]) == 0
    shown = capsys.readouterr()
    assert (shown.out, shown.err) == ("langfuse:zero_shot@1\n", "langfuse:zero_shot@1 is new\n")
    assert server.prompts["zero_shot"][0]["commitMessage"] == "Name the dialect"
    assert run([*arguments, "--label", "production"]) == 0
    assert capsys.readouterr().err == "langfuse:zero_shot@1 says the same already; it is production now\n"
    assert server.prompts["zero_shot"][0]["labels"] == ["staging", "latest", "production"]
    assert len(server.prompts["zero_shot"]) == 1


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["zero_shot", "-m", "x"], "it is not said where to (--langfuse)"),
        (["zero_shot", "-m", " ", "--langfuse"], "the message is empty"),
        (["zero_shop", "-m", "x", "--langfuse"], "unknown prompt 'zero_shop' (did you mean 'zero_shot'?)"),
    ],
)
def test_what_is_not_pushed(server: LangfuseServer, arguments: list[str], problem: str, capsys: Capture) -> None:
    assert run(["prompts", "push", *arguments]) == 2
    assert problem in capsys.readouterr().err
    assert server.requests == []

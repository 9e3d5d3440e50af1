"""`sqlassay keys`: what is shown and written, and that a key is never shown."""

from __future__ import annotations

import io
import json
import os
import pty
import re
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from evaluation.key_variables import key_variables
from sqlassay import secrets
from sqlassay.secrets_file import assignments
from tests.evaluation.world import SQLASSAY, World

Capture = pytest.CaptureFixture[str]
CANARY = "sk-canary-0123456789"


@pytest.fixture
def world(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.chdir(world.folder)
    monkeypatch.setattr(secrets, "DOTENV", Path(".env"))
    return world


def give(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(text))


def test_set_list_remove(world: World, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    give(monkeypatch, f"{CANARY}\n")
    assert world.run("keys", "set", "openai", "--stdin") == 0
    path = Path(os.environ["SQLASSAY_SECRETS"])
    assert path.read_text() == f"OPENAI_API_KEY={CANARY}\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    give(monkeypatch, CANARY)
    assert world.run("keys", "set", "MY_GATEWAY_KEY", "--stdin") == 0
    assert world.run("keys", "list") == 0
    assert world.run("keys", "list", "--json") == 0
    assert world.run("keys", "remove", "openai") == 0
    assert path.read_text() == f"MY_GATEWAY_KEY={CANARY}\n"
    shown = capsys.readouterr()
    assert "OPENAI_API_KEY is in" in shown.err
    assert "OPENAI_API_KEY is no longer in" in shown.err
    table, _, data = shown.out.partition("[\n")
    lines = [line.split() for line in table.splitlines()]
    assert ["openai", "OPENAI_API_KEY", str(path)] in lines
    assert ["–", "MY_GATEWAY_KEY", str(path)] in lines
    assert ["gemini", "GEMINI_API_KEY", "none"] in lines
    assert [one for one in json.loads(f"[{data}") if one["source"]] == [
        {"provider": "openai", "variable": "OPENAI_API_KEY", "source": str(path), "shadowed": []},
        {"provider": "openai_batch", "variable": "OPENAI_API_KEY", "source": str(path), "shadowed": []},
        {"provider": None, "variable": "MY_GATEWAY_KEY", "source": str(path), "shadowed": []},
    ]
    assert "canary" not in shown.out + shown.err


def test_what_comes_first_is_said(world: World, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", CANARY)
    Path(".env").write_text(f"OPENAI_API_KEY={CANARY}\n")
    give(monkeypatch, CANARY)
    assert world.run("keys", "set", "openai", "--stdin") == 0
    assert "the one in the environment comes first" in capsys.readouterr().err
    assert world.run("keys", "list") == 0
    path = os.environ["SQLASSAY_SECRETS"]
    assert f"environment, before .env, before {path}" in capsys.readouterr().out
    monkeypatch.delenv("OPENAI_API_KEY")
    assert world.run("keys", "remove", "openai") == 0
    assert "there still is one in .env" in capsys.readouterr().err
    assert world.run("keys", "list") == 0
    assert "canary" not in "".join(capsys.readouterr())


def test_no_key_at_all(world: World, capsys: Capture) -> None:
    assert world.run("keys", "list") == 0
    assert ["openai", "OPENAI_API_KEY", "none"] in [line.split() for line in capsys.readouterr().out.splitlines()]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("", "no key was given"),
        ("  \n", "no key was given"),
        ("sk-canary\nsk-canary", "that is not a key (give nothing but the key"),
        ("sk canary", "that is not a key"),
        ("OPENAI_API_KEY=sk-canary", "that is not a key"),
        ("${CANARY}", "that is not a key"),
        ("'sk-canary'", "the key is quoted"),
        ("sk-cänary", "the key in OPENAI_API_KEY has characters that no key has"),
        ("sk-canary\x1b[A", "the key in OPENAI_API_KEY has characters that no key has"),
    ],
)
def test_what_is_no_key(given: str, said: str, world: World, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    give(monkeypatch, given)
    assert world.run("keys", "set", "openai", "--stdin") == 2
    shown = capsys.readouterr()
    assert said in shown.err
    assert "canary" not in (shown.out + shown.err).casefold()
    assert not Path(os.environ["SQLASSAY_SECRETS"]).exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("set", "opnai", "--stdin"), "unknown provider 'opnai' (did you mean 'openai'?)"),
        (("set", "replay", "--stdin"), "replay needs no key"),
        (("set", "A B", "--stdin"), "'A B' is neither a provider nor a variable"),
        (("set", "openai"), "there is nobody to ask for the key (give it to --stdin)"),
        (("remove", "openai"), "the secrets file holds no OPENAI_API_KEY"),
    ],
)
def test_mistakes(
    arguments: tuple[str, ...], said: str, world: World, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    give(monkeypatch, CANARY)
    assert world.run("keys", *arguments) == 2
    assert said in capsys.readouterr().err


def test_a_file_that_others_can_read_is_refused(world: World, capsys: Capture) -> None:
    path = Path(os.environ["SQLASSAY_SECRETS"])
    path.write_text(f"OPENAI_API_KEY={CANARY}\n")
    path.chmod(0o644)
    for arguments in (("keys", "list"), ("keys", "remove", "openai"), ("models", "list", "openai")):
        assert world.run(*arguments) == 2
        assert f"chmod 600 {path}" in capsys.readouterr().err


def test_on_a_terminal_it_is_asked_for_and_not_shown(world: World) -> None:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [SQLASSAY, "keys", "set", "openai"], stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
    )
    os.close(theirs)
    shown = b""
    while b"OPENAI_API_KEY:" not in shown:
        shown += os.read(ours, 1000)
    time.sleep(0.2)  # the echo is switched off just after the question
    os.write(ours, f"{CANARY}\n".encode())
    assert process.wait(30) == 0
    try:
        while more := os.read(ours, 1000):
            shown += more
    except OSError:  # how a terminal without anybody at its other end ends
        pass
    os.close(ours)
    assert b"canary" not in shown
    assert Path(os.environ["SQLASSAY_SECRETS"]).read_text() == f"OPENAI_API_KEY={CANARY}\n"


def test_the_sample_holds_no_key_and_can_be_used() -> None:
    sample = Path(__file__).parents[3] / "examples" / "sample.secrets"
    text = sample.read_text()
    assert assignments(text, "sample") == {}
    lines = [line.removeprefix("# ") for line in text.splitlines() if re.match(r"# [A-Z_]+=", line)]
    named = {name for line in lines for name in assignments(line, "sample")}
    assert {*key_variables().values(), "LANGFUSE_PUBLIC_KEY", "LANGFUSE_SECRET_KEY"} <= named

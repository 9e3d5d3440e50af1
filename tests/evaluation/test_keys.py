"""A full run writes no key, from whichever place it came and whatever goes wrong."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

import pytest

from sqlassay import secrets
from sqlassay.secrets_file import save_secret
from tests.conformance.remote import ENDS, FAILURES
from tests.evaluation.world import World, items_of
from tests.providers.chat_completions import REPLIES, ChatCompletions, completion, error
from tests.providers.responses import REPLIES as RESPONSES
from tests.providers.responses import Responses, response
from tests.providers.server import Protocol, ProviderServer, Reply

CANARY = "sk-c4n4ry+0123/456789=="
ECHOED = f"```sql\nSELECT '{'{key}'}'\n```"
"""A gateway that repeats in its answer what it was sent."""


class EchoingChat(ChatCompletions):
    """Chat completions that repeat the key wherever there is room for it."""

    replies: ClassVar[Mapping[str, Reply]] = {
        **REPLIES,
        "echo": Reply(body=completion(ECHOED, model="good {key}")),
        "echo_refused": Reply(body=completion(None, refusal="Not with {key}.")),
        "echo_limit": Reply(429, error("{key} has asked too often", code="{key}")),
        "echo_broken": Reply(500, "<html>{key}</html>", {"content-type": "text/html"}),
        "echo_garbage": Reply(body="{key}"),
        "echo_in_200": Reply(body=error("no answer for {key}")),
        "echo_bad_request": Reply(400, {"detail": "{key} is not understood"}),
    }


class EchoingResponses(Responses):
    """Responses that do the same."""

    replies: ClassVar[Mapping[str, Reply]] = {
        **RESPONSES,
        "echo": Reply(body=response(ECHOED)),
        "echo_broken": Reply(500, error("{key}")),
    }


def keep(source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put the canary where a key may be."""
    match source:
        case "environment":
            monkeypatch.setenv("OPENAI_API_KEY", CANARY)
        case ".env":
            Path(".env").write_text(f"OPENAI_API_KEY={CANARY}\n")
        case "file":
            save_secret("OPENAI_API_KEY", CANARY)


@pytest.mark.parametrize(
    ("source", "protocol", "api"),
    [
        ("environment", EchoingChat, "chat"),
        (".env", EchoingChat, "chat"),
        ("file", EchoingChat, "chat"),
        ("file", EchoingResponses, "responses"),
    ],
)
def test_no_key_is_written(
    source: str,
    protocol: type[Protocol],
    api: str,
    world: World,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    elsewhere = tmp_path / "elsewhere"  # what holds the key must not be taken for what was written
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    monkeypatch.setattr(secrets, "DOTENV", Path(".env"))
    monkeypatch.setenv("SQLASSAY_SECRETS", str(elsewhere / "secrets"))
    monkeypatch.setattr(secrets, "_given", set())
    keep(source, monkeypatch)
    caplog.set_level(logging.DEBUG)
    world.questions(1)
    with ProviderServer(protocol()) as server:
        models = [name for name in protocol.replies if name in {*FAILURES, *ENDS} or name.startswith("echo")]
        models += ["cut", "hang"]
        server.models = Reply(body={"data": [{"id": name} for name in models]})  # so that checks ask each of them
        settings = {"base_url": server.base_url, "timeout": 1, "api": api}
        path = world.experiment(
            models=[{"adapter": "openai", "model": name, "settings": settings} for name in models],
            retry={"attempts": 2, "initial": 0, "maximum": 0.01},
            circuit={"failures": 1000},  # so that each model is asked, whatever became of those before
            cache="shared",
        )
        code = world.run("run", path)
        assert code == 2, "some models stop their runs"
        for arguments in (
            ("report", "latest", "--runs", world.runs, "--show", "unscored"),
            ("runs", "show", "latest", "--runs", world.runs),
            ("models", "list", "openai", "--base-url", server.base_url),
            ("models", "check", "--experiment", path, "--history", world.folder / "history.jsonl"),
            ("models", "check", "openai:good", "--base-url", server.base_url, "--json"),
            ("keys", "list"),
        ):
            assert world.run(*arguments) in (0, 1)
        assert {server.protocol.key(headers) for headers in server.headers} == {CANARY}
    assert len(world.run_folders()) == len(models)

    records = {item["answer"]["model"]: item["answer"] for run in world.run_folders() for item in items_of(run)}
    assert any("'***'" in answer["text"] for answer in records.values()), "the answer that repeats it is there"
    cache = Path(os.environ["SQLASSAY_CACHE"])
    written = [file for folder in (world.folder, cache) for file in folder.rglob("*") if file.is_file()]
    texts = {str(file): file.read_bytes().decode("latin-1") for file in written}
    shown = capfd.readouterr()
    texts |= {"stdout": shown.out, "stderr": shown.err, "log": caplog.text}
    texts |= {f"log record {number}": repr(vars(record)) for number, record in enumerate(caplog.records)}
    assert len(written) > 2 * len(models)
    assert len(caplog.records) > len(models)
    assert [place for place, text in texts.items() if "c4n4ry" in text] == []


@pytest.mark.parametrize("source", [".env", "file"])
def test_worker_processes_do_not_inherit_it(source: str, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(world.folder)
    monkeypatch.setattr(secrets, "DOTENV", Path(".env"))
    keep(source, monkeypatch)
    assert secrets.look_up("OPENAI_API_KEY") == CANARY
    assert CANARY not in os.environ.values()

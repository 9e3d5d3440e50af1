"""The history of checks tells when a model turns unhealthy and when it recovers, also after a new start."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from evaluation.watch import History, Observation
from evaluation.webhook import Webhook, WebhookFailed
from sqlassay.errors import UserError
from tests.conformance.remote import unused_port
from tests.providers.hook import Hook


def seen(ok: bool, minute: int = 0, model: str = "openai:good") -> Observation:
    time = f"2026-01-31T12:{minute:02d}:00+00:00"
    return Observation(time, model, "openai http://h/v1", ok, 0.1 if ok else None, "" if ok else "key: refused")


def events(history: History, *observations: Observation) -> list[str]:
    return [str(alert) if (alert := history.add(one)) else "" for one in observations]


def test_only_a_change_is_an_alert(tmp_path: Path) -> None:
    history = History(tmp_path / "new" / "history.jsonl")
    assert events(history, *(seen(ok, n) for n, ok in enumerate([True, False, False, True, True, False]))) == [
        "",
        "openai:good is unhealthy: key: refused",
        "",
        "openai:good has recovered; it was unhealthy since 2026-01-31T12:01:00+00:00",
        "",
        "openai:good is unhealthy: key: refused",
    ]
    lines = history.path.read_text().splitlines()
    assert [json.loads(line)["ok"] for line in lines] == [True, False, False, True, True, False]


def test_each_model_is_on_its_own(tmp_path: Path) -> None:
    history = History(tmp_path / "history.jsonl")
    assert all(events(history, seen(False, model="openai:a"), seen(False, model="openai:b")))
    assert events(history, seen(True, model="openai:a"), seen(False, model="openai:b"))[1] == ""


def test_a_new_start_goes_on_where_the_last_ended(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    events(History(path), seen(False, 3))
    with path.open("ab") as file:
        file.write(b'{"time": "torn')
    history = History(path)
    assert events(history, seen(False, 4)) == [""]
    assert "since 2026-01-31T12:03" in events(history, seen(True, 5))[0]
    assert len(path.read_text().splitlines()) == 3


@pytest.mark.parametrize("text", ['{"a": 1}\n', "hello\n", "[1]\n"])
def test_a_file_that_is_none(text: str, tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    path.write_text(text)
    with pytest.raises(UserError, match=r"history\.jsonl"):
        History(path)
    assert path.read_text() == text


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="name another with --history"):
        History(tmp_path / "file" / "history.jsonl")


@pytest.fixture
def hook() -> Iterator[Hook]:
    with Hook() as hook:
        yield hook


def test_a_webhook_gets_json(hook: Hook) -> None:
    Webhook(hook.url).post({"text": "é"})
    assert hook.got == [{"text": "é"}]


def test_a_webhook_that_fails_is_named_without_its_secrets() -> None:
    with (
        Hook(500) as hook,
        pytest.raises(WebhookFailed, match=r"127\.0\.0\.1:\d+ answers with HTTP 500") as caught,
    ):
        Webhook(hook.url).post({})
    assert "canary" not in str(caught.value)
    with pytest.raises(WebhookFailed, match="cannot be reached: Connection refused") as caught:
        Webhook(f"http://127.0.0.1:{unused_port()}/canary").post({})
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize("url", ["", "file:///etc/passwd", "http://", "hook", "http://[::1", "http://h:x/"])
def test_addresses_of_webhooks_are_checked(url: str) -> None:
    with pytest.raises(UserError, match="the address of the webhook"):
        Webhook(url)

"""`sqlassay models`: what providers offer and cost, whether models can be used, and when that changes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from evaluation.cli.models import listing
from tests.conformance.remote import unused_port
from tests.evaluation.world import World, model_at
from tests.providers.hook import Hook
from tests.providers.server import ProviderServer, Reply

Capture = pytest.CaptureFixture[str]
TOLD = {
    "id": "qwen/coder-7b",
    "context_length": 32768,
    "meta": {"n_params": 7_000_000_000, "size": 4_500_000_000},
}


@pytest.fixture
def world(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.chdir(world.folder)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    world.questions(1)
    world.answers({"q0": "SELECT 1"})
    return world


@pytest.fixture
def hook() -> Iterator[Hook]:
    with Hook() as hook:
        yield hook


def data(capsys: Capture) -> Any:
    return json.loads(capsys.readouterr().out)


def test_list_shows_what_is_known(world: World, server: ProviderServer, capsys: Capture) -> None:
    server.models = Reply(body={"data": [TOLD, {"id": "good"}]})
    assert world.run("models", "list", "openai", "--base-url", server.base_url) == 0
    shown = capsys.readouterr()
    heading, *rows = [line.split() for line in shown.out.splitlines()]
    assert heading == ["provider", "model", "context", "parameters", "size"]
    assert rows == [["openai", "good"], ["openai", "qwen/coder-7b", "32,768", "7000000000", "4.5", "GB"]]
    assert shown.err == "2 models\n"
    assert world.run("models", "list", "openai", "--base-url", server.base_url, "--json") == 0
    good, coder = data(capsys)
    assert coder["context_length"] == 32768
    assert good["prices"]["input"] is None, "unknown, not 0"
    assert len(server.headers) == 1, "kept for five minutes"
    assert world.run("models", "list", "openai", "--base-url", server.base_url, "--refresh") == 0
    assert len(server.headers) == 2


def test_search(world: World, server: ProviderServer, capsys: Capture) -> None:
    server.models = Reply(body={"data": [TOLD, {"id": "good"}, {"id": "Coder-70B"}]})
    at = ("--provider", "openai", "--base-url", server.base_url, "--json")
    for words, found in (("CODER", 2), ("7b coder", 1), ("nothing", 0), ("", 3)):
        assert world.run("models", "search", words, *at) == 0
        assert len(data(capsys)) == found


def test_every_provider_that_can_be_asked(
    world: World, server: ProviderServer, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setattr("adapters.base.ADAPTERS.names", lambda: ("openai", "replay"))
    assert world.run("models", "list") == 1
    assert "openai is left out: no key for openai" in capsys.readouterr().err
    monkeypatch.setenv("OPENAI_BASE_URL", server.base_url)
    assert world.run("models", "list", "--json") == 0
    assert [one["id"] for one in data(capsys)] == ["good", "other"]


def test_a_provider_that_does_not_answer(world: World, server: ProviderServer, capsys: Capture) -> None:
    server.models = Reply(401, {"error": {"message": "no"}})
    path = world.experiment(models=[model_at(server.base_url), model_at(server.base_url, "other")])
    assert world.run("models", "list", "--experiment", path) == 1
    assert capsys.readouterr().err.splitlines() == ["openai: no", "0 models"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("list", "opnai"), "unknown adapter 'opnai' (did you mean 'openai'?)"),
        (("list", "--base-url", "http://h"), "--base-url is of one provider, and none is named"),
        (("check",), "no model is named"),
        (("check", "openai"), "'openai' is not PROVIDER:MODEL"),
        (("check", "openai:m", "--base-url", "ftp://h"), "base_url must begin with http"),
        (("check", "replay:m", "--base-url", "http://h"), "unknown setting of adapter 'replay': 'base_url'"),
        (("check", "openai:m", "--base-url", "http://h", "--times", "2"), "are of --watch"),
        (("check", "openai:m", "--base-url", "http://h", "--webhook", "x"), "the address of the webhook"),
        (("show", "openai:m"), "no key for openai"),
    ],
)
def test_mistakes(arguments: tuple[str, ...], said: str, world: World, capsys: Capture) -> None:
    assert world.run("models", *arguments) == 2
    assert said in capsys.readouterr().err


def test_show(world: World, server: ProviderServer, capsys: Capture) -> None:
    server.models = Reply(body={"data": [TOLD]})
    at = ("--base-url", server.base_url)
    assert world.run("models", "show", "openai:qwen/coder-7b", *at) == 0
    shown = capsys.readouterr().out
    for words in ("32,768 tokens", "7000000000", "4.5 GB", "unknown, which is not free"):
        assert words in shown
    assert world.run("models", "show", "openai:qwen/coder-7b", *at, "--json") == 0
    assert data(capsys)["id"] == "qwen/coder-7b"
    assert world.run("models", "show", "openai:qwen/coder-8b", *at) == 2
    assert "did you mean 'qwen/coder-7b'?" in capsys.readouterr().err
    server.models = Reply(503, {"error": {"message": "down"}})
    assert world.run("models", "show", "openai:good", *at, "--refresh") == 1
    assert capsys.readouterr().err == "error: openai: down\n"


def test_prices_of_the_table_are_shown(capsys: Capture) -> None:
    from datetime import UTC, datetime

    from adapters.base import ModelInfo
    from adapters.openai import OpenAIAdapter
    from adapters.prices import table_tariff
    from evaluation.cli import output
    from evaluation.cli.models.offers import Offer
    from evaluation.cli.models.show import _rows

    adapter = OpenAIAdapter("gemini-2.5-pro", base_url="https://generativelanguage.googleapis.com/v1beta/openai")
    tariff = table_tariff(adapter, adapter.model, datetime(2026, 1, 31, tzinfo=UTC))
    offer = Offer(ModelInfo("gemini-2.5-pro", "openai"), tariff, adapter.endpoint)
    rows = dict(_rows(offer))
    assert rows["prices"] == "input $1.25, cached input $0.125, output $10 per million tokens"
    assert rows["prices above 200,000 tokens"].startswith("input $2.5")
    assert rows["prices from"].endswith("as of 2026-01-31")
    output.data().print(listing._table([offer]))
    assert capsys.readouterr().out.split()[-3:] == ["$1.25", "$0.125", "$10"]


def test_check(world: World, server: ProviderServer, capsys: Capture) -> None:
    at = ("--base-url", server.base_url)
    assert world.run("models", "check", "openai:good", *at) == 0
    shown = capsys.readouterr().out
    for words in ("reachable", "key", "model", "answer", "streaming", "all right, 0 warnings"):
        assert words in shown
    assert world.run("models", "check", "openai:good", "openai:broken", *at, "--json") == 1
    good, broken = data(capsys)
    assert (good["model"], good["ok"], broken["model"], broken["ok"]) == ("openai:good", True, "openai:broken", False)
    assert {check["name"] for check in good["checks"] if check.get("seconds", 0) > 0} == {"answer", "streaming"}


def test_check_of_an_experiment(world: World, server: ProviderServer, capsys: Capture) -> None:
    tape = {"adapter": "replay", "model": "tape", "settings": {"path": "answers.jsonl"}}
    path = world.experiment(models=[tape, model_at(server.base_url), model_at(server.base_url, label="twice")])
    assert world.run("models", "check", "--experiment", path, "--json") == 0
    assert [one["model"] for one in data(capsys)] == ["replay:tape", "openai:good"]


def test_no_server(world: World, capsys: Capture) -> None:
    assert world.run("models", "check", "openai:m", "--base-url", f"http://127.0.0.1:{unused_port()}/v1") == 1
    assert "is base_url right, and does the server run?" in capsys.readouterr().out


def test_alerts(world: World, server: ProviderServer, hook: Hook, capsys: Capture) -> None:
    history = world.folder / "history.jsonl"
    command = ("models", "check", "openai:good", "--base-url", server.base_url, "--history", history)
    told = ("--webhook", hook.url)
    assert world.run(*command, *told) == 0
    assert hook.got == []
    good, server.models = server.models, Reply(503, {"error": {"message": "asleep"}})
    assert world.run(*command, *told, "--watch", "--every", "0.1", "--times", "3", "--json") == 1
    shown = capsys.readouterr()
    lines = [json.loads(line) for line in shown.out.splitlines()[-3:]]
    assert [line["ok"] for line in lines] == [False] * 3
    assert shown.err.count("openai:good is unhealthy") == 1
    server.models = good
    assert world.run(*command, *told, "--watch", "--every", "0.1", "--times", "1") == 0
    assert "openai:good has recovered" in capsys.readouterr().err
    assert [(one["event"], one["model"]) for one in hook.got] == [
        ("unhealthy", "openai:good"), ("recovered", "openai:good"),
    ]  # fmt: skip
    assert hook.got[0]["problem"].endswith("asleep")
    assert hook.got[1]["since"] == hook.got[0]["time"]
    assert [json.loads(line)["ok"] for line in history.read_text().splitlines()] == [True, False, False, False, True]


def test_until_alert(world: World, server: ProviderServer, capsys: Capture) -> None:
    at = ("--base-url", server.base_url, "--watch", "--every", "0.1", "--until-alert")
    assert world.run("models", "check", "openai:broken", *at) == 1
    assert len(capsys.readouterr().out.splitlines()) == 1


def test_a_webhook_that_fails_ends_nothing(world: World, server: ProviderServer, capsys: Capture) -> None:
    at = ("--base-url", server.base_url, "--watch", "--every", "0.1", "--times", "2")
    hook = f"http://127.0.0.1:{unused_port()}/canary"
    assert world.run("models", "check", "openai:broken", *at, "--webhook", hook) == 1
    shown = capsys.readouterr()
    assert len(shown.out.splitlines()) == 2
    assert "cannot be reached" in shown.err
    assert "canary" not in shown.err + shown.out


def test_a_webhook_that_failed_is_told_again(world: World, server: ProviderServer, hook: Hook, capsys: Capture) -> None:
    hook.statuses = [500, 503]
    at = ("--base-url", server.base_url, "--watch", "--every", "0.1", "--times", "4")
    assert world.run("models", "check", "openai:broken", *at, "--webhook", hook.url) == 1
    assert [one["event"] for one in hook.got] == ["unhealthy"] * 3, "until it was taken"
    assert len({one["time"] for one in hook.got}) == 1
    shown = capsys.readouterr().err
    assert (shown.count("is unhealthy"), shown.count("answers with HTTP 50")) == (1, 2)


def test_a_run_records_its_prices(world: World, server: ProviderServer) -> None:
    models = [
        model_at(server.base_url, prices={"input": 1, "output": 2, "cached_input": 0.5}),
        model_at(server.base_url, "other"),
    ]
    assert world.run("run", world.experiment(models=models), "--quiet") == 0
    own, unknown = [json.loads((run / "manifest.json").read_text())["prices"][""] for run in world.run_folders()]
    assert (own["source"], own["input"], own["cached_input"]) == ("experiment", 1, 0.5)
    assert (unknown["source"], unknown["input"]) == (None, None)
    items = [json.loads((run / "items.jsonl").read_text()) for run in world.run_folders()]
    assert items[0]["answer"]["cost"] == pytest.approx(((120 - 64) * 1 + 64 * 0.5 + 30 * 2) / 1e6)
    assert items[1]["answer"]["cost"] is None


def test_the_default_history_is_in_the_cache(world: World, server: ProviderServer, tmp_path: Path) -> None:
    import os

    at = ("--base-url", server.base_url, "--watch", "--times", "1")
    assert world.run("models", "check", "openai:good", *at) == 0
    assert (Path(os.environ["SQLASSAY_CACHE"]) / "model-checks.jsonl").is_file()

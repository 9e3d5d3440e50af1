"""`sqlassay langfuse publish`, against a server that holds every request against its specification."""

from __future__ import annotations

import json
import re
import resource
import shutil
import signal
import sys
import time
from base64 import b64encode
from collections import deque
from pathlib import Path
from typing import Any

import pytest

from evaluation.run_log import RunFolder
from evaluation.tracing.acknowledged import ACKNOWLEDGED, AcknowledgedLog
from evaluation.tracing.destination import Destination
from evaluation.tracing.publisher import Publisher, publish
from evaluation.tracing.server import Server, Unavailable
from evaluation.tracing.subject import CopySettings
from sqlassay.langfuse import access
from tests.evaluation.world import GOLD, World
from tests.providers.langfuse_copy import ITEMS, KEYS, SCORES, SPANS, LangfuseCopy

ITEM_SCORES = 2 + 2 + 2 + 2 + 2
RUN_SCORES = 6


@pytest.fixture
def run(asked: World, finished: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    capsys.readouterr()
    return Path(shutil.copytree(finished, asked.runs / finished.name))


def publish_(world: World, run: Path, *more: str) -> int:
    return world.run("langfuse", "publish", run, "--patience", "0", *more)


def store(server: LangfuseCopy) -> str:
    return json.dumps([server.traces, server.scores, server.items], sort_keys=True)


def test_everything_arrives_once(
    asked: World, run: Path, langfuse: LangfuseCopy, capsys: pytest.CaptureFixture[str]
) -> None:
    assert publish_(asked, run) == 0
    assert capsys.readouterr().out.strip().endswith("5 of 5 traces and 16 of 16 scores arrived")
    assert (len(langfuse.traces), len(langfuse.scores), len(langfuse.items)) == (5, ITEM_SCORES + RUN_SCORES, 5)
    before, requests = store(langfuse), langfuse.requests.total()
    assert publish_(asked, run) == 0
    assert langfuse.requests.total() == requests  # nothing was left to send
    (run / ACKNOWLEDGED).unlink()
    assert publish_(asked, run) == 0
    assert langfuse.requests.total() > requests
    assert store(langfuse) == before  # all of it was sent again, and took its own place


def test_what_a_trace_says(asked: World, run: Path, langfuse: LangfuseCopy) -> None:
    assert publish_(asked, run) == 0
    by_name = {}
    for spans in langfuse.traces.values():
        (root,) = [span for span in spans.values() if not span["parent"]]
        by_name[root["name"]] = {span["name"]: span for span in spans.values()}
        (root_id,) = [own for own, span in spans.items() if not span["parent"]]
        assert {span["parent"] for span in spans.values()} == {"", root_id}
        for span in spans.values():
            assert root["start"] <= span["start"] <= span["end"] <= root["end"]
            assert span["attributes"]["langfuse.experiment.id"] == root["attributes"]["langfuse.experiment.id"]
            assert span["attributes"]["langfuse.experiment.item.id"] in langfuse.items
    right = by_name["question q1"]
    assert list(right) == [
        "question q1",
        "render",
        "generate",
        "execute gold",
        "execute prediction",
        "execution_match",
    ]
    kinds = {name: span["attributes"]["langfuse.observation.type"] for name, span in right.items()}
    assert (kinds["generate"], kinds["execution_match"], kinds["render"]) == ("generation", "evaluator", "span")
    generation = right["generate"]["attributes"]
    assert generation["langfuse.observation.model.name"] == "tape"
    assert generation["langfuse.observation.prompt.name"] == "zero_shot"
    assert generation["langfuse.observation.prompt.version"] == 1
    assert "CREATE TABLE singer" in generation["langfuse.observation.input"]
    failed = by_name["question q3"]["execute prediction"]["attributes"]
    assert failed["langfuse.observation.level"] == "ERROR"
    assert "execute prediction" not in by_name["question q4"]


def test_an_item_that_is_unscored_has_a_status_and_no_number(asked: World, langfuse: LangfuseCopy) -> None:
    asked.questions([{"id": "q0"}, {"id": "q1", "gold": "SELECT nothing"}])
    assert asked.run("run", asked.experiment(max_instrument_failures=1.0), "--quiet") == 0
    assert publish_(asked, asked.run_folders()[0]) == 0
    told = sorted((one["name"], one["value"]) for one in langfuse.scores.values() if "traceId" in one)
    assert told == [
        ("execution_match", 1.0),
        ("execution_match status", "correct"),
        ("execution_match status", "unscored"),
    ]
    of_run = {one["name"]: one["value"] for one in langfuse.scores.values() if "datasetRunId" in one}
    assert (of_run["execution_match scored"], of_run["execution_match instrument failures"]) == (1.0, 1.0)


def test_repeats_are_experiments_of_one_group_over_one_dataset(asked: World, langfuse: LangfuseCopy) -> None:
    assert asked.run("run", asked.experiment(repeats=2, max_instrument_failures=1.0), "--quiet") == 0
    assert asked.run("langfuse", "publish", "latest", "--runs", asked.runs) == 0
    spans = [span["attributes"] for spans in langfuse.traces.values() for span in spans.values()]
    assert len({one["langfuse.experiment.id"] for one in spans}) == 2
    assert len({json.loads(one["langfuse.experiment.metadata"])["group"] for one in spans}) == 1
    assert (len(langfuse.traces), len(langfuse.items), langfuse.requests[ITEMS]) == (10, 5, 1 + 5 + 1)


@pytest.mark.parametrize("path", [SPANS, SCORES, ITEMS, "/api/public/v2/datasets"])
@pytest.mark.parametrize("fault", [408, 429, 503])
def test_a_fault_is_waited_for(asked: World, run: Path, langfuse: LangfuseCopy, path: str, fault: int) -> None:
    langfuse.faults[path] = deque([fault])
    assert asked.run("langfuse", "publish", run) == 0
    assert (len(langfuse.traces), len(langfuse.scores)) == (5, 16)


@pytest.mark.parametrize("fault", [302, 401, 404, 413, 503])
def test_a_server_that_takes_nothing(
    asked: World, run: Path, langfuse: LangfuseCopy, fault: int, capsys: pytest.CaptureFixture[str]
) -> None:
    langfuse.ill = fault
    assert publish_(asked, run) == 1
    told = capsys.readouterr()
    assert "0 of 5 traces and 0 of 16 scores" in told.out
    assert "sk-lf" not in told.err + told.out
    assert b64encode(":".join(KEYS).encode()).decode() not in told.err + told.out  # what the server repeats
    said = {401: "does not accept the keys", 302: "is not Langfuse's API"}
    assert said.get(fault, f"the HTTP status {fault}") in told.err
    langfuse.ill = None
    assert publish_(asked, run) == 0
    assert (len(langfuse.traces), len(langfuse.scores)) == (5, 16)


def test_a_server_that_hangs(run: Path, langfuse: LangfuseCopy) -> None:
    langfuse.faults[SCORES] = deque(["hang"] * 20)
    folder = RunFolder(run)
    with Server(access(), seconds=0.3) as server, AcknowledgedLog(run, Destination(server).name) as log:
        publisher = Publisher(folder, CopySettings(), Destination(server), log)
        with pytest.raises(Unavailable, match=r"no answer within 0\.3 s"):
            publish(publisher, patience=0)
        langfuse.faults.clear()
        publish(publisher, patience=0)
    assert (len(langfuse.traces), len(langfuse.scores)) == (5, 16)


def test_what_is_too_large_is_sent_in_pieces(asked: World, run: Path, langfuse: LangfuseCopy) -> None:
    langfuse.largest = 16_000
    assert publish_(asked, run) == 0
    assert len(langfuse.traces) == 5
    assert langfuse.requests[SPANS] > 1


def test_one_that_is_refused_takes_no_other_with_it(
    asked: World, run: Path, langfuse: LangfuseCopy, capsys: pytest.CaptureFixture[str]
) -> None:
    assert publish_(asked, run) == 0
    trace, score = list(langfuse.traces)[1], next(iter(langfuse.scores))
    langfuse.refuses = {trace, score}
    langfuse.traces.clear()
    langfuse.scores.clear()
    (run / ACKNOWLEDGED).unlink()
    capsys.readouterr()
    assert publish_(asked, run) == 1
    told = capsys.readouterr()
    assert "4 of 5 traces and 15 of 16 scores" in told.out
    assert "the trace q" in told.err
    assert "the score q" in told.err
    assert (len(langfuse.traces), len(langfuse.scores)) == (4, 15)
    langfuse.refuses = set()
    assert publish_(asked, run) == 0
    assert (len(langfuse.traces), len(langfuse.scores)) == (5, 16)


@pytest.mark.parametrize("kind", ["traces", "scores", "items"])
def test_one_that_the_server_stumbles_over_keeps_no_other_back(
    asked: World, langfuse: LangfuseCopy, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    asked.questions(120)
    asked.answers({f"q{number}": GOLD for number in range(120)})
    assert asked.run("run", asked.experiment(), "--quiet") == 0
    (run,) = asked.run_folders()
    assert publish_(asked, run) == 0
    whole = store(langfuse)
    kept = getattr(langfuse, kind)
    langfuse.stumbles = {next(own for own, one in kept.items() if kind != "scores" or "traceId" in one)}
    for one in (langfuse.traces, langfuse.scores, langfuse.items):
        one.clear()
    (run / ACKNOWLEDGED).unlink()
    for _ in range(2):  # the second time nothing but this one is left
        capsys.readouterr()
        assert publish_(asked, run) == 1
        assert re.search(r"the \S+( item)? q\d+\b.* was refused with .* the HTTP status 500", capsys.readouterr().err)
        counts = [len(langfuse.traces), len(langfuse.scores), len(langfuse.items)]
        counts[["traces", "scores", "items"].index(kind)] += 1
        assert counts == [120, 240 + RUN_SCORES, 120]
    langfuse.stumbles.clear()
    assert publish_(asked, run) == 0
    assert json.loads(store(langfuse)) == json.loads(whole)


def test_a_server_that_stumbles_over_everything_is_not_asked_about_each(
    asked: World, langfuse: LangfuseCopy, capsys: pytest.CaptureFixture[str]
) -> None:
    asked.questions(400)
    asked.answers({f"q{number}": GOLD for number in range(400)})
    assert asked.run("run", asked.experiment(), "--quiet") == 0
    (run,) = asked.run_folders()
    langfuse.ill = 500
    assert publish_(asked, run) == 1
    assert "0 of 400 traces" in capsys.readouterr().out
    assert langfuse.requests.total() < 10


@pytest.mark.parametrize("path", [SPANS, SCORES])
def test_a_run_that_is_deleted_meanwhile(
    asked: World, run: Path, langfuse: LangfuseCopy, path: str, capsys: pytest.CaptureFixture[str]
) -> None:
    langfuse.faults[path] = deque([lambda: shutil.rmtree(run)])
    assert publish_(asked, run) == 2
    assert "was deleted while the run was sent" in capsys.readouterr().err


def test_a_line_that_is_no_item(
    asked: World, run: Path, langfuse: LangfuseCopy, capsys: pytest.CaptureFixture[str]
) -> None:
    with (run / "items.jsonl").open("a") as file:
        file.write('{"id": "q9", "verdicts": []}\n')
    assert publish_(asked, run) == 2
    assert f"error: {run / 'items.jsonl'}: not an item record" in capsys.readouterr().err


def test_no_room_to_write_down_what_arrived(
    asked: World, run: Path, langfuse: LangfuseCopy, capsys: pytest.CaptureFixture[str]
) -> None:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)

    def fill() -> None:
        room = (run / ACKNOWLEDGED).stat().st_size + 20
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, limits[1]))

    langfuse.faults[SPANS] = deque([fill])
    try:
        assert publish_(asked, run) == 2
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert f"{run / ACKNOWLEDGED}: cannot be written: File too large" in capsys.readouterr().err
    assert not (run / ACKNOWLEDGED).read_bytes().endswith(b"\n")  # torn
    assert publish_(asked, run) == 0
    assert (len(langfuse.traces), len(langfuse.scores), len(langfuse.items)) == (5, 16, 5)


def test_a_server_below_a_path(asked: World, run: Path, langfuse: LangfuseCopy) -> None:
    langfuse.prefix = "/tools/langfuse"
    assert publish_(asked, run, "--host", f"{langfuse.base_url}/") == 0
    assert (len(langfuse.traces), len(langfuse.scores)) == (5, 16)


def test_a_run_names_no_server_for_the_keys(
    asked: World, run: Path, keys: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Runs are imported from others: what is in their folder sends nobody's keys anywhere."""
    host = "https://langfuse.nowhere.invalid/of/others"
    manifest = json.loads((run / "manifest.json").read_text())
    manifest["langfuse"] = {"host": host, "secret_key_env": "LANGFUSE_SECRET_KEY"}
    (run / "manifest.json").write_text(json.dumps(manifest))
    for command in ("publish", "pull"):
        more = ("--score", "right") if command == "pull" else ()
        assert asked.run("langfuse", command, run, *more) == 2
        told = capsys.readouterr().err
        assert f"the run names the server {host}, and nobody else does (if your keys may be sent there: --host" in told
        monkeypatch.setenv("LANGFUSE_BASE_URL", "https://langfuse.example.invalid")
        assert asked.run("langfuse", command, run, *more) == 2
        monkeypatch.delenv("LANGFUSE_BASE_URL")
    assert CopySettings.named(manifest, host=host).host == host
    monkeypatch.setenv("LANGFUSE_BASE_URL", f"{host}/")
    assert CopySettings.named(manifest).access().host == host


def test_without_the_extra(
    asked: World, run: Path, keys: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    assert publish_(asked, run, "--host", "http://127.0.0.1:9") == 2
    assert "Langfuse needs the extra 'langfuse', which is not installed (pip install" in capsys.readouterr().err
    assert asked.run("run", asked.experiment(langfuse=True, max_instrument_failures=1.0), "--quiet") == 0
    monkeypatch.setenv("LANGFUSE_HOST", "http://127.0.0.1:9")
    assert asked.run("run", asked.experiment(langfuse=True, max_instrument_failures=1.0), "--quiet") == 0
    told = capsys.readouterr().err
    assert "0 of 16 scores arrived; 5 questions are not in the dataset: Langfuse needs the extra" in told


def test_a_server_of_another_version_after_a_restart(asked: World, run: Path, langfuse: LangfuseCopy) -> None:
    def change() -> int:
        langfuse.version = "4.16.0" if langfuse.version == "4.60.1" else "4.60.1"
        return 503

    langfuse.faults[SCORES] = deque([change])
    assert asked.run("langfuse", "publish", run) == 0
    assert (len(langfuse.traces), len(langfuse.scores)) == (5, 16)


def test_what_was_redone_is_sent_again(asked: World, langfuse: LangfuseCopy) -> None:
    asked.answers({"q0": "SELECT 1"})
    asked.questions([{"id": "q0", "gold": "SELECT nothing"}])
    experiment = asked.experiment(max_instrument_failures=1.0)
    assert asked.run("run", experiment, "--quiet") == 0
    (run,) = asked.run_folders()
    assert publish_(asked, run) == 0
    line = json.loads((run / "items.jsonl").read_text())
    line["verdicts"][0] |= {"status": "correct", "reason": "match", "score": 1.0}
    with (run / "items.jsonl").open("a") as file:
        file.write(json.dumps(line) + "\n")
    assert publish_(asked, run) == 0
    assert len(langfuse.traces) == 1
    told = {one["name"]: one["value"] for one in langfuse.scores.values()}
    assert (told["execution_match status"], told["execution_match scored"]) == ("correct", 1.0)


def test_what_was_done_again_has_one_trace(
    asked: World, langfuse: LangfuseCopy, capsys: pytest.CaptureFixture[str]
) -> None:
    asked.answers({"q0": "SELECT 1", "q1": GOLD})
    asked.questions([{"id": "q0", "gold": "SELECT nothing"}, {"id": "q1"}])
    assert asked.run("run", asked.experiment(max_instrument_failures=1.0), "--quiet") == 0
    (run,) = asked.run_folders()
    assert publish_(asked, run) == 0
    before = dict(langfuse.traces)
    line = json.loads((run / "items.jsonl").read_text().splitlines()[0])
    assert line["id"] == "q0"
    # Fewer steps than before, later, and a number no more.
    line |= {"started": "2027-01-31T12:00:00.000+00:00", "predicted": None, "golds": [], "sql": None}
    with (run / "items.jsonl").open("a") as file:
        file.write(json.dumps(line) + "\n")
    path = next(f"/api/public/traces/{trace}" for trace, spans in before.items() if "question q0" in names(spans))
    langfuse.faults[path] = deque([503])
    capsys.readouterr()
    assert publish_(asked, run) == 1
    assert "; traces of items that were done again, still there: 1\n" in capsys.readouterr().out
    for _ in range(2):
        assert publish_(asked, run) == 0
        again, kept = sorted(langfuse.traces.values(), key=lambda spans: "question q1" in names(spans))
        assert len(langfuse.traces) == 2
        assert names(again) == {"question q0", "render", "generate", "execution_match"}
        assert kept in before.values()
        assert {one["traceId"] for one in langfuse.scores.values() if "traceId" in one} == set(langfuse.traces)
        (run / ACKNOWLEDGED).unlink()


def names(spans: dict[str, Any]) -> set[str]:
    return {span["name"] for span in spans.values()}


def test_no_key_is_among_what_is_sent(asked: World, langfuse: LangfuseCopy, monkeypatch: pytest.MonkeyPatch) -> None:
    key = "sk-0123456789abcdefghij"
    asked.questions([{"id": "q0", "question": f"Who has {key}?", "gold": f"SELECT '{key}'"}])
    asked.answers({"q0": f"SELECT name, '{key}' FROM singer"})
    assert asked.run("run", asked.experiment(), "--quiet") == 0
    monkeypatch.setenv("SOME_SERVICE_TOKEN", key)
    assert publish_(asked, asked.run_folders()[0]) == 0
    assert "Who has ***?" in store(langfuse)
    assert key not in store(langfuse)


def test_a_server_that_asks_to_wait_is_waited_for(run: Path, langfuse: LangfuseCopy) -> None:
    langfuse.faults[SPANS] = deque([429])
    waited: list[float] = []
    with Server(access()) as server, AcknowledgedLog(run, Destination(server).name) as log:
        publish(Publisher(RunFolder(run), CopySettings(), Destination(server), log), patience=5, sleep=waited.append)
    assert waited == [1.0]


def test_another_server_has_nothing_yet(asked: World, run: Path, langfuse: LangfuseCopy) -> None:
    assert publish_(asked, run) == 0
    with LangfuseCopy(langfuse.version) as other:
        assert publish_(asked, run, "--host", other.base_url) == 0
        assert store(other) == store(langfuse)


def test_killed_in_the_middle(asked: World, langfuse: LangfuseCopy) -> None:
    asked.questions(200)
    asked.answers({f"q{number}": "SELECT count(*) FROM singer" for number in range(200)})
    assert asked.run("run", asked.experiment(), "--quiet") == 0
    (run,) = asked.run_folders()
    process = None

    def kill() -> None:
        assert process is not None
        process.send_signal(signal.SIGKILL)

    # Each time the server has what it was sent and the client never hears of it, in another place.
    for path, number in ((ITEMS, 70), (SPANS, 2), (SCORES, 2), (SCORES, 1)):
        langfuse.faults[path] = deque([*[lambda: None] * number, kill])
        process = asked.start("langfuse", "publish", run)
        process.communicate(timeout=60)
        assert process.returncode in (-signal.SIGKILL, 0)
    langfuse.faults.clear()
    time.sleep(0.1)
    assert publish_(asked, run) == 0
    assert (len(langfuse.traces), len(langfuse.scores), len(langfuse.items)) == (200, 400 + RUN_SCORES, 200)
    (run / ACKNOWLEDGED).unlink()
    before = store(langfuse)
    assert publish_(asked, run) == 0
    assert store(langfuse) == before


def test_two_at_once(run: Path, asked: World, langfuse: LangfuseCopy, capsys: pytest.CaptureFixture[str]) -> None:
    with AcknowledgedLog(run, "elsewhere"):
        assert publish_(asked, run) == 2
    assert "another process is publishing this run" in capsys.readouterr().err


@pytest.mark.parametrize("address", ["http://somebody:hunter2@127.0.0.1:9", "127.0.0.1:9", "ftp://127.0.0.1"])
def test_an_address_that_is_none(
    asked: World, run: Path, keys: None, address: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert publish_(asked, run, "--host", address) == 2
    told = capsys.readouterr().err
    assert "base URL of Langfuse" in told
    assert "hunter2" not in told
    assert not (run / ACKNOWLEDGED).exists()


def test_no_proxy_is_asked_for_a_server_on_this_machine(
    asked: World, run: Path, langfuse: LangfuseCopy, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    assert publish_(asked, run) == 0


def test_no_address(asked: World, run: Path, keys: None, capsys: pytest.CaptureFixture[str]) -> None:
    assert publish_(asked, run) == 2
    assert "no address of Langfuse (set LANGFUSE_BASE_URL" in capsys.readouterr().err

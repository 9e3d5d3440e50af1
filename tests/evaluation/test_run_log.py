"""The record of a run: on disk before anybody hears of it, for one writer, and readable after a crash."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from evaluation.records import ExecutionRecord, ItemRecord, VerdictRecord
from evaluation.run_log import ITEMS, MANIFEST, RunFolder, RunLog, is_unscored
from evaluation.verdicts import Reason, Verdict
from sqlassay.errors import UserError
from tests.evaluation.world import items_of

MANIFEST_VALUE: dict[str, Any] = {
    "run_id": "trial-01",
    "group": "trial",
    "cells": 1,
    "title": "tape",
    "status": "running",
    "started": "2026-01-31T12:00:00+00:00",
    "experiment": {"name": "trial"},
    "identity": {},
    "max_instrument_failures": 0.05,
}


def record(number: int, reason: Reason = Reason.MATCH) -> ItemRecord:
    return ItemRecord(
        f"q{number}",
        number,
        "show",
        "How many singers?",
        tags=("count",),
        sql="SELECT 1",
        golds=(ExecutionRecord("SELECT 1", 1, cached=True),),
        verdicts=(VerdictRecord.of("execution_match", Verdict.of(reason, rows=[[1, None]])),),
    )


def writing(path: Path, work: Callable[[RunLog], Coroutine[Any, Any, None]]) -> None:
    """Open a run, do some work with it, and close it."""

    async def main() -> None:
        log = RunLog(path)
        log.begin(dict(MANIFEST_VALUE))
        try:
            await work(log)
        finally:
            await log.close()

    asyncio.run(main())


@pytest.fixture
def flushed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The size that a file had at each of its flushes to disk."""
    sizes: list[int] = []
    fsync = os.fsync

    def watched(descriptor: int) -> None:
        fsync(descriptor)
        sizes.append(os.fstat(descriptor).st_size)

    monkeypatch.setattr(os, "fsync", watched)
    return sizes


def test_an_item_is_on_disk_when_append_returns(tmp_path: Path, flushed: list[int]) -> None:
    async def work(log: RunLog) -> None:
        for number in range(3):
            await log.append(record(number))
            assert [item["id"] for item in items_of(tmp_path)] == [f"q{n}" for n in range(number + 1)]
            assert flushed[-1] == (tmp_path / ITEMS).stat().st_size

    writing(tmp_path, work)


def test_items_that_finish_together_share_flushes(tmp_path: Path, flushed: list[int]) -> None:
    async def work(log: RunLog) -> None:
        flushed.clear()
        await asyncio.gather(*(log.append(record(number)) for number in range(100)))

    writing(tmp_path, work)
    assert 1 <= len(flushed) <= 5
    assert [item["id"] for item in items_of(tmp_path)] == [f"q{n}" for n in range(100)]


def test_what_waits_is_written_when_the_run_is_interrupted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slow = threading.Event()
    fsync = os.fsync

    def waiting(descriptor: int) -> None:
        slow.wait(0.05)
        fsync(descriptor)

    async def work(log: RunLog) -> None:
        monkeypatch.setattr(os, "fsync", waiting)
        tasks = []
        for number in range(50):
            tasks.append(asyncio.create_task(log.append(record(number))))
            await asyncio.sleep(0)  # so that the first are being flushed while the last begin to wait
        for task in tasks:
            task.cancel()

    writing(tmp_path, work)
    assert [item["id"] for item in items_of(tmp_path)] == [f"q{n}" for n in range(50)]


def test_records_are_read_back_as_they_were(tmp_path: Path) -> None:
    records = [record(0), record(1, Reason.GOLD_TIMEOUT)]

    async def work(log: RunLog) -> None:
        for one in records:
            await log.append(one)

    writing(tmp_path, work)
    folder = RunFolder(tmp_path)
    assert list(folder.items()) == records
    assert [is_unscored(item) for item in folder.raw_items()] == [False, True]
    assert folder.run_id == "trial-01"


def test_a_later_record_replaces_an_earlier_one(tmp_path: Path) -> None:
    async def work(log: RunLog) -> None:
        for one in (record(0, Reason.PROVIDER_DOWN), record(1), record(0)):
            await log.append(one)

    writing(tmp_path, work)
    read = [(item.id, item.verdicts[0].reason) for item in RunFolder(tmp_path).items()]
    assert read == [("q1", Reason.MATCH), ("q0", Reason.MATCH)]


def test_a_run_that_goes_on_while_it_is_read_gives_what_there_was(tmp_path: Path) -> None:
    async def work(log: RunLog) -> None:
        await log.append(record(0))
        await log.append(record(1))
        reading = RunFolder(tmp_path).raw_items()
        first = next(reading)
        await log.append(record(0))
        await log.append(record(2))
        assert [first["id"], *(item["id"] for item in reading)] == ["q0", "q1"]

    writing(tmp_path, work)


def test_a_torn_last_line_is_cut_off_before_the_next_item(tmp_path: Path) -> None:
    async def one(log: RunLog) -> None:
        await log.append(record(0))

    async def another(log: RunLog) -> None:
        await log.append(record(1))

    writing(tmp_path, one)
    with (tmp_path / ITEMS).open("ab") as file:
        file.write(b'{"id":"q1","verd')
    assert [item.id for item in RunFolder(tmp_path).items()] == ["q0"]
    writing(tmp_path, another)
    assert [item.id for item in RunFolder(tmp_path).items()] == ["q0", "q1"]


def test_a_second_process_is_turned_away(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from evaluation.run_log import RunLog\n"
        "try: RunLog(Path(sys.argv[1]))\n"
        "except Exception as error: print(error)"
    )

    def another() -> str:
        done = subprocess.run([sys.executable, "-c", script, tmp_path], capture_output=True, text=True, check=True)
        return done.stdout

    async def work(log: RunLog) -> None:
        assert another() == f"{tmp_path}: another process is writing this run (wait for it, or stop it)\n"

    writing(tmp_path, work)
    assert another() == ""


def test_the_manifest_is_replaced_at_once_or_not_at_all(tmp_path: Path) -> None:
    async def work(log: RunLog) -> None:
        log.manifest["status"] = object()  # no JSON: writing fails half way
        with pytest.raises(TypeError):
            log.write_manifest()
        log.manifest["status"] = "running"

    writing(tmp_path, work)
    assert json.loads((tmp_path / MANIFEST).read_text()) == MANIFEST_VALUE


def test_a_full_disk_is_told_to_everybody_who_waits(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / ITEMS).symlink_to("/dev/full")

    async def work(log: RunLog) -> None:
        failures = await asyncio.gather(*(log.append(record(n)) for n in range(3)), return_exceptions=True)
        message = f"{tmp_path / ITEMS}: cannot be written: No space left on device"
        assert [str(failure) for failure in failures] == [message] * 3
        gone = asyncio.create_task(log.append(record(3)))
        await asyncio.sleep(0)
        gone.cancel()

    writing(tmp_path, work)
    gc.collect()
    assert caplog.messages == []  # asyncio complains of errors that nobody has seen


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "runs").touch()
    with pytest.raises(UserError, match=r"runs/trial-01: cannot be written: Not a directory"):
        RunLog(tmp_path / "runs" / "trial-01")


def without(key: str) -> str:
    return json.dumps({k: v for k, v in MANIFEST_VALUE.items() if k != key})


MANIFESTS = {
    "missing": (None, "{folder}: is not a run: it has no manifest.json"),
    "broken": ("{", "{folder}/manifest.json: not JSON: "),
    "binary": (b"\xff\xfe\x00", "{folder}/manifest.json: not JSON: "),
    "another program's": ('{"name": "web app"}', "{folder}/manifest.json: is not the manifest of a run of sqlassay"),
    "a list": ("[]", "{folder}/manifest.json: is not the manifest of a run of sqlassay"),
    "without a key": (without("identity"), "{folder}/manifest.json: is not the manifest of a run of sqlassay"),
}


@pytest.mark.parametrize(("content", "expected"), MANIFESTS.values(), ids=MANIFESTS)
def test_what_is_no_manifest_is_said_in_one_line(content: str | bytes | None, expected: str, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / MANIFEST).write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(UserError) as caught:
        RunFolder(tmp_path)
    assert str(caught.value).startswith(expected.replace("{folder}", str(tmp_path)))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("line", ['{"id": 5, "verdicts": []}', '{"verdicts": []}', '{"id": "q1", "verdicts": null}'])
def test_a_line_that_is_no_item_is_named(line: str, tmp_path: Path) -> None:
    (tmp_path / MANIFEST).write_text(json.dumps(MANIFEST_VALUE))
    (tmp_path / ITEMS).write_text('{"id": "q0", "verdicts": []}\n' + line + "\n")
    with pytest.raises(UserError) as caught:
        list(RunFolder(tmp_path).raw_items())
    assert str(caught.value) == f"{tmp_path / ITEMS}:2: not an item record (restore the file)"


def test_an_item_with_a_field_of_the_wrong_kind_is_said_in_one_line(tmp_path: Path) -> None:
    (tmp_path / MANIFEST).write_text(json.dumps(MANIFEST_VALUE))
    (tmp_path / ITEMS).write_text('{"id": "q0", "verdicts": [], "position": "first", "db_id": "a", "question": ""}\n')
    with pytest.raises(UserError) as caught:
        list(RunFolder(tmp_path).items())
    assert str(caught.value).startswith(f"{tmp_path / ITEMS}: not an item record: ")
    assert "\n" not in str(caught.value)


def test_a_run_without_items_has_none(tmp_path: Path) -> None:
    (tmp_path / MANIFEST).write_text(json.dumps(MANIFEST_VALUE))
    assert list(RunFolder(tmp_path).items()) == []

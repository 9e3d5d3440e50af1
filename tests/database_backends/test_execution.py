from __future__ import annotations

import os
import threading
import time
from pathlib import Path
from typing import ClassVar

import pytest

from database_backends import fingerprint
from database_backends.alarm import Alarm
from database_backends.base import BACKENDS
from database_backends.errors import BackendError, FailureKind
from database_backends.execution import Statement, execute
from database_backends.result import ExecutionFailure, Limits, ResultTable
from database_backends.sqlite import SQLiteBackend
from tests.conformance.backend import STATEMENTS

LIMITS = Limits(seconds=5, rows=10, megabytes=64)


class Scripted(SQLiteBackend):
    """Does what its script says, and remembers what was opened and closed."""

    max_open = 3
    script: ClassVar[list[FailureKind | None]] = []
    events: ClassVar[list[str]] = []

    def __init__(self, target: str) -> None:
        super().__init__(target)
        self.events.append(f"open {Path(target).stem}")

    def run(self, sql: str, limits: Limits) -> ResultTable:
        kind = self.script.pop(0) if self.script else None
        if kind is not None:
            raise BackendError(kind, "scripted")
        return super().run(sql, limits)

    def close(self) -> None:
        self.events.append(f"close {Path(self.target).stem}")
        super().close()


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> type[Scripted]:
    for name in "abcd":
        SQLiteBackend.build(str(tmp_path / f"{name}.sqlite"), STATEMENTS)
    monkeypatch.setattr(Scripted, "script", [])
    monkeypatch.setattr(Scripted, "events", [])
    monkeypatch.setitem(BACKENDS._loaded, "scripted", Scripted)
    return Scripted


def run(tmp_path: Path, names: str) -> list[FailureKind | None]:
    """In a thread of its own, which begins with nothing open."""
    kinds: list[FailureKind | None] = []

    def work() -> None:
        for name in names:
            outcome = execute(Statement("scripted", str(tmp_path / f"{name}.sqlite"), "SELECT 1", LIMITS))
            kinds.append(outcome.kind if isinstance(outcome, ExecutionFailure) else None)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    return kinds


def test_a_database_is_opened_once(scripted: type[Scripted], tmp_path: Path) -> None:
    assert run(tmp_path, "aabba") == [None] * 5
    assert scripted.events == ["open a", "open b"]


def test_the_one_that_was_used_least_recently_is_closed(scripted: type[Scripted], tmp_path: Path) -> None:
    assert run(tmp_path, "abcadb") == [None] * 6
    assert scripted.events == ["open a", "open b", "open c", "open d", "close b", "open b", "close c"]


def test_what_failed_by_the_instruments_fault_is_opened_anew(scripted: type[Scripted], tmp_path: Path) -> None:
    scripted.script += [None, FailureKind.CONNECTION]
    assert run(tmp_path, "aaa") == [None, FailureKind.CONNECTION, None]
    assert scripted.events == ["open a", "close a", "open a"]


def test_what_others_hold_in_memory_does_not_decide(scripted: type[Scripted], tmp_path: Path) -> None:
    scripted.script += [None, None, FailureKind.MEMORY, None]
    assert run(tmp_path, "abc") == [None, None, None]
    assert scripted.events[3:] == ["close a", "close b"]


def test_memory_that_is_short_with_nothing_else_open_is_a_failure(scripted: type[Scripted], tmp_path: Path) -> None:
    scripted.script += [FailureKind.MEMORY, None]
    assert run(tmp_path, "aa") == [FailureKind.MEMORY, None]
    scripted.script += [None, FailureKind.MEMORY, FailureKind.MEMORY]
    assert run(tmp_path, "ab") == [None, FailureKind.MEMORY]


# The fingerprint of a file.


def test_content_is_read_once(tmp_path: Path) -> None:
    file = tmp_path / "x.db"
    file.write_bytes(b"one")
    os.utime(file, ns=(1, 1))
    first = fingerprint.of_file(file)
    inode = file.stat().st_ino
    file.write_bytes(b"two")
    os.utime(file, ns=(1, 1))
    assert (file.stat().st_ino, fingerprint.of_file(file)) == (inode, first)  # nothing told that it has changed
    os.utime(file, ns=(2, 2))
    assert fingerprint.of_file(file) != first


@pytest.mark.parametrize("suffix", ["-wal", ".wal"])
def test_a_log_counts_when_it_holds_something(tmp_path: Path, suffix: str) -> None:
    file, log = tmp_path / "x.db", tmp_path / f"x.db{suffix}"
    file.write_bytes(b"one")
    alone = fingerprint.of_file(file)
    log.write_bytes(b"")
    assert fingerprint.of_file(file) == alone
    log.write_bytes(b"more")
    assert fingerprint.of_file(file) != alone


# The alarm.


def test_an_alarm_rings_until_it_is_heard_and_never_after() -> None:
    alarm, rings = Alarm(), []
    with alarm.after(0.1, lambda: rings.append(time.monotonic())):
        time.sleep(0.4)
    heard = len(rings)
    assert heard >= 2
    time.sleep(0.2)
    assert len(rings) == heard


def test_an_alarm_that_is_not_needed_does_not_ring_and_its_thread_rests() -> None:
    alarm, rings = Alarm(), []
    for _ in range(3):
        with alarm.after(5, lambda: rings.append(0)):
            pass
    watching = [thread for thread in threading.enumerate() if thread.name == "sqlassay-alarm"]
    assert watching
    deadline = time.monotonic() + 5
    while any(thread.is_alive() for thread in watching) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(thread.is_alive() for thread in watching)
    with alarm.after(0, lambda: rings.append(1)):
        time.sleep(0.2)
    assert 1 in rings
    assert 0 not in rings

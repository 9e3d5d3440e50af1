"""The store of answers and gold results: shared, safe from a killed process, clear about what it cannot use."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from evaluation.store import Store, digest
from sqlassay.errors import UserError


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "folder" / "store.sqlite"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    with closing(Store(path)) as store:
        yield store


def test_what_was_put_is_got(store: Store) -> None:
    store.put(b"key", b"\x00value")
    assert store.get(b"key") == b"\x00value"
    assert store.get(b"other") is None


def test_the_last_value_counts(store: Store) -> None:
    store.put(b"key", b"one")
    store.put(b"key", b"two")
    assert store.get(b"key") == b"two"


def test_two_processes_share_it_and_a_killed_one_loses_nothing(path: Path) -> None:
    script = (
        "import os, signal, sys; from pathlib import Path; from evaluation.store import Store\n"
        "store = Store(Path(sys.argv[1])); print(store.get(b'ours').decode(), flush=True); store.put(b'theirs', b'2')\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    with closing(Store(path)) as store:
        store.put(b"ours", b"1")
        done = subprocess.run([sys.executable, "-c", script, path], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout) == (-signal.SIGKILL, "1\n")
        assert store.get(b"theirs") == b"2"


def test_a_file_that_is_no_store_is_left_alone(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"\x89PNG and much else that is no database" * 40)
    before = path.read_bytes()
    with pytest.raises(UserError) as caught:
        Store(path)
    assert str(caught.value) == (
        f"{path}: cache cannot be used: file is not a database"
        " (delete the file, or name another folder in SQLASSAY_CACHE)"
    )
    assert path.read_bytes() == before


def test_a_folder_that_cannot_be_made_is_the_users_to_mend(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="cache cannot be used"):
        Store(tmp_path / "file" / "store.sqlite")


def test_damage_that_shows_later_is_the_users_to_mend(store: Store, path: Path) -> None:
    store.put(b"key", b"v" * 100_000)
    store.close()
    with pytest.raises(UserError, match="cache cannot be used"):
        store.get(b"key")
    with pytest.raises(UserError, match="cache cannot be used"):
        store.put(b"key", b"")


def test_the_order_of_parts_does_not_change_a_digest() -> None:
    assert digest(a=1, b={"x": 1, "y": [2]}) == digest(b={"y": [2], "x": 1}, a=1)


@pytest.mark.parametrize("other", [{"a": "1"}, {"a": 2}, {"b": 1}, {"a": [1]}, {"a": 1, "b": None}, {"a": True}])
def test_different_parts_have_different_digests(other: dict[str, object]) -> None:
    assert digest(**other) != digest(a=1)


def test_a_digest_takes_any_text() -> None:
    assert digest(a="\udc80") != digest(a="\\udc80")

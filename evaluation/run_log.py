"""The record of a run, from which everything else is made.

`manifest.json` says what was run; `items.jsonl` and the `prompts.jsonl` that its items name are only ever appended to.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from filelock import FileLock, Timeout

from evaluation.jsonl import line_of, mend_tail, read_lines
from evaluation.prompt_log import PROMPTS, PromptLines, RecordedPrompt, read_prompts
from evaluation.records import ItemRecord
from sqlassay.errors import UserError
from sqlassay.whole_file import replace_file

if TYPE_CHECKING:
    from prompts.template import RenderedPrompt

MANIFEST = "manifest.json"
ITEMS = "items.jsonl"
RESPONSES = "responses.sqlite"
LOCKS = ".*lock"
"""Of whoever writes a run or publishes it; files of this name are no part of the record."""
FINISHED, RUNNING, STOPPED, INTERRUPTED = "finished", "running", "stopped", "interrupted"
"""The states of a run."""
_STAGED = ".unfinished-"
"""How the folders of `staging` begin."""
NEEDED = frozenset(
    {"run_id", "group", "cells", "title", "status", "started", "experiment", "identity", "max_instrument_failures"}
)
"""Keys that every manifest has."""


class RunFolder:
    """A run on disk, for reading.

    Args:
        path: `runs/<run id>`.

    Raises:
        UserError: There is no run in this folder.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.manifest = _read_manifest(path / MANIFEST)

    @property
    def run_id(self) -> str:
        """The run's id."""
        return str(self.manifest["run_id"])

    def raw_items(self) -> Iterator[dict[str, Any]]:
        """Every item as it was written, in the order in which items finished; the last record of an id counts.

        A record that a later one replaces (`--retry-unscored`) is left out.

        Raises:
            UserError: A line is not an item record.
        """
        return (item for item, counts in self.all_items() if counts)

    def all_items(self) -> Iterator[tuple[dict[str, Any], bool]]:
        """Every record as it was written, in this order, and whether it counts: the last one of its id does.

        Raises:
            UserError: A line is not an item record.
        """
        path = self.path / ITEMS
        if not path.exists():
            return
        last: dict[str, int] = {}
        count = 0
        for item in read_lines(path):
            if not (isinstance(item.get("id"), str) and isinstance(item.get("verdicts"), list)):
                raise UserError("not an item record", place=f"{path}:{count + 1}", remedy="restore the file")
            last[item["id"]] = count
            count += 1
        # No further than the first time: the run may be going on.
        for number, item in enumerate(islice(read_lines(path), count)):
            yield item, last[item["id"]] == number

    def items(self) -> Iterator[ItemRecord]:
        """Every item, as `raw_items`.

        Raises:
            UserError: A line is not an item record.
        """
        return map(self.record, self.raw_items())

    def raw_items_at(self, places: Sequence[int]) -> Iterator[dict[str, Any]]:
        """Some items as they were written.

        Args:
            places: The numbers of their lines, from 0, in their order.
        """
        if not places:
            return
        with (self.path / ITEMS).open("rb") as file:
            lines = filter(bytes.strip, file)
            for place, before in zip(places, (-1, *places), strict=False):
                yield json.loads(next(islice(lines, place - before - 1, None)))

    def items_at(self, places: Sequence[int]) -> Iterator[ItemRecord]:
        """Some items, as `raw_items_at`.

        Raises:
            UserError: A line is not an item record.
        """
        return map(self.record, self.raw_items_at(places))

    def record(self, raw: dict[str, Any]) -> ItemRecord:
        """An item of this run that was read as it was written.

        Raises:
            UserError: It is not an item record.
        """
        try:
            return ItemRecord.from_json(raw)
        except ValueError as error:
            raise UserError(f"not an item record: {error}", place=str(self.path / ITEMS)) from error

    def fault(self) -> UserError | None:
        """What is wrong with the items, and where, as reading them line by line tells it; `None` if that finds none."""
        try:
            for _ in self.items():
                pass
        except UserError as error:
            return error
        return None

    def prompts(self, sha256s: Collection[str] | None = None) -> dict[str, RecordedPrompt]:
        """Prompts by their digests, all unless some are named; runs from before they were recorded have none.

        Raises:
            UserError: A line is none of ours, or a prompt is not what was sent.
        """
        return read_prompts(self.path / PROMPTS, sha256s)


class RunLog:
    """Writes a run. An item is on disk when `append` returns; items that finish together share one flush.

    Args:
        path: `runs/<run id>`; made when it is not there, and kept from other processes until `close`.
        conceal: Takes out of a prompt what is written nowhere.

    Raises:
        UserError: Another process is writing this run, or the folder cannot be written.
    """

    def __init__(self, path: Path, conceal: Callable[[str], str] = str) -> None:
        self.path = path
        self.manifest: dict[str, Any] = {}
        self._prompts = PromptLines(path / PROMPTS, conceal)
        self._files: dict[str, BinaryIO] = {}
        self._waiting: list[tuple[bytes, asyncio.Future[None]]] = []
        self._flusher: asyncio.Task[None] | None = None
        self._lock = FileLock(path / ".lock")
        try:
            path.mkdir(parents=True, exist_ok=True)
            self._lock.acquire(timeout=0)
        except Timeout as error:
            raise UserError(
                "another process is writing this run", place=str(path), remedy="wait for it, or stop it"
            ) from error
        except OSError as error:
            raise _cannot_write(error, path) from error

    def begin(self, manifest: dict[str, Any]) -> None:
        """Make ready for items.

        Args:
            manifest: What is known at the start.

        Raises:
            UserError: The folder cannot be written.
        """
        self.manifest = manifest
        for name in (PROMPTS, ITEMS):
            path = self.path / name
            try:
                if path.exists():
                    mend_tail(path)
                self._files[name] = path.open("ab")
            except OSError as error:
                raise _cannot_write(error, path) from error
        self._prompts.begin()
        self.write_manifest()

    def write_manifest(self) -> None:
        """Replace the manifest on disk by the one in memory, at once or not at all.

        Raises:
            UserError: It cannot be written.
        """
        replace_file(self.path / MANIFEST, json.dumps(self.manifest, indent=2, ensure_ascii=True) + "\n")

    def keep(self, prompt: RenderedPrompt) -> None:
        """Write a prompt no later than the next item, and before it."""
        self._prompts.add(prompt)

    async def append(self, record: ItemRecord) -> None:
        """Write one item; returns when it is on disk.

        Raises:
            UserError: It cannot be written.
        """
        written: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((line_of(record), written))
        if self._flusher is None:
            self._flusher = asyncio.create_task(self._flush_all())
        await asyncio.shield(written)

    async def _flush_all(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting, []
                try:
                    await asyncio.to_thread(self._write, self._prompts.take(), b"".join(line for line, _ in batch))
                except UserError as error:
                    for _, written in batch:
                        written.set_exception(error)
                        written.exception()  # whoever waited may be gone, and asyncio would complain
                else:
                    for _, written in batch:
                        written.set_result(None)
        finally:
            self._flusher = None

    def _write(self, prompts: bytes, items: bytes) -> None:
        """Prompts first: there is no item on disk whose prompt is not."""
        for name, lines in ((PROMPTS, prompts), (ITEMS, items)):
            if not lines:
                continue
            file = self._files[name]
            try:
                file.write(lines)
                file.flush()
                os.fsync(file.fileno())
            except OSError as error:
                raise _cannot_write(error, self.path / name) from error

    async def close(self) -> None:
        """Write what is still waiting and let go of the files. Calling it twice is fine.

        A run that never began leaves no folder.
        """
        if self._flusher is not None:
            await asyncio.shield(self._flusher)
        if self._files:
            with suppress(UserError):  # what was asked and not answered is good to know, and no more than that
                await asyncio.to_thread(self._write, self._prompts.take(), b"")
        for file in self._files.values():
            with suppress(OSError):  # of lines that could not be written: whoever appended them was told
                file.close()
        self._files = {}
        self._lock.release()
        if not (self.path / MANIFEST).exists():  # the run was refused before it began
            with suppress(OSError):
                Path(self._lock.lock_file).unlink(missing_ok=True)
                self.path.rmdir()


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Keep a run as it is while it is read or moved.

    Args:
        path: `runs/<run id>`.

    Raises:
        UserError: Another process is writing this run, or publishing it.
    """
    with ExitStack() as locks:
        for lock in path.glob(LOCKS):
            try:
                locks.enter_context(FileLock(lock, timeout=0))
            except Timeout as error:
                problem, remedy = "another process is writing this run", "wait for it, or stop it"
                raise UserError(problem, place=str(path), remedy=remedy) from error
            except OSError as error:
                raise _cannot_write(error, path) from error
        yield


@contextmanager
def staging(runs: Path) -> Iterator[Path]:
    """A folder from which runs are moved to their place once they are whole, or to which they are moved to go away.

    It is in the folder of runs, where nothing is taken for a run that is so deep; in the end it is removed, or by the
    next that needs one where the process was killed.

    Raises:
        UserError: The folder of runs cannot be written.
    """
    try:
        runs.mkdir(parents=True, exist_ok=True)
        with FileLock(runs / ".lock"):
            _clear(runs)
            folder = Path(tempfile.mkdtemp(prefix=_STAGED, dir=runs))
            in_use = FileLock(folder / ".lock")
            in_use.acquire()
    except OSError as error:
        raise _cannot_write(error, runs) from error
    try:
        yield folder
    except OSError as error:
        raise _cannot_write(error, runs) from error
    finally:
        in_use.release()
        shutil.rmtree(folder, ignore_errors=True)


def clear_staging(runs: Path) -> None:
    """Remove what merges, imports and deletions have left whose process was killed.

    Raises:
        UserError: The folder of runs cannot be written.
    """
    if not any(runs.glob(f"{_STAGED}*")):
        return
    try:
        with FileLock(runs / ".lock"):
            _clear(runs)
    except OSError as error:
        raise _cannot_write(error, runs) from error


def _clear(runs: Path) -> None:
    """Remove the folders that no process uses; the lock of the folder of runs is held, so that none comes to be."""
    for folder in runs.glob(f"{_STAGED}*"):
        try:
            with FileLock(folder / ".lock", timeout=0):
                pass
        except Timeout:
            continue
        shutil.rmtree(folder, ignore_errors=True)


def is_unscored(item: Mapping[str, Any]) -> bool:
    """Whether the instrument failed on an item, as `RunFolder.raw_items` gives it, under any strategy."""
    return any(verdict["status"] == "unscored" for verdict in item["verdicts"])


def _read_manifest(path: Path) -> dict[str, Any]:
    try:
        manifest = json.loads(path.read_text("utf-8"))
    except FileNotFoundError as error:
        raise UserError("is not a run: it has no manifest.json", place=str(path.parent)) from error
    except OSError as error:
        raise UserError(f"cannot be read: {error.strerror}", place=str(path)) from error
    except ValueError as error:
        raise UserError(f"not JSON: {error}", place=str(path), remedy="restore the file or delete the run") from error
    if not (isinstance(manifest, dict) and NEEDED.issubset(manifest)):
        raise UserError("is not the manifest of a run of sqlassay", place=str(path), remedy="keep runs by themselves")
    return manifest


def _cannot_write(error: OSError, path: Path) -> UserError:
    return UserError(f"cannot be written: {error.strerror}", place=str(path))

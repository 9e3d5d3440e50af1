"""The record of a run: `manifest.json` and an append-only `items.jsonl`, from which everything else is made."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from filelock import FileLock, Timeout

from evaluation.jsonl import line_of, mend_tail, read_lines
from evaluation.records import ItemRecord
from sqlassay.errors import UserError

MANIFEST = "manifest.json"
ITEMS = "items.jsonl"


class RunFolder:
    """A run on disk, for reading.

    Args:
        path: `runs/<run id>`.

    Raises:
        UserError: There is no run in this folder.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self.manifest: dict[str, Any] = json.loads((path / MANIFEST).read_text("utf-8"))
        except FileNotFoundError as error:
            raise UserError("is not a run: it has no manifest.json", place=str(path)) from error
        except ValueError as error:
            raise UserError(f"not JSON: {error}", place=str(path / MANIFEST)) from error

    @property
    def run_id(self) -> str:
        """The run's id."""
        return str(self.manifest["run_id"])

    def raw_items(self) -> Iterator[dict[str, Any]]:
        """Every item as it was written, in the order in which items finished; the last record of an id counts.

        A record that a later one replaces (`--retry-unscored`) is left out.
        """
        path = self.path / ITEMS
        if not path.exists():
            return
        last: dict[str, int] = {}
        replaced = False
        for number, item in enumerate(read_lines(path)):
            replaced = replaced or item["id"] in last
            last[item["id"]] = number
        for number, item in enumerate(read_lines(path)):
            if not replaced or last[item["id"]] == number:
                yield item

    def items(self) -> Iterator[ItemRecord]:
        """Every item, as `raw_items`.

        Raises:
            UserError: A line is not an item record.
        """
        for raw in self.raw_items():
            try:
                yield ItemRecord.from_json(raw)
            except ValueError as error:
                raise UserError(f"not an item record: {error}", place=str(self.path / ITEMS)) from error


class RunLog:
    """Writes a run. An item is on disk when `append` returns; items that finish together share one flush.

    Args:
        path: `runs/<run id>`; made when it is not there.
        manifest: What is known at the start.

    Raises:
        UserError: Another process is writing this run.
    """

    def __init__(self, path: Path, manifest: dict[str, Any]) -> None:
        self.path = path
        self.manifest = manifest
        path.mkdir(parents=True, exist_ok=True)
        self._lock = FileLock(path / ".lock")
        try:
            self._lock.acquire(timeout=0)
        except Timeout as error:
            raise UserError("another process is writing this run", place=str(path)) from error
        items = path / ITEMS
        if items.exists():
            mend_tail(items)
        self._file: BinaryIO = items.open("ab")
        self._waiting: list[tuple[bytes, asyncio.Future[None]]] = []
        self._flusher: asyncio.Task[None] | None = None
        self.write_manifest()

    def write_manifest(self) -> None:
        """Replace the manifest on disk by the one in memory, at once or not at all."""
        temporary = self.path / f"{MANIFEST}.tmp"
        with temporary.open("w", encoding="utf-8") as file:
            json.dump(self.manifest, file, indent=2, ensure_ascii=False)
            file.write("\n")
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(self.path / MANIFEST)

    async def append(self, record: ItemRecord) -> None:
        """Write one item; returns when it is on disk."""
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
                    await asyncio.to_thread(self._write, b"".join(line for line, _ in batch))
                except OSError as error:
                    for _, written in batch:
                        written.set_exception(UserError(f"cannot write: {error}", place=str(self.path / ITEMS)))
                else:
                    for _, written in batch:
                        written.set_result(None)
        finally:
            self._flusher = None

    def _write(self, lines: bytes) -> None:
        self._file.write(lines)
        self._file.flush()
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """Write what is still waiting and let go of the file."""
        if not self._file.closed:
            self._write(b"".join(line for line, _ in self._waiting))
            self._file.close()
        self._lock.release()

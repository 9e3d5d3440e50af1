"""What of a run has arrived: `langfuse.jsonl` in its folder, one line per thing that the server acknowledged."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, NamedTuple, Self

from filelock import FileLock, Timeout

from evaluation.jsonl import line_of, mend_tail, read_lines
from sqlassay.errors import UserError

ACKNOWLEDGED = "langfuse.jsonl"
_LOCK = ".langfuse.lock"


class Sent(NamedTuple):
    """One thing that is sent.

    Attributes:
        kind: `dataset item`, `trace`, `score` or `run score`.
        id: Which of them: the item's id, for scores with their name.
        stamp: What it was made from. What was made from something else has yet to arrive.
    """

    kind: str
    id: str
    stamp: str

    def key(self, server: str) -> bytes:
        """What is kept of it in memory: little, for a run may be long."""
        return hashlib.blake2b("\0".join((server, *self)).encode("utf-8", "surrogatepass"), digest_size=12).digest()


class Acknowledged:
    """What one server acknowledged of a run.

    Args:
        folder: The run's.
        server: The address with the project's public key.
    """

    def __init__(self, folder: Path, server: str) -> None:
        self.path = folder / ACKNOWLEDGED
        self.server = server
        self._keys: set[bytes] = set()
        if self.path.exists():
            for line in read_lines(self.path):
                if line.get("server") == server:
                    self._keys.add(Sent(*(str(line.get(key)) for key in Sent._fields)).key(server))

    def __contains__(self, sent: Sent) -> bool:
        return sent.key(self.server) in self._keys

    def _remember(self, sent: Iterable[Sent]) -> None:
        self._keys.update(one.key(self.server) for one in sent)


class AcknowledgedLog(Acknowledged):
    """The same, written on; use it as a context manager. What `add` was told is on disk when it returns.

    Raises:
        UserError: Another process publishes this run, or the file cannot be written.
    """

    def __init__(self, folder: Path, server: str) -> None:
        self._lock = FileLock(folder / _LOCK)
        try:
            self._lock.acquire(timeout=0)
        except Timeout as error:
            raise UserError(
                "another process is publishing this run", place=str(folder), remedy="wait for it, or stop it"
            ) from error
        except OSError as error:
            raise UserError(f"cannot be written: {error.strerror}", place=str(folder)) from error
        path = folder / ACKNOWLEDGED
        try:
            if path.exists():
                mend_tail(path)
            super().__init__(folder, server)
            self._file: BinaryIO = path.open("ab")
        except OSError as error:
            self._lock.release()
            raise UserError(f"cannot be written: {error.strerror}", place=str(path)) from error
        except UserError:
            self._lock.release()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(OSError):  # of lines that could not be written: whoever added them was told
            self._file.close()
        self._lock.release()

    def add(self, sent: Iterable[Sent]) -> None:
        """Remember what arrived.

        Raises:
            UserError: It cannot be written. What arrived is sent again, then, and takes its own place.
        """
        told = list(sent)
        try:
            self._file.write(b"".join(line_of({"server": self.server, **one._asdict()}) for one in told))
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as error:
            raise UserError(f"cannot be written: {error.strerror}", place=str(self.path)) from error
        self._remember(told)

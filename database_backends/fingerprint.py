"""The fingerprint of a database file."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

_LOG_SUFFIXES = ("-wal", ".wal")  # SQLite's and DuckDB's


def of_file(path: Path) -> str:
    """A digest of what a database file holds, its write-ahead log included.

    The content is read once per process for each size, modification time and inode.

    Raises:
        OSError: The file cannot be read.
    """
    logs = [path.with_name(path.name + suffix) for suffix in _LOG_SUFFIXES]
    files = [path, *(log for log in logs if log.exists() and log.stat().st_size)]
    return "blake2b:" + "+".join(_digest(file, *_identity(file)) for file in files)


def _identity(path: Path) -> tuple[int, int, int]:
    stat = path.stat()
    return stat.st_size, stat.st_mtime_ns, stat.st_ino


@lru_cache(maxsize=1024)
def _digest(path: Path, size: int, modified: int, inode: int) -> str:  # the last three are the cache's key
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()

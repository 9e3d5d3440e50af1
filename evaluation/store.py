"""A small map on disk from digests to bytes, shared safely by several processes."""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
from pathlib import Path

from sqlassay.errors import UserError


class Store:
    """One SQLite file in WAL mode: what `put` has returned from survives a killed process, whatever kills it.

    A power cut or a crash of the operating system may take the last entries (`synchronous=NORMAL`), never the file:
    what is lost is made again.

    Args:
        path: The file; made, with its folder, when it is not there.

    Raises:
        UserError: The file cannot be made or is not a store.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(path, isolation_level=None, timeout=30, check_same_thread=False)
            self._connection.execute("PRAGMA journal_mode=WAL")
            self._connection.execute("PRAGMA synchronous=NORMAL")
            self._connection.execute("CREATE TABLE IF NOT EXISTS entry(key BLOB PRIMARY KEY, value BLOB) WITHOUT ROWID")
        except (OSError, sqlite3.Error) as error:
            raise self._unusable(error) from error

    def get(self, key: bytes) -> bytes | None:
        """The value of a key; `None` when there is none.

        Raises:
            UserError: The file cannot be read.
        """
        try:
            row = self._connection.execute("SELECT value FROM entry WHERE key = ?", (key,)).fetchone()
        except sqlite3.Error as error:
            raise self._unusable(error) from error
        return None if row is None else bytes(row[0])

    def put(self, key: bytes, value: bytes) -> None:
        """Set the value of a key; when this returns, it survives this process.

        Raises:
            UserError: The file cannot be written.
        """
        try:
            self._connection.execute("INSERT OR REPLACE INTO entry VALUES (?, ?)", (key, value))
        except sqlite3.Error as error:
            raise self._unusable(error) from error

    def take(self, path: Path) -> None:
        """Add what another store has and this one has not.

        Args:
            path: Its file.

        Raises:
            UserError: One of the files cannot be used.
        """
        try:
            self._connection.execute("ATTACH ? AS other", (str(path),))
            self._connection.execute("INSERT OR IGNORE INTO entry SELECT key, value FROM other.entry")
            self._connection.execute("DETACH other")
        except sqlite3.Error as error:
            raise self._unusable(error) from error

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def _unusable(self, error: Exception) -> UserError:
        return UserError(
            f"cache cannot be used: {error}",
            place=str(self.path),
            remedy="delete the file, or name another folder in SQLASSAY_CACHE",
        )


def digest(**parts: object) -> bytes:
    """SHA-256 of named parts made of JSON types."""
    text = json.dumps(parts, sort_keys=True, ensure_ascii=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).digest()


def cache_folder() -> Path:
    """What `SQLASSAY_CACHE` names, or the user's cache folder."""
    folder = os.environ.get("SQLASSAY_CACHE")
    if folder is None:
        from platformdirs import user_cache_dir

        folder = user_cache_dir("sqlassay")
    return Path(folder).expanduser()

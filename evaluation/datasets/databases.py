"""Where the database of a `db_id` is."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path


def find_database(folders: Iterable[Path], db_id: str, suffixes: tuple[str, ...]) -> Path | None:
    """The first file of `<folder>/<db_id>/<db_id><suffix>` and `<folder>/<db_id><suffix>` that is there.

    Args:
        folders: Where to look, in this order.
        db_id: The database. One that is not a plain name is never found: it could lead out of the folder.
        suffixes: What the names of the engine's files end in, the usual one first.
    """
    if not is_plain_name(db_id):
        return None
    for folder in folders:
        for suffix in suffixes:
            for file in (folder / db_id / f"{db_id}{suffix}", folder / f"{db_id}{suffix}"):
                if _is_file(file):
                    return file
    return None


def is_plain_name(db_id: str) -> bool:
    """Whether it names something in a folder, and cannot lead out of it."""
    return db_id not in ("", "..") and Path(db_id).name == db_id


def _is_file(file: Path) -> bool:
    try:
        return file.is_file()
    except OSError:  # a db_id that is too long for a name, or a folder that may not be entered
        return False

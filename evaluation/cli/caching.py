"""Where the shared cache is."""

from __future__ import annotations

import os
from pathlib import Path

from evaluation.store import Store


def shared_store(*, wanted: bool) -> Store | None:
    """The cache of gold results, answers and lists of models, in `SQLASSAY_CACHE` or the user's cache folder.

    Args:
        wanted: `False` gives none.

    Raises:
        UserError: It cannot be used.
    """
    if not wanted:
        return None
    return Store(cache_folder() / "cache.sqlite")


def cache_folder() -> Path:
    """What `SQLASSAY_CACHE` names, or the user's cache folder."""
    folder = os.environ.get("SQLASSAY_CACHE")
    if folder is None:
        from platformdirs import user_cache_dir

        folder = user_cache_dir("sqlassay")
    return Path(folder).expanduser()

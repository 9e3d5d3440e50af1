"""Where the shared cache is."""

from __future__ import annotations

from evaluation.store import Store, cache_folder


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

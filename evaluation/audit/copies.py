"""Copies of the databases with their rows in another order, each made once."""

from __future__ import annotations

import asyncio
from pathlib import Path

from database_backends.base import CanShuffle, DatabaseBackend
from database_backends.errors import BackendError


class ShuffledCopies:
    """Makes copies when they are first asked for.

    Args:
        backend: The engine.
        folder: Where they go; it is the caller's to remove.
        megabytes: A larger database is not copied.
        seed: Which order.
    """

    def __init__(self, backend: type[DatabaseBackend], folder: Path, *, megabytes: int, seed: int = 0) -> None:
        self._backend = backend
        self._folder = folder
        self._megabytes = megabytes
        self._seed = seed
        self._made: dict[tuple[str, bool], asyncio.Task[Path | str]] = {}
        self._one_at_a_time = asyncio.Lock()

    async def of(self, target: str, *, bare: bool) -> Path | str:
        """The copy of a database, or why there is none."""
        key = target, bare
        if key not in self._made:
            self._made[key] = asyncio.create_task(self._make(target, len(self._made), bare=bare))
        return await asyncio.shield(self._made[key])

    async def _make(self, target: str, number: int, *, bare: bool) -> Path | str:
        if not issubclass(self._backend, CanShuffle):
            return f"{self._backend.title} has no way to copy a database with its rows in another order"
        async with self._one_at_a_time:
            return await asyncio.to_thread(self._copy, self._backend, target, number, bare=bare)

    def _copy(self, backend: type[CanShuffle], target: str, number: int, *, bare: bool) -> Path | str:
        # Its name stays: DuckDB statements may name the database by that of its file.
        copy = self._folder / f"{number}_{'bare' if bare else 'kept'}" / Path(target).name
        try:
            size = Path(target).stat().st_size
            if size > self._megabytes << 20:
                return f"its database is larger than {self._megabytes} MiB, and is not copied"
            copy.parent.mkdir(parents=True)
            backend.shuffled_copy(target, str(copy), self._seed + bare, bare=bare)
        except BackendError as error:
            return f"no copy of its database with the rows in another order: {error.message}"
        except OSError as error:
            return f"no copy of its database with the rows in another order: {error}"
        return copy

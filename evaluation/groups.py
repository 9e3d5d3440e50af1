"""The name that the runs of one execution of an experiment share."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import chain, count
from pathlib import Path

from evaluation.sharding import Shard
from sqlassay.errors import UserError


def new_group(name: str, runs: Path, shard: Shard | None = None, started: datetime | None = None) -> str:
    """A name for a new execution of an experiment, such as `demo-20260131-235959`.

    The folder of its first run is made at once, so that no other process can take the same name.

    Args:
        name: The experiment's.
        runs: The folder of runs.
        shard: Becomes part of the name, for the other shards may begin on other machines in the same second.
        started: When it began; now unless given.

    Raises:
        UserError: The folder of runs cannot be written.
    """
    stem = f"{name}-{started or datetime.now(UTC):%Y%m%d-%H%M%S}"
    if shard is not None:
        stem += f"-{shard.number}of{shard.of}"
    for candidate in chain([stem], (f"{stem}-{number}" for number in count(2))):
        try:
            (runs / f"{candidate}-01").mkdir(parents=True)
        except FileExistsError:
            if not runs.is_dir():
                raise UserError("is not a folder", place=str(runs), remedy="name another with --runs") from None
        except OSError as error:
            raise UserError(f"cannot be written: {error.strerror}", place=str(runs)) from error
        else:
            return candidate
    raise AssertionError("there is always a next number")

"""The selection that command-line options describe."""

from __future__ import annotations

from collections.abc import Sequence

from evaluation.datasets.selection import Selection, parse_filter
from sqlassay.errors import UserError


def selection_of(
    limit: int | None, sample: int | None, seed: int | None, filters: Sequence[str] | None, ids: str | None
) -> Selection:
    """The selection that `--limit`, `--sample`, `--seed`, `--filter` and `--ids` describe.

    Raises:
        UserError: One of them makes no sense.
    """
    pairs = tuple(parse_filter(text) for text in filters or ())
    wanted = tuple(part.strip() for part in (ids or "").split(",") if part.strip())
    if seed is not None and sample is None:
        raise UserError("--seed chooses a sample, and none is taken", remedy="add --sample N, or leave it out")
    return Selection(limit, sample, seed or 0, pairs, wanted)

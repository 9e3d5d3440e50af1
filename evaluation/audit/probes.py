"""Every probe, in the order of reports."""

from __future__ import annotations

from collections.abc import Sequence

from evaluation.audit.base import PROBES, Probe
from sqlassay.errors import UnknownName

OURS = (
    "duplicate_id",
    "duplicate_question",
    "not_parsing",
    "failing",
    "timing_out",
    "empty",
    "all_null",
    "duplicate_rows",
    "tie_at_limit",
    "tie_in_order",
    "limit_without_order",
    "numeric_text",
    "clock",
    "randomness",
    "unrepeatable",
    "row_shuffle",
    "other_plan",
    "float_sum",
)
"""The order of those that come with sqlassay; those of other packages come behind them."""


def every_probe() -> tuple[type[Probe], ...]:
    """Every registered probe.

    Raises:
        UserError: One of them cannot be loaded.
    """
    return probes_named(PROBES.names())


def probes_named(names: Sequence[str]) -> tuple[type[Probe], ...]:
    """The probes of these names, each once.

    Raises:
        UnknownName: There is none of a name.
        UserError: One of them cannot be loaded.
    """
    for name in names:
        if name not in PROBES.names():
            raise UnknownName("probe", name, PROBES.names())
    ours = [name for name in OURS if name in names]
    return tuple(PROBES.get(name) for name in (*ours, *sorted(set(names) - set(OURS))))

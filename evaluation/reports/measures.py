"""Measures as people read them."""

from __future__ import annotations

from collections.abc import Sequence

CLUSTERS = {"db_id": "database", "conversation": "conversation", "question": "question"}
"""What the answers of one cluster share."""


def percent(share: float | None) -> str:
    """`61.5 %`."""
    return "–" if share is None else f"{100 * share:.1f} %"


def between(ends: Sequence[float] | None) -> str:
    """The ends of an interval of shares: `58.0 – 65.1`."""
    return "–" if ends is None else f"{100 * ends[0]:.1f} – {100 * ends[1]:.1f}"


def points(difference: float) -> str:
    """A difference of shares in points of a hundred."""
    return f"{100 * difference:.1f}".replace("-0.0", "0.0")


def signed(difference: float) -> str:
    """In points of a hundred, with the sign."""
    return f"{100 * difference:+.1f}".replace("-0.0", "0.0").replace("+0.0", "0.0")


def chance(p: float) -> str:
    """A p as a table has it: `0.043`."""
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def equals(p: float) -> str:
    """As a sentence says a p."""
    told = chance(p)
    return told if told.startswith("<") else f"= {told}"

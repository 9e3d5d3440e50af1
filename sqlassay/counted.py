"""How many things there are, and which, in messages."""

from __future__ import annotations

from collections.abc import Sequence


def counted(number: int, one: str, many: str = "") -> str:
    """`1 line`, `1,034 lines`.

    Args:
        number: How many.
        one: The noun.
        many: Its plural; with an s when left out.
    """
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def some(names: Sequence[str], most: int, between: str = ", ") -> str:
    """`a, b, c and 1,031 more`.

    Args:
        names: Of all.
        most: How many are named.
        between: What is between two of them.
    """
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return between.join(names[:most]) + more

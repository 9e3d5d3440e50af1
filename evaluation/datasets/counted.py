"""A number with its noun, for messages."""

from __future__ import annotations


def counted(number: int, one: str, many: str = "") -> str:
    """`1 line`, `1,034 lines`.

    Args:
        number: How many.
        one: The noun.
        many: Its plural; with an s when left out.
    """
    return f"{number:,} {one if number == 1 else many or one + 's'}"

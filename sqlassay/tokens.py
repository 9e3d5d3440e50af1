"""How many tokens a text has."""

from __future__ import annotations

from dataclasses import dataclass

_BYTES_PER_TOKEN = 4


@dataclass(frozen=True)
class TokenCount:
    """Tokens of a text.

    Attributes:
        tokens: How many.
        exact: Whether they were counted, not estimated.
        counted_by: What counted them.
    """

    tokens: int
    exact: bool
    counted_by: str


def count(text: str, model: str = "") -> TokenCount:
    """The tokens of a text, estimated: four bytes of UTF-8 are taken for one.

    Args:
        text: The text.
        model: The model that reads it.
    """
    return TokenCount(-(-len(text.encode("utf-8", "surrogatepass")) // _BYTES_PER_TOKEN), False, "bytes / 4")

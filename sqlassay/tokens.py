"""How many tokens a text has."""

from __future__ import annotations

import math
from dataclasses import dataclass

_BYTES_PER_TOKEN = 3


@dataclass(frozen=True)
class TokenCount:
    """A number of tokens.

    Attributes:
        tokens: How many.
        exact: Whether the model's own tokens were counted.
        counted_by: What counted them.
    """

    tokens: int
    exact: bool
    counted_by: str


def count(text: str, model: str = "") -> TokenCount:
    """The tokens of a text, estimated from its bytes in UTF-8.

    Args:
        text: The text.
        model: Whose tokens.
    """
    size = len(text.encode("utf-8", "surrogatepass"))
    return TokenCount(math.ceil(size / _BYTES_PER_TOKEN), False, f"bytes / {_BYTES_PER_TOKEN}")

"""Data within a prompt: whatever it says, it stays data.

Three walls. Every line of data begins with a mark that no line of the prompt's own begins with, so no line of data can
be taken for one; the lines around a block carry a digest of all the data, which nobody can know who writes a part of
it; and the tokens by which servers tell where a message ends are broken up. Marking the lines is the datamarking of
Hines et al., "Defending Against Indirect Prompt Injection Attacks With Spotlighting" (2024), by line instead of by
word.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

from sqlassay.chat_formats import without_tokens
from sqlassay.printable import printable

LINE = "| "
"""What every line of data begins with."""
LONGEST = 20_000
"""Characters of a shortened text."""


def quoted(texts: Mapping[str, str]) -> dict[str, str]:
    """Each text as a block under its name; an empty text stays empty.

    The same texts give the same blocks, so that answers can be cached.

    Args:
        texts: All data of one prompt, by what it is called there.
    """
    mark = _mark(texts)
    return {name: _block(mark, name, text) if text else "" for name, text in texts.items()}


def shortened(text: str) -> str:
    """A text of the one who is judged, whose length is nobody's choice but its own."""
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}\n… ({len(text) - LONGEST:,} more characters)"


def _mark(texts: Mapping[str, str]) -> str:
    """A digest of all the texts that stands in none of them."""
    content = json.dumps(dict(texts)).encode("ascii")
    mark = hashlib.sha256(content).hexdigest()[:16]
    while any(mark in text for text in texts.values()):
        mark = hashlib.sha256(mark.encode("ascii") + content).hexdigest()[:16]
    return mark


def _block(mark: str, name: str, text: str) -> str:
    # splitlines knows every character that anything may take for the end of a line.
    lines = [LINE + without_tokens(printable(line)) for line in text.splitlines()]
    title = name.replace("_", " ")
    return "\n".join([f"[{mark}: {title}]", *lines, f"[{mark}: end of {title}]"])

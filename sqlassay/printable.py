"""Text that commands no terminal: much of what is shown was written by models, servers and datasets."""

from __future__ import annotations

import re

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")  # all but tab and newline


def printable(text: str) -> str:
    r"""The text with its control characters, and what is no Unicode, spelled out, as `\x1b[2J`."""
    shown = _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", text)
    return shown.encode("utf-8", "backslashreplace").decode()

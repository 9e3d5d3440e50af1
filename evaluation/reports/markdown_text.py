"""Text of others as Markdown that shows it and does nothing: questions, SQL and labels were written by anybody."""

from __future__ import annotations

import re
from itertools import groupby

from sqlassay.printable import printable

_MARKUP = r"[\\`*\[\]{}<>|~&$^!]|(?<![^\W_])_|_(?![^\W_])|^(?:[-+=]|\d(?=\d*[.)]))"
"""An underscore within a word is nothing; what begins a list does so only at the beginning."""
_LIVE = r"(?<!\w)@|@(?!\d+(?:\s|$))|#|:(?=//|[\w+-]+:)|(?<=www)\."
"""What a forge makes mentions, references, emoji and links of; `zero_shot@1` is a prompt."""
_ACTIVE = re.compile(f"(?P<markup>{_MARKUP})|{_LIVE}", re.IGNORECASE)
_NOTHING = "<!-- -->"
"""Not shown, and no word goes on across it."""
CUT = "… ({:,} more characters)"


def clipped(text: str, characters: int) -> str:
    """Not more than so many characters, with a mark that says how many are left out."""
    text = printable(text)
    return text if len(text) <= characters else text[:characters] + CUT.format(len(text) - characters)


def plain(text: str, characters: int = 1000) -> str:
    """On one line, also in a cell: no markup, no HTML, no link, nobody mentioned."""
    line = " ".join(clipped(text, characters).split())
    return _ACTIVE.sub(_still, line)


def _still(found: re.Match[str]) -> str:
    if found["markup"]:
        return f"&#{ord(found[0])};"
    return _NOTHING + found[0] if found[0] == "." else found[0] + _NOTHING


def code(text: str, characters: int = 300) -> str:
    """As code on one line; not for a cell, where a bar would end it."""
    line = " ".join(clipped(text, characters).split()) or " "
    fence = "`" * (1 + _longest_ticks(line))
    space = " " if line[0] == "`" or line[-1] == "`" else ""
    return f"{fence}{space}{line}{space}{fence}"


def fenced(text: str, language: str = "") -> str:
    """As a block of code."""
    fence = "`" * max(3, 1 + _longest_ticks(text))
    return f"{fence}{language}\n{printable(text)}\n{fence}"


def _longest_ticks(text: str) -> int:
    return max((len(list(run)) for letter, run in groupby(text) if letter == "`"), default=0)

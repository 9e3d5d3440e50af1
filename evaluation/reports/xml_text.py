"""Text of others as XML can hold it."""

from __future__ import annotations

import re

from sqlassay.printable import printable

_NO_XML = re.compile("[\ufffe\uffff]")


def legal(text: str) -> str:
    """The text with what no XML can hold spelled out; not escaped."""
    return _NO_XML.sub(lambda found: f"\\u{ord(found[0]):04x}", printable(text))

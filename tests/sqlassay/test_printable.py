"""What is shown commands no terminal."""

from __future__ import annotations

import pytest

from sqlassay.printable import printable

SHOWN = {
    "plain": "plain",
    "two\n\tlines": "two\n\tlines",
    "\x1b[2Jgone": "\\x1b[2Jgone",
    "a\rb\x00\x07\x7f": "a\\x0db\\x00\\x07\\x7f",
    "\x9b31m": "\\x9b31m",
    "é – \U0001f600": "é – \U0001f600",
    "\ud800": "\\ud800",
}


@pytest.mark.parametrize(("text", "shown"), SHOWN.items(), ids=ascii)
def test_control_characters_are_spelled_out(text: str, shown: str) -> None:
    assert printable(text) == shown

"""Text and marks can be told from what is behind them, by day and by night (WCAG 2.2, 1.4.3 and 1.4.11)."""

from __future__ import annotations

import re
from importlib.resources import files

import pytest

TEXT = 4.5
MARK = 3.0
BEHIND = ("ground", "raised")


def colours() -> dict[str, dict[str, str]]:
    """The colours of each mode by name."""
    css = (files("evaluation.reports.html") / "report.css").read_text("utf-8")
    light = re.search(r"^:root \{\n(.*?)^\}", css, re.M | re.S)
    dark = re.search(r"prefers-color-scheme: dark\) \{\s*:root \{\n(.*?)\n  \}", css, re.S)
    assert light is not None
    assert dark is not None
    return {
        mode: dict(re.findall(r"--([\w-]+): (#\w{6})", block[1])) for mode, block in (("light", light), ("dark", dark))
    }


def luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_contrast_is_computed_as_the_standard_does() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_everything_can_be_told_from_its_ground(mode: str) -> None:
    named = colours()[mode]
    assert named.keys() == colours()["light"].keys()
    pairs = [
        (text, behind, TEXT)
        for text in ("text", "muted", "link", "correct", "incorrect", "unscored")
        for behind in BEHIND
    ]
    pairs += [("text", behind, TEXT) for behind in ("chosen", "warning", "only-left", "only-right")]
    pairs += [(f"run-{number}", behind, MARK) for number in range(8) for behind in BEHIND]
    pairs += [("focus", behind, MARK) for behind in BEHIND]
    pairs += [("muted", "ground", MARK), ("incorrect", "only-left", MARK), ("correct", "only-right", MARK)]
    bad = [
        (a, b, round(contrast(named[a], named[b]), 2)) for a, b, least in pairs if contrast(named[a], named[b]) < least
    ]
    assert not bad

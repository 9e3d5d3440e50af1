"""The forms in which a verdict is told."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from evaluation.endings import by_ending
from evaluation.gate.junit import junit
from evaluation.gate.markdown import markdown
from evaluation.gate.text import text
from evaluation.gate.verdict import GateVerdict
from sqlassay.errors import UserError


def as_json(verdict: GateVerdict) -> str:
    """For programs."""
    return json.dumps(verdict.to_json(), indent=2, ensure_ascii=True) + "\n"


FORMS: dict[str, Callable[[GateVerdict], str]] = {"text": text, "json": as_json, "markdown": markdown, "junit": junit}
SUFFIXES = {".txt": "text", ".json": "json", ".md": "markdown", ".xml": "junit"}


def form_of(path: Path) -> str:
    """The form that a file is to have, by its ending.

    Raises:
        UserError: No form has this ending, or there is no such folder.
    """
    found = by_ending(path, SUFFIXES, "form of a verdict")
    if not path.parent.is_dir():
        raise UserError("there is no such folder", place=str(path.parent), remedy="make it first")
    return found

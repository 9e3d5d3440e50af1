"""Checks, as they are shown: of databases, of models."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from evaluation.cli import output
from sqlassay.counted import counted

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.text import Text

    from sqlassay.validation import Check


def as_json(checks: Iterable[Check]) -> list[dict[str, Any]]:
    """For programs; a time only where one was taken."""
    return [{key: value for key, value in asdict(check).items() if value is not None} for check in checks]


def table(checks: Iterable[Check]) -> RenderableType:
    """One line a check."""
    return output.table(("result", "check", "found"), [(word(one), one.name, found(one)) for one in checks])


def verdict(checks: Sequence[Check]) -> str:
    """All of them in a line."""
    failed = sum(not one.ok for one in checks)
    warnings = counted(sum(one.warning for one in checks), "warning")
    said = f"not all right: {counted(failed, 'check')} failed" if failed else "all right"
    return f"{said}, {warnings}"


def word(check: Check) -> Text:
    """How it went."""
    from rich.text import Text

    if not check.ok:
        return Text("failed", style="bold red")
    return Text("warning", style="yellow") if check.warning else Text("ok", style="green")


def found(check: Check) -> str:
    """What was found, and what to do about it."""
    return f"{check.detail}\n→ {check.remedy}" if check.remedy else check.detail

"""What was found about one thing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlassay.validation import Check, ValidationResult


class State(StrEnum):
    """How a thing is."""

    OK = "ok"
    WARNING = "warning"
    """It works, and yet something should be done."""
    FAILED = "failed"
    ABSENT = "not there"
    """Nobody needs it, unless they want what it is for."""


@dataclass(frozen=True)
class Finding:
    """One line of the doctor's table.

    Attributes:
        thing: What was looked at, such as `model openai:gpt-5`.
        state: How it is.
        found: What was found. Never a key.
        remedy: What to do about it; empty where there is nothing to do.
    """

    thing: str
    state: State
    found: str
    remedy: str = ""

    def to_json(self) -> dict[str, str | None]:
        """As JSON types."""
        return {"thing": self.thing, "state": self.state.value, "found": self.found, "remedy": self.remedy or None}


def of_checks(thing: str, result: ValidationResult) -> Iterator[Finding]:
    """What is not all right about a thing, each on a line; one line where all is."""
    told = [check for check in result.checks if check.warning or not check.ok]
    if not told:
        yield Finding(thing, State.OK, _listed(result.checks))
    for check in told:
        state = State.WARNING if check.ok else State.FAILED
        yield Finding(thing, state, f"{check.name}: {check.detail}", check.remedy)


def _listed(checks: Iterable[Check]) -> str:
    return ", ".join(check.name for check in checks)

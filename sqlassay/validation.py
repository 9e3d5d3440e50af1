"""What every “is this endpoint, database or server all right?” returns."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Check:
    """One thing that was looked at.

    Attributes:
        name: What was checked, such as "authentication".
        ok: Whether it is all right.
        detail: What was found.
        remedy: What to do when it is not all right, or could be better.
        warning: Whether it is all right, and yet something should be done.
        seconds: How long what was checked took, where it was timed.
    """

    name: str
    ok: bool
    detail: str = ""
    remedy: str = ""
    warning: bool = False
    seconds: float | None = None


@dataclass(frozen=True)
class ValidationResult:
    """The checks of one subject.

    Attributes:
        subject: What was validated: a model, a database, a server.
        checks: In the order in which they were made.
    """

    subject: str
    checks: tuple[Check, ...] = field(default=())

    @property
    def ok(self) -> bool:
        """Whether every check is all right."""
        return all(check.ok for check in self.checks)

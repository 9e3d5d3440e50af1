"""Watching models: a history of checks, and an alert when a model turns unhealthy or recovers."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from adapters.base import ModelAdapter
from evaluation.jsonl import line_of, mend_tail, read_lines
from sqlassay.errors import UserError
from sqlassay.secrets import without
from sqlassay.validation import ValidationResult


@dataclass(frozen=True)
class Observation:
    """One check of one model.

    Attributes:
        time: When, in UTC, as ISO 8601.
        model: `PROVIDER:MODEL`.
        endpoint: Where it is.
        ok: Whether it can be used.
        seconds: What the smallest request took; `None` where it was not answered.
        problem: Which check failed, and why; empty when none did.
    """

    time: str
    model: str
    endpoint: str
    ok: bool
    seconds: float | None
    problem: str

    @classmethod
    def of(cls, adapter: ModelAdapter, result: ValidationResult) -> Observation:
        """What a check has found, now."""
        failed = next((check for check in result.checks if not check.ok), None)
        return cls(
            datetime.now(UTC).isoformat(timespec="seconds"),
            name_of(adapter),
            adapter.endpoint,
            result.ok,
            next((check.seconds for check in result.checks if check.name == "answer"), None),
            "" if failed is None else without(f"{failed.name}: {failed.detail}"),
        )


@dataclass(frozen=True)
class Alert:
    """A model has changed from healthy to unhealthy or back.

    Attributes:
        event: `unhealthy` or `recovered`.
        observation: The check that told.
        since: Of a recovery: when it was first seen unhealthy.
    """

    event: str
    observation: Observation
    since: str = ""

    def to_json(self) -> dict[str, Any]:
        """What a webhook gets: `text` for chat programs, the fields for all others."""
        return {
            "text": str(self),
            "event": self.event,
            **asdict(self.observation),
            **({"since": self.since} if self.since else {}),
        }

    def __str__(self) -> str:
        """One line."""
        one = self.observation
        if self.event == "recovered":
            return f"{one.model} has recovered; it was unhealthy since {self.since}"
        return f"{one.model} is unhealthy: {one.problem}"


class History:
    """The checks so far, in a file of JSON lines, and what a further one changes.

    A model that is unhealthy when it is seen for the first time has turned so.

    Args:
        path: The file; made when it is not there.

    Raises:
        UserError: It cannot be used.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._down: dict[tuple[str, str], str] = {}
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
            mend_tail(path)
            for line in read_lines(path):
                self._note(Observation(**line))
        except OSError as error:
            raise self._unusable(error) from error
        except TypeError as error:
            raise UserError("is no history of checks", place=str(path), remedy="name another file") from error

    def add(self, observation: Observation) -> Alert | None:
        """Write a check down.

        Returns:
            What has changed with it; `None` when nothing has.

        Raises:
            UserError: It cannot be written.
        """
        try:
            with self.path.open("ab") as file:
                file.write(line_of(observation))
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise self._unusable(error) from error
        return self._note(observation)

    def _note(self, one: Observation) -> Alert | None:
        key = (one.model, one.endpoint)
        since = self._down.get(key)
        if one.ok:
            return None if self._down.pop(key, None) is None else Alert("recovered", one, since or "")
        self._down.setdefault(key, one.time)
        return Alert("unhealthy", one) if since is None else None

    def _unusable(self, error: OSError) -> UserError:
        remedy = "name another with --history"
        return UserError(f"cannot be used: {error.strerror}", place=str(self.path), remedy=remedy)


def name_of(adapter: ModelAdapter) -> str:
    """How a model is named on the command line."""
    return f"{adapter.provider}:{adapter.model}"

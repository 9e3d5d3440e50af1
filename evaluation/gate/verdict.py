"""What the gate says of runs: one object, of which every form of it is made."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlassay.errors import ExitCode


class Judged(StrEnum):
    """What became of one rule."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_JUDGED = "not_judged"
    """Nothing can be said, for want of a baseline or of numbers."""
    UNUSABLE = "unusable"
    """The run is broken, which says nothing about the system under test."""

    @property
    def words(self) -> str:
        """For people."""
        return self.value.replace("_", " ")


class Outcome(StrEnum):
    """What becomes of the whole."""

    PASSED = "passed"
    FAILED = "failed"
    UNUSABLE = "unusable"

    @property
    def exit_code(self) -> ExitCode:
        """How the command ends."""
        return _EXIT[self]


_EXIT = {Outcome.PASSED: ExitCode.OK, Outcome.FAILED: ExitCode.GATE_FAILED, Outcome.UNUSABLE: ExitCode.UNUSABLE}


@dataclass(frozen=True)
class RuleVerdict:
    """One rule, applied to the runs of one cell, or to all.

    Attributes:
        rule: The rule, as the experiment file names it.
        judged: What became of it.
        words: Why, in a sentence.
        cell: The cell; empty for all runs together.
        measured: What was measured: a share, a number of tokens, money, seconds; `None` where nothing was.
        limit: What it is held against; `None` where there is no number.
        interval_95: Where what was measured may well be; `None` where nobody can tell.
        p: How often luck alone would make as much of it, after Holm; `None` where luck is not asked about.
    """

    rule: str
    judged: Judged
    words: str
    cell: str = ""
    measured: float | None = None
    limit: float | None = None
    interval_95: tuple[float, float] | None = None
    p: float | None = None


@dataclass(frozen=True)
class GateVerdict:
    """What the gate says.

    Attributes:
        experiment: The experiment's name.
        runs: The ids of the gated runs.
        baseline: What they are held against, in words; empty when there is none.
        basis: Which rules hold, and where they are from.
        rules: Every rule with what became of it, cell by cell; what is about all runs is last.
        notes: What else is good to know.
    """

    experiment: str
    runs: tuple[str, ...]
    baseline: str
    basis: str
    rules: tuple[RuleVerdict, ...]
    notes: tuple[str, ...] = ()

    @property
    def outcome(self) -> Outcome:
        """Of all rules: only what is not broken can fail, so a failure weighs more than a run that is unusable."""
        judged = {rule.judged for rule in self.rules}
        if Judged.FAILED in judged:
            return Outcome.FAILED
        return Outcome.UNUSABLE if Judged.UNUSABLE in judged else Outcome.PASSED

    @property
    def exit_code(self) -> ExitCode:
        """0 passed, 3 failed, 1 unusable."""
        return self.outcome.exit_code

    @property
    def headline(self) -> str:
        """The outcome in one line."""
        against = f" against {self.baseline}" if self.baseline else ""
        return f"gate {self.outcome.value}: {listed(self.runs)}{against}"

    @property
    def cells(self) -> Iterator[tuple[str, list[RuleVerdict]]]:
        """The rules of each cell, in their order; those of all runs under an empty name."""
        for cell in dict.fromkeys(rule.cell for rule in self.rules):
            yield cell, [rule for rule in self.rules if rule.cell == cell]

    def to_json(self) -> dict[str, Any]:
        """As JSON types."""
        return {
            "outcome": self.outcome.value,
            "exit_code": int(self.exit_code),
            "experiment": self.experiment,
            "runs": list(self.runs),
            "baseline": self.baseline or None,
            "basis": self.basis,
            "rules": [{**vars(rule), "judged": rule.judged.value, "cell": rule.cell or None} for rule in self.rules],
            "notes": list(self.notes),
        }


def listed(runs: Sequence[str]) -> str:
    """Runs for people, by their ids; at least one."""
    return runs[0] if len(runs) == 1 else f"{len(runs)} runs ({runs[0]} … {runs[-1]})"

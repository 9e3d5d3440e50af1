"""Where strategies part: the same answers, credited by one and refused by the other, and what it hangs on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from evaluation.comparison.mechanism import Mechanism
from evaluation.records import ItemRecord, VerdictRecord
from evaluation.verdicts import RELATIVE, Status

REFERENCE = "execution_match"
"""The strategy that the others are held against, where the run has it; else the run's first."""


@dataclass
class Parting:
    """How one strategy parts from the reference.

    Attributes:
        reference: The label of the reference.
        other: The label of the other strategy.
        credited: Items that the other credits and the reference refuses, by mechanism.
        refused: Items that the other refuses and the reference credits, by mechanism.
        compared: Items that both have scored.
    """

    reference: str
    other: str
    credited: Counter[Mechanism] = field(default_factory=Counter)
    refused: Counter[Mechanism] = field(default_factory=Counter)
    compared: int = 0


class Disagreements:
    """How every strategy parts from the reference, added up item by item."""

    def __init__(self) -> None:
        self._found: dict[str, Parting] = {}

    def add(self, record: ItemRecord, times: int = 1) -> None:
        """Count one item, or so many whose verdicts are all alike."""
        reference = reference_of(record.verdicts)
        for verdict in record.verdicts:
            if reference is None or verdict is reference or verdict.reason in RELATIVE:
                continue
            parting = self._found.get(verdict.strategy)
            if parting is None:
                parting = self._found[verdict.strategy] = Parting(reference.strategy, verdict.strategy)
            if Status.UNSCORED in (verdict.status, reference.status):
                continue
            parting.compared += times
            if verdict.status is not reference.status:
                counts = parting.credited if verdict.status is Status.CORRECT else parting.refused
                counts[mechanism_of(reference)] += times

    @property
    def partings(self) -> list[Parting]:
        """One for every strategy but the reference."""
        return list(self._found.values())


def disagree(record: ItemRecord) -> bool:
    """Whether one strategy credits the item and another refuses it."""
    statuses = {verdict.status for verdict in record.verdicts if verdict.reason not in RELATIVE}
    return {Status.CORRECT, Status.INCORRECT} <= statuses


def mechanism_of(reference: VerdictRecord) -> Mechanism:
    """What a disagreement hangs on, as the reference found it; the text when it found nothing."""
    name = reference.evidence.get("mechanism")
    return Mechanism(name) if name in tuple(Mechanism) else Mechanism.TEXT


def reference_of(verdicts: Sequence[VerdictRecord]) -> VerdictRecord | None:
    """The verdict that others are held against; `None` where there is none at all."""
    ours = [verdict for verdict in verdicts if verdict.strategy == REFERENCE]
    return next(iter([*ours, *verdicts]), None)

"""What the records of one side say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from evaluation.compare.answers import Asked, Told
from evaluation.compare.arms import Arm
from evaluation.compare.spending import Spending
from evaluation.records import ItemRecord
from evaluation.reports.slices import KEYS
from evaluation.verdicts import Status
from sqlassay.errors import UnknownName

SLICED_BY = ("difficulty", "db_id", "tag", "turn", "feature")
"""What questions can be sliced by, of the keys of `evaluation.reports.slices`: what both sides have in common."""


@dataclass(frozen=True)
class Reading:
    """What the records of one side say, by one strategy.

    Attributes:
        answers: What was said of each answer.
        spending: What they took.
    """

    answers: Mapping[Asked, Told]
    spending: Spending

    @property
    def unscored(self) -> tuple[Asked, ...]:
        """What could not be scored, in the order of the questions."""
        found = [asked for asked, told in self.answers.items() if told.reason.status is Status.UNSCORED]
        return tuple(sorted(found, key=lambda asked: (self.answers[asked].position, asked.repeat)))


def read(arm: Arm, strategy: str, by: str | None = None) -> Reading:
    """Read every record of one side, once.

    Args:
        arm: The side.
        strategy: The label of the strategy whose verdicts are wanted.
        by: What to slice by; `None` is the difficulty, where a question has one.

    Raises:
        UserError: A record cannot be read.
        UnknownName: Nothing can be sliced by this.
    """
    if by is not None and by not in SLICED_BY:
        raise UnknownName("slice", by, SLICED_BY, place="--by")
    answers: dict[Asked, Told] = {}
    spending = Spending()
    for run in arm.runs:
        repeat = run.manifest["identity"]["repeat"]
        for record in run.items():
            slices = _slices(record, by, arm.dialect)
            for verdict in record.verdicts:
                if verdict.strategy == strategy:
                    answers[Asked(record.id, repeat)] = Told.of(record, verdict, slices)
            spending.add(
                record, right=any(v.strategy == strategy and v.status is Status.CORRECT for v in record.verdicts)
            )
    return Reading(answers, spending)


def _slices(record: ItemRecord, by: str | None, dialect: str) -> tuple[str, ...]:
    if by is None:
        return () if record.difficulty is None else (record.difficulty,)
    return KEYS[by](record, dialect)

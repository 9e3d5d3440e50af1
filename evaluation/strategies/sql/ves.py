"""VES, BIRD's first figure of efficiency."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from database_backends.timing import Plan
from evaluation.base.timing import TimedEvaluator
from evaluation.statistics.efficiency import mean_ratio, ves


class Ves(TimedEvaluator):
    """The root of the gold's time by the prediction's, as its authors' script takes it.

    Only the time to the first row is taken, the prediction goes first in every pair, and a mean without outliers is
    the middle. Each run has a new connection. Source: `evaluation_ves.py` in `bird/llm/src` of
    AlibabaResearch/DAMO-ConvAI.

    Args:
        repeats: How many times each statement runs.
        seconds: After that long no further pair of runs begins.
        against_itself: Whether the gold is timed against itself too.
    """

    name: ClassVar[str] = "ves"
    version: ClassVar[str] = "1"
    figure: ClassVar[str] = "VES"

    def __init__(self, repeats: int = 100, seconds: float = 60.0, *, against_itself: bool = False) -> None:
        super().__init__(repeats, seconds, against_itself=against_itself)

    @property
    def plan(self) -> Plan:
        """To the first row, the prediction first, on a new connection."""
        return Plan(self.repeats, "first_row", reconnect=True, interleaved=False, seconds=self.seconds)

    def ratio(self, values: Sequence[float]) -> float:
        """The mean without outliers."""
        return mean_ratio(values)

    def points(self, ratio: float) -> float:
        """VES."""
        return ves(ratio)

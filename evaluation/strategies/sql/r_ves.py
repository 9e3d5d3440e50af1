"""R-VES, BIRD's figure of efficiency by steps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from database_backends.timing import Plan
from evaluation.base.timing import TimedEvaluator
from evaluation.statistics.efficiency import mean_ratio, r_ves


class RVes(TimedEvaluator):
    """A reward for the ratio of times, as its authors' script gives it.

    Executing, fetching and closing are timed, the prediction goes first in every pair, and a mean without outliers is
    the middle. Each run has a new connection. Source: `evaluation/evaluation_ves.py` of bird-bench/mini_dev.

    Args:
        repeats: How many times each statement runs.
        seconds: After that long no further pair of runs begins.
        against_itself: Whether the gold is timed against itself too.
    """

    name: ClassVar[str] = "r_ves"
    version: ClassVar[str] = "1"
    figure: ClassVar[str] = "R-VES"

    def __init__(self, repeats: int = 100, seconds: float = 60.0, *, against_itself: bool = False) -> None:
        super().__init__(repeats, seconds, against_itself=against_itself)

    @property
    def plan(self) -> Plan:
        """All rows, the prediction first, on a new connection."""
        return Plan(self.repeats, "all_rows", reconnect=True, interleaved=False, seconds=self.seconds)

    def ratio(self, values: Sequence[float]) -> float:
        """The mean without outliers."""
        return mean_ratio(values)

    def points(self, ratio: float) -> float:
        """R-VES."""
        return r_ves(ratio)

"""R-VES, measured so that noise does not decide it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from database_backends.timing import Plan
from evaluation.base.timing import TimedEvaluator
from evaluation.statistics.efficiency import median_ratio, r_ves


class RVesRobust(TimedEvaluator):
    """R-VES's rewards for a ratio that a repetition reproduces.

    The two statements take turns in going first, the median is the middle, and a prediction that is slower by no more
    than a dead band counts as equally fast: under R-VES itself, a gold against itself is as often below 1 as above, and
    loses a quarter of its reward. What the gold gets against itself is told beside the figure.

    Args:
        repeats: How many times each statement runs.
        seconds: After that long no further pair of runs begins.
        dead_band: A prediction may take longer than the gold by this share of the gold's time.
        against_itself: Whether the gold is timed against itself too.

    Raises:
        ValueError: A number is out of its range.
    """

    name: ClassVar[str] = "r_ves_robust"
    version: ClassVar[str] = "1"
    figure: ClassVar[str] = "robust R-VES"

    def __init__(
        self, repeats: int = 30, seconds: float = 60.0, dead_band: float = 0.1, *, against_itself: bool = True
    ) -> None:
        super().__init__(repeats, seconds, against_itself=against_itself)
        if not 0 <= dead_band < 1:
            raise ValueError("dead_band must be from 0 to below 1")
        self.dead_band = dead_band

    @property
    def settings(self) -> Mapping[str, object]:
        """Those of all that time, and the dead band."""
        return {**super().settings, "dead_band": self.dead_band}

    @property
    def plan(self) -> Plan:
        """All rows, in turns, on one connection."""
        return Plan(self.repeats, "all_rows", seconds=self.seconds)

    def ratio(self, values: Sequence[float]) -> float:
        """The median."""
        return median_ratio(values)

    def points(self, ratio: float) -> float:
        """R-VES with the dead band."""
        return r_ves(ratio, self.dead_band)

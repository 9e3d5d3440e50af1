"""How far a judge agrees with the truth."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist
from typing import Self

from evaluation.statistics.interval import Bounded, difference, wilson


@dataclass(frozen=True)
class Confusion:
    """What a judge said of items of which the truth is known.

    Attributes:
        both_correct: Correct, and the judge says so.
        lenient: Incorrect, and the judge says correct.
        harsh: Correct, and the judge says incorrect.
        both_incorrect: Incorrect, and the judge says so.

    Raises:
        ValueError: A count is negative.
    """

    both_correct: int
    lenient: int
    harsh: int
    both_incorrect: int

    def __post_init__(self) -> None:
        if min(self.both_correct, self.lenient, self.harsh, self.both_incorrect) < 0:
            raise ValueError("a count is negative")

    @classmethod
    def of(cls, pairs: Iterable[tuple[bool, bool]]) -> Self:
        """Count pairs of what the judge says and what is true, each whether it is correct."""
        counts = {(says, true): 0 for says in (True, False) for true in (True, False)}
        for pair in pairs:
            counts[pair] += 1
        return cls(counts[True, True], counts[True, False], counts[False, True], counts[False, False])

    @property
    def total(self) -> int:
        """All items."""
        return self.both_correct + self.lenient + self.harsh + self.both_incorrect

    @property
    def correct(self) -> int:
        """Items that are correct in truth."""
        return self.both_correct + self.harsh

    @property
    def incorrect(self) -> int:
        """Items that are incorrect in truth."""
        return self.both_incorrect + self.lenient

    @property
    def judged_correct(self) -> int:
        """Items that the judge says are correct."""
        return self.both_correct + self.lenient

    @property
    def lenient_rate(self) -> Bounded | None:
        """The share of the incorrect items that the judge lets pass, 1 − specificity; `None` where there are none."""
        return _share(self.lenient, self.incorrect)

    @property
    def harsh_rate(self) -> Bounded | None:
        """The share of the correct items that the judge refuses, 1 − sensitivity; `None` where there are none."""
        return _share(self.harsh, self.correct)

    @property
    def agreement(self) -> Bounded | None:
        """The share of the items on which judge and truth agree; `None` where there are no items."""
        return _share(self.both_correct + self.both_incorrect, self.total)

    @property
    def base_rate(self) -> Bounded | None:
        """The share of the items that are correct in truth; `None` where there are no items."""
        return _share(self.correct, self.total)

    @property
    def judged_rate(self) -> Bounded | None:
        """The share of the items that the judge says are correct; `None` where there are no items."""
        return _share(self.judged_correct, self.total)

    @property
    def youden(self) -> Bounded | None:
        """Youden's J, sensitivity + specificity − 1: 1 never errs, 0 is no better than a coin, whatever its bias.

        Source: W. J. Youden, "Index for rating diagnostic tests", Cancer 3 (1950), 32-35. `None` where one of the two
        is unknown.
        """
        if not (self.correct and self.incorrect):
            return None
        return difference(self.both_correct, self.correct, self.lenient, self.incorrect)

    @property
    def kappa(self) -> Bounded | None:
        """Cohen's kappa: agreement beyond what two that know nothing of each other would have by chance.

        It depends on the base rate, so that kappas of two samples compare only where their base rates do. The
        interval is of the large-sample kind, with half an item added to every cell: a table without errors would have
        one of no width. `None` where kappa is not defined: both say the same of everything.

        Sources: J. Cohen, "A coefficient of agreement for nominal scales", Educational and Psychological Measurement
        20 (1960), 37-46; J. L. Fleiss, J. Cohen and B. S. Everitt, "Large sample standard errors of kappa and
        weighted kappa", Psychological Bulletin 72 (1969), 323-327.
        """
        cells = (self.both_correct, self.lenient, self.harsh, self.both_incorrect)
        value, _ = _kappa(*cells) if self.total else (None, 0.0)
        if value is None:
            return None
        middle, error = _kappa(*(cell + 0.5 for cell in cells))
        assert middle is not None  # noqa: S101 - no cell is empty
        half = NormalDist().inv_cdf(0.975) * error
        return Bounded(value, max(-1.0, min(value, middle - half)), min(1.0, max(value, middle + half)))


def _share(successes: int, total: int) -> Bounded | None:
    return Bounded(successes / total, *wilson(successes, total)) if total else None


def _kappa(both: float, lenient: float, harsh: float, neither: float) -> tuple[float | None, float]:
    """Kappa and its standard error; no kappa where all is expected."""
    total = both + lenient + harsh + neither
    judged, true = (both + lenient) / total, (both + harsh) / total
    agreed = (both + neither) / total
    expected = judged * true + (1 - judged) * (1 - true)
    if expected == 1:
        return None, 0.0
    value = (agreed - expected) / (1 - expected)
    on_diagonal = sum(
        cell / total * ((1 - expected) - (rows + columns) * (1 - agreed)) ** 2
        for cell, rows, columns in ((both, judged, true), (neither, 1 - judged, 1 - true))
    )
    # Of a cell off the diagonal: the truth's share of what the judge says, and the judge's of what is true.
    off_diagonal = sum(
        cell / total * (columns + rows) ** 2
        for cell, columns, rows in ((lenient, true, 1 - judged), (harsh, 1 - true, judged))
    )
    variance = on_diagonal + (1 - agreed) ** 2 * off_diagonal - (agreed * expected - 2 * expected + agreed) ** 2
    return value, sqrt(max(variance, 0.0) / total) / (1 - expected) ** 2

"""How often a judge that is asked again says something else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Self

from evaluation.statistics.interval import Bounded, wilson


@dataclass(frozen=True)
class Flips:
    """Verdicts on the same thing, compared with each other.

    Attributes:
        items: Things that were judged at least twice.
        unstable: Of these, how many were not judged the same every time.
        pairs: Pairs of verdicts on the same thing.
        differing: Of these, how many differ.

    Raises:
        ValueError: A count is negative, or a part is more than the whole.
    """

    items: int
    unstable: int
    pairs: int
    differing: int

    def __post_init__(self) -> None:
        if not (0 <= self.unstable <= self.items and 0 <= self.differing <= self.pairs):
            raise ValueError("a count is negative, or a part is more than the whole")

    @classmethod
    def of(cls, groups: Iterable[Sequence[bool]]) -> Self:
        """Count the verdicts on each thing; one that was judged once tells nothing."""
        items = unstable = pairs = differing = 0
        for verdicts in groups:
            if len(verdicts) > 1:
                items += 1
                unstable += len(set(verdicts)) > 1
                compared = [one != other for one, other in combinations(verdicts, 2)]
                pairs += len(compared)
                differing += sum(compared)
        return cls(items, unstable, pairs, differing)

    @property
    def rate(self) -> float | None:
        """How likely the next verdict is another one, however often was asked; `None` where nothing was asked twice."""
        return self.differing / self.pairs if self.pairs else None

    @property
    def unstable_share(self) -> Bounded | None:
        """The share of the things not judged the same every time, which grows with the number of times."""
        return Bounded(self.unstable / self.items, *wilson(self.unstable, self.items)) if self.items else None

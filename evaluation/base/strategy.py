"""The contract that every evaluation strategy fulfils."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from typing import ClassVar

from evaluation.base.case import Case
from evaluation.verdicts import Summary, Verdict
from sqlassay.registry import Registry


class EvaluationStrategy(ABC):
    """One way to say how good an answer is.

    A strategy is made with keyword settings, each with a default; the run log records the settings it was made
    with. `evaluate` is called concurrently and keeps nothing between calls.
    """

    name: ClassVar[str]
    """The registered name."""
    version: ClassVar[str]
    """Changes whenever a verdict could."""
    needs_gold: ClassVar[bool] = True
    """Whether the dataset must have gold SQL."""
    needs_execution: ClassVar[bool] = True
    """Whether the statements must be executed first."""
    needs_model: ClassVar[bool] = False
    """Whether it asks a model."""

    @property
    def label(self) -> str:
        """The name in reports and verdict files: the registered one, or `name:variant`."""
        return self.name

    @property
    def settings(self) -> Mapping[str, object]:
        """Everything that can change a verdict; goes into the run log."""
        return {}

    @abstractmethod
    async def evaluate(self, case: Case) -> Verdict:
        """Judge one item.

        A failure of the instrument is an `unscored` verdict, not an exception.
        """

    def aggregate(self, verdicts: Iterable[Verdict]) -> Summary:
        """Add up the verdicts of a run; the iterable is read once."""
        return Summary.of(verdicts)


STRATEGIES: Registry[EvaluationStrategy] = Registry("strategy", "sqlassay.strategies", EvaluationStrategy)

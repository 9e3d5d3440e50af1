"""Execution match: does the statement return what the gold returns?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from database_backends.result import Outcome, ResultTable
from evaluation.base.case import Case, Executed
from evaluation.base.execution import ExecutionEvaluator, Side
from evaluation.conventions.base import CONVENTIONS, Statements
from evaluation.verdicts import Verdict

DEFAULT = "sqlassay"
"""The convention by which results are compared unless another is named."""


class ExecutionMatch(ExecutionEvaluator):
    """Compares results under one convention.

    Args:
        convention: The registered name of the convention.
        settings: The convention's own settings.
    """

    name: ClassVar[str] = "execution_match"
    version: ClassVar[str] = "1"

    def __init__(self, convention: str = DEFAULT, **settings: object) -> None:
        self.convention = CONVENTIONS.make(convention, settings)

    @property
    def label(self) -> str:
        """`execution_match` for the default convention, else `execution_match:bird`."""
        name = self.convention.name
        return self.name if name == DEFAULT else f"{self.name}:{name}"

    @property
    def settings(self) -> Mapping[str, object]:
        """The convention with its version and settings."""
        return {
            "convention": self.convention.name,
            "convention_version": self.convention.version,
            **self.convention.settings,
        }

    def rewrite(self, sql: str, side: Side, case: Case) -> str:
        """Ask the convention."""
        return self.convention.rewrite(sql, side, case.dialect)

    def further_gold(self, gold: ResultTable, predicted: ResultTable, expected: Executed, case: Case) -> str | None:
        """Ask the convention."""
        return self.convention.further_gold(gold, predicted, self._statements(expected, case))

    def compare(
        self, gold: ResultTable, predicted: ResultTable, expected: Executed, case: Case, further: Outcome | None
    ) -> Verdict:
        """Ask the convention."""
        return self.convention.compare(gold, predicted, self._statements(expected, case), further)

    def judge_cut(self, gold: ResultTable, predicted: ResultTable) -> Verdict:
        """Ask the convention."""
        return self.convention.judge_cut(gold, predicted)

    def _statements(self, expected: Executed, case: Case) -> Statements:
        assert case.predicted is not None  # noqa: S101 - `evaluate` has settled it
        question = case.question
        return Statements(
            expected.sql, case.predicted.sql, case.dialect, question.text, question.tags, expected.result, case.texts
        )

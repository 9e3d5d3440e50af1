"""A judge that is shown the gold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from evaluation.base.case import Case
from evaluation.base.llm import GRADE
from evaluation.strategies.llm.against_gold import AgainstGold
from evaluation.strategies.llm.grading import graded
from evaluation.verdicts import Verdict


class LlmJudge(AgainstGold):
    """Whether the statement answers the question as well as the gold does, in the judgement of a model.

    Args:
        prompt: The prompt; its `grades` are what may be said, and their scores.
        vote: How many judges must agree: `majority` or `unanimous`.
        rows: Rows of each result that the judges are shown.
        variant: Part of the label.
        when: Ask where execution has not proven equality (`not_proven`), or `always`.
        convention: By which results are equal.
    """

    name: ClassVar[str] = "llm_judge"
    version: ClassVar[str] = "2"
    own_prompt: ClassVar[str] = "judge_gold"

    def check_prompt(self) -> None:
        """Its grades are scores of the answer."""
        super().check_prompt()
        self.check_scores()

    def verdict(self, case: Case, grades: Mapping[str, str]) -> Verdict:
        """The score of the grade."""
        return graded(self.template.grades[grades[GRADE]].value)

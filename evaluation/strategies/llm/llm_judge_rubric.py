"""A judge that grades criterion by criterion."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from evaluation.base.case import Case
from evaluation.judging.ballot import Ballot, Menu
from evaluation.strategies.llm.against_gold import AgainstGold
from evaluation.strategies.llm.grading import graded
from evaluation.verdicts import FIGURES, Verdict


class LlmJudgeRubric(AgainstGold):
    """How much of what is asked for is right: the weighted mean of the scores under the criteria of the prompt.

    With several judges, each criterion is decided by itself.

    Args:
        prompt: The prompt; its `criteria` have weights, and its `grades` scores.
        vote: How many judges must agree: `majority` or `unanimous`.
        rows: Rows of each result that the judges are shown.
        variant: Part of the label.
        when: Ask where execution has not proven equality (`not_proven`), or `always`.
        convention: By which results are equal.
    """

    name: ClassVar[str] = "llm_judge_rubric"
    version: ClassVar[str] = "2"
    own_prompt: ClassVar[str] = "judge_rubric"
    by_criteria: ClassVar[bool] = True

    def check_prompt(self) -> None:
        """It needs criteria that weigh something, too."""
        super().check_prompt()
        self.check_scores()
        if not sum(one.value for one in self.template.criteria.values()):
            raise self.unfit("has no criteria", "`criteria:` with a description and a weight each")

    @property
    def menu(self) -> Menu:
        """Every criterion with every grade."""
        return dict.fromkeys(self.template.criteria, tuple(self.template.grades))

    def went_with(self, ballot: Ballot, grades: Mapping[str, str]) -> bool:
        """Whether it gave all of these grades, or any of those that say that something is wrong.

        Each criterion is decided by itself, so that the verdict may be nobody's as a whole.
        """
        faults = {(name, grade) for name, grade in grades.items() if self.template.grades[grade].value < 1}
        return super().went_with(ballot, grades) or not faults.isdisjoint(ballot.grades.items())

    def verdict(self, case: Case, grades: Mapping[str, str]) -> Verdict:
        """The weighted mean, and the score under each criterion in per cent."""
        scores = {name: self.template.grades[grade].value for name, grade in grades.items()}
        weights = {name: one.value for name, one in self.template.criteria.items()}
        found = graded(sum(weights[name] * score for name, score in scores.items()) / sum(weights.values()))
        figures = {f"{name} in %": 100 * score for name, score in scores.items()}
        return Verdict(found.reason, found.score, {"grades": dict(grades), FIGURES: figures})

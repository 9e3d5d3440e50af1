"""A judge that is shown no gold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from evaluation.base.case import Case
from evaluation.base.llm import GRADE, LLMEvaluator, without_judge
from evaluation.strategies.llm.grading import graded
from evaluation.verdicts import Verdict


class LlmJudgeReferenceFree(LLMEvaluator):
    """Whether the statement answers the question, in the judgement of a model that sees no gold, even if there is one.

    A statement that does not run is wrong without being asked about.
    """

    name: ClassVar[str] = "llm_judge_reference_free"
    version: ClassVar[str] = "2"
    own_prompt: ClassVar[str] = "judge_reference_free"
    shows: ClassVar[frozenset[str]] = frozenset({"candidate_sql", "candidate_result"})
    subjects: ClassVar[tuple[tuple[str, ...], ...]] = (("candidate_sql", "candidate_result"),)

    def check_prompt(self) -> None:
        """Its grades are scores of the answer."""
        super().check_prompt()
        self.check_scores()

    async def beforehand(self, case: Case) -> Verdict | None:
        """No statement, or one that does not run."""
        return without_judge(case)

    def shown(self, case: Case) -> Sequence[Mapping[str, str]]:
        """One request: the statement and its result, in the order in which it came."""
        return [{"candidate_sql": case.sql or "", "candidate_result": self.result(case, ordered=True)}]

    def verdict(self, case: Case, grades: Mapping[str, str]) -> Verdict:
        """The score of the grade."""
        return graded(self.template.grades[grades[GRADE]].value)

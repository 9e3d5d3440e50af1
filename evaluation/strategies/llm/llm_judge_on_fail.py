"""A judge of the judgement: where execution says wrong, it says whether the gold may be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar

from evaluation.base.case import Case
from evaluation.base.llm import GRADE
from evaluation.strategies.llm.against_gold import AgainstGold
from evaluation.verdicts import ANNOTATION, NO_RESULT, Reason, Status, Verdict


class LlmJudgeOnFail(AgainstGold):
    """The verdicts of execution, and beside those that say wrong what a judge thinks of them. It overrides none.

    Asked are items whose results differ; a statement that does not run leaves nothing to argue about.

    Args:
        prompt: The prompt; its `grades` are the remarks that may be made. Their scores count nothing.
        vote: How many judges must agree: `majority` or `unanimous`.
        rows: Rows of each result that the judges are shown.
        variant: Part of the label.
        convention: By which results are equal.
    """

    name: ClassVar[str] = "llm_judge_on_fail"
    version: ClassVar[str] = "2"
    own_prompt: ClassVar[str] = "judge_on_fail"

    def __init__(
        self,
        prompt: str = "",
        vote: str = "majority",
        rows: int = 20,
        variant: str = "",
        convention: str = "sqlassay",
    ) -> None:
        super().__init__(prompt, vote, rows, variant, convention=convention)

    async def evaluate(self, case: Case) -> Verdict:
        """Execution's verdict, annotated where it says wrong."""
        found = await self.execution.evaluate(case)
        if found.status is not Status.INCORRECT or case.settled is not None or found.reason in NO_RESULT:
            return found
        remark = await super().evaluate(case)
        return replace(found, evidence={**found.evidence, **remark.evidence}, calls=remark.calls)

    async def beforehand(self, case: Case) -> Verdict | None:
        """Nothing more: it is asked only where execution says wrong."""
        return None

    def verdict(self, case: Case, grades: Mapping[str, str]) -> Verdict:
        """The remark."""
        return Verdict.of(Reason.JUDGED_WRONG, **{ANNOTATION: grades[GRADE]})

    def undecided(self, case: Case, reason: Reason) -> Verdict:
        """A remark that could not be had: said, and counted."""
        return Verdict.of(reason, **{ANNOTATION: f"no remark: {reason.words}"})

"""A judge between two systems."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import ClassVar

from database_backends.result import ExecutionFailure, Outcome, ResultTable
from evaluation.base.case import Case, Executed
from evaluation.base.execution import failed_prediction
from evaluation.base.llm import GRADE, LLMEvaluator
from evaluation.judging.ballot import Ballot
from evaluation.judging.bench import Bench
from evaluation.judging.rival import Rival
from evaluation.judging.samples import sample
from evaluation.strategies.sql.execution_match import ExecutionMatch
from evaluation.verdicts import FIGURES, NOT_ASKED, Reason, Status, Verdict

POSITIONS = ("first", "second", "tie")
"""What a judge may say of two answers."""
BETTER, WORSE, TIE = "better", "worse", "tie"
"""What that means for the system under test."""
SWAPPED = {"first": WORSE, "second": BETTER, "tie": TIE}
STRAIGHT = {"first": BETTER, "second": WORSE, "tie": TIE}
_ORDER = re.compile(r"\border\b", re.IGNORECASE)
"""What a statement that asks for an order of rows says, and perhaps another one."""


class LlmJudgePairwise(LLMEvaluator):
    """Which of two systems answers the question better, in the judgement of a model that sees no gold.

    Every judge is asked twice, with either answer first; one that goes with the position says that they are as good
    as each other. Win, tie and loss score 1, 1/2 and 0. The panel is not asked where one of the two has no result, or
    both have the same.

    Args:
        against: The other system: a run, a run's folder, or a file of predictions in the dataset's order.
        prompt: The prompt; its `grades` are first, second and tie.
        vote: How many judges must agree: `majority` or `unanimous`.
        rows: Rows of each result that the judges are shown.
        variant: Part of the label.
    """

    name: ClassVar[str] = "llm_judge_pairwise"
    version: ClassVar[str] = "2"
    own_prompt: ClassVar[str] = "judge_pairwise"
    shows: ClassVar[frozenset[str]] = frozenset({"first_sql", "first_result", "second_sql", "second_result"})
    subjects: ClassVar[tuple[tuple[str, ...], ...]] = (("first_sql", "first_result"), ("second_sql", "second_result"))

    rival: Rival

    def __init__(
        self, against: str, prompt: str = "", vote: str = "majority", rows: int = 20, variant: str = ""
    ) -> None:
        super().__init__(prompt, vote, rows, variant)
        self._against = against
        self._execution = ExecutionMatch(row_order="ignore")

    def appoint(self, bench: Bench) -> None:
        """Read the answers of the other system, too."""
        super().appoint(bench)
        self.rival = bench.rival(self._against)

    def check_prompt(self) -> None:
        """Its grades are of positions."""
        super().check_prompt()
        if set(self.template.grades) != set(POSITIONS):
            raise self.unfit(f"does not offer {', '.join(POSITIONS)}", "offer these `grades:`")

    @property
    def settings(self) -> Mapping[str, object]:
        """Those of every judge, and the other system."""
        against = {"name": self.rival.name, "sha256": self.rival.sha256}
        model = {} if self.rival.model is None else {"model": self.rival.model}
        return {**super().settings, "against": against | model}

    async def evaluate(self, case: Case) -> Verdict:
        """With the other system's answer in the place of a gold."""
        sql = self.rival.sql_by_id.get(case.question.id, "")
        if not sql.strip() or case.run_predicted is None:
            return await super().evaluate(replace(case, golds=()))
        return await super().evaluate(replace(case, golds=(Executed(sql, await case.run_predicted(sql)),)))

    async def beforehand(self, case: Case) -> Verdict | None:
        """Where one has no result, or both have the same."""
        if case.settled is not None and case.settled.status is Status.UNSCORED:
            return case.settled
        if case.question.id not in self.rival.sql_by_id:
            return Verdict.of(Reason.RIVAL_MISSING)
        ours, theirs = _outcome(case.predicted), _outcome(*case.golds)
        for outcome in (ours, theirs):
            if isinstance(outcome, ExecutionFailure) and outcome.kind.is_instrument:
                return failed_prediction(outcome)
        have = isinstance(ours, ResultTable), isinstance(theirs, ResultTable)
        if have == (True, True):
            return self._settled(TIE, "both return the same") if await self._same(case) else None
        if have == (False, False):
            return self._settled(TIE, "neither has a result")
        return self._settled(*((BETTER, "the other system has no result") if have[0] else (WORSE, "it has no result")))

    async def _same(self, case: Case) -> bool:
        """Whether both return the same rows, in the same order too where either statement speaks of one."""
        found = await self._execution.evaluate(case)
        (theirs,) = case.golds
        in_order = found.evidence.get("mechanism") is None
        return found.reason is Reason.MATCH and (
            in_order or not any(_ORDER.search(sql) for sql in (case.sql or "", theirs.sql))
        )

    def shown(self, case: Case) -> Sequence[Mapping[str, str]]:
        """Two requests: this system first, and second."""
        (theirs,) = case.golds
        ours = {"sql": case.sql or "", "result": self.result(case, ordered=True)}
        other = {"sql": theirs.sql, "result": sample(theirs.outcome, self.rows, ordered=True)}
        return [
            {f"{place}_{what}": text for place, answer in pair for what, text in answer.items()}
            for pair in ((("first", ours), ("second", other)), (("first", other), ("second", ours)))
        ]

    def combine(self, ballots: Sequence[Ballot]) -> Ballot:
        """What it says in both positions; a tie where that is not the same, with the reasons for either."""
        straight, swapped = ballots
        said = STRAIGHT[straight.grades[GRADE]], SWAPPED[swapped.grades[GRADE]]
        means = said[0] if said[0] == said[1] else TIE
        flipped = said[0] != said[1]
        ballot = replace(straight, grades={GRADE: means}, figures={"position flips in %": 100.0 * flipped})
        if not flipped:
            return ballot
        whys = (("shown first", straight.why), ("shown second", swapped.why))
        return replace(
            ballot,
            categories=tuple(dict.fromkeys((*straight.categories, *swapped.categories))),
            why="; ".join(f"{place}: {why}" for place, why in whys if why),
        )

    def verdict(self, case: Case, grades: Mapping[str, str]) -> Verdict:
        """Win, tie or loss."""
        return _means(grades[GRADE])

    def _settled(self, means: str, why: str) -> Verdict:
        verdict = _means(means)
        return replace(verdict, evidence={**verdict.evidence, NOT_ASKED: why})


def _outcome(executed: Executed | None = None) -> Outcome | None:
    return None if executed is None else executed.outcome


def _means(outcome: str) -> Verdict:
    reason, score = _VERDICTS[outcome]
    shares = {f"{one} in %": 100.0 * (one == outcome) for one in (BETTER, TIE, WORSE)}
    return Verdict(reason, score, {FIGURES: shares})


_VERDICTS = {
    BETTER: (Reason.JUDGED_BETTER, 1.0),
    TIE: (Reason.JUDGED_EQUAL, 0.5),
    WORSE: (Reason.JUDGED_WORSE, 0.0),
}

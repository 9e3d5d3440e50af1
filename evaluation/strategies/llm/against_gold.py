"""What the judges that are shown a gold have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import ClassVar

from database_backends.result import ResultTable
from evaluation.base.case import Case, Executed
from evaluation.base.llm import LLMEvaluator
from evaluation.conventions.ranking import Ranking
from evaluation.judging.samples import sample
from evaluation.strategies.sql.execution_match import DEFAULT, ExecutionMatch
from evaluation.verdicts import NO_RESULT, NOT_ASKED, NOT_CHECKED, ORDER, Reason, Status, Verdict
from sqlassay.errors import UserError

TRUSTED = frozenset({Reason.MATCH, Reason.MATCH_AMBIGUOUS})
"""What proves that both statements return the same: two empty results do not."""
LOOKS_PAST = frozenset({Reason.ROWS_TRUNCATED, Reason.OVER_BUDGET})
"""Why execution may know nothing while a judge does."""


class When(StrEnum):
    """Which items a judge is asked about."""

    NOT_PROVEN = "not_proven"
    """Those whose results execution does not find equal."""
    ALWAYS = "always"
    """All that there is something to say about."""


class AgainstGold(LLMEvaluator):
    """Shows judges the question, the schema, both statements, and what both return.

    What execution settles is settled: no statement, one that does not run, no gold or one that fails; and that results
    are equal, unless the judge is to be asked always.

    Args:
        prompt: As every judge.
        vote: As every judge.
        rows: As every judge.
        variant: As every judge.
        when: Ask where execution has not proven equality (`not_proven`), or `always`.
        convention: By which results are equal.
    """

    needs_gold: ClassVar[bool] = True
    shows: ClassVar[frozenset[str]] = frozenset(
        {"gold_sql", "gold_result", "candidate_sql", "candidate_result", "ordered"}
    )
    subjects: ClassVar[tuple[tuple[str, ...], ...]] = (
        ("gold_sql", "gold_result"),
        ("candidate_sql", "candidate_result"),
    )

    def __init__(
        self,
        prompt: str = "",
        vote: str = "majority",
        rows: int = 20,
        variant: str = "",
        when: str = When.NOT_PROVEN.value,
        convention: str = DEFAULT,
    ) -> None:
        super().__init__(prompt, vote, rows, variant)
        if when not in list(When):
            raise UserError(f"when is {when!r}", remedy=f"one of {', '.join(When)}")
        self.when = When(when)
        self.execution = ExecutionMatch(convention)

    @property
    def settings(self) -> Mapping[str, object]:
        """Those of every judge, and when it is asked."""
        execution = {"version": self.execution.version, **self.execution.settings}
        return {**super().settings, "when": self.when.value, "execution": execution}

    async def beforehand(self, case: Case) -> Verdict | None:
        """What execution says, where that settles it."""
        found = await self.execution.evaluate(case)
        if found.status is Status.UNSCORED:
            return None if found.reason in LOOKS_PAST else found
        if case.settled is not None or found.reason in NO_RESULT:
            return found
        proven = found.reason in TRUSTED and found.evidence.get(ORDER) != NOT_CHECKED
        if self.when is When.NOT_PROVEN and proven:
            return Verdict(found.reason, found.score, {**found.evidence, NOT_ASKED: "execution proves equality"})
        return None

    def shown(self, case: Case) -> Sequence[Mapping[str, str]]:
        """One request: both statements and both results."""
        ordered = is_ordered(case)
        return [
            {
                "gold_sql": _listed([gold.sql or f"(a result from {_name(gold)})" for gold in case.golds]),
                "gold_result": _listed([sample(gold.outcome, self.rows, ordered=ordered) for gold in case.golds]),
                "candidate_sql": case.sql or "",
                "candidate_result": self.result(case, ordered=ordered),
            }
        ]

    def facts(self, case: Case) -> Mapping[str, object]:
        """Whether the order of rows counts."""
        return {"ordered": is_ordered(case)}


def is_ordered(case: Case) -> bool:
    """Whether the first of the golds asks for an order of rows."""
    gold = case.golds[0] if case.golds else None
    if gold is None or not isinstance(gold.outcome, ResultTable):
        return False
    if gold.result is not None:
        return not gold.result.ignore_order
    found = case.texts.ranking(gold.sql, case.dialect, gold.outcome.columns, len(gold.outcome.rows))
    if isinstance(found, Ranking):
        return found.ordered and found.keys > 0
    return found is not None and "order by" in gold.sql.lower()


def _listed(texts: Sequence[str]) -> str:
    """Several, numbered; one as it is."""
    if len(texts) == 1:
        return texts[0]
    return "\n".join(f"-- {number} of {len(texts)}\n{text}" for number, text in enumerate(texts, start=1))


def _name(gold: Executed) -> str:
    return gold.result.path.name if gold.result is not None else "nowhere"

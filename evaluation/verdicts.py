"""Verdicts: what was decided about one item, why, and how verdicts add up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from math import isfinite
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from evaluation.records import CallRecord


class Status(StrEnum):
    """The three things that can be said of an item."""

    CORRECT = "correct"
    INCORRECT = "incorrect"
    """The system under test failed: no SQL, refused, truncated, does not run, too slow, or simply wrong."""
    UNSCORED = "unscored"
    """The instrument failed: nothing can be said, and it is counted aloud."""


class Reason(StrEnum):
    """Why a verdict is what it is. The vocabulary is closed: every verdict has exactly one of these."""

    # correct
    MATCH = "match"
    MATCH_VACUOUS = "match_vacuous"
    """Both results are empty."""
    MATCH_AMBIGUOUS = "match_ambiguous"
    """The gold leaves a choice (a tie at its LIMIT), and this is one of the legal ones."""
    JUDGED_CORRECT = "judged_correct"
    """A judge says so."""
    JUDGED_BETTER = "judged_better"
    """A judge prefers it to the answer of another system."""
    JUDGED_EQUAL = "judged_equal"
    """A judge prefers neither."""
    # incorrect: there is no result to compare
    NO_SQL = "no_sql"
    REFUSED = "refused"
    TRUNCATED = "truncated"
    """The model's answer was cut off."""
    SYNTAX = "syntax"
    UNKNOWN_TABLE = "unknown_table"
    UNKNOWN_COLUMN = "unknown_column"
    RUNTIME_ERROR = "runtime_error"
    TIMEOUT = "timeout"
    WRITE_ATTEMPT = "write_attempt"
    MULTIPLE_STATEMENTS = "multiple_statements"
    NOT_A_QUERY = "not_a_query"
    PROMPT_TOO_LONG = "prompt_too_long"
    """The rendered prompt does not fit the model."""
    # incorrect: the results differ
    EXTRA_COLUMNS = "extra_columns"
    MISSING_COLUMNS = "missing_columns"
    SWAPPED_COLUMNS = "swapped_columns"
    ROW_COUNT_FANOUT = "row_count_fanout"
    """The right rows, some of them more often than in the gold."""
    MISSING_DISTINCT = "missing_distinct"
    """As fan-out, where the gold says DISTINCT."""
    MISSING_ROWS = "missing_rows"
    EXTRA_ROWS = "extra_rows"
    WRONG_ROWS = "wrong_rows"
    WRONG_ORDER = "wrong_order"
    ROUNDING = "rounding"
    SCALE = "scale"
    TYPE = "type"
    NULL_HANDLING = "null_handling"
    EMPTY = "empty"
    # incorrect: by the text alone
    DIFFERENT_CLAUSES = "different_clauses"
    """Exact set match: some clauses are not the gold's."""
    # incorrect: a judge says so
    JUDGED_WRONG = "judged_wrong"
    JUDGED_WORSE = "judged_worse"
    """A judge prefers the answer of another system."""
    # unscored
    GOLD_MISSING = "gold_missing"
    """The dataset has no gold for this question in this dialect."""
    GOLD_FAILED = "gold_failed"
    GOLD_TIMEOUT = "gold_timeout"
    DATABASE_MISSING = "database_missing"
    ROWS_TRUNCATED = "rows_truncated"
    BACKEND_DOWN = "backend_down"
    PROVIDER_DOWN = "provider_down"
    EARLIER_TURN_UNANSWERED = "earlier_turn_unanswered"
    """The instrument failed on an earlier turn of the conversation, so that this one could not be asked as it is."""
    JUDGE_UNREADABLE = "judge_unreadable"
    JUDGES_DISAGREE = "judges_disagree"
    """No grade has as many votes of the panel as it takes."""
    RIVAL_MISSING = "rival_missing"
    """The other system was not asked this question, or the instrument failed: that is no answer to compare with."""
    OVER_BUDGET = "over_budget"
    """The comparison itself took too long."""
    INTERNAL_ERROR = "internal_error"
    """sqlassay or a plug-in raised an error that nobody foresaw."""

    @property
    def status(self) -> Status:
        """The status that goes with this reason."""
        return _STATUS[self]

    @property
    def words(self) -> str:
        """The reason as a person reads it: `database missing`."""
        return self.value.replace("_", " ")


_CORRECT = {
    Reason.MATCH,
    Reason.MATCH_VACUOUS,
    Reason.MATCH_AMBIGUOUS,
    Reason.JUDGED_CORRECT,
    Reason.JUDGED_BETTER,
    Reason.JUDGED_EQUAL,
}
_UNSCORED = {
    Reason.GOLD_MISSING,
    Reason.GOLD_FAILED,
    Reason.GOLD_TIMEOUT,
    Reason.DATABASE_MISSING,
    Reason.ROWS_TRUNCATED,
    Reason.BACKEND_DOWN,
    Reason.PROVIDER_DOWN,
    Reason.EARLIER_TURN_UNANSWERED,
    Reason.JUDGE_UNREADABLE,
    Reason.JUDGES_DISAGREE,
    Reason.RIVAL_MISSING,
    Reason.OVER_BUDGET,
    Reason.INTERNAL_ERROR,
}
_STATUS = {
    reason: Status.CORRECT if reason in _CORRECT else Status.UNSCORED if reason in _UNSCORED else Status.INCORRECT
    for reason in Reason
}
RELATIVE = frozenset({Reason.JUDGED_BETTER, Reason.JUDGED_EQUAL, Reason.JUDGED_WORSE})
"""What is said of an answer beside another one: not that it is right, nor that it is wrong."""
NO_RESULT = frozenset(
    {
        Reason.NO_SQL,
        Reason.REFUSED,
        Reason.TRUNCATED,
        Reason.SYNTAX,
        Reason.UNKNOWN_TABLE,
        Reason.UNKNOWN_COLUMN,
        Reason.RUNTIME_ERROR,
        Reason.TIMEOUT,
        Reason.WRITE_ATTEMPT,
        Reason.MULTIPLE_STATEMENTS,
        Reason.NOT_A_QUERY,
        Reason.PROMPT_TOO_LONG,
    }
)
"""The reasons of incorrect items that gave no result to compare."""


FIGURES = "figures"
"""The key of `evidence` under which a strategy puts further numbers, by name; reports show the mean of each."""

GOLDS_FOR = "golds_for"
"""The key of `evidence` under which a verdict without a gold says which dialects the question has golds for."""

ORDER = "order"
"""The key of `evidence` under which a convention says of the order of rows what it could not decide."""
NOT_CHECKED = "not checked"
"""That the order of rows, or which rows tie at a LIMIT, is not known; reports count it."""

JUDGES = "judges"
"""The key of `evidence` under which stands what each judge said, and of the settings under which stands who judges."""
JUDGE_CATEGORIES = "judge_categories"
"""The key of `evidence` under which stand the categories of those judges who went with the verdict, if there is one."""
JUDGE_WHY = "judge_why"
"""The key of `evidence` under which one of these judges gives its reasons."""
NOT_ASKED = "not_asked"
"""The key of `evidence` under which a verdict says why no judge was asked for it."""
ANNOTATION = "annotation"
"""The key of `evidence` under which a judge remarks on a verdict that is not its own."""


@dataclass(frozen=True)
class Verdict:
    """What one strategy decided about one item.

    Attributes:
        reason: Why, from the closed vocabulary; it determines the status.
        score: Between 0 and 1; 0 when unscored.
        evidence: What shows it: row and column differences, the engine's message; JSON values, capped.
        calls: What models were asked to find it.
    """

    reason: Reason
    score: float
    evidence: Mapping[str, object] = field(default_factory=dict)
    calls: tuple[CallRecord, ...] = ()

    @property
    def status(self) -> Status:
        """Correct, incorrect or unscored: the reason decides."""
        return self.reason.status

    @property
    def by_judges(self) -> bool:
        """Whether judges were asked for it: nothing settled the matter beforehand, and it is no remark of theirs."""
        return JUDGES in self.evidence and ANNOTATION not in self.evidence

    @classmethod
    def of(cls, reason: Reason, **evidence: object) -> Verdict:
        """The verdict of a yes-or-no strategy: score 1 when the reason is a match, else 0."""
        return cls(reason, 1.0 if reason.status is Status.CORRECT else 0.0, evidence)


@dataclass(frozen=True)
class Figure:
    """A further number of a strategy, added up over the items that have it.

    Attributes:
        total: The sum.
        items: How many items have it.
    """

    total: float = 0.0
    items: int = 0

    @property
    def mean(self) -> float:
        """Over the items that have it; at least one does."""
        return self.total / self.items

    @classmethod
    def add(cls, figures: dict[str, Figure], evidence: Mapping[str, object], times: int = 1) -> None:
        """Add what one verdict tells, or so many like it; what is no finite number is passed over."""
        told = evidence.get(FIGURES)
        for name, value in told.items() if isinstance(told, Mapping) else ():
            if isinstance(value, int | float) and isfinite(value):
                before = figures.get(name, cls())
                figures[name] = cls(before.total + value * times, before.items + times)


@dataclass(frozen=True)
class Summary:
    """How the verdicts of one strategy add up. Nothing leaves a denominator silently.

    Attributes:
        reasons: How often each reason was given.
        score_sum: Sum of the scores of the scored items.
        figures: The strategy's further numbers, by name.
        order_not_checked: Verdicts that stand although the order, or what ties at a LIMIT, could not be asked for.
        judged: Of the verdicts that judges were asked for, how often each status was given.
        not_asked: How often no judge was asked, by why.
        annotations: How often judges remarked what on verdicts that are not their own.
    """

    reasons: Mapping[Reason, int]
    score_sum: float
    figures: Mapping[str, Figure] = field(default_factory=dict)
    order_not_checked: int = 0
    judged: Mapping[Status, int] = field(default_factory=dict)
    not_asked: Mapping[str, int] = field(default_factory=dict)
    annotations: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, verdicts: Iterable[Verdict]) -> Summary:
        """Count verdicts; the iterable is read once and not kept."""
        tally = Tally()
        for verdict in verdicts:
            tally.add(verdict)
        return tally.summary

    def count(self, status: Status) -> int:
        """How many items have this status."""
        return sum(n for reason, n in self.reasons.items() if reason.status is status)

    @property
    def total(self) -> int:
        """All items."""
        return sum(self.reasons.values())

    @property
    def correct(self) -> int:
        """Items that are right."""
        return self.count(Status.CORRECT)

    @property
    def system_failures(self) -> int:
        """Items on which the system under test failed, wrong results included."""
        return self.count(Status.INCORRECT)

    @property
    def no_result(self) -> int:
        """System failures that gave no result to compare."""
        return sum(n for reason, n in self.reasons.items() if reason in NO_RESULT)

    @property
    def instrument_failures(self) -> int:
        """Items about which nothing can be said."""
        return self.count(Status.UNSCORED)

    @property
    def scored(self) -> int:
        """Items with a verdict: the denominator."""
        return self.correct + self.system_failures

    @property
    def vacuous(self) -> int:
        """Matches of two empty results."""
        return self.reasons.get(Reason.MATCH_VACUOUS, 0)

    @property
    def score(self) -> float | None:
        """Mean score of the scored items; `None` when there are none."""
        return self.score_sum / self.scored if self.scored else None


@dataclass
class Tally:
    """Verdicts of one strategy, added up one by one; its attributes are those of `Summary`."""

    reasons: Counter[Reason] = field(default_factory=Counter)
    score_sum: float = 0.0
    figures: dict[str, Figure] = field(default_factory=dict)
    order_not_checked: int = 0
    judged: Counter[Status] = field(default_factory=Counter)
    not_asked: Counter[str] = field(default_factory=Counter)
    annotations: Counter[str] = field(default_factory=Counter)

    def add(self, verdict: Verdict, times: int = 1) -> None:
        """Count one, or so many that are all alike."""
        self.reasons[verdict.reason] += times
        self.score_sum += verdict.score * times
        Figure.add(self.figures, verdict.evidence, times)
        self.order_not_checked += times * (verdict.evidence.get(ORDER) == NOT_CHECKED)
        self.judged[verdict.status] += times * verdict.by_judges
        for counts, key in ((self.not_asked, NOT_ASKED), (self.annotations, ANNOTATION)):
            if key in verdict.evidence:
                counts[str(verdict.evidence[key])] += times

    @property
    def summary(self) -> Summary:
        """What there is so far."""
        return Summary(
            dict(self.reasons),
            self.score_sum,
            dict(self.figures),
            self.order_not_checked,
            dict(self.judged),
            dict(self.not_asked),
            dict(self.annotations),
        )

"""Several judges, one verdict."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from enum import StrEnum

from evaluation.judging.ballot import Ballot
from evaluation.verdicts import Reason


class Vote(StrEnum):
    """How many judges must agree; one that gives no verdict agrees with nobody."""

    MAJORITY = "majority"
    """More than half of the panel."""
    UNANIMOUS = "unanimous"
    """All of it."""


def decide(ballots: Sequence[Ballot], vote: Vote) -> Mapping[str, str] | Reason:
    """The grades that enough judges give, or why there are none.

    Args:
        ballots: One per judge, all of one menu.
        vote: How many must agree on each grade.

    Returns:
        `judges_disagree` where the judges give different grades, and no grade has enough of them; the reason of the
        first judge that gave none where those that did agree.
    """
    needed = len(ballots) if vote is Vote.UNANIMOUS else len(ballots) // 2 + 1
    given = [ballot.grades for ballot in ballots if ballot.failure is None]
    failure = next((ballot.failure for ballot in ballots if ballot.failure is not None), Reason.JUDGES_DISAGREE)
    if not given:
        return failure
    decided = {}
    for name in given[0]:
        counts = Counter(grades[name] for grades in given)
        ((grade, votes),) = counts.most_common(1)
        if votes < needed:
            return Reason.JUDGES_DISAGREE if len(counts) > 1 else failure
        decided[name] = grade
    return decided


def disagree(ballots: Sequence[Ballot]) -> bool | None:
    """Whether two judges give different grades; `None` where fewer than two give any."""
    given = [ballot.grades for ballot in ballots if ballot.failure is None]
    return any(grades != given[0] for grades in given) if len(given) > 1 else None

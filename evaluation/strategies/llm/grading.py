"""From the score that a panel gives to a verdict."""

from __future__ import annotations

from evaluation.verdicts import Reason, Verdict


def graded(score: float) -> Verdict:
    """Correct when nothing is missing; a part of it is wrong, with the part as its score."""
    return Verdict(Reason.JUDGED_CORRECT if score >= 1 else Reason.JUDGED_WRONG, score)

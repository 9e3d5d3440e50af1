"""Several judges, one verdict: a judge that says nothing agrees with nobody."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.judging.ballot import Ballot
from evaluation.judging.panel import Vote, decide, disagree
from evaluation.verdicts import Reason

YES, NO = Ballot({"grade": "yes"}), Ballot({"grade": "no"})
DOWN, GARBLED = Ballot(failure=Reason.PROVIDER_DOWN), Ballot(failure=Reason.JUDGE_UNREADABLE)


@pytest.mark.parametrize(
    ("ballots", "majority", "unanimous"),
    [
        ([YES], "yes", "yes"),
        ([DOWN], Reason.PROVIDER_DOWN, Reason.PROVIDER_DOWN),
        ([YES, YES], "yes", "yes"),
        ([YES, NO], Reason.JUDGES_DISAGREE, Reason.JUDGES_DISAGREE),
        ([YES, DOWN], Reason.PROVIDER_DOWN, Reason.PROVIDER_DOWN),
        ([YES, YES, NO], "yes", Reason.JUDGES_DISAGREE),
        ([YES, YES, DOWN], "yes", Reason.PROVIDER_DOWN),
        ([YES, NO, GARBLED], Reason.JUDGES_DISAGREE, Reason.JUDGES_DISAGREE),
        ([YES, DOWN, GARBLED], Reason.PROVIDER_DOWN, Reason.PROVIDER_DOWN),
        ([GARBLED, DOWN, YES], Reason.JUDGE_UNREADABLE, Reason.JUDGE_UNREADABLE),
        ([YES, YES, NO, NO], Reason.JUDGES_DISAGREE, Reason.JUDGES_DISAGREE),
        ([NO, NO, NO, DOWN, YES], "no", Reason.JUDGES_DISAGREE),
    ],
)
def test_votes(ballots: list[Ballot], majority: str | Reason, unanimous: str | Reason) -> None:
    for vote, expected in ((Vote.MAJORITY, majority), (Vote.UNANIMOUS, unanimous)):
        assert decide(ballots, vote) == (expected if isinstance(expected, Reason) else {"grade": expected})


def test_every_question_is_decided_by_itself() -> None:
    panel = [
        Ballot({"joins": "met", "filters": "met"}),
        Ballot({"joins": "met", "filters": "missed"}),
        Ballot({"joins": "missed", "filters": "missed"}),
    ]
    assert decide(panel, Vote.MAJORITY) == {"joins": "met", "filters": "missed"}
    assert decide(panel[:2], Vote.MAJORITY) is Reason.JUDGES_DISAGREE


@given(st.lists(st.sampled_from([YES, NO, DOWN, GARBLED]), min_size=1, max_size=7))
def test_the_order_of_judges_decides_no_grade(ballots: list[Ballot]) -> None:
    for vote in Vote:
        forth, back = decide(ballots, vote), decide(ballots[::-1], vote)
        assert forth == back or (isinstance(forth, Reason) and isinstance(back, Reason))
        if not isinstance(forth, Reason):
            votes = sum(ballot.grades == forth for ballot in ballots)
            assert votes == len(ballots) if vote is Vote.UNANIMOUS else 2 * votes > len(ballots)


def test_disagreement() -> None:
    assert disagree([YES, NO, DOWN]) is True
    assert disagree([YES, YES, DOWN]) is False
    assert disagree([YES, DOWN]) is None

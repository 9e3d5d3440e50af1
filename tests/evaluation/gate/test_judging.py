"""The rules, applied to numbers."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from evaluation.compare.sentence import points
from evaluation.experiment import DropSection, GateSection
from evaluation.gate.judging import Against, drops, is_usable, others, spent, unjudged, usability
from evaluation.gate.measured import Measured
from evaluation.gate.snapshot import Kept, Pairs
from evaluation.gate.verdict import Judged
from evaluation.reports.summary import Tokens
from evaluation.statistics.clustered import Clustered
from evaluation.statistics.paired import Paired, holm
from tests.evaluation.gate.test_baselines import ONE
from tests.evaluation.statistics.pairs_of_systems import simulated, sizes

COUNTS = st.tuples(st.integers(0, 30), st.integers(0, 30), st.integers(1, 200))


def against(lost: int, won: int, alike: int) -> Against:
    return Against(Pairs(Clustered({"shop": Paired.of(lost, won, alike)}), lost, won, 0))


def measured(**changes: object) -> Measured:
    whole = Measured(ONE, 1, "", 0.0, 0.05, Tokens(), (1.0,))
    return replace(whole, **changes)  # type: ignore[arg-type]


def rules(**content: object) -> GateSection:
    return GateSection.model_validate(content)


@example([(18, 0, 200)], 0.05, 0.1)
@example([(18, 0, 100)], 0.05, 0.1)
@given(st.lists(COUNTS, min_size=1, max_size=4), st.sampled_from([0.01, 0.05]), st.sampled_from([0.0, 0.01, 0.1]))
def test_a_drop_fails_that_is_both_beyond_luck_and_large(
    counts: list[tuple[int, int, int]], alpha: float, least: float
) -> None:
    cells = [(str(number), against(*count)) for number, count in enumerate(counts)]
    found = drops(cells, DropSection(alpha=alpha, min_effect=least))
    raised = holm([Paired.of(*count).p for count in counts])
    for (title, _), (lost, won, alike), p in zip(cells, counts, raised, strict=True):
        drop = (lost - won) / (lost + won + alike)
        verdict = found[title]
        assert (verdict.judged is Judged.FAILED) is (drop > 0 and drop >= least and p <= alpha)
        assert verdict.measured == pytest.approx(-drop)
        assert ("worse" in verdict.words) is (drop > 0)
        assert ("better" in verdict.words) is (drop < 0)
        assert ("may be luck" in verdict.words) is (drop != 0 and p > alpha)
        assert ("points that count" in verdict.words and "less than" in verdict.words) is (0 < drop < least)


def test_what_would_have_been_shown_is_by_the_strictest_test() -> None:
    """Of two cells with the default alpha of 0.05: 0.025."""
    found = drops([("a", against(5, 5, 190)), ("b", against(5, 5, 190))], DropSection.model_validate({}))
    least = Paired.of(5, 5, 190).detectable(0.025)
    assert least is not None
    shown = f"no difference; one of {points(least)} points would probably have been shown; "
    assert all(one.words.startswith(shown) for one in found.values())


def test_nights_without_any_change_seldom_fail() -> None:
    """Four cells a night, each run twice by a system whose answers vary."""
    chance = random.Random(10)
    failed = 0
    for _ in range(400):
        cells = []
        for cell in "abcd":
            flipped = sum(chance.random() < 0.2 for _ in range(200))
            lost = sum(chance.random() < 0.5 for _ in range(flipped))
            cells.append((cell, against(lost, flipped - lost, 200 - flipped)))
        found = drops(cells, DropSection.model_validate({"min_effect": 0}))
        failed += any(one.judged is Judged.FAILED for one in found.values())
    assert failed / 400 <= 0.05


@pytest.mark.parametrize("between", [0.0, 0.1])
def test_they_do_not_where_questions_cluster_either(between: float) -> None:
    """Two cells a night on twenty databases; some nights one database is better, and the next is worse."""
    nights = simulated(1200, sizes(20, 600, 0.5), 0.25, between)
    failed = alone = 0
    for a, b in zip(nights, nights, strict=True):
        cells = [(name, Against(Pairs(one, 0, 0, 0))) for name, one in (("a", a), ("b", b))]
        found = drops(cells, DropSection.model_validate({"min_effect": 0})).values()
        failed += any(one.judged is Judged.FAILED for one in found)
        alone += any(
            p <= 0.05 and one.difference < 0 for one, p in zip((a, b), holm([a.whole.p, b.whole.p]), strict=True)
        )
    assert failed / 600 <= 0.05
    assert (alone / 600 > 0.05) is (between > 0)


def test_a_drop_on_few_databases_is_luck_where_these_differ() -> None:
    """31 of 240 questions are lost and 10 won, nearly all of them on two databases of eight."""
    sums = [(15, 0, 15), (14, 0, 16), (1, 1, 28), (1, 2, 27), (0, 2, 28), (0, 2, 28), (0, 2, 28), (0, 1, 29)]
    one = Clustered({f"db_{number}": Paired.of(*count) for number, count in enumerate(sums)})
    assert one.whole.p < 0.005
    assert one.p > 0.3
    (verdict,) = drops([("a", Against(Pairs(one, 31, 10, 0)))], DropSection.model_validate({})).values()
    assert verdict.judged is Judged.PASSED
    low, high = one.interval()
    assert f"(95 % interval {points(-high)} to {points(-low)}, p = {one.p:.3f}; clustered by database)" in verdict.words
    assert "which may be luck; one of" in verdict.words


def test_what_is_not_paired_is_not_judged() -> None:
    cells = [("a", Against(None, "no run is green yet")), ("b", Against(Pairs(None, 0, 0, 3, 4), changed=2))]
    found = drops(cells, DropSection.model_validate({}))
    assert {one.judged for one in found.values()} == {Judged.NOT_JUDGED}
    assert found["a"].words == "no run is green yet"
    left = "3 not scored in one of both, 4 that only one of both has, 2 changed"
    assert found["b"].words == f"no question is scored in both; left out: {left}"


UNSCORED = replace(ONE, questions={"q0": Kept("shop", "1", "2", "u")})
USABLE = [
    (measured(), {}, True),
    (measured(problem="r-01 is not finished"), {}, False),
    (measured(snapshot=UNSCORED), {}, False),
    (measured(instrument_failures=0.05), {}, True),
    (measured(instrument_failures=0.051), {}, False),
    (measured(instrument_failures=0.051), {"max_instrument_failures": 0.1}, True),
    (measured(instrument_failures=0.05), {"max_instrument_failures": 0}, False),
]


@pytest.mark.parametrize(("cell", "content", "usable"), USABLE)
def test_usable(cell: Measured, content: dict[str, object], usable: bool) -> None:
    assert is_usable(cell, rules(**content)) is usable
    assert (Judged.UNUSABLE in {one.judged for one in usability(cell, rules(**content))}) is not usable


@pytest.mark.parametrize(
    ("tokens", "usable", "judged"),
    [
        (Tokens(cost=2.0, asked=2), True, Judged.PASSED),
        (Tokens(cost=2.01, asked=2), True, Judged.FAILED),
        (Tokens(cost=1.0, asked=2, unknown_cost=1), True, Judged.NOT_JUDGED),
        (Tokens(cost=2.01, asked=2, unknown_cost=1), True, Judged.FAILED),
        (Tokens(cost=2.01, asked=2), False, Judged.NOT_JUDGED),
    ],
)
def test_a_budget(tokens: Tokens, usable: bool, judged: Judged) -> None:
    (verdict,) = spent([measured(tokens=tokens)], rules(max_cost=2), usable=usable)
    assert (verdict.judged, verdict.cell, verdict.limit) == (judged, "", 2)


def test_a_budget_is_of_all_runs_together() -> None:
    cells = [
        measured(tokens=Tokens(input=50, output=10, asked=1)),
        measured(tokens=Tokens(input=30, output=11, asked=1)),
    ]
    (verdict,) = spent(cells, rules(max_tokens=100), usable=True)
    assert (verdict.judged, verdict.measured) == (Judged.FAILED, 101)


def test_rules_that_are_not_given_are_not_told() -> None:
    assert list(others(measured(), rules())) == []
    assert list(spent([measured()], rules(), usable=True)) == []
    assert [one.rule for one in unjudged(rules(), "")] == ["drop"]
    assert list(unjudged(rules(drop=False), "")) == []

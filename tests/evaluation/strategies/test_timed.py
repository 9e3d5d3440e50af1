"""The strategies that time right answers: what they make of given times, and that they take times at all."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from database_backends.errors import FailureKind
from database_backends.result import ExecutionFailure, Limits, Outcome, ResultTable
from database_backends.runner import Runner
from database_backends.timing import Plan, Times
from evaluation.base.case import Case, Executed
from evaluation.base.timing import ITSELF, RIGHT, TimedEvaluator
from evaluation.datasets.base import GoldResult, Question
from evaluation.records import ItemRecord, VerdictRecord
from evaluation.reports import console
from evaluation.reports.summary import RunSummary
from evaluation.settle import settle
from evaluation.strategies.making import make_strategy
from evaluation.verdicts import FIGURES, Figure, Reason, Summary, Verdict
from sqlassay.errors import UserError
from tests.evaluation.world import World

NAMES = ("ves", "r_ves", "r_ves_robust")
ONE, TWO = ResultTable(("a",), ("",), [(1,)]), ResultTable(("a",), ("",), [(2,)])
EMPTY = ResultTable(("a",), ("",), [])
BROKEN = ExecutionFailure(FailureKind.SYNTAX, "near FROM")
LATE = ExecutionFailure(FailureKind.TIMEOUT, "stopped")
DOWN = ExecutionFailure(FailureKind.CONNECTION, "gone")


class Clock:
    """Gives times by the two statements; remembers what it was asked."""

    def __init__(self, times: dict[tuple[str, str], Times | ExecutionFailure]) -> None:
        self.times = times
        self.asked: list[tuple[str, str]] = []
        self.plans: list[Plan] = []

    async def __call__(self, gold: str, predicted: str, plan: Plan) -> Times | ExecutionFailure:
        self.asked.append((gold, predicted))
        self.plans.append(plan)
        return self.times[gold, predicted]


def judge(
    name: str,
    clock: Clock | None,
    predicted: Outcome = ONE,
    golds: Sequence[Executed] = (Executed("G", ONE),),
    settled: Verdict | None = None,
    **settings: object,
) -> Verdict:
    strategy = make_strategy(name, settings)
    assert isinstance(strategy, TimedEvaluator)
    question = Question("q", "?", "show", tuple(gold.sql for gold in golds))
    case = Case(question, "sqlite", tuple(golds), "P", Executed("P", predicted), settled, time=clock)
    return asyncio.run(strategy.evaluate(case))


def times(gold: Sequence[float], predicted: Sequence[float]) -> Times:
    return Times(tuple(gold), tuple(predicted))


EQUAL = times([1], [1])

POINTS = [
    ("ves", times([1, 1], [1, 1]), 100.0, 1.0),
    ("ves", times([4, 4], [1, 1]), 200.0, 1.0),
    ("ves", times([1, 1], [4, 4]), 50.0, 0.5),
    ("r_ves", times([1, 1], [1, 1]), 100.0, 1.0),
    ("r_ves", times([3, 3], [1, 1]), 111.80339887498949, 1.0),
    ("r_ves", times([0.99], [1]), 86.60254037844386, 0.8660254037844386),
    ("r_ves", times([1, 1, 40], [1, 1, 10]), 111.80339887498949, 1.0),  # a mean of 2
    ("r_ves", times([1], [100]), 50.0, 0.5),
    ("r_ves_robust", times([0.99], [1]), 100.0, 1.0),
    ("r_ves_robust", times([0.8], [1]), 86.60254037844386, 0.8660254037844386),
    ("r_ves_robust", times([1, 1, 40], [1, 1, 10]), 100.0, 1.0),  # a median of 1
    ("r_ves_robust", times([3], [1]), 111.80339887498949, 1.0),
]


@pytest.mark.parametrize(("name", "given", "points", "score"), POINTS)
def test_points_and_score(name: str, given: Times, points: float, score: float) -> None:
    verdict = judge(name, Clock({("G", "P"): given, ("G", "G"): EQUAL}))
    figures = verdict.evidence[FIGURES]
    assert isinstance(figures, dict)
    strategy = make_strategy(name)
    assert isinstance(strategy, TimedEvaluator)
    assert figures[strategy.figure] == figures[RIGHT] == pytest.approx(points)
    assert verdict.score == pytest.approx(score)
    assert verdict.reason is Reason.MATCH
    assert verdict.evidence["repeats"] == len(given.first)


def test_the_gold_is_timed_against_itself() -> None:
    clock = Clock({("G", "P"): times([3], [1]), ("G", "G"): times([0.8], [1])})
    verdict = judge("r_ves_robust", clock)
    assert clock.asked == [("G", "P"), ("G", "G")]
    assert clock.plans[0] == clock.plans[1]
    figures = verdict.evidence[FIGURES]
    assert isinstance(figures, dict)
    assert figures[ITSELF] == pytest.approx(86.6025, abs=1e-3)
    assert verdict.evidence["ratio_of_itself"] == 0.8
    assert ITSELF not in judge("r_ves", Clock({("G", "P"): EQUAL})).evidence[FIGURES]  # type: ignore[operator]
    told = judge("r_ves", Clock({("G", "P"): EQUAL, ("G", "G"): EQUAL}), against_itself=True)
    assert told.evidence[FIGURES] == {"R-VES": 100, RIGHT: 100, ITSELF: 100}


def test_a_gold_that_fails_against_itself_costs_only_that() -> None:
    verdict = judge("r_ves_robust", Clock({("G", "P"): EQUAL, ("G", "G"): LATE}))
    assert verdict.evidence[FIGURES] == {"robust R-VES": 100, RIGHT: 100}


PLANS = {
    "ves": Plan(7, "first_row", reconnect=True, interleaved=False, seconds=3),
    "r_ves": Plan(7, "all_rows", reconnect=True, interleaved=False, seconds=3),
    "r_ves_robust": Plan(7, "all_rows", reconnect=False, interleaved=True, seconds=3),
}


@pytest.mark.parametrize("name", NAMES)
def test_how_it_is_measured(name: str) -> None:
    clock = Clock({("G", "P"): EQUAL, ("G", "G"): EQUAL})
    judge(name, clock, repeats=7, seconds=3)
    assert clock.plans[0] == PLANS[name]
    assert make_strategy("ves").settings["repeats"] == make_strategy("r_ves").settings["repeats"] == 100


UNTIMED = {
    "wrong": (TWO, [Executed("G", ONE)], Reason.WRONG_ROWS),
    "broken": (BROKEN, [Executed("G", ONE)], Reason.SYNTAX),
    "late": (LATE, [Executed("G", ONE)], Reason.TIMEOUT),
    "bad gold": (ONE, [Executed("G", BROKEN)], Reason.GOLD_FAILED),
    "no gold": (ONE, [], Reason.GOLD_MISSING),
    "engine down": (DOWN, [Executed("G", ONE)], Reason.BACKEND_DOWN),
}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("predicted", "golds", "reason"), UNTIMED.values(), ids=UNTIMED)
def test_only_right_answers_are_timed(name: str, predicted: Outcome, golds: list[Executed], reason: Reason) -> None:
    clock = Clock({})
    verdict = judge(name, clock, predicted, golds)
    assert (verdict.reason, verdict.score, clock.asked) == (reason, 0, [])
    assert (FIGURES in verdict.evidence) == (reason.status.value == "incorrect")


@pytest.mark.parametrize("name", NAMES)
def test_a_settled_item_is_not_timed(name: str) -> None:
    for reason, counts in ((Reason.REFUSED, True), (Reason.PROVIDER_DOWN, False)):
        verdict = judge(name, Clock({}), settled=Verdict.of(reason))
        assert (verdict.reason, FIGURES in verdict.evidence) == (reason, counts)


def test_the_gold_that_is_met_is_timed() -> None:
    golds = [Executed("F", BROKEN), Executed("T", TWO), Executed("G", ONE), Executed("H", ONE)]
    clock = Clock({("G", "P"): EQUAL})
    assert judge("ves", clock, golds=golds).reason is Reason.MATCH
    assert clock.asked == [("G", "P")]


def test_two_empty_results_are_timed_too() -> None:
    verdict = judge("ves", Clock({("G", "P"): EQUAL}), EMPTY, [Executed("G", EMPTY)])
    assert (verdict.reason, verdict.score) == (Reason.MATCH_VACUOUS, 1)


def test_a_gold_in_a_file_cannot_be_timed() -> None:
    gold = Executed("", ONE, GoldResult(Path("gold.csv")))
    verdict = judge("ves", Clock({}), ONE, [gold])
    assert verdict.reason is Reason.GOLD_MISSING


FAILED = {
    "the prediction": (LATE, EQUAL, Reason.TIMEOUT, True),
    "its process": (ExecutionFailure(FailureKind.OTHER, "died"), EQUAL, Reason.RUNTIME_ERROR, True),
    "the gold": (LATE, LATE, Reason.GOLD_TIMEOUT, False),
    "the gold otherwise": (LATE, BROKEN, Reason.GOLD_FAILED, False),
    "the engine": (DOWN, DOWN, Reason.BACKEND_DOWN, False),
    "the engine, for a moment": (DOWN, EQUAL, Reason.BACKEND_DOWN, False),
}


@pytest.mark.parametrize(("failure", "again", "reason", "counts"), FAILED.values(), ids=FAILED)
def test_whose_failure_it_is(
    failure: ExecutionFailure, again: Times | ExecutionFailure, reason: Reason, counts: bool
) -> None:
    clock = Clock({("G", "P"): failure, ("G", "G"): again})
    verdict = judge("r_ves", clock)
    assert (verdict.reason, verdict.score, FIGURES in verdict.evidence) == (reason, 0, counts)
    assert verdict.evidence["while"] == "timed"
    assert clock.plans[1].repeats == 1


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        *((name, {"repeats": bad}) for name in NAMES for bad in (0, -1, 1.5, "many")),
        *((name, {"seconds": bad}) for name in NAMES for bad in (-1, float("nan"), "long")),
        *(("r_ves_robust", {"dead_band": bad}) for bad in (-0.1, 1, float("nan"), "wide")),
        ("ves", {"dead_band": 0.1}),
    ],
)
def test_bad_settings_are_refused(name: str, settings: dict[str, object]) -> None:
    with pytest.raises(UserError):
        make_strategy(name, settings)


# The figures in reports.


def record(number: int, verdict: Verdict) -> ItemRecord:
    return ItemRecord(str(number), number, "show", "?", verdicts=(VerdictRecord.of("r_ves", verdict),))


VERDICTS = (
    Verdict(Reason.MATCH, 1.0, {FIGURES: {"R-VES": 110, RIGHT: 110, ITSELF: 95.5}}),
    Verdict(Reason.WRONG_ROWS, 0.0, {FIGURES: {"R-VES": 0}}),
    Verdict(Reason.GOLD_FAILED, 0.0, {}),
    Verdict(Reason.MATCH, 1.0, {FIGURES: "another's"}),
    Verdict(Reason.MATCH, 1.0, {FIGURES: {"R-VES": "many", RIGHT: float("nan")}}),
)


def test_figures_are_means_over_the_items_that_have_them() -> None:
    figures = {"R-VES": Figure(110, 2), RIGHT: Figure(110, 1), ITSELF: Figure(95.5, 1)}
    assert Summary.of(VERDICTS).figures == figures
    summary = RunSummary("x")
    for number, verdict in enumerate(VERDICTS):
        summary.add(record(number, verdict))
    assert summary.strategies["r_ves"].figures == figures
    assert console.notes(summary)[0] == (
        "r_ves: R-VES 55.0 (2), of right answers 110.0 (1), gold against itself 95.5 (1)"
    )
    (told,) = summary.to_json()["strategies"]
    assert told["figures"]["R-VES"] == {"mean": 55, "items": 2}


# With a real clock.

SLOW = (
    "WITH RECURSIVE c (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 200000)"
    " SELECT count(*) FROM singer WHERE (SELECT max(x) FROM c) > 0"
)
FAST = "SELECT count(*) FROM singer"


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("gold", "predicted", "faster"), [(SLOW, FAST, True), (FAST, SLOW, False)])
def test_with_a_real_clock(world: World, runner: Runner, name: str, gold: str, predicted: str, faster: bool) -> None:
    strategy = make_strategy(name, {"repeats": 3})
    work = settle(runner, f"sqlite:{world.database}", [gold], predicted, [strategy], limits=Limits())
    verdict = asyncio.run(work).verdicts[name]
    assert verdict.reason is Reason.MATCH
    ratio = verdict.evidence["ratio"]
    assert isinstance(ratio, float)
    assert (ratio > 1) == faster
    assert (verdict.score == 1) == faster


def test_on_the_command_line(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    questions = world.questions(2)
    predictions = world.folder / "predictions.jsonl"
    predictions.write_text(
        '{"id": "q0", "sql": "SELECT count(*) FROM singer"}\n{"id": "q1", "sql": "SELECT 7"}\n', "utf-8"
    )
    assert world.run("score", predictions, "--dataset", f"jsonl:{questions}", "--strategy", "r_ves_robust", "-q") == 0
    assert "gold against itself" in capsys.readouterr().out

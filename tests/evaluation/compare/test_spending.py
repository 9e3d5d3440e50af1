"""Money, tokens and time of one side: what is unknown is not nothing."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from evaluation.compare.spending import Latency, Spending
from evaluation.records import AnswerRecord, CallRecord, ExecutionRecord, ItemRecord


def answer(cost: float | None = 1.0, seconds: float = 1.0, *, cached: bool = False) -> AnswerRecord:
    return AnswerRecord(
        "sha", finish_reason="stop", input_tokens=10, output_tokens=2, cost=cost, seconds=seconds, cached=cached
    )


def spending(*records: ItemRecord) -> Spending:
    """All of them right."""
    found = Spending()
    for record in records:
        found.add(record, right=True)
    return found


def item(answered: AnswerRecord | None, *calls: AnswerRecord, ran: float | None = None) -> ItemRecord:
    predicted = None if ran is None else ExecutionRecord("SELECT 1", seconds=ran)
    asked = tuple(CallRecord("sample", "m", "", call) for call in calls)
    return ItemRecord("q", 0, "db", "?", answer=answered, calls=asked, predicted=predicted)


def test_what_was_asked_on_the_way_counts() -> None:
    found = spending(item(answer(seconds=2), answer(seconds=3), ran=0.5), item(answer(seconds=1)))
    assert (found.cost, found.cost_per_correct, found.tokens.input, found.answers) == (3, 1.5, 30, 3)
    assert found.generation == Latency(1, 5, 2)
    assert found.execution == Latency(0.5, 0.5, 1)


def test_unknown_is_not_nothing() -> None:
    nothing = spending(item(None, ran=0.1))
    assert (nothing.cost, nothing.cost_per_correct, nothing.generation) == (None, None, None)
    told = nothing.to_json()["tokens"]
    assert (told["asked"], told["input"], told["output"], told["cost"]) == (0, None, None, None)
    assert spending(item(answer())).to_json()["tokens"]["input"] == 10
    assert spending(item(answer()), item(answer(cost=None))).cost is None
    assert spending(item(answer(seconds=0))).generation is None
    free = spending(item(answer()), item(answer(cost=0.0, cached=True)))
    assert (free.cost, free.cost_per_correct) == (1, None)


@given(st.lists(st.floats(0, 100), min_size=1))
def test_percentiles_are_times_that_so_many_are_below(seconds: list[float]) -> None:
    found = Latency.of(seconds)
    assert found is not None
    assert {found.p50, found.p95} <= set(seconds)
    for percent, time in ((50, found.p50), (95, found.p95)):
        assert 100 * sum(one <= time for one in seconds) >= percent * len(seconds)
        assert 100 * sum(one < time for one in seconds) < percent * len(seconds)
    assert found.p50 <= found.p95


def test_a_hundred_times() -> None:
    assert Latency.of([float(n) for n in range(100, 0, -1)]) == Latency(50, 95, 100)
    assert Latency.of([]) is None

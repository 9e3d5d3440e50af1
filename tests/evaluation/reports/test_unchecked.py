"""An order that could not be checked is counted aloud."""

from __future__ import annotations

from evaluation.records import ItemRecord, VerdictRecord
from evaluation.reports import console
from evaluation.reports.summary import RunSummary
from evaluation.verdicts import NOT_CHECKED, ORDER, Reason, Summary, Verdict

VERDICTS = (
    Verdict.of(Reason.MATCH_AMBIGUOUS, **{ORDER: NOT_CHECKED, "because": "sqlglot cannot read the gold"}),
    Verdict.of(Reason.WRONG_ROWS, **{ORDER: NOT_CHECKED}),
    Verdict.of(Reason.MATCH_AMBIGUOUS),
    Verdict.of(Reason.MATCH),
)


def record(number: int, verdict: Verdict) -> ItemRecord:
    return ItemRecord(str(number), number, "shop", "?", verdicts=(VerdictRecord.of("execution_match", verdict),))


def test_verdicts_whose_order_was_not_checked_are_counted() -> None:
    summary = RunSummary("x")
    for number, verdict in enumerate(VERDICTS):
        summary.add(record(number, verdict))
    counts = summary.strategies["execution_match"]
    assert counts == Summary.of(VERDICTS)
    assert counts.order_not_checked == 2
    assert summary.to_json()["strategies"][0]["order_not_checked"] == 2
    assert "2 scored, order: not checked" in console.notes(summary)


def test_nothing_is_said_where_every_order_was_checked() -> None:
    summary = RunSummary("x")
    summary.add(record(0, VERDICTS[2]))
    assert not any("not checked" in note for note in console.notes(summary))

"""Where strategies part, counted by what it hangs on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import pytest

from evaluation.comparison.mechanism import Mechanism
from evaluation.records import ItemRecord, VerdictRecord
from evaluation.reports import console
from evaluation.reports.disagreement import Disagreements, Parting, disagree, mechanism_of
from evaluation.verdicts import Reason

OURS, BIRD = "execution_match", "execution_match:bird"


def verdict(strategy: str, reason: Reason, mechanism: str | None = None) -> VerdictRecord:
    score = 1.0 if reason.status.value == "correct" else 0.0
    return VerdictRecord(strategy, reason.status, score, reason, {"mechanism": mechanism} if mechanism else {})


def item(number: int, *verdicts: VerdictRecord) -> ItemRecord:
    return ItemRecord(str(number), number, "shop", "?", verdicts=verdicts)


RECORDS = [
    item(0, verdict(OURS, Reason.MATCH), verdict(BIRD, Reason.MATCH)),
    item(1, verdict(BIRD, Reason.MATCH), verdict(OURS, Reason.MISSING_DISTINCT, "multiplicity")),
    item(2, verdict(OURS, Reason.WRONG_ROWS, "multiplicity"), verdict(BIRD, Reason.MATCH)),
    item(3, verdict(OURS, Reason.WRONG_ORDER, "order"), verdict(BIRD, Reason.MATCH)),
    item(4, verdict(OURS, Reason.MATCH, "columns"), verdict(BIRD, Reason.WRONG_ROWS)),
    item(5, verdict(OURS, Reason.MATCH), verdict(BIRD, Reason.WRONG_ROWS)),
    item(6, verdict(OURS, Reason.GOLD_FAILED), verdict(BIRD, Reason.GOLD_FAILED)),
    item(7, verdict(OURS, Reason.WRONG_ROWS, "rows"), verdict(BIRD, Reason.WRONG_ROWS)),
]


def partings(records: Iterable[ItemRecord]) -> list[Parting]:
    disagreements = Disagreements()
    for record in records:
        disagreements.add(record)
    return disagreements.partings


def test_counted_by_mechanism() -> None:
    (parting,) = partings(RECORDS)
    assert (parting.reference, parting.other, parting.compared) == (OURS, BIRD, 7)
    assert parting.credited == Counter({Mechanism.MULTIPLICITY: 2, Mechanism.ORDER: 1})
    assert parting.refused == Counter({Mechanism.COLUMNS: 1, Mechanism.TEXT: 1})


def test_in_words() -> None:
    assert console.partings(partings(RECORDS)) == [
        "credited by execution_match:bird, refused by execution_match: 3 (multiplicity 2, order 1)",
        "credited by execution_match, refused by execution_match:bird: 2 (columns 1, text 1)",
    ]


def test_without_ours_the_first_strategy_is_the_reference() -> None:
    records = [item(0, verdict("a", Reason.MATCH), verdict("b", Reason.WRONG_ROWS))]
    assert [(parting.reference, parting.other) for parting in partings(records)] == [("a", "b")]


def test_one_strategy_parts_from_nothing() -> None:
    assert partings([item(0, verdict(OURS, Reason.MATCH))]) == []
    assert partings([item(0)]) == []


def test_items_that_are_listed() -> None:
    assert [record.position for record in RECORDS if disagree(record)] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("evidence", [{}, {"mechanism": None}, {"mechanism": "of a later version"}])
def test_a_mechanism_that_is_not_known_is_the_text(evidence: dict[str, object]) -> None:
    record = VerdictRecord(OURS, Reason.MATCH.status, 1.0, Reason.MATCH, evidence)
    assert mechanism_of(record) is Mechanism.TEXT

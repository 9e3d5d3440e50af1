"""Conventions as judges of published predictions, the official rule being the truth. Needs the real benchmark data."""

from __future__ import annotations

import csv
from collections import defaultdict
from itertools import permutations
from pathlib import Path

import pytest

from evaluation.statistics.agreement import Confusion
from evaluation.statistics.bias_correction import corrected_accuracy

pytestmark = pytest.mark.data


def confusions(data: Path, convention: str) -> list[Confusion]:
    """A convention's verdicts against the official ones, a table per published system."""
    pairs: defaultdict[str, list[tuple[bool, bool]]] = defaultdict(list)
    with (data / "spider" / "convention_verdicts.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            pairs[row["system"]].append((float(row[convention]) == 1, row["spider"] == "1"))
    return [Confusion.of(found) for found in pairs.values()]


@pytest.mark.parametrize(
    ("convention", "raw"), [("spider_keep_distinct", 56), ("bird", 35), ("defog_exact", 35), ("defog", 0)]
)
def test_calibrated_on_one_system_it_tells_the_accuracy_of_the_others(convention: str, raw: int, data: Path) -> None:
    uncorrected = 0
    for calibrated, reported in permutations(confusions(data, convention), 2):
        found = corrected_accuracy(reported.judged_correct, reported.total, calibrated)
        assert found is not None
        assert found.low <= reported.correct / reported.total <= found.high
        assert reported.judged_rate is not None
        uncorrected += reported.judged_rate.low <= reported.correct / reported.total <= reported.judged_rate.high
    assert uncorrected == raw  # of 56: what an interval is worth that knows nothing of the judge's errors

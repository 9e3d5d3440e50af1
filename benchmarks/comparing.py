"""Comparing large results, against what Python needs for the plainest comparison of the same rows."""

from __future__ import annotations

import random
import resource
from collections.abc import Iterator

from benchmarks.measure import median_seconds
from database_backends.result import ResultTable
from evaluation.comparison.numbers import Tolerance
from evaluation.comparison.tables import compare_tables
from evaluation.verdicts import Status

Rows = list[tuple[object, ...]]
NEAR = Tolerance()


def rows(times: int) -> Iterator[tuple[str, str, str]]:
    """What was measured, the figure, and what it is held against."""
    source = random.Random(1)
    gold: Rows = [(k, f"name {k}", source.random(), k % 7, None if k % 5 else "x") for k in range(100_000)]
    shuffled = source.sample(gold, len(gold))
    swapped: Rows = [row[::-1] for row in shuffled]
    noisy: Rows = [(a, b, c * (1 + 1e-9), d, e) for a, b, c, d, e in shuffled]  # type: ignore[operator]
    plain = median_seconds(lambda: set(gold) == set(shuffled), times)
    yield "set(a) == set(b), 100,000 × 5", f"{plain:.3f} s", ""
    cases = {
        "rows shuffled": (shuffled, "abcde", "target ≤ 2 ×"),
        "rows shuffled, columns swapped by name": (swapped, "edcba", ""),
        "rows shuffled, columns swapped and renamed": (swapped, "vwxyz", ""),
        "rows shuffled, noise in every float": (noisy, "abcde", ""),
    }
    for title, (predicted, names, target) in cases.items():
        taken = median_seconds(lambda p=predicted, n=names: _equal(gold, p, n), times)  # type: ignore[misc]
        yield f"  ours, {title}", f"{taken:.3f} s", f"{taken / plain:.1f} × {target}"
    alike: Rows = [tuple([k % 3] * 30) for k in range(50)]
    yield "30 identical columns", f"{1000 * median_seconds(lambda: _equal(alike, alike, 'x' * 30), times):.1f} ms", ""
    bits = [source.sample([0] * 20 + [1] * 20, 40) for _ in range(12)]
    table: Rows = list(zip(*bits, strict=True))
    permuted: Rows = list(zip(*source.sample(bits, 12), strict=True))
    yield (
        "12 columns of 0 and 1",
        f"{1000 * median_seconds(lambda: _equal(table, permuted, 'x' * 12), times):.1f} ms",
        "",
    )
    million: Rows = [(k, k % 1000) for k in range(1_000_000)]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    taken = median_seconds(lambda: _equal(million, million[::-1], "ab"), 1)
    more = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    yield "a million rows, reversed", f"{taken:.2f} s", f"{more:.0f} MiB more than the rows"


def _equal(gold: Rows, predicted: Rows, names: str) -> None:
    own = "abcde" if len(gold[0]) == 5 else "".join(chr(97 + k) for k in range(len(gold[0])))
    found = compare_tables(_table(own, gold), _table(names, predicted), NEAR)
    assert found.reason.status is Status.CORRECT, found.reason


def _table(names: str, rows: Rows) -> ResultTable:
    return ResultTable(tuple(names), ("",) * len(names), rows)

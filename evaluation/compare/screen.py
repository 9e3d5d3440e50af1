"""Comparisons for a terminal: the verdict in a sentence first, then the numbers, then what flipped."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from evaluation.compare.answers import Pair
from evaluation.compare.arms import Arm
from evaluation.compare.comparison import Comparison
from evaluation.compare.notes import notes_of_all
from evaluation.compare.sentence import sentence
from evaluation.reports.console import plain_table
from evaluation.reports.measures import CLUSTERS, chance, signed
from evaluation.statistics.clustered import Clustered
from sqlassay.printable import printable

SHOWN = 5
"""Flips each way."""


def comparisons(found: Sequence[Comparison]) -> Iterator[RenderableType]:
    """What to print of the comparisons of a report; nothing where there are none."""
    if not found:
        return
    yield Text()
    for one in found:
        yield Text(printable(sentence(one)))
    counted = [one for one in found if one.pairs]
    if counted:
        yield Text()
        yield _table(counted)
        yield Text(printable(basis(counted)))
    for note in notes_of_all(found):
        yield Text(printable(note))
    if len(counted) == 1:
        yield from _flipped(counted[0])


def more(found: Sequence[Comparison], program: str) -> str:
    """Where to see the questions that flipped; empty where all are shown.

    Args:
        found: The comparisons of a report.
        program: What to type to run sqlassay again.
    """
    flipped = [one for one in found if one.won or one.lost]
    if not flipped:
        return ""
    folders = [str(run.path) for arm in (flipped[0].baseline, flipped[0].candidate) for run in arm.runs]
    command = shlex.join([program, "compare", *folders])
    which = ", here for the first pair" if len(found) > 1 else ""
    return f"what flipped, with SQL and rows, and where the difference comes from{which}: {command}"


def basis(counted: Sequence[Comparison]) -> str:
    """What was compared, and what is corrected."""
    strategies = ", ".join(dict.fromkeys(one.strategy for one in counted))
    corrected = f"; p is corrected for {len(counted)} comparisons (Holm)" if len(counted) > 1 else ""
    clustered = [one.clustered for one in counted if one.clustered and one.clustered.clusters_matter]
    by = f"; p and interval are of {kinds(clustered)}, whose questions are alike" if clustered else ""
    if by and len(clustered) < len(counted):
        by += f" (of {len(clustered)} of them)"
    return f"verdicts of {strategies}{corrected}{by}"


def kinds(clustered: Iterable[Clustered]) -> str:
    """What the clusters are by which statistics are clustered; empty where there are none."""
    return " or ".join(dict.fromkeys(f"{CLUSTERS[one.by]}s" for one in clustered if one.clusters_matter))


def _flipped(one: Comparison) -> Iterator[RenderableType]:
    for arm, flips in ((one.candidate, one.won), (one.baseline, one.lost)):
        if flips:
            yield Text()
            yield from _flips(arm, flips)


def _table(counted: Sequence[Comparison]) -> Table:
    table = plain_table()
    several = any(one.baseline.where for one in counted)
    for heading in (*(["in"] if several else []), "baseline", "candidate"):
        table.add_column(heading, overflow="fold", vertical="bottom")
    for heading in headings(len(counted)):
        table.add_column(heading, justify="right", vertical="bottom", no_wrap=True)
    for one in counted:
        names = (*([one.baseline.where] if several else []), one.baseline.name, one.candidate.name)
        table.add_row(*(Text(printable(name)) for name in names), *numbers(one))
    return table


def headings(comparisons: int) -> tuple[str, ...]:
    """Of the columns of `numbers`."""
    p = "p (Holm)" if comparisons > 1 else "p"
    return "difference", "95 % interval", p, "both\nright", "only\nbaseline", "only\ncandidate", "both\nwrong"


def numbers(one: Comparison) -> tuple[str, ...]:
    """Difference, its interval, p, and how many both, only the baseline, only the candidate, and neither has right."""
    low, high = one.interval or (-1.0, 1.0)
    return (
        "–" if one.paired is None else signed(one.paired.difference),
        f"{signed(low)} to {signed(high)}",
        "–" if one.adjusted_p is None else chance(one.adjusted_p),
        *(f"{n:,}" for n in (one.both_right, len(one.lost), len(one.won), one.both_wrong)),
    )


def _flips(arm: Arm, flips: Sequence[Pair]) -> Iterator[RenderableType]:
    shown = f", {SHOWN} of them here" if len(flips) > SHOWN else ""
    yield Text(printable(f"only {arm.name} is right: {len(flips):,}{shown}, with what is wrong in the other"))
    lines = [
        [printable(part) for part in (flip.asked.words, flip.wrong.reason.words, " ".join(flip.wrong.question.split()))]
        for flip in flips[:SHOWN]
    ]
    ids, reasons, _ = (max(map(len, column)) for column in zip(*lines, strict=True))
    yield Group(
        *(
            Text(f"  {asked:{ids}}  {reason:{reasons}}  {question}", no_wrap=True, overflow="ellipsis")
            for asked, reason, question in lines
        )
    )

"""Comparisons for a terminal: the verdict in a sentence first, then the numbers, then what flipped."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from evaluation.compare.answers import Asked, Pair
from evaluation.compare.arms import Arm
from evaluation.compare.comparison import Comparison
from evaluation.statistics.clustered import Clustered
from evaluation.statistics.paired import Paired
from sqlassay.printable import printable

SHOWN = 5
"""Flips each way, and ids in a note."""


def comparisons(found: Sequence[Comparison]) -> Iterator[RenderableType]:
    """What to print of the comparisons of a report; nothing where there are none."""
    if not found:
        return
    yield Text()
    for one in found:
        yield Text(printable(sentence(one)))
    counted = [(one, one.paired, one.interval) for one in found if one.paired and one.interval]
    if counted:
        yield Text()
        yield _table(counted)
        yield Text(printable(basis([one for one, _, _ in counted])))
    for one in found:
        for note in notes(one):
            yield Text(printable(note))
    if len(counted) == 1:
        yield from _flipped(counted[0][0])


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
    clustered = [one for one in counted if one.clustered and one.clustered.clusters_matter]
    by = "; p and interval are of databases, whose questions are alike" if clustered else ""
    if by and len(clustered) < len(counted):
        by += f" ({', '.join(dict.fromkeys(one.candidate.name for one in clustered))})"
    return f"verdicts of {strategies}{corrected}{by}"


def _flipped(one: Comparison) -> Iterator[RenderableType]:
    for arm, flips in ((one.candidate, one.won), (one.baseline, one.lost)):
        if flips:
            yield Text()
            yield from _flips(arm, flips)


def sentence(one: Comparison) -> str:
    """The verdict in one sentence."""
    a, b = one.baseline.name, one.candidate.name
    where = f"{one.baseline.where}: " if one.baseline.where else ""
    if one.refused:
        return f"{where}{b} is not compared with {a}: {one.refused}"
    clustered, interval = one.clustered, one.interval
    if clustered is None or interval is None:
        return f"{where}{b} is not compared with {a}: no question has a verdict in both"
    if one.shown and one.adjusted_p is not None:
        better = clustered.difference > 0
        low, high = interval if better else (-interval[1], -interval[0])
        by = "; clustered by database" if clustered.clusters_matter else ""
        return (
            f"{where}{b} is {'better' if better else 'worse'} than {a} by {points(abs(clustered.difference))} points"
            f" (95 % interval {points(low)} to {points(high)}, p {equals(one.adjusted_p)}{by})"
        )
    return f"{where}no difference shown between {b} and {a}; {_could(one, clustered)}"


def notes(one: Comparison) -> list[str]:
    """What is not in the numbers."""
    a, b = one.baseline, one.candidate
    where = f"{a.where}: " if a.where else ""
    of_a, of_b = one.unscored
    common = set(of_a) & set(of_b)
    lines = [
        f"left out: {len(unscored):,} unscored of {names} ({_some(unscored)})"
        for names, unscored in (
            (f"{a.name} and {b.name}", [asked for asked in of_a if asked in common]),
            (a.name, [asked for asked in of_a if asked not in common]),
            (b.name, [asked for asked in of_b if asked not in common]),
        )
        if unscored
    ]
    lines += [
        f"left out: {missing:,} that {arm.name} has and {other.name} has not"
        for arm, other, missing in ((a, b, one.missing[0]), (b, a, one.missing[1]))
        if missing
    ]
    prompts = [arm.manifest["identity"].get("prompt", {}) for arm in (a, b)]
    if prompts[0].get("ref") == prompts[1].get("ref") and prompts[0].get("sha256") != prompts[1].get("sha256"):
        digests = " and ".join(f"{one['sha256'][:12]}" for one in prompts)
        lines.append(f"{prompts[0]['ref']} was not the same prompt in {a.name} and {b.name}: sha256 {digests}")
    lines += [
        f"{arm.name}: {run.run_id} is {run.manifest['status']}; compared is what both have"
        for arm in (a, b)
        for run in arm.runs
        if run.manifest["status"] != "finished"
    ]
    return [where + line for line in lines]


def _could(one: Comparison, clustered: Clustered) -> str:
    paired = clustered.whole
    questions = f"with {paired.questions:,} paired question{'s' if paired.questions > 1 else ''}"
    if clustered.clusters_matter:
        questions += f" on {len(clustered.clusters):,} databases"
    if paired.pairs > paired.questions:
        questions += f", {paired.pairs:,} pairs of answers,"
    if one.detectable is None:
        return f"{questions} none could have been seen"
    return f"{questions} you could have seen {points(one.detectable)} points"


def plain_table() -> Table:
    """Without lines, as wide as it must be."""
    return Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))


def _table(counted: Sequence[tuple[Comparison, Paired, tuple[float, float]]]) -> Table:
    table = plain_table()
    several = any(one.baseline.where for one, _, _ in counted)
    for heading in (*(["in"] if several else []), "baseline", "candidate"):
        table.add_column(heading, overflow="fold", vertical="bottom")
    p = "p (Holm)" if len(counted) > 1 else "p"
    counts = ("both\nright", "only\nbaseline", "only\ncandidate", "both\nwrong")
    for heading in ("difference", "95 % interval", p, *counts):
        table.add_column(heading, justify="right", vertical="bottom", no_wrap=True)
    for one, paired, (low, high) in counted:
        table.add_row(
            *(Text(printable(name)) for name in ([one.baseline.where] if several else [])),
            Text(printable(one.baseline.name)),
            Text(printable(one.candidate.name)),
            signed(paired.difference),
            f"{signed(low)} to {signed(high)}",
            "–" if one.adjusted_p is None else equals(one.adjusted_p).removeprefix("= "),
            *(f"{n:,}" for n in (one.both_right, len(one.lost), len(one.won), one.both_wrong)),
        )
    return table


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


def _some(asked: Sequence[Asked]) -> str:
    names = ", ".join(one.words for one in asked[:SHOWN])
    return names + (f" and {len(asked) - SHOWN:,} more" if len(asked) > SHOWN else "")


def points(share: float) -> str:
    """In points of a hundred."""
    return f"{100 * share:.1f}".replace("-0.0", "0.0")


def signed(share: float) -> str:
    """In points of a hundred, with the sign."""
    return f"{100 * share:+.1f}".replace("-0.0", "0.0").replace("+0.0", "0.0")


def equals(p: float) -> str:
    """As a sentence says a p."""
    return "< 0.001" if p < 0.001 else f"= {p:.3f}"

"""The rules, each applied to what was measured."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from evaluation.experiment import DropSection, GateSection
from evaluation.gate.measured import Measured
from evaluation.gate.snapshot import Pairs
from evaluation.gate.verdict import Judged, RuleVerdict
from evaluation.reports.measures import CLUSTERS, equals, percent, points
from evaluation.statistics.clustered import Clustered
from evaluation.statistics.paired import holm
from sqlassay.percentile import percentile

USABLE = "usable"
"""The rule that runs are whole."""


@dataclass(frozen=True)
class Against:
    """What a cell is held against.

    Attributes:
        pairs: What is paired; `None` without a baseline.
        missing: Why there is no baseline; empty when there is one.
        changed: How many questions are left out because they have changed.
    """

    pairs: Pairs | None
    missing: str = ""
    changed: int = 0


def is_usable(measured: Measured, rules: GateSection) -> bool:
    """Whether a cell says anything about the system under test."""
    return all(rule.judged is not Judged.UNUSABLE for rule in usability(measured, rules))


def usability(measured: Measured, rules: GateSection) -> Iterator[RuleVerdict]:
    """Whether the instrument worked: what is broken here is no regression of a model."""
    cell, items = measured.snapshot.title, measured.items
    if measured.problem:
        yield RuleVerdict(USABLE, Judged.UNUSABLE, measured.problem, cell)
    elif not measured.scored:
        yield RuleVerdict(USABLE, Judged.UNUSABLE, f"none of {items:,} answers could be scored", cell)
    else:
        told = f"finished; {measured.scored:,} of {items:,} answers are scored by {measured.snapshot.label}"
        yield RuleVerdict(USABLE, Judged.PASSED, told, cell)
    limit = measured.allowed if rules.max_instrument_failures is None else rules.max_instrument_failures
    share = measured.instrument_failures
    broken = share > limit
    yield RuleVerdict(
        "max_instrument_failures",
        Judged.UNUSABLE if broken else Judged.PASSED,
        f"{percent(share)} of the items are unscored, {'more than' if broken else 'of at most'} {percent(limit)}",
        cell,
        share,
        limit,
    )


def drops(cells: Sequence[tuple[str, Against]], rule: DropSection) -> dict[str, RuleVerdict]:
    """The difference of each cell from its baseline, corrected for how many there are.

    Args:
        cells: Titles, each with what it is held against.
        rule: Which drop fails.
    """
    told = {title: against.pairs.clustered.p for title, against in cells if against.pairs and against.pairs.clustered}
    adjusted = dict(zip(told, holm(list(told.values())), strict=True))
    return {title: _drop(title, against, rule, adjusted.get(title), len(told)) for title, against in cells}


def others(measured: Measured, rules: GateSection) -> Iterator[RuleVerdict]:
    """The rules of a cell that need no baseline."""
    cell = measured.snapshot.title
    if rules.min_accuracy is not None:
        accuracy, limit = measured.accuracy, rules.min_accuracy
        low = accuracy < limit
        words = f"{percent(accuracy)} right, {'less than' if low else 'at least'} {percent(limit)}"
        yield RuleVerdict("min_accuracy", Judged.FAILED if low else Judged.PASSED, words, cell, accuracy, limit)
    for share, longest in ((50, rules.latency.p50), (95, rules.latency.p95)):
        if longest is not None:
            yield _latency(measured, share, longest)


def unjudged(rules: GateSection, cell: str) -> Iterator[RuleVerdict]:
    """The rules of a cell that is unusable."""
    wanted = {
        "drop": rules.drop,
        "min_accuracy": rules.min_accuracy,
        "latency.p50": rules.latency.p50,
        "latency.p95": rules.latency.p95,
    }
    for rule, limit in wanted.items():
        if limit is not None:
            yield RuleVerdict(rule, Judged.NOT_JUDGED, "the run is unusable", cell)


def spent(cells: Sequence[Measured], rules: GateSection, *, usable: bool) -> Iterator[RuleVerdict]:
    """What all runs together may spend.

    Args:
        cells: All of them.
        rules: The rules.
        usable: Whether every run is.
    """
    tokens = [cell.tokens for cell in cells]
    cost, unknown_cost = sum(one.cost for one in tokens), sum(one.unknown_cost for one in tokens)
    used, unknown_tokens = sum(one.input + one.output for one in tokens), sum(one.unknown_tokens for one in tokens)
    for rule, measured, limit, unknown in (
        ("max_cost", cost, rules.max_cost, unknown_cost),
        ("max_tokens", float(used), None if rules.max_tokens is None else float(rules.max_tokens), unknown_tokens),
    ):
        if limit is None:
            continue
        told = f"{measured:,.4f}" if rule == "max_cost" else f"{measured:,.0f}"
        most = f"{limit:,g}" if rule == "max_cost" else f"{limit:,.0f}"
        over = measured > limit
        if not usable:
            yield RuleVerdict(rule, Judged.NOT_JUDGED, f"{told} spent, by a run that is unusable", "", measured, limit)
        elif unknown and not over:
            words = f"{told} of {most} is known to be spent, and of {unknown:,} answers it is unknown"
            yield RuleVerdict(rule, Judged.NOT_JUDGED, words, "", measured, limit)
        else:
            words = f"{told} spent, {'more than' if over else 'of at most'} {most}"
            yield RuleVerdict(rule, Judged.FAILED if over else Judged.PASSED, words, "", measured, limit)


def basis_of(rules: GateSection | None, where: str) -> str:
    """Which rules hold, for people.

    Args:
        rules: Those that were given; `None` where none were.
        where: Where they are from.
    """
    if rules is not None:
        return f"rules: {where}"
    drop = DropSection.model_validate({})
    return (
        f"rules: the defaults, as the experiment has no `gate:`: no drop beyond luck (alpha {drop.alpha:g}) of"
        f" {points(drop.min_effect)} points or more, and no more instrument failures than it allows"
    )


def _drop(cell: str, against: Against, rule: DropSection, p: float | None, tests: int) -> RuleVerdict:
    limit = -rule.min_effect
    if against.pairs is None:
        return RuleVerdict("drop", Judged.NOT_JUDGED, against.missing, cell, None, limit)
    clustered = against.pairs.clustered
    left = _left_out(against)
    if clustered is None or p is None:
        words = f"no question is scored in both{left}"
        return RuleVerdict("drop", Judged.NOT_JUDGED, words, cell, None, limit)
    interval = clustered.interval()
    words, failed = _compared(clustered, interval, p, rule, tests)
    flips = f"; of {clustered.whole.pairs:,} paired answers {against.pairs.lost:,} lost, {against.pairs.won:,} won"
    judged = Judged.FAILED if failed else Judged.PASSED
    told = f"{words}{flips}{left}"
    return RuleVerdict("drop", judged, told, cell, clustered.difference, limit, interval, p)


def _compared(
    clustered: Clustered, interval: tuple[float, float], p: float, rule: DropSection, tests: int
) -> tuple[str, bool]:
    """The difference in words, and whether it fails."""
    difference = clustered.difference
    if difference == 0:
        return f"no difference; {_visible(clustered, rule, tests)}", False
    low, high = interval
    size = points(abs(difference))
    ends = (low, high) if difference > 0 else (-high, -low)
    corrected = f" after Holm, of {tests}" if tests > 1 else ""
    by = f"; clustered by {CLUSTERS[clustered.by]}" if clustered.clusters_matter else ""
    told = f"(95 % interval {points(ends[0])} to {points(ends[1])}, p {equals(p)}{corrected}{by})"
    shown = p <= rule.alpha
    if difference > 0:
        return f"better by {size} points {told}{'' if shown else ', which may be luck'}", False
    large = -difference >= rule.min_effect
    counts = f"the {points(rule.min_effect)} points that count"
    if shown and large:
        return f"worse by {size} points {told}: beyond luck, and at least {counts}", True
    least = f"less than {counts}"
    if shown:
        return f"worse by {size} points {told}: beyond luck, but {least}", False
    spared = "which may be luck" if large else f"which may be luck, and is {least}"
    return f"worse by {size} points {told}, {spared}; {_visible(clustered, rule, tests)}", False


def _visible(clustered: Clustered, rule: DropSection, tests: int) -> str:
    least = clustered.detectable(rule.alpha / tests)
    if least is None:
        number, what = clustered.whole.questions, "question"
        if clustered.clusters_matter:
            number, what = len(clustered.clusters), CLUSTERS[clustered.by]
        return f"{number:,} {what}s are too few to show any"
    return f"one of {points(least)} points would probably have been shown"


def _left_out(against: Against) -> str:
    told = []
    if against.pairs is not None and against.pairs.unscored:
        told.append(f"{against.pairs.unscored:,} not scored in one of both")
    if against.pairs is not None and against.pairs.alone:
        told.append(f"{against.pairs.alone:,} that only one of both has")
    if against.changed:
        told.append(f"{against.changed:,} changed")
    return f"; left out: {', '.join(told)}" if told else ""


def _latency(measured: Measured, share: int, limit: float) -> RuleVerdict:
    cell, rule = measured.snapshot.title, f"latency.p{share}"
    if not measured.seconds:
        words = "no answer was asked for: all are from the cache"
        return RuleVerdict(rule, Judged.NOT_JUDGED, words, cell, None, limit)
    seconds = percentile(measured.seconds, share)
    over = seconds > limit
    held = f"{'more than' if over else 'of at most'} {limit:g} s"
    words = f"{share} % of {len(measured.seconds):,} questions were answered within {seconds:.2f} s, {held}"
    return RuleVerdict(rule, Judged.FAILED if over else Judged.PASSED, words, cell, seconds, limit)

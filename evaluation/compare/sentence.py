"""The verdict of a comparison in one sentence."""

from __future__ import annotations

from evaluation.compare.comparison import Comparison
from evaluation.reports.measures import CLUSTERS, equals, points
from evaluation.statistics.clustered import DATABASE, Clustered
from sqlassay.counted import counted


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
        by = f"; clustered by {CLUSTERS[clustered.by]}" if clustered.clusters_matter else ""
        return (
            f"{where}{b} is {'better' if better else 'worse'} than {a} by {points(abs(clustered.difference))} points"
            f" (95 % interval {points(low)} to {points(high)}, p {equals(one.adjusted_p)}{by})"
        )
    return f"{where}no difference shown between {b} and {a}; {_could(one, clustered)}"


def _could(one: Comparison, clustered: Clustered) -> str:
    paired = clustered.whole
    questions = f"with {counted(paired.questions, 'paired question')}"
    if clustered.clusters_matter:
        on = "on" if clustered.by == DATABASE else "in"
        questions += f" {on} {counted(len(clustered.clusters), CLUSTERS[clustered.by])}"
    if paired.pairs > paired.questions:
        questions += f", {paired.pairs:,} pairs of answers,"
    if one.detectable is None:
        return f"{questions} none could have been seen"
    return f"{questions} you could have seen {points(one.detectable)} points"

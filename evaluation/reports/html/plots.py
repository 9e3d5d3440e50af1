"""Where things stand in a plot. What they look like is written in `plots.html.j2` and `report.css`.

Positions are percents of the width or height of what is drawn on, so that a plot fits any screen while its text keeps
its size.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, floor, log10
from typing import NamedTuple

from sqlassay.percentile import percentile


class Tick(NamedTuple):
    """A place on an axis that is labelled.

    Attributes:
        value: Where.
        label: What it says.
    """

    value: float
    label: str


@dataclass(frozen=True)
class Axis:
    """From a number to a place.

    Attributes:
        low: What stands at 0 %.
        high: What stands at 100 %; more than `low`.
        ticks: What is labelled, from low to high.
        log: Whether equal ratios are equally far apart; both ends are then above 0.
    """

    low: float
    high: float
    ticks: tuple[Tick, ...]
    log: bool = False

    def at(self, value: float) -> float:
        """The place of a value in percent; what is off the axis stands at its end."""
        place, low, high = (log10(max(v, self.low)) if self.log else v for v in (value, self.low, self.high))
        return round(100 * min(max((place - low) / (high - low), 0.0), 1.0), 3)


def share_axis(shares: Iterable[float]) -> Axis:
    """As much of 0 to 100 percent as holds these shares, in tenths."""
    found = list(shares) or [0.0, 1.0]
    low, high = floor(round(10 * min(found), 9)), ceil(round(10 * max(found), 9))
    if low == high:
        low, high = max(0, low - 1), min(10, high + 1)
    if high - low > 8:
        return Axis(0.0, 1.0, _ticks([0.0, 0.25, 0.5, 0.75, 1.0], ["0", "25", "50", "75", "100 %"]))
    tenths = [*range(high, low - 1, -1 if high - low <= 4 else -2)][::-1]
    labels = [str(10 * n) for n in tenths]
    return Axis(low / 10, high / 10, _ticks([n / 10 for n in tenths], [*labels[:-1], f"{labels[-1]} %"]))


def difference_axis(differences: Iterable[float]) -> Axis:
    """Around 0, as far as these differences of shares go either way, in points."""
    most = max((abs(one) for one in differences), default=0.0)
    end = next((one for one in (0.05, 0.1, 0.2, 0.5) if most <= one), 1.0)
    values = [-end, -end / 2, 0.0, end / 2, end]
    return Axis(-end, end, _ticks(values, [_points(one) for one in values]))


def plain(amount: float) -> str:
    """An amount without needless digits, in thousands or millions where it is large."""
    scale, unit = (1e6, " M") if amount >= 1e6 else (1e3, " k") if amount >= 1e4 else (1.0, "")
    return f"{amount / scale:,.10f}".rstrip("0").rstrip(".") + unit


def duration(seconds: float) -> str:
    """Three digits, in the unit that fits."""
    scale, unit = (1.0, "s") if seconds >= 1 else (1e3, "ms") if seconds >= 1e-3 else (1e6, "µs")
    value = seconds * scale
    return f"{value:,.0f} {unit}" if value >= 100 else f"{value:.3g} {unit}"


def amount_axis(amounts: Iterable[float], words: Callable[[float], str] = plain) -> Axis:
    """From 0, or by powers of ten where the amounts are far apart and all above 0.

    Args:
        amounts: At least one; none below 0.
        words: How an amount is told.
    """
    found = list(amounts)
    low, high = min(found), max(found)
    if low > 0 and high / low > _FAR_APART:
        first, last = floor(log10(low)), ceil(log10(high))
        values = [10.0**power for power in range(first, last + 1, ceil((last - first) / 4))]
        return Axis(values[0], 10.0**last, _ticks(values, [words(value) for value in values]), log=True)
    high = high or 1.0
    step_of = 10.0 ** floor(log10(high))
    step = next(one * step_of for one in (0.25, 0.5, 1.0, 2.5) if high <= 4 * one * step_of)
    values = [number * step for number in range(ceil(round(high / step, 9)) + 1)]
    return Axis(0.0, values[-1], _ticks(values, [words(value) for value in values]))


_FAR_APART = 20


def _ticks(values: Sequence[float], labels: Sequence[str]) -> tuple[Tick, ...]:
    return tuple(map(Tick, values, labels))


def _points(share: float) -> str:
    return f"{100 * share:+g}" if share else "0"


class Point(NamedTuple):
    """A run in the plot of cost against accuracy.

    Attributes:
        run: The number of the run.
        cost: Of 1,000 questions.
        score: Between 0 and 1.
        low: The lower end of the score's interval.
        high: The upper end.
    """

    run: int
    cost: float
    score: float
    low: float
    high: float


def pareto(points: Iterable[Point]) -> list[Point]:
    """Those than which none is better and as cheap, or cheaper and as good; the cheapest first."""
    best: list[Point] = []
    for point in sorted(points, key=lambda point: (point.cost, -point.score)):
        if not best or point.score > best[-1].score:
            best.append(point)
    return best


@dataclass(frozen=True)
class CostPlot:
    """Cost against accuracy.

    Attributes:
        points: The runs whose cost is known.
        costs: The axis of cost.
        scores: The axis of accuracy.
        line: The best that can be had for each cost.
    """

    points: tuple[Point, ...]
    costs: Axis
    scores: Axis
    line: tuple[Point, ...]

    @classmethod
    def of(cls, points: Sequence[Point]) -> CostPlot | None:
        """The plot of these; `None` where there are none."""
        if not points:
            return None
        scores = share_axis(end for point in points for end in (point.low, point.high))
        return cls(tuple(points), amount_axis(point.cost for point in points), scores, tuple(pareto(points)))

    @property
    def steps(self) -> list[tuple[Point, Point]]:
        """The pieces of the line."""
        return list(pairwise(self.line))


class Spread(NamedTuple):
    """How long something took.

    Attributes:
        times: How often it was measured.
        low: The 5th percentile, in seconds.
        quarter: The 25th.
        median: The 50th.
        three_quarters: The 75th.
        high: The 95th.
        longest: The longest.
    """

    times: int
    low: float
    quarter: float
    median: float
    three_quarters: float
    high: float
    longest: float

    @classmethod
    def of(cls, seconds: Sequence[float]) -> Spread | None:
        """Of these; `None` where nothing was measured, or nothing took any time."""
        ordered = sorted(seconds)
        if not ordered or not ordered[-1]:
            return None
        return cls(len(ordered), *(percentile(ordered, percent) for percent in (5, 25, 50, 75, 95, 100)))

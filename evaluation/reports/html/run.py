"""One run as the page shows it: its name, its scores, its slices, what it took."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from evaluation.dialect import dialect_of
from evaluation.records import ItemRecord
from evaluation.reports.console import FIRST, INTERACTIONS
from evaluation.reports.disagreement import Parting
from evaluation.reports.html.plots import Point, Spread
from evaluation.reports.slices import KEYS, Slices
from evaluation.reports.summary import RunSummary, interval_of
from evaluation.run_log import RunFolder
from evaluation.runs import analyse
from evaluation.verdicts import Summary

Interval = Sequence[float]


class Score(NamedTuple):
    """One line of the table of scores.

    Attributes:
        strategy: The label of the strategy.
        name: What else the line is about; empty where it is the strategy's own.
        value: Between 0 and 1; `None` where nothing was scored.
        interval: Its 95 % interval, where there is one.
        counts: Headings and numbers.
    """

    strategy: str
    name: str
    value: float | None
    interval: Interval | None
    counts: Mapping[str, int]


class Cut(NamedTuple):
    """One slice of a run.

    Attributes:
        items: How many questions are in it.
        scored: How many of these are scored.
        value: The score; `None` where nothing was scored.
        interval: Its 95 % interval, where there is one.
    """

    items: int
    scored: int
    value: float | None
    interval: Interval | None


@dataclass
class ShownRun:
    """A run, and what was added up over its items.

    Attributes:
        folder: The run.
        number: From 0, in the order in which runs were given.
        name: What tells it from the other runs of the report.
        summary: Its counts.
        partings: How its strategies part.
        answering: Seconds until each answer that a model was asked for now.
        executing: Seconds that each statement under test took.
        asked: Questions that a model was asked.
    """

    folder: RunFolder
    number: int
    name: str
    summary: RunSummary
    partings: Sequence[Parting]
    answering: list[float] = field(default_factory=list)
    executing: list[float] = field(default_factory=list)
    asked: int = 0
    _slices: list[Slices] = field(default_factory=list)

    @classmethod
    def of(cls, folder: RunFolder, number: int, name: str) -> ShownRun:
        """A run before its items are added.

        Raises:
            UserError: A record cannot be read.
        """
        analysis = analyse(folder)
        run = cls(folder, number, name, analysis.summary, analysis.partings)
        dialect = dialect_of(folder.manifest)
        run._slices = [Slices(key, dialect, run.summary.standings) for key in KEYS]
        return run

    def add(self, record: ItemRecord, strategy: str) -> None:
        """Count one item, in slices as one strategy scores it."""
        verdicts = tuple(verdict for verdict in record.verdicts if verdict.strategy == strategy)
        of_one = replace(record, verdicts=verdicts, calls=(), judging=(), first=None)  # the rest is not shown by slice
        for slices in self._slices:
            slices.add(of_one)
        self.asked += record.answer is not None
        if record.answer is not None and record.answer.finish_reason is not None and not record.answer.cached:
            self.answering.append(record.answer.seconds)
        if record.predicted is not None and not record.predicted.cached and record.predicted.source is None:
            self.executing.append(record.predicted.seconds)

    @property
    def letter(self) -> str:
        """What marks it in plots and tables: A to Z, then AA."""
        number, letters = self.number + 1, ""
        while number:
            number, rest = divmod(number - 1, 26)
            letters = chr(ord("A") + rest) + letters
        return letters

    @property
    def scores(self) -> list[Score]:
        """Each strategy's score, and beneath it what belongs to it."""
        return [score for label, counts in self.summary.strategies.items() for score in self._of(label, counts)]

    def _of(self, label: str, counts: Summary) -> Iterator[Score]:
        yield _score(label, "", counts)
        if label in self.summary.first_attempts:
            yield _score(label, FIRST, self.summary.first_attempts[label])
        told = self.summary.interactions.get(label)
        if told is not None and told.scored + told.unscored:
            headed = {"scored": told.scored, "correct": told.correct}
            headed |= {"system failures": told.incorrect, "instrument failures": told.unscored}
            yield Score(label, INTERACTIONS, told.accuracy, told.interval, headed)
        standing = self.summary.standings.get(label)
        if standing is not None:
            name, corrected = standing.corrected(counts)
            yield Score(label, name, corrected and corrected.value, corrected and corrected[1:], {})

    def cuts(self, key: str) -> dict[str, Cut]:
        """Its slices by one of `KEYS`, in their order."""
        (slices,) = (slices for slices in self._slices if slices.key == key)
        return {one.title: _cut(one) for one in slices.summaries}

    @property
    def thousand(self) -> float | None:
        """What 1,000 questions cost; `None` where that is not known, as where answers were paid for before."""
        tokens = self.summary.tokens
        if not self.asked or not tokens.asked or tokens.unknown_cost or tokens.from_cache:
            return None
        return 1000 * tokens.cost / self.asked

    def point(self, strategy: str) -> Point | None:
        """Where it stands between cost and accuracy; `None` where one of them is not known."""
        counts = self.summary.strategies.get(strategy)
        cost = self.thousand
        if counts is None or counts.score is None or cost is None:
            return None
        score = counts.score
        low, high = interval_of(counts) or (score, score)
        return Point(self.number, cost, score, low, high)

    @property
    def spreads(self) -> list[tuple[str, Spread]]:
        """What took how long."""
        measured = (("answer of the model", self.answering), ("execution of the SQL", self.executing))
        return [(name, spread) for name, seconds in measured if (spread := Spread.of(seconds)) is not None]

    @property
    def facts(self) -> dict[str, str]:
        """What was run."""
        manifest, identity = self.folder.manifest, self.folder.manifest["identity"]
        dataset, backend = identity["dataset"], identity.get("backend", {})
        told: dict[str, Any] = {
            "run": self.folder.run_id,
            "experiment": manifest["experiment"].get("name"),
            "state": self._state,
            "started": manifest["started"],
            "model": manifest.get("model_label"),
            "prompt": identity.get("prompt", {}).get("ref"),
            "engine": " ".join(filter(None, (backend.get("name"), backend.get("engine")))),
            "repeat": identity.get("repeat", 0) + 1 if identity.get("repeat") else None,
            "dataset": f"{dataset.get('format', '')} {str(dataset.get('sha256', ''))[:12]}".strip(),
        }
        return {name: str(value) for name, value in told.items() if value}

    @property
    def _state(self) -> str:
        done, total = self.summary.items, self.summary.total
        return f"{self.summary.status}, {done:,} of {total:,} questions"


def shown_runs(folders: Sequence[RunFolder]) -> list[ShownRun]:
    """Runs before their items are added, each with a name of its own.

    Raises:
        UserError: A record cannot be read.
    """
    names = [str(folder.manifest["title"]) for folder in folders]
    several = Counter(names)
    return [
        ShownRun.of(folder, number, f"{name} ({folder.run_id})" if several[name] > 1 else name)
        for number, (folder, name) in enumerate(zip(folders, names, strict=True))
    ]


def _score(label: str, name: str, counts: Summary) -> Score:
    headed = {
        "scored": counts.scored,
        "correct": counts.correct,
        "vacuous": counts.vacuous,
        "system failures": counts.system_failures,
        "no result": counts.no_result,
        "instrument failures": counts.instrument_failures,
    }
    return Score(label, name, counts.score, interval_of(counts), headed)


def _cut(part: RunSummary) -> Cut:
    counts = next(iter(part.strategies.values()), None)
    if counts is None:
        return Cut(part.items, 0, None, None)
    return Cut(part.items, counts.scored, counts.score, interval_of(counts))

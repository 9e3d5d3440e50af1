"""The gate: from runs, rules and a baseline to a verdict."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from evaluation.experiment import GateSection
from evaluation.gate.baselines import LATEST_GREEN, Baselines
from evaluation.gate.cells import Cell, cells_of, counterparts
from evaluation.gate.comparability import Change, Kind, changes, changes_in_words, refusals
from evaluation.gate.judging import USABLE, Against, drops, is_usable, others, spent, unjudged, usability
from evaluation.gate.label_changes import LabelChanges, settled_in_words
from evaluation.gate.measured import Measured, measure
from evaluation.gate.snapshot import Snapshot, pairs
from evaluation.gate.verdict import GateVerdict, Judged, RuleVerdict, listed
from evaluation.reports.measures import percent
from evaluation.reports.standing import told_of_judges
from evaluation.run_log import RunFolder
from sqlassay.errors import UserError


@dataclass(frozen=True)
class Baseline:
    """What runs are held against.

    Attributes:
        name: What the user calls it.
        snapshots: Its cells; none where there is nothing to hold against.
        cells: Their records, where they are at hand.
        missing: Why there are none.
    """

    name: str
    snapshots: tuple[Snapshot, ...] = ()
    cells: tuple[Cell, ...] = ()
    missing: str = ""


@dataclass(frozen=True)
class Compared:
    """Cells beside what each is held against.

    Attributes:
        cells: What was measured of each.
        baseline: What they are held against.
        beside: The baseline of each cell that has one, by its title.
        rules: The rules.
    """

    cells: tuple[Measured, ...]
    baseline: Baseline
    beside: dict[str, Snapshot] = field(default_factory=dict)
    rules: GateSection = field(default_factory=lambda: GateSection.model_validate({}))

    @cached_property
    def both(self) -> list[tuple[Snapshot, Snapshot]]:
        """The usable cells that have a baseline, each after it."""
        return [
            (self.beside[cell.snapshot.title], cell.snapshot)
            for cell in self.cells
            if cell.snapshot.title in self.beside and is_usable(cell, self.rules)
        ]

    @cached_property
    def changes_of(self) -> dict[str, list[Change]]:
        """What has become of the questions of each of these cells, by its title."""
        return {now.title: changes(before, now) for before, now in self.both}

    @property
    def changes(self) -> list[Change]:
        """What has become of the questions, in any cell."""
        return list(dict.fromkeys(change for found in self.changes_of.values() for change in found))


def green_baseline(index: Baselines, runs: Sequence[RunFolder]) -> Baseline:
    """The latest green runs of the experiment.

    Raises:
        UserError: The index cannot be read.
    """
    experiment = str(runs[0].manifest["experiment"]["name"])
    found = index.of(experiment)
    if not found:
        return Baseline(LATEST_GREEN, missing=f"no run of {experiment} is green yet, as {index.path} says")
    ids = {run.run_id for run in runs}
    if any(ids & set(one.runs) for one in found):
        return Baseline(LATEST_GREEN, missing="this run is the latest green one itself")
    return Baseline(LATEST_GREEN, tuple(found))


def recorded_baseline(name: str, found: Sequence[RunFolder], runs: Sequence[RunFolder], strategy: str) -> Baseline:
    """Runs that are on disk.

    Args:
        name: What the user calls them.
        found: The runs.
        runs: Those that are gated.
        strategy: The label of the strategy that counts.

    Raises:
        UserError: They cannot be compared with.
    """
    gated = {run.path.resolve() for run in runs}
    if any(run.path.resolve() in gated for run in found):
        raise UserError(f"the baseline {name} is the gated run itself", remedy="name an older run")
    cells = cells_of(found)
    measured = [measure(cell, strategy) for cell in cells]
    for one in measured:
        if one.problem:
            raise UserError(f"the baseline {name} is unusable: {one.problem}", remedy="name a finished run")
        if one.instrument_failures > one.allowed or not one.scored:
            raise UserError(
                f"the baseline {name} is unusable: {percent(one.instrument_failures)} of the items of"
                f" {one.snapshot.title} are unscored",
                remedy="name a sound run",
            )
    return Baseline(name, tuple(one.snapshot for one in measured), tuple(cells))


def compare_with(cells: Sequence[Cell], rules: GateSection, strategy: str, baseline: Baseline) -> Compared:
    """Measure cells, and find what each is held against.

    Raises:
        UserError: A record cannot be read, or no cell has a counterpart.
    """
    measured = tuple(measure(cell, strategy) for cell in cells)
    if len(measured) == len(baseline.snapshots) == 1 and baseline.cells:
        beside = {measured[0].snapshot.title: baseline.snapshots[0]}  # as the user says, whatever they are called
    else:
        beside = dict(counterparts(cells, baseline.snapshots))
    if baseline.cells and not beside:
        titles = ", ".join(one.title for one in baseline.snapshots)
        raise UserError(f"the baseline {baseline.name} has none of these cells: it has {titles}")
    return Compared(measured, baseline, beside, rules)


def judge(
    compared: Compared, runs: Sequence[RunFolder], basis: str, labels: LabelChanges | None, *, whole: bool
) -> GateVerdict:
    """Apply the rules.

    Args:
        compared: The cells beside their baselines.
        runs: Those that are gated.
        basis: Which rules these are, in words.
        labels: The changes that were reviewed.
        whole: Whether these should be all runs of their experiment.

    Raises:
        UserError: The baseline is refused, or an entry of the reviewed changes names none.
    """
    named = set(labels.named) if labels is not None else set()
    for before, now in compared.both:
        _refuse(before, now, compared.rules, [one for one in compared.changes_of[now.title] if one not in named])
    notes = []
    if labels is not None and compared.both:
        settled = labels.settled(compared.changes, compared.both)
        notes += [settled_in_words(settled, labels.path)] if settled else []
    judged = (*_judged(compared), *(_absent(runs) if whole else ()))
    beside = [run for one in compared.beside.values() for run in one.runs]
    gone = [one.title for one in compared.baseline.snapshots if one not in compared.beside.values()]
    titled = ((str(run.manifest["title"]), run) for run in runs)
    notes += told_of_judges(titled, strategy_of(runs, compared.rules), "what is measured")
    notes += [f"only the baseline has: {'; '.join(gone)}"] if gone else []
    against = listed(list(dict.fromkeys(beside))) if beside else ""
    if against and not compared.baseline.cells:
        against = f"{LATEST_GREEN}, {against}"
    experiment = str(runs[0].manifest["experiment"]["name"])
    return GateVerdict(experiment, tuple(run.run_id for run in runs), against, basis, judged, tuple(notes))


def promoted(compared: Compared) -> list[Snapshot]:
    """What is kept of cells that have become green."""
    kept = []
    for cell in compared.cells:
        before = compared.beside.get(cell.snapshot.title)
        removed: set[str] = set()
        if before is not None:
            found = compared.changes_of[cell.snapshot.title]
            vanished = {change.id for change in found if change.kind is Kind.REMOVED}
            removed = vanished | (set(before.removed) - cell.snapshot.questions.keys())
        kept.append(replace(cell.snapshot, removed=tuple(sorted(removed))))
    return kept


def promote(index: Baselines, compared: Compared, runs: Sequence[RunFolder]) -> list[str]:
    """Make the cells of a gate that passed the green ones of their experiment.

    Returns:
        The titles of the cells of which a newer run is green, and stays.

    Raises:
        UserError: The index cannot be read or written.
    """
    kin = {cell.snapshot.title: cell.snapshot.kin for cell in compared.cells}
    # One run that was held against another, whatever they are called, leaves the place of that one alone.
    replaced = {title: one.title for title, one in compared.beside.items() if one.kin == kin[title]}
    return index.promote(str(runs[0].manifest["experiment"]["name"]), promoted(compared), replaced)


def strategy_of(runs: Sequence[RunFolder], rules: GateSection) -> str:
    """The label of the strategy that counts."""
    return rules.strategy or str(runs[0].manifest["identity"]["strategies"][0]["label"])


def _absent(runs: Sequence[RunFolder]) -> Iterator[RuleVerdict]:
    """Whether a group lacks runs of its experiment."""
    cells = int(runs[0].manifest["cells"])
    if len(runs) < cells:
        words = f"{len(runs)} of the {cells} runs of the experiment are there"
        yield RuleVerdict(USABLE, Judged.UNUSABLE, words)


def _judged(compared: Compared) -> list[RuleVerdict]:
    rules = compared.rules
    usable = {cell.snapshot.title for cell in compared.cells if is_usable(cell, rules)}
    against = [
        (cell.snapshot.title, _against(compared, cell)) for cell in compared.cells if cell.snapshot.title in usable
    ]
    dropped = {} if rules.drop is None else drops(against, rules.drop)
    judged: list[RuleVerdict] = []
    for cell in compared.cells:
        title = cell.snapshot.title
        judged += usability(cell, rules)
        if title not in usable:
            judged += unjudged(rules, title)
            continue
        judged += [dropped[title]] if title in dropped else []
        judged += others(cell, rules)
    return [*judged, *spent(compared.cells, rules, usable=len(usable) == len(compared.cells))]


def _against(compared: Compared, cell: Measured) -> Against:
    before = compared.beside.get(cell.snapshot.title)
    if before is None:
        missing = compared.baseline.missing or f"{compared.baseline.name} has no such cell"
        return Against(None, missing)
    changed = frozenset(change.id for change in compared.changes_of[cell.snapshot.title] if change.id)
    return Against(pairs(before, cell.snapshot, changed), changed=len(changed))


def _refuse(before: Snapshot, now: Snapshot, rules: GateSection, unnamed: Sequence[Change]) -> None:
    """Refuse a baseline that is held against other things, or against questions that nobody has reviewed."""
    name = f"the baseline {listed(before.runs)}"
    why = list(refusals(before, now, rules.max_age))
    if why:
        raise UserError(
            f"{name} cannot be compared with: {'; '.join(why)}",
            remedy="name another, or --baseline none to begin anew",
        )
    if unnamed:
        raise UserError(
            f"{name} cannot be compared with: {changes_in_words(unnamed)}",
            remedy="draft their review with --write-label-changes FILE, or begin anew with --baseline none",
        )

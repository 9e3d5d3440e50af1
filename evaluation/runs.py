"""The folder of runs: which there are, and what each of them says."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from evaluation.calibration.note import calibration_notes
from evaluation.dialect import dialect_of
from evaluation.records import ItemRecord
from evaluation.reports.answered import answered_in
from evaluation.reports.disagreement import Disagreements, Parting
from evaluation.reports.slices import Slices
from evaluation.reports.standing import standings
from evaluation.reports.summary import RunSummary
from evaluation.reports.taxonomy import Row, Taxonomy
from evaluation.run_log import FINISHED, MANIFEST, RunFolder, is_unscored
from sqlassay.errors import UnknownName, UserError


def all_runs(runs: Path) -> Iterator[RunFolder]:
    """Every run in a folder, the oldest first; what was merged is as old as the merge."""
    folders = [RunFolder(path.parent) for path in runs.glob(f"*/{MANIFEST}")]
    # A merge in the second in which the last shard began came after it.
    yield from sorted(folders, key=lambda folder: (made(folder), "merged" in folder.manifest, folder.run_id))


def made(folder: RunFolder) -> str:
    """When a run came to be, UTC, ISO 8601."""
    merged = folder.manifest.get("merged")
    return str(folder.manifest["started"] if merged is None else merged["at"])


def find_runs(name: str, runs: Path) -> list[RunFolder]:
    """The runs that a name stands for.

    Args:
        name: A run id, a group of runs, `latest` for the newest group, or the path of a run's folder.
        runs: The folder of runs.

    Raises:
        UserError: There is no run at all.
        UnknownName: There is none of this name.
    """
    if (Path(name) / MANIFEST).is_file():
        return [RunFolder(Path(name))]
    known = list(all_runs(runs))
    if not known:
        raise UserError("there are no runs yet", place=str(runs), remedy="start with `sqlassay demo`")
    if name == "latest":
        name = str(known[-1].manifest["group"])
    found = [folder for folder in known if name in (folder.run_id, folder.manifest["group"])]
    if not found:
        raise UnknownName("run", name, (folder.run_id for folder in known), place=str(runs))
    return found


def unfinished_group(runs: Path, experiment: str | None, *, retry_unscored: bool = False) -> RunFolder:
    """A run of the newest group that has something left to do.

    Args:
        runs: The folder of runs.
        experiment: Only groups of the experiment of this name; `None` takes any.
        retry_unscored: Whether an unscored item is something left to do.

    Raises:
        UserError: Everything is finished.
    """
    groups: dict[str, list[RunFolder]] = {}
    for folder in all_runs(runs):
        if experiment in (None, folder.manifest["experiment"]["name"]):
            groups.setdefault(str(folder.manifest["group"]), []).append(folder)
    for folders in reversed(groups.values()):
        if len(folders) < folders[0].manifest["cells"] or any(f.manifest["status"] != FINISHED for f in folders):
            return folders[0]
        if retry_unscored and any(is_unscored(item) for folder in folders for item in folder.raw_items()):
            return folders[0]
    what = "nothing" if experiment is None else f"no run of {experiment!r}"
    raise UserError(f"{what} is left to resume", place=str(runs), remedy="to run it anew, leave out --resume")


def summarise(folder: RunFolder) -> RunSummary:
    """Add up a run from its records, with what is known of its judges.

    Raises:
        UserError: A record cannot be read.
    """
    from evaluation.reports.log_table import LogTable

    summary = blank_summary(folder)
    with LogTable(folder) as table:
        table.summarise(summary)
    return summary


@dataclass(frozen=True)
class Analysis:
    """A run from all sides.

    Attributes:
        summary: Its numbers.
        partings: How its strategies part from the reference.
        taxonomy: What execution found, and beside it what judges say; empty where nothing is judged.
        slices: Its numbers by slice; empty unless they are asked for.
        shown: Where in the file the items are that are asked for: the numbers of their lines, from 0.
    """

    summary: RunSummary
    partings: Sequence[Parting]
    taxonomy: Sequence[Row]
    slices: Sequence[RunSummary] = ()
    shown: Sequence[int] = ()


def analyse(folder: RunFolder, by: str | None = None, wanted: Callable[[ItemRecord], bool] | None = None) -> Analysis:
    """Add up a run from its records, which are read once.

    Args:
        folder: The run.
        by: What it is sliced by: one of the keys of slices.
        wanted: Says by the verdicts of an item whether it is asked for.

    Raises:
        UserError: A record cannot be read.
        UnknownName: There is no such key.
    """
    from evaluation.reports.log_table import LogTable

    summary = blank_summary(folder)
    slices = None
    if by is not None:
        slices = Slices(by, dialect_of(folder.manifest), summary.standings)
    disagreements, taxonomy = Disagreements(), Taxonomy()
    with LogTable(folder, slices) as table:
        table.summarise(summary)
        table.summarise_slices()
        for item, times in table.alike():
            disagreements.add(item, times)
            taxonomy.add(item, times)
        shown = table.places(wanted) if wanted is not None else ()
    rows = taxonomy.rows if summary.standings else ()
    return Analysis(summary, disagreements.partings, rows, slices.summaries if slices else (), shown)


def blank_summary(folder: RunFolder) -> RunSummary:
    """The summary of a run before anything is counted."""
    manifest = folder.manifest
    identity = manifest["identity"]
    dataset = identity["dataset"]
    strategies = identity.get("strategies", ())
    answered = answered_in(folder, strategies)
    notes = calibration_notes(strategies, run_id=folder.run_id, dataset=dataset, answered_by=answered.judges_of)
    return RunSummary(
        manifest["title"],
        folder.run_id,
        manifest["status"],
        dataset["questions"],
        standings=standings(strategies, notes, identity.get("model"), answered),
    )

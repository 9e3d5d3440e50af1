"""`sqlassay report`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

from evaluation.cli import output
from evaluation.cli.options import Json, Runs
from evaluation.verdicts import Status

if TYPE_CHECKING:
    from rich.console import Console

    from evaluation.reports.summary import RunSummary
    from evaluation.run_log import RunFolder


def report(
    names: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Argument(
            metavar="[RUN]...", help="Run ids, groups of several runs, `latest` (unless given), or folders of runs."
        ),
    ] = None,
    runs: Runs = Path("runs"),
    show: Annotated[
        Optional[Status],  # noqa: UP045
        typer.Option("--show", help="List the items of this status as well: question, SQL, gold, and what differs."),
    ] = None,
    by: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(
            "--by",
            metavar="KEY",
            help="Slice the results by difficulty, db_id, tag, turn, feature of the gold, route or model.",
        ),
    ] = None,
    disagreements: Annotated[
        bool, typer.Option("--disagreements", help="List the items that one strategy credits and another refuses.")
    ] = False,
    outputs: Annotated[
        Optional[list[Path]],  # noqa: UP045
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="Write a file instead, in the format of its ending; may be given several times.",
            dir_okay=False,
        ),
    ] = None,
    format_: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--format", metavar="FORMAT", help="A report format: of the files, or of what is printed."),
    ] = None,
    json: Json = False,
) -> None:
    """Show the results of a run, or of all runs of one experiment, from what is on disk.

    Several runs that differ in their prompt, model or engine are compared question by question, each with the first.

    Always with the three counts: scored items, system failures (the system under test was wrong or gave nothing) and
    instrument failures (nothing can be said).
    """
    from evaluation.compare.comparison import compare
    from evaluation.compare.screen import comparisons, more
    from evaluation.reports import console
    from evaluation.reports.disagreement import partings
    from evaluation.reports.taxonomy import taxonomy
    from evaluation.runs import find_runs, summarise

    names = names or ["latest"]
    found = list({folder.run_id: folder for name in names for folder in find_runs(name, runs)}.values())
    if outputs or format_ is not None:
        _write(found, outputs or (), format_)
        return
    compared = compare(found)
    summaries = [summarise(folder) for folder in found]
    if json:
        entries = [_entry(folder, summary, by) for folder, summary in zip(found, summaries, strict=True)]
        if show is not None or disagreements:
            for entry, folder in zip(entries, found, strict=True):
                entry["shown_items"] = [line for line in folder.raw_items() if _wanted(line, show, disagreements)]
        output.print_json({"runs": entries, "comparisons": [one.to_json() for one in compared]})
        return
    screen = output.data()
    screen.print(console.Results(summaries))
    for block in comparisons(compared):
        screen.print(block)
    if where := more(compared, output.program()):
        output.talk().print(where)
    for summary, folder in zip(summaries, found, strict=True):
        screen.print()
        screen.print(f"{summary.title}  {summary.run_id}")
        screen.print(console.reasons(summary))
        if summary.standings and (rows := taxonomy(folder.items())):
            screen.print(console.taxonomy(rows))
        for note in [*console.notes(summary), *console.partings(partings(folder.items()))]:
            screen.print(note)
        if by is not None:
            _print_slices(screen, _sliced(folder, summary, by), by)
        if show is not None or disagreements:
            _print_items(screen, folder, show, disagreements)


def _write(found: Sequence[RunFolder], outputs: Sequence[Path], name: str | None) -> None:
    from evaluation.reports.base import REPORTS
    from evaluation.reports.files import format_of, print_report, write_report

    if not outputs:
        print_report(REPORTS.make(str(name)), found, sys.stdout.buffer)
    for path in outputs:
        write_report(REPORTS.make(name or format_of(path)), found, path)
        output.talk().print(f"wrote {path}", markup=False)


def _print_items(screen: Console, folder: RunFolder, show: Status | None, disagreements: bool) -> None:
    from evaluation.reports import console
    from evaluation.reports.disagreement import disagree

    for record in folder.items():
        statuses = {verdict.status for verdict in record.verdicts}
        if show in statuses or (disagreements and disagree(record)):
            screen.print()
            screen.print(console.item(record))


def _print_slices(screen: Console, slices: list[RunSummary], by: str) -> None:
    from evaluation.reports import console

    screen.print()
    screen.print(console.Results(slices, heading=by))
    for part in slices if by in ("route", "model") else ():
        for line in console.spent(part):
            screen.print(f"{part.title}: {line}", markup=False)


def _entry(folder: RunFolder, summary: RunSummary, by: str | None) -> dict[str, Any]:
    from evaluation.reports.disagreement import partings
    from evaluation.reports.taxonomy import taxonomy

    entry = summary.to_json()
    entry["disagreements"] = [vars(parting) for parting in partings(folder.items())]
    if summary.standings:
        entry["taxonomy"] = [row.to_json() for row in taxonomy(folder.items())]
    if by is not None:
        entry["slices"] = [part.to_json() for part in _sliced(folder, summary, by)]
    return entry


def _sliced(folder: RunFolder, summary: RunSummary, by: str) -> list[RunSummary]:
    from database_backends.base import BACKENDS
    from evaluation.reports.slices import Slices

    sliced = Slices(by, BACKENDS.get(folder.manifest["identity"]["backend"]["name"]).dialect, summary.standings)
    for record in folder.items():
        sliced.add(record)
    return sliced.summaries


def _wanted(line: dict[str, Any], show: Status | None, disagreements: bool) -> bool:
    statuses = {verdict["status"] for verdict in line["verdicts"]}
    return show in statuses or (disagreements and {"correct", "incorrect"} <= statuses)

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

    from evaluation.records import ItemRecord
    from evaluation.reports.summary import RunSummary
    from evaluation.run_log import RunFolder
    from evaluation.runs import Analysis


def report(
    names: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Argument(
            metavar="[RUN...]", help="Run ids, groups of several runs, `latest` (unless given), or folders of runs."
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
    from evaluation.reports.disagreement import disagree
    from evaluation.runs import analyse, find_runs

    names = names or ["latest"]
    found = list({folder.run_id: folder for name in names for folder in find_runs(name, runs)}.values())
    if outputs or format_ is not None:
        _write(found, outputs or (), format_)
        return
    compared = compare(found)
    items = show is not None or disagreements

    def wanted(record: ItemRecord) -> bool:
        return show in {verdict.status for verdict in record.verdicts} or (disagreements and disagree(record))

    analyses = [analyse(folder, by, wanted if items else None) for folder in found]
    if json:
        entries = [_entry(folder, one, by, items=items) for folder, one in zip(found, analyses, strict=True)]
        output.print_json({"runs": entries, "comparisons": [one.to_json() for one in compared]})
        return
    screen = output.data()
    screen.print(console.Results([one.summary for one in analyses]))
    for block in comparisons(compared):
        screen.print(block)
    if where := more(compared, output.program()):
        output.talk().print(where)
    for analysis, folder in zip(analyses, found, strict=True):
        summary = analysis.summary
        screen.print()
        screen.print(f"{summary.title}  {summary.run_id}")
        screen.print(console.reasons(summary))
        if analysis.taxonomy:
            screen.print(console.taxonomy(analysis.taxonomy))
        for note in [*console.notes(summary), *console.partings(analysis.partings)]:
            screen.print(note)
        if by is not None:
            _print_slices(screen, analysis.slices, by)
        for record in folder.items_at(analysis.shown):
            screen.print()
            screen.print(console.item(record))


def _write(found: Sequence[RunFolder], outputs: Sequence[Path], name: str | None) -> None:
    from evaluation.reports.base import REPORTS
    from evaluation.reports.files import format_of, print_report, write_report

    if not outputs:
        print_report(REPORTS.make(str(name)), found, sys.stdout.buffer)
    reports = [REPORTS.make(name or format_of(path)) for path in outputs]
    for made, path in zip(reports, outputs, strict=True):
        write_report(made, found, path)
        output.talk().print(f"wrote {path}", markup=False)


def _print_slices(screen: Console, slices: Sequence[RunSummary], by: str) -> None:
    from evaluation.reports import console

    screen.print()
    screen.print(console.Results(slices, heading=by))
    for part in slices if by in ("route", "model") else ():
        for line in console.spent(part):
            screen.print(f"{part.title}: {line}", markup=False)


def _entry(folder: RunFolder, analysis: Analysis, by: str | None, *, items: bool) -> dict[str, Any]:
    entry = analysis.summary.to_json()
    entry["disagreements"] = [vars(parting) for parting in analysis.partings]
    if analysis.summary.standings:
        entry["taxonomy"] = [row.to_json() for row in analysis.taxonomy]
    if by is not None:
        entry["slices"] = [part.to_json() for part in analysis.slices]
    if items:
        entry["shown_items"] = output.Streamed(folder.raw_items_at(analysis.shown))
    return entry

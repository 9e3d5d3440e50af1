"""`sqlassay report`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Optional

import typer

from evaluation.cli import output
from evaluation.cli.options import Json, Runs
from evaluation.verdicts import Status


def report(
    run: Annotated[
        str, typer.Argument(metavar="RUN", help="A run id, the group of several runs, `latest`, or a run's folder.")
    ] = "latest",
    runs: Runs = Path("runs"),
    show: Annotated[
        Optional[Status],  # noqa: UP045
        typer.Option("--show", help="List the items of this status as well: question, SQL, gold, and what differs."),
    ] = None,
    json: Json = False,
) -> None:
    """Show the results of a run, or of all runs of one experiment, from what is on disk.

    Always with the three counts: scored items, system failures (the system under test was wrong or gave nothing) and
    instrument failures (nothing can be said).
    """
    from evaluation.reports import console
    from evaluation.runs import find_runs, summarise

    found = find_runs(run, runs)
    summaries = [summarise(folder) for folder in found]
    if json:
        shown = [summary.to_json() for summary in summaries]
        if show is not None:
            for entry, folder in zip(shown, found, strict=True):
                entry["shown_items"] = [item for item in folder.raw_items() if _has(item, show)]
        output.print_json({"runs": shown})
        return
    screen = output.data()
    screen.print(console.results(summaries))
    for summary, folder in zip(summaries, found, strict=True):
        screen.print()
        screen.print(f"{summary.title}  {summary.run_id}")
        screen.print(console.reasons(summary))
        for note in console.notes(summary):
            screen.print(note)
        if show is not None:
            for record in folder.items():
                if any(verdict.status.value == show.value for verdict in record.verdicts):
                    screen.print()
                    screen.print(console.item(record))


def _has(item: dict[str, Any], show: Status) -> bool:
    return any(verdict["status"] == show.value for verdict in item["verdicts"])

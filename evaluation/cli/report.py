"""`sqlassay report`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from evaluation.cli import output
from evaluation.cli.options import Json, Runs


def report(
    run: Annotated[
        str, typer.Argument(metavar="RUN", help="A run id, the group of several runs, `latest`, or a run's folder.")
    ] = "latest",
    runs: Runs = Path("runs"),
    json: Json = False,
) -> None:
    """Show the results of a run, or of all runs of one experiment, from what is on disk.

    Always with the three counts: scored items, system failures (the system under test was wrong or gave nothing) and
    instrument failures (nothing can be said).
    """
    from evaluation.reports import console
    from evaluation.runs import find_runs, summarise

    summaries = [summarise(folder) for folder in find_runs(run, runs)]
    if json:
        output.print_json({"runs": [summary.to_json() for summary in summaries]})
        return
    screen = output.data()
    screen.print(console.results(summaries))
    for summary in summaries:
        screen.print()
        screen.print(f"{summary.title}  {summary.run_id}")
        screen.print(console.reasons(summary))
        for note in console.notes(summary):
            screen.print(note)

"""`sqlassay runs export`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from evaluation.cli import output
from evaluation.cli.options import Runs
from sqlassay.counted import counted


def export(
    names: Annotated[
        list[str],
        typer.Argument(metavar="RUN...", help="Run ids, groups of several runs, `latest`, or folders of runs."),
    ],
    target: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="The file: .tar.gz, .tgz or .zip.", dir_okay=False)
    ],
    runs: Runs = Path("runs"),
) -> None:
    """Write runs into one file, for another machine or for keeping. The same runs give the same bytes.

    Example: `sqlassay runs export latest --output runs.tar.gz`
    """
    from evaluation.archives import export_runs
    from evaluation.runs import find_runs

    found = {run.run_id: run for name in names for run in find_runs(name, runs)}
    size = export_runs(list(found.values()), target)
    output.talk().print(f"{target}: {counted(len(found), 'run')}, {size:,} bytes", soft_wrap=True)

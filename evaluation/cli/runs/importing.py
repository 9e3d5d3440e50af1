"""`sqlassay runs import`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from evaluation.cli import output
from evaluation.cli.options import Json, Runs
from sqlassay.counted import counted


def import_(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Files that `sqlassay runs export` wrote.")],
    runs: Runs = Path("runs"),
    json: Json = False,
) -> None:
    """Take runs out of files. A run appears as a whole, or not at all; one that is there already stays as it is.

    A file may be from anywhere: what is no file of a run is refused, and so is a run that is there with other content.
    Nothing is imported then.

    Example: `sqlassay runs import shards/*.tar.gz --runs shards`
    """
    from evaluation.archives import import_runs

    new, known = import_runs(files, runs)
    if json:
        output.print_json({"imported": [run.run_id for run in new], "known": known})
        return
    rows = [(run.run_id, run.manifest["title"], run.manifest["status"]) for run in new]
    if rows:
        output.data().print(output.table(("run", "what", "status"), rows))
    there = f"; {len(known)} there already" if known else ""
    output.talk().print(f"{counted(len(new), 'run')} imported into {runs}{there}", soft_wrap=True)

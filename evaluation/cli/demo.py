"""`sqlassay demo`."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from evaluation.cli import output
from evaluation.cli.options import Json


def demo(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Where the demo's files and runs go.")] = Path(
        "sqlassay-demo"
    ),
    json: Json = False,
) -> int:
    """Run a finished benchmark offline: no key, no server, no model.

    Two recorded sets of answers, written for this demo with the mistakes that models make, to questions about a small
    shop, on SQLite and on DuckDB.
    """
    from evaluation.cli.run import execute
    from evaluation.examples import lay_out_demo
    from evaluation.experiment import read_experiment
    from evaluation.grid import Grid
    from evaluation.groups import new_group

    path = lay_out_demo(folder)
    file = read_experiment(path)
    runs = folder / "runs"
    grid = Grid(file)
    group = new_group(file.experiment.name, runs)
    code = execute(grid, group, runs, say_where=False, json=json)
    if not json:
        name = output.program()
        report = shlex.join([name, "report", f"{group}-01", "--runs", str(runs), "--show", "incorrect"])
        output.talk().print(
            f"\nNext, see why answers were wrong:\n  {report}\n"
            f"then change {path}, and run it:\n  {shlex.join([name, 'run', str(path)])}",
        )
    return code

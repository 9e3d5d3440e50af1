"""`sqlassay backends`: one file per command."""

from __future__ import annotations

import typer

from evaluation.cli.backends import bench, check, load

app = typer.Typer(no_args_is_help=True, help="Databases: are they all right, how fast are they; and fill servers.")
app.command("bench")(bench.bench)
app.command("check")(check.check)
app.command("load")(load.load)

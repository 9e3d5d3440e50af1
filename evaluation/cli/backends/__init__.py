"""`sqlassay backends`: one file per command."""

from __future__ import annotations

import typer

from evaluation.cli.backends import check, load

app = typer.Typer(no_args_is_help=True, help="Databases: fill them, and see whether they are all right.")
app.command("check")(check.check)
app.command("load")(load.load)

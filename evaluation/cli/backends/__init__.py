"""`sqlassay backends`: one file per command."""

from __future__ import annotations

import typer

from evaluation.cli.backends import check

app = typer.Typer(no_args_is_help=True, help="Databases: are they all right?")
app.command("check")(check.check)

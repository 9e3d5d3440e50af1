"""`sqlassay prompts`: one file per command."""

from __future__ import annotations

import typer

from evaluation.cli.prompts import exporting, importing, pushing

app = typer.Typer(no_args_is_help=True, help="Prompts: from elsewhere and for elsewhere.")
app.add_typer(importing.app, name="import")
app.add_typer(exporting.app, name="export")
app.command("push")(pushing.push)

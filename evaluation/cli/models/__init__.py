"""`sqlassay models`: one file per command."""

from __future__ import annotations

import typer

from evaluation.cli.models import check, listing, show

app = typer.Typer(no_args_is_help=True, help="Models: which there are, what they cost, and whether they can be used.")
app.command("list")(listing.list_models)
app.command("search")(listing.search)
app.command("show")(show.show)
app.command("check")(check.check)

"""`sqlassay judge`: one file per command."""

from __future__ import annotations

import typer

from evaluation.cli.judge import calibrate, listing, show

app = typer.Typer(no_args_is_help=True, help="Judges: how often each is wrong, which reports show beside its verdicts.")
app.command("calibrate")(calibrate.calibrate)
app.command("list")(listing.list_calibrations)
app.command("show")(show.show)

"""`sqlassay runs`: one file per command."""

from __future__ import annotations

import typer

from evaluation.cli.runs import exporting, importing, listing, merging, pruning, show

app = typer.Typer(no_args_is_help=True, help="What was run.")
app.command("list")(listing.list_runs)
app.command("show")(show.show)
app.command("merge")(merging.merge)
app.command("prune")(pruning.prune)
app.command("export")(exporting.export)
app.command("import")(importing.import_)

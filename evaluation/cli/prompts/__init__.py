"""`sqlassay prompts`: one file per command."""

from __future__ import annotations

import typer

from evaluation.cli.prompts import diff, exporting, importing, lint, listing, lock, new, pushing, render, show

app = typer.Typer(no_args_is_help=True, help="Prompts: which there are, what they say, and what a model would read.")
app.command("list")(listing.list_prompts)
app.command("show")(show.show)
app.command("render")(render.render)
app.command("diff")(diff.diff)
app.command("new")(new.new)
app.command("lock")(lock.lock)
app.command("lint")(lint.lint)
app.add_typer(importing.app, name="import")
app.add_typer(exporting.app, name="export")
app.command("push")(pushing.push)

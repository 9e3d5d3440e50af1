"""`sqlassay langfuse`: one file per command."""

from __future__ import annotations

import typer

from evaluation.cli.langfuse import down, health, publish, pull, setup, status, up, validate

app = typer.Typer(no_args_is_help=True, help="Langfuse: a copy of runs, the labels of people, a server of your own.")
app.command("publish")(publish.publish)
app.command("pull")(pull.pull)
app.command("up")(up.up)
app.command("down")(down.down)
app.command("status")(status.status)
app.command("setup")(setup.setup)
app.command("validate")(validate.validate)
app.command("health")(health.health)

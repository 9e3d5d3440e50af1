"""`sqlassay langfuse`: one file per command."""

from __future__ import annotations

import typer

from evaluation.cli.langfuse import publish, pull

app = typer.Typer(no_args_is_help=True, help="Langfuse: runs are copied there, and people's labels come back.")
app.command("publish")(publish.publish)
app.command("pull")(pull.pull)

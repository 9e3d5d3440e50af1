"""`sqlassay langfuse down`."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from evaluation.cli import output
from evaluation.cli.langfuse.options import Folder
from sqlassay.errors import UserError


def down(
    folder: Folder = None,
    volumes: Annotated[
        bool,
        typer.Option("--volumes", help="Remove everything that was recorded, too: traces, scores, prompts."),
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="With --volumes: do not ask.")] = False,
) -> None:
    """Stop a Langfuse of your own, and remove its containers. What was recorded stays, and so do the settings."""
    from evaluation.langfuse_server.deployment import Deployment

    deployment = Deployment(folder)
    settings = deployment.settings()
    if volumes and not yes:
        if not sys.stdin.isatty():
            raise UserError("--volumes removes everything that was recorded", remedy="add --yes")
        if not typer.confirm(f"Remove everything that was recorded at {settings.host}?", err=True):
            output.talk().print("nothing was done")
            return
    deployment.down(volumes=volumes)
    kept = "nothing that was recorded is left" if volumes else "what was recorded is kept"
    output.talk().print(f"Langfuse at {settings.host} is down; {kept}", soft_wrap=True)

"""`sqlassay langfuse up`."""

from __future__ import annotations

from typing import Annotated

import typer

from evaluation.cli import output
from evaluation.cli.langfuse.options import Folder
from evaluation.cli.options import Json


def up(
    folder: Folder = None,
    wait: Annotated[
        float, typer.Option("--wait", metavar="SECONDS", min=1, help="How long it may take, once the images are there.")
    ] = 600.0,
    json: Json = False,
) -> None:
    """Start a Langfuse of your own: six containers, reached from this machine alone.

    Waits until each is healthy, and until the project and its keys are there. Sets it up first where that was not
    done. Needs Docker; the images are about 2 GB.

    Example: `sqlassay langfuse up && sqlassay langfuse validate`
    """
    from evaluation.langfuse_server.deployment import Deployment

    deployment = Deployment(folder)
    deployment.make_sure()
    if deployment.set_up():
        output.talk().print(f"wrote {deployment.settings_file}", soft_wrap=True)
    deployment.up(wait)
    settings = deployment.settings()
    if json:
        output.print_json({"host": settings.host, "project": settings.project, "folder": str(deployment.folder)})
        return
    output.data().print(f"Langfuse is up: {settings.host}", soft_wrap=True)
    output.talk().print("`sqlassay langfuse setup --save-keys` puts its keys where sqlassay finds them", soft_wrap=True)

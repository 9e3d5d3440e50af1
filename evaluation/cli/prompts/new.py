"""`sqlassay prompts new`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from evaluation.cli import output
from evaluation.cli.options import PromptFolder


def new(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Of the prompt; its next free version is written.")],
    source: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(
            "--from",
            metavar="PROMPT",
            help="What it starts as; the newest version of NAME, or zero_shot@1, unless given.",
        ),
    ] = None,
    folder: PromptFolder = Path("prompts"),
) -> None:
    """Write the next version of a prompt, to be changed, and print where it is.

    Example: `sqlassay prompts new terse --from zero_shot@1`
    """
    from prompts.drafting import draft

    path = draft(name, folder, source)
    typer.echo(str(path))
    output.talk().print("change it; `sqlassay prompts lint` checks it, `sqlassay prompts lock` releases it")

"""`sqlassay prompts push`."""

from __future__ import annotations

from typing import Annotated, Optional

import typer

from evaluation.cli import output
from evaluation.cli.options import Prompt, PromptFolders


def push(
    ref: Prompt,
    message: Annotated[str, typer.Option("--message", "-m", metavar="WHY", help="Why it changed: its commit message.")],
    langfuse: Annotated[bool, typer.Option("--langfuse", help="To Langfuse; there is no other place yet.")] = False,
    label: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--label", metavar="LABEL", help="A label for the version, such as production."),
    ] = None,
    folder: PromptFolders = None,
) -> None:
    """Make a prompt a new version at Langfuse, and print what an experiment calls it.

    Where Langfuse is and its keys are taken from LANGFUSE_BASE_URL (or LANGFUSE_HOST), LANGFUSE_PUBLIC_KEY and
    LANGFUSE_SECRET_KEY. When the newest version there says the same, none is made; it is given the label, though.

    Example: `sqlassay prompts push my_prompt --langfuse --label production --message "Name the dialect"`
    """
    from prompts.langfuse import push as push_to
    from prompts.library import load
    from sqlassay.errors import UserError

    if not langfuse:
        raise UserError("it is not said where to", remedy="--langfuse")
    if not message.strip():
        raise UserError("the message is empty", remedy="say why the prompt changed")
    pushed = push_to(load(ref, folder or ()), message=message, label=label)
    typer.echo(pushed.ref)
    done = "is new" if pushed.is_new else "says the same already"
    output.talk().print(f"{pushed.ref} {done}{f'; it is {label} now' if pushed.relabelled else ''}")

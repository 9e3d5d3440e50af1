"""`sqlassay prompts export`."""

from __future__ import annotations

import typer

from evaluation.cli.options import Prompt, PromptFolders

app = typer.Typer(no_args_is_help=True, help="Write prompts for other tools.")


@app.callback()
def _group() -> None:
    """A group also while it has one command."""


@app.command("langchain")
def langchain(ref: Prompt, folder: PromptFolders = None) -> None:
    """Print a prompt as a ChatPromptTemplate of LangChain's, in JSON that langchain_core.load reads.

    A message that has only variables becomes an f-string. One with conditions or loops stays Jinja2, which LangChain
    loads when it is told to: load(…, init_validator=None). What else the prompt's file says is in the metadata.

    Example: `sqlassay prompts export langchain zero_shot@1 > zero_shot.json`
    """
    from prompts.langchain import chat_prompt, written
    from prompts.library import load

    typer.echo(written(chat_prompt(load(ref, folder or ()))))

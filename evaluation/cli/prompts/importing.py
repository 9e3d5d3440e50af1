"""`sqlassay prompts import`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Optional

import typer

from evaluation.cli import output
from evaluation.cli.options import PromptFolder

app = typer.Typer(no_args_is_help=True, help="Make prompts of other tools into prompts of a folder.")


@app.callback()
def _group() -> None:
    """A group also while it has one command."""


@app.command("langchain")
def langchain(
    source: Annotated[
        str,
        typer.Argument(
            metavar="FILE.json|MODULE:NAME",
            help="What langchain_core.load.dumps has written, or where a ChatPromptTemplate is: importing it runs it.",
        ),
    ],
    name: Annotated[str, typer.Option("--name", metavar="NAME", help="Of the prompt.")],
    folder: PromptFolder = Path("prompts"),
    output_key: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(
            "--output",
            metavar="HOW",
            help="How SQL is found in the answer: sql_block or json; sql_block, or what was exported, unless given.",
        ),
    ] = None,
) -> None:
    """Make a ChatPromptTemplate of LangChain's the next version of a prompt, and print where it is.

    f-strings, mustache and Jinja2 become Jinja2 that renders to the same text. Placeholders for messages, images, tools
    and sections of mustache are refused. Nothing is written when the newest version says the same already.

    Example: `sqlassay prompts import langchain my_app.prompts:SQL_PROMPT --name my_app`
    """
    from prompts.langchain import html_escaped, messages_of, read_chat_prompt, settings_in
    from prompts.variables import QUESTION
    from prompts.writing import write_version
    from sqlassay.errors import located

    if not Path(source).is_file():
        sys.path.insert(0, str(Path.cwd()))  # as `python -m` does
    prompt = read_chat_prompt(source)
    with located(source):
        messages = messages_of(prompt)
    settings = {"description": f"From LangChain: {source}.", **settings_in(prompt), "messages": messages}
    if output_key is not None or "output" not in settings:
        settings["output"] = output_key or "sql_block"
    made, is_new = write_version(name, folder, settings, place=source)
    typer.echo(str(made.path))
    talk = output.talk()
    talk.print(f"{made.ref} {'is new' if is_new else 'says the same already'}")
    talk.print(f"its variables: {', '.join(sorted(made.variables)) or 'none'}")
    unknown = sorted(made.variables - set(QUESTION))
    if unknown:
        talk.print(f"no run gives {', '.join(unknown)}: call them {', '.join(QUESTION)}", style="yellow")
    if html_escaped(prompt):
        talk.print('LangChain would write & < > " in values of {{name}} as HTML; sqlassay writes them as they are')

"""`sqlassay prompts import`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Optional

import typer

from evaluation.cli import output
from evaluation.cli.options import PromptFolder
from sqlassay.errors import UserError, located

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
    examples: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(
            "--examples",
            metavar="HOW:COUNT",
            help="What its variable `examples` holds, such as similar:5 or static:5; what was exported unless given.",
        ),
    ] = None,
) -> None:
    """Make a ChatPromptTemplate of LangChain's the next version of a prompt, and print where it is.

    f-strings, mustache and Jinja2 become Jinja2 that renders to the same text. Placeholders for messages, images, tools
    and sections of mustache are refused. Nothing is written when the newest version says the same already.

    Example: `sqlassay prompts import langchain my_app.prompts:SQL_PROMPT --name my_app`
    """
    from prompts.langchain import html_escaped, messages_of, read_chat_prompt, settings_in, variables_of
    from prompts.variables import ELSEWHERE, EVERY, QUESTION
    from prompts.writing import write_version

    if not Path(source).is_file():
        sys.path.insert(0, str(Path.cwd()))  # as `python -m` does
    prompt = read_chat_prompt(source)
    with located(source):
        messages = messages_of(prompt)
    settings = {"description": f"From LangChain: {source}.", **settings_in(prompt), "messages": messages}
    if output_key is not None or "output" not in settings:
        settings["output"] = output_key or "sql_block"
    if examples is not None:
        settings["examples"] = _shots(examples)
    if "examples" not in settings and "examples" in variables_of(messages):
        raise UserError("it mentions 'examples', and not which", place=source, remedy="say it: --examples similar:5")
    made, is_new = write_version(name, folder, settings, place=source)
    typer.echo(str(made.path))
    talk = output.talk()
    talk.print(f"{made.ref} {'is new' if is_new else 'says the same already'}")
    talk.print(f"its variables: {', '.join(sorted(made.variables)) or 'none'}")
    for whose, given in ELSEWHERE.items():
        theirs = sorted(made.variables & set(given))
        if theirs:
            talk.print(f"only the prompt of {whose} is given {', '.join(theirs)}", style="yellow")
    unknown = sorted(made.variables - set(EVERY))
    if unknown:
        talk.print(f"no run gives {', '.join(unknown)}: call them {', '.join(QUESTION)}", style="yellow")
    if html_escaped(prompt):
        talk.print('LangChain would write & < > " in values of {{name}} as HTML; sqlassay writes them as they are')


def _shots(text: str) -> dict[str, object]:
    select, _, count = text.partition(":")
    if not (count.isascii() and count.isdecimal()):
        raise UserError(f"--examples {text!r} is not HOW:COUNT", remedy="such as similar:5")
    return {"select": select, "count": int(count)}

"""`sqlassay keys`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from evaluation.cli import output
from evaluation.cli.options import Json
from sqlassay.errors import UnknownName, UserError

if TYPE_CHECKING:
    from sqlassay.secrets import Found

app = typer.Typer(
    no_args_is_help=True,
    help="Keys of providers: which there are and from where, and those of the secrets file. None is ever shown.",
)
Name = Annotated[
    str, typer.Argument(metavar="NAME", help="A provider, such as openai, or a variable, such as MY_GATEWAY_KEY.")
]


@app.command("set")
def set_key(
    name: Name,
    stdin: Annotated[bool, typer.Option("--stdin", help="Read the key from stdin instead of asking for it.")] = False,
) -> None:
    """Write a key into the secrets file, which nobody but you can read.

    It is asked for and not shown. It is no argument, because other users see those, and the shell remembers them.

    Example: `pass show openai | sqlassay keys set openai --stdin`
    """
    from sqlassay.secrets import ENVIRONMENT, whereabouts
    from sqlassay.secrets_file import NAME, save_secret

    variable = _variable(name)
    if not NAME.fullmatch(variable):
        raise UserError(f"{name!r} is neither a provider nor a variable")
    path = save_secret(variable, _read_key(variable, stdin=stdin))
    output.talk().print(f"{variable} is in {path}")
    found = whereabouts(variable)
    if found is not None and found.source != str(path):
        where = "the environment" if found.source == ENVIRONMENT else found.source
        output.talk().print(f"but the one in {where} comes first", style="yellow")


@app.command("list")
def list_keys(json: Json = False) -> None:
    """List which providers have a key, and where it is: in the environment, in `.env`, or in the secrets file.

    The first that has one is taken.
    """
    from evaluation.key_variables import key_variables
    from sqlassay.secrets import whereabouts
    from sqlassay.secrets_file import read_secrets

    providers = key_variables()
    variables = [*providers.items(), *(("", name) for name in read_secrets() if name not in providers.values())]
    rows = [(provider, variable, whereabouts(variable)) for provider, variable in variables]
    if json:
        output.print_json(
            [
                {
                    "provider": provider or None,
                    "variable": variable,
                    "source": None if found is None else found.source,
                    "shadowed": [] if found is None else list(found.shadowed),
                }
                for provider, variable, found in rows
            ]
        )
    else:
        shown = [(provider or "–", variable, _described(found)) for provider, variable, found in rows]
        output.data().print(output.table(("provider", "variable", "key"), shown))


@app.command("remove")
def remove_key(name: Name) -> None:
    """Take a key out of the secrets file."""
    from sqlassay.secrets import ENVIRONMENT, whereabouts
    from sqlassay.secrets_file import remove_secret

    variable = _variable(name)
    path = remove_secret(variable)
    output.talk().print(f"{variable} is no longer in {path}")
    found = whereabouts(variable)
    if found is not None:
        where = "the environment" if found.source == ENVIRONMENT else found.source
        output.talk().print(f"but there still is one in {where}", style="yellow")


def _described(found: Found | None) -> str:
    if found is None:
        return "none"
    return ", before ".join([found.source, *found.shadowed])


def _variable(name: str) -> str:
    """The variable of a provider; a name in capitals is a variable itself."""
    from adapters.base import ADAPTERS
    from evaluation.key_variables import key_variables

    if name.isupper():
        return name
    if name not in ADAPTERS.names():
        raise UnknownName("provider", name, key_variables())
    variable = ADAPTERS.get(name).key_env
    if variable is None:
        raise UserError(f"{name} needs no key", remedy="if yours does, name the variable of its `api_key_env`")
    return variable


def _read_key(variable: str, *, stdin: bool) -> str:
    from getpass import getpass

    from sqlassay.secrets_file import checked

    if stdin:
        given = sys.stdin.read()
    elif sys.stdin.isatty():
        given = getpass(f"{variable}: ")
    else:
        raise UserError("there is nobody to ask for the key", remedy="give it to --stdin")
    key = given.strip()
    if not key:
        raise UserError("no key was given")
    if any(letter.isspace() for letter in key) or key.startswith((f"{variable}=", "${")):
        raise UserError("that is not a key", remedy="give nothing but the key: no name, no quotes, no second line")
    if key[0] in "'\"" and key[-1] == key[0]:
        raise UserError("the key is quoted", remedy="give it without quotes")
    return checked(key, variable)

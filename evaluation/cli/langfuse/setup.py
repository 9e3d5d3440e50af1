"""`sqlassay langfuse setup`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Optional

import typer

from evaluation.cli import output
from evaluation.cli.langfuse.options import Folder
from evaluation.cli.options import Json
from sqlassay.errors import UserError

if TYPE_CHECKING:
    from evaluation.langfuse_server.settings import Settings

Port = Annotated[
    Optional[int],  # noqa: UP045
    typer.Option("--port", metavar="N", min=1, max=65535, help="Where it is reached, on this machine alone: 21530."),
]


def setup(
    folder: Folder = None,
    port: Port = None,
    media_port: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option("--media-port", metavar="N", min=1, max=65535, help="The same for files within traces: 21531."),
    ] = None,
    organisation: Annotated[str, typer.Option("--organisation", metavar="NAME", help="Its first organisation.")] = "",
    project: Annotated[str, typer.Option("--project", metavar="NAME", help="Its first project.")] = "",
    email: Annotated[str, typer.Option("--email", metavar="ADDRESS", help="Whom you sign in as.")] = "",
    release: Annotated[str, typer.Option("--langfuse", metavar="VERSION", help="Of the server, such as 4.59.0.")] = "",
    save_keys: Annotated[
        bool, typer.Option("--save-keys", help="Put address and keys into the secrets file, where sqlassay finds them.")
    ] = False,
    show_secret: Annotated[
        bool, typer.Option("--show-secret", help="Print the secret key as well, for `eval` or another program.")
    ] = False,
    json: Json = False,
) -> None:
    """Write the settings of a Langfuse of your own, with secrets that nobody else has, and say how to use it.

    Nothing is started. `.env`, which only you can read, and `compose.yaml` are written once, and never overwritten:
    where they are, this says how to use them. What is printed are lines for a shell.

    Example: `sqlassay langfuse setup --project nightly --save-keys`
    """
    from evaluation.langfuse_server.deployment import Deployment

    deployment = Deployment(folder)
    asked = {
        "LANGFUSE_PORT": port,
        "LANGFUSE_MEDIA_PORT": media_port,
        "LANGFUSE_INIT_ORG_NAME": organisation,
        "LANGFUSE_INIT_PROJECT_NAME": project,
        "LANGFUSE_INIT_USER_EMAIL": email,
        "LANGFUSE_VERSION": release,
    }
    chosen = {name: str(value) for name, value in asked.items() if value}
    is_new = deployment.set_up(chosen)
    settings = deployment.settings()
    others = sorted(name for name, value in chosen.items() if settings.values[name] != value)
    if others:
        raise UserError(
            f"is there already, with another {', '.join(others)}", place=str(settings.place), remedy="change it there"
        )
    talk = output.talk()
    talk.print(f"{'wrote' if is_new else 'found'} {settings.place}", soft_wrap=True)
    if deployment.outdated:
        talk.print(f"{deployment.compose_file} is not the one of this version", style="yellow", soft_wrap=True)
    if save_keys:
        _save(settings)
    _show(settings, show_secret=show_secret, json=json)
    talk.print(f"the password of {settings.values['LANGFUSE_INIT_USER_EMAIL']} is in that file", soft_wrap=True)


def _save(settings: Settings) -> None:
    """Into the secrets file, unless it has others, which would be lost."""
    from sqlassay.langfuse import HOSTS, PUBLIC_KEY, SECRET_KEY
    from sqlassay.secrets_file import read_secrets, save_secret, secrets_path

    values = dict(zip((HOSTS[0], PUBLIC_KEY, SECRET_KEY), (settings.host, *settings.keys), strict=True))
    there = read_secrets()
    others = [name for name, value in values.items() if there.get(name, value) != value]
    if others:
        remedy = "; ".join(f"sqlassay keys remove {name}" for name in others)
        raise UserError(f"holds another {', '.join(others)}", place=str(secrets_path()), remedy=remedy)
    for name, value in values.items():
        save_secret(name, value)
    output.talk().print(f"address and keys are in {secrets_path()}", soft_wrap=True)


def _show(settings: Settings, *, show_secret: bool, json: bool) -> None:
    from sqlassay.langfuse import HOSTS, PUBLIC_KEY, SECRET_KEY

    public, secret = settings.keys
    shown = {HOSTS[0]: settings.host, PUBLIC_KEY: public, **({SECRET_KEY: secret} if show_secret else {})}
    if json:
        output.print_json({"folder": str(settings.place.parent), "project": settings.project, "environment": shown})
        return
    for name, value in shown.items():
        typer.echo(f"export {name}={value}")
    if not show_secret:
        typer.echo(f"# {SECRET_KEY}: --show-secret prints it, --save-keys puts it where sqlassay finds it")

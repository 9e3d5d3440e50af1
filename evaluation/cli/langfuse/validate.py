"""`sqlassay langfuse validate`."""

from __future__ import annotations

from typing import Annotated

import typer

from evaluation.cli import checks as shown
from evaluation.cli import output
from evaluation.cli.langfuse.options import Folder, Host
from evaluation.cli.options import Json
from sqlassay.errors import ExitCode


def validate(
    host: Host = None,
    folder: Folder = None,
    project: Annotated[
        str, typer.Option("--project", metavar="NAME", help="The project, by name or id, that the keys are to be of.")
    ] = "",
    read_only: Annotated[bool, typer.Option("--read-only", help="Write no trace.")] = False,
    wait: Annotated[
        float, typer.Option("--wait", metavar="SECONDS", min=0, help="How long until the trace can be read.")
    ] = 60.0,
    json: Json = False,
) -> int:
    """Check a Langfuse server, yours or another: is it reached, does it fit, are the keys accepted, can all be used?

    Address, version against the SDK, keys, project, each part of the API that is used, and a trace with a score that is
    written, read back and removed. A dataset `sqlassay-validate` with one item stays there.

    Which server: that of --folder or --host, else the one that LANGFUSE_BASE_URL, LANGFUSE_PUBLIC_KEY and
    LANGFUSE_SECRET_KEY name, in the environment, `.env` or the secrets file, else your own. Exits with 1 when a check
    has failed.

    Example: `sqlassay langfuse validate --host https://langfuse.example.com --project nightly`
    """
    from rich.text import Text

    from evaluation.langfuse_server.chosen import chosen
    from evaluation.langfuse_server.validation import validate as validated

    server = chosen(host, folder)
    result = validated(server, project=project, write=not read_only, seconds=wait)
    if json:
        output.print_json({"server": server.host, "ok": result.ok, "checks": shown.as_json(result.checks)})
    else:
        screen = output.data()
        screen.print(Text(result.subject, style="bold"))
        screen.print(shown.table(result.checks))
        screen.print(f"\n{shown.verdict(result.checks)}")
    return ExitCode.OK if result.ok else ExitCode.UNUSABLE

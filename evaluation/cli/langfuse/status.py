"""`sqlassay langfuse status`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from evaluation.cli import output
from evaluation.cli.langfuse.options import Folder
from evaluation.cli.options import Json
from sqlassay.errors import ExitCode

if TYPE_CHECKING:
    from rich.text import Text

    from evaluation.langfuse_server.docker import State


def status(folder: Folder = None, json: Json = False) -> int:
    """Show the six services of a Langfuse of your own. Exits with 1 unless every one is running and healthy."""
    from evaluation.langfuse_server.deployment import Deployment

    deployment = Deployment(folder)
    settings = deployment.settings()
    states = deployment.states()
    ok = all(state.ok for state in states)
    if json:
        services = [{**state._asdict(), "ok": state.ok} for state in states]
        output.print_json({"folder": str(deployment.folder), "host": settings.host, "ok": ok, "services": services})
    else:
        rows = [(one.service, _word(one), one.health, ", ".join(one.ports), one.image) for one in states]
        screen = output.data()
        screen.print(output.table(("service", "state", "health", "reached at", "image"), rows))
        screen.print(f"\n{settings.host}, settings in {settings.place}", soft_wrap=True)
    return ExitCode.OK if ok else ExitCode.UNUSABLE


def _word(state: State) -> Text:
    from rich.text import Text

    return Text(state.state, style="green" if state.ok else "bold red")

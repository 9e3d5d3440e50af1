"""`sqlassay models check`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

from evaluation.cli import checks as shown
from evaluation.cli import output
from evaluation.cli.options import ApiKeyEnv, BaseUrl, Experiment, Json
from sqlassay.errors import ExitCode, UserError

if TYPE_CHECKING:
    from adapters.base import ModelAdapter
    from evaluation.watch import History
    from sqlassay.validation import ValidationResult

_HISTORY = "model-checks.jsonl"


def check(
    models: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Argument(metavar="[PROVIDER:MODEL...]", help="Such as openai:gpt-4o-mini."),
    ] = None,
    experiment: Experiment = None,
    base_url: BaseUrl = None,
    api_key_env: ApiKeyEnv = None,
    watch: Annotated[bool, typer.Option("--watch", help="Check again and again, until Ctrl-C.")] = False,
    every: Annotated[
        float, typer.Option("--every", metavar="SECONDS", min=0.1, help="From one check to the next.")
    ] = 60.0,
    times: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option("--times", metavar="N", min=1, help="With --watch: end after N rounds."),
    ] = None,
    until_alert: Annotated[
        bool, typer.Option("--until-alert", help="With --watch: end, with exit code 1, when a model turns unhealthy.")
    ] = False,
    history: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(
            "--history",
            metavar="FILE",
            help="Add each check to a file of JSON lines, which tells what has changed since the last one; with"
            " --watch or --webhook one in the cache folder unless given.",
        ),
    ] = None,
    webhook: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(
            "--webhook",
            metavar="URL",
            envvar="SQLASSAY_WEBHOOK",
            help="Gets a JSON document when a model turns unhealthy, and when it recovers.",
        ),
    ] = None,
    json: Json = False,
) -> int:
    """Check models: is the server reached, the key accepted, the model there; how long do the smallest requests take?

    Two requests of a few tokens are sent, one of them to be answered in pieces. Exits with 1 when a check has failed,
    with --watch when one has failed in any round.

    Example: `sqlassay models check --experiment nightly.yaml --watch --every 300 --webhook https://…`
    """
    import asyncio

    from evaluation.cli.models.named import models_named
    from evaluation.cli.models.watcher import Watcher
    from evaluation.webhook import Webhook

    if not watch and (times is not None or until_alert):
        raise UserError("--times and --until-alert are of --watch")
    adapters = models_named(models or (), experiment, base_url, api_key_env)
    watcher = Watcher(
        adapters,
        _history(history, watch=watch, alerts=webhook is not None),
        None if webhook is None else Webhook(webhook),
    )
    if watch:
        return asyncio.run(watcher.watch(every, times, until_alert=until_alert, json=json))
    results = asyncio.run(watcher.once())
    if json:
        output.print_json([_as_json(adapter, result) for adapter, result in zip(adapters, results, strict=True)])
    else:
        for result in results:
            _show(result)
    return ExitCode.OK if all(result.ok for result in results) else ExitCode.UNUSABLE


def _history(path: Path | None, *, watch: bool, alerts: bool) -> History | None:
    from evaluation.store import cache_folder
    from evaluation.watch import History

    if path is None and not (watch or alerts):
        return None
    return History(path or cache_folder() / _HISTORY)


def _as_json(adapter: ModelAdapter, result: ValidationResult) -> dict[str, Any]:
    from evaluation.watch import name_of

    checks = shown.as_json(result.checks)
    return {"model": name_of(adapter), "endpoint": adapter.endpoint, "ok": result.ok, "checks": checks}


def _show(result: ValidationResult) -> None:
    from rich.text import Text

    screen = output.data()
    screen.print(Text(result.subject, style="bold"))
    screen.print(shown.table(result.checks))
    screen.print(f"\n{shown.verdict(result.checks)}")

"""`sqlassay langfuse health`."""

from __future__ import annotations

import json as json_module
import sys
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

from evaluation.cli import checks as shown
from evaluation.cli import output
from evaluation.cli.langfuse.options import Folder, Host
from evaluation.cli.options import Json
from sqlassay.errors import ExitCode, UserError

if TYPE_CHECKING:
    from sqlassay.validation import ValidationResult


def health(
    host: Host = None,
    folder: Folder = None,
    timeout: Annotated[
        float, typer.Option("--timeout", metavar="SECONDS", min=0.1, help="How long each request may take.")
    ] = 10.0,
    watch: Annotated[bool, typer.Option("--watch", help="Ask again and again, until Ctrl-C.")] = False,
    every: Annotated[
        float, typer.Option("--every", metavar="SECONDS", min=0.1, help="From one time to the next.")
    ] = 60.0,
    times: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option("--times", metavar="N", min=1, help="With --watch: end after N times."),
    ] = None,
    json: Json = False,
) -> int:
    """Ask a Langfuse server, yours or another, whether it is well: for monitors. Writes nothing, needs no SDK.

    One line: when, whether, and how long it took, or what is wrong: its database, its readiness for requests, and,
    where there are keys, whether they are accepted. --json prints an object a line. Which server: as `validate`.
    Exits with 1 when something is wrong, with --watch when something was at any time.

    Example: `sqlassay langfuse health --watch --every 30 --json >> health.jsonl`
    """
    from evaluation.langfuse_server.chosen import chosen
    from evaluation.langfuse_server.health import health as asked

    if times is not None and not watch:
        raise UserError("--times is of --watch")
    server = chosen(host, folder)
    rounds, ok = 0, True
    while True:
        started = time.monotonic()
        result = asked(server, seconds=timeout)
        ok = ok and result.ok
        _show(server.host, result, json=json)
        rounds += 1
        if not watch or rounds == times:
            return ExitCode.OK if ok else ExitCode.UNUSABLE
        time.sleep(max(0.0, every - (time.monotonic() - started)))


def _show(host: str, result: ValidationResult, *, json: bool) -> None:
    when = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    timed = [check.seconds for check in result.checks if check.seconds is not None]
    seconds = sum(timed) if timed else None
    if json:
        line: dict[str, Any] = {"time": when, "server": host, "ok": result.ok, "seconds": seconds}
        line["checks"] = shown.as_json(result.checks)
        sys.stdout.write(json_module.dumps(line) + "\n")
        sys.stdout.flush()
        return
    failed = [f"{check.name}: {check.detail}" for check in result.checks if not check.ok]
    more = "; ".join(failed) or f"{(seconds or 0) * 1000:.0f} ms"
    output.data().print(f"{when}  {'ok' if result.ok else 'failed':6}  {result.subject}  {more}", soft_wrap=True)

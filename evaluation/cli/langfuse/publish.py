"""`sqlassay langfuse publish`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Optional

import typer

from evaluation.cli import output
from evaluation.cli.options import Json, Runs
from sqlassay.errors import ExitCode


def publish(
    names: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Argument(
            metavar="[RUN...]", help="Run ids, groups of several runs, `latest` (unless given), or folders of runs."
        ),
    ] = None,
    host: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--host", metavar="URL", help="The server; the run's own, or LANGFUSE_BASE_URL, unless given."),
    ] = None,
    dataset: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--dataset", metavar="NAME", help="The dataset's name there; as the run says unless given."),
    ] = None,
    mask_rows: Annotated[
        Optional[bool],  # noqa: UP045
        typer.Option("--mask-rows/--no-mask-rows", help="Send nothing that may hold contents of rows."),
    ] = None,
    max_bytes: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option("--max-bytes", metavar="N", min=1, help="Of one input or output; what is longer is cut."),
    ] = None,
    patience: Annotated[
        float, typer.Option("--patience", metavar="SECONDS", min=0, help="How long to wait for a server that is down.")
    ] = 30.0,
    runs: Runs = Path("runs"),
    json: Json = False,
) -> int:
    """Send to Langfuse what has not arrived there of a run; what has is not sent again.

    Everything is made from the run's folder, and has an id that is told from it: sent twice, it is there once.

    Example: `sqlassay langfuse publish latest`
    """
    from sqlassay.langfuse import require_extra

    require_extra()
    from evaluation.runs import find_runs
    from evaluation.tracing.acknowledged import AcknowledgedLog
    from evaluation.tracing.destination import Destination
    from evaluation.tracing.parts import Standing, standing
    from evaluation.tracing.publisher import Publisher
    from evaluation.tracing.publisher import publish as send
    from evaluation.tracing.server import Server, Unavailable
    from evaluation.tracing.subject import CopySettings

    found = {folder.run_id: folder for name in names or ["latest"] for folder in find_runs(name, runs)}
    stood: dict[str, Standing] = {}
    problems: dict[str, None] = {}
    for run in found.values():
        settings = CopySettings.named(
            run.manifest, host=host, dataset=dataset, mask_rows=mask_rows, max_bytes=max_bytes
        )
        with Server(settings.access()) as server, AcknowledgedLog(run.path, Destination(server).name) as log:
            publisher = Publisher(run, settings, Destination(server), log)
            try:
                send(publisher, patience=patience)
            except Unavailable as error:
                problems[error.why] = None
                patience = 0.0  # as long as was said, and not as long for every run
            for sent, why in publisher.rejected.items():
                problems[f"the {sent.kind} {sent.id} was refused with {why}"] = None
            stood[run.run_id] = standing(run, publisher.subject, log)
    if json:
        output.print_json(
            {
                "runs": [{"run_id": name, **asdict(one), "complete": one.complete} for name, one in stood.items()],
                "problems": list(problems),
            }
        )
    else:
        for name, one in stood.items():
            output.data().print(f"{name}: {one}")
    for problem in list(problems)[:_SHOWN]:
        output.talk().print(problem, style="red")
    if len(problems) > _SHOWN:
        output.talk().print(f"and {len(problems) - _SHOWN} more", style="red")
    return ExitCode.OK if all(one.complete for one in stood.values()) else ExitCode.UNUSABLE


_SHOWN = 5

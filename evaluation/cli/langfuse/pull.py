"""`sqlassay langfuse pull`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from evaluation.cli import output
from evaluation.cli.options import Runs
from sqlassay.counted import counted
from sqlassay.errors import UserError


def pull(
    score: Annotated[str, typer.Option("--score", metavar="NAME", help="The score that people gave at Langfuse.")],
    run: Annotated[str, typer.Argument(metavar="RUN", help="A run id, or a run's folder.")] = "latest",
    file: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="Where the labels go, as JSON Lines.")
    ] = Path("labels.jsonl"),
    host: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--host", metavar="URL", help="The server; the run's own, or LANGFUSE_BASE_URL, unless given."),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a file that is there.")] = False,
    runs: Runs = Path("runs"),
) -> None:
    """Fetch what people said of a run's items at Langfuse, as labels for `sqlassay judge calibrate --labels`.

    The score is a boolean, a category with the values correct and incorrect, or a number that is 1 or 0. An item that
    people do not agree on gets no label.

    Example: `sqlassay langfuse pull latest --score correctness`
    """
    from evaluation.jsonl import line_of
    from evaluation.runs import find_runs
    from evaluation.tracing.labels import pull as labels_of
    from evaluation.tracing.server import Server, explained
    from evaluation.tracing.subject import CopySettings

    found = find_runs(run, runs)
    if len(found) > 1:
        raise UserError(
            f"{run!r} stands for {len(found)} runs", remedy=f"name one, such as {found[0].run_id}: labels are of one"
        )
    if file.exists() and not overwrite:
        raise UserError("is there already", place=str(file), remedy="add --overwrite, or name another with --output")
    to = CopySettings.named(found[0].manifest, host=host).access()
    with explained(to.host), Server(to) as server:
        labels = labels_of(found[0], server, score)
    if labels.unclear:
        output.talk().print(
            f"{counted(len(labels.unclear), 'score')} left out: {labels.unclear[0]!r} is neither correct nor incorrect",
            style="yellow",
        )
    if labels.disputed:
        output.talk().print(
            f"{counted(len(labels.disputed), 'question')} left out, on which people do not agree:"
            f" {', '.join(labels.disputed[:10])}",
            style="yellow",
        )
    if not labels.lines:
        raise UserError(
            f"no item of {found[0].run_id} has a score {score!r} that people gave",
            remedy="is it published there, and is this the score's name?",
        )
    try:
        file.write_bytes(b"".join(line_of(line) for line in labels.lines))
    except OSError as error:
        raise UserError(f"cannot be written: {error.strerror}", place=str(file)) from error
    output.talk().print(f"{counted(len(labels.lines), 'label')} in {file}")

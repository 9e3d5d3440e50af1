"""`sqlassay doctor`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from evaluation.cli import output
from evaluation.cli.options import Json, Runs
from sqlassay.counted import counted
from sqlassay.errors import ExitCode, SqlAssayError, UserError

if TYPE_CHECKING:
    from rich.text import Text

    from evaluation.doctor.examination import Examination
    from evaluation.doctor.finding import Finding, State


def doctor(
    experiment: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Argument(
            metavar="[EXPERIMENT.yaml]", help="An experiment file; its models and databases are looked at too."
        ),
    ] = None,
    runs: Runs = Path("runs"),
    timeout: Annotated[
        float, typer.Option("--timeout", metavar="SECONDS", min=0.1, help="How long to wait for all of it.")
    ] = 60.0,
    json: Json = False,
) -> int:
    """Check that all is there that a run needs: packages, keys, models, databases.

    Python, packages, imports that others hide, extras, keys, folders and Langfuse; and the models and databases of an
    experiment. Works offline and without an experiment. A model is sent two requests of a few tokens; a database is
    opened and not changed; a key is never shown. What has not answered in time has failed. Exits with 1 when something
    has failed; a warning, or what is not there and not needed, is no failure.

    Example: `sqlassay doctor nightly.yaml`
    """
    from evaluation.doctor.examination import examine
    from evaluation.doctor.finding import State

    looked = _always(runs)
    if experiment is not None:
        looked += _of_experiment(experiment)
    found = examine(looked, timeout)
    failed = sum(one.state is State.FAILED for one in found)
    if json:
        output.print_json({"ok": not failed, "findings": [one.to_json() for one in found]})
    else:
        rows = [(one.thing, _word(one.state), one.found, one.remedy) for one in found]
        output.data().print(output.table(("thing", "state", "found", "remedy"), rows))
        output.data().print(f"\n{_verdict(found)}")
    return ExitCode.UNUSABLE if failed else ExitCode.OK


def _always(runs: Path) -> list[Examination]:
    from evaluation.doctor.disk import folder
    from evaluation.doctor.examination import Examination
    from evaluation.doctor.imports import imports
    from evaluation.doctor.keys import keys
    from evaluation.doctor.langfuse import langfuse
    from evaluation.doctor.packages import core, extras
    from evaluation.doctor.python import environment, python
    from evaluation.store import cache_folder

    return [
        Examination("Python", python),
        Examination("environment", environment),
        Examination("packages", core),
        Examination("imports", imports),
        Examination("extras", extras),
        Examination("keys", keys),
        Examination("folder of runs", lambda: folder("folder of runs", runs)),
        Examination("cache", lambda: folder("cache", cache_folder())),
        Examination("Langfuse", langfuse),
    ]


def _of_experiment(path: Path) -> list[Examination]:
    """A mistake in the file itself is told as by every command; all else is a finding."""
    from evaluation.doctor.examination import failing

    try:
        from evaluation.doctor.databases import databases
        from evaluation.doctor.models import models
        from evaluation.experiment import read_experiment

        found = models(read_experiment(path))
    except SqlAssayError:
        raise
    except Exception as error:  # noqa: BLE001 - of foreign packages that are imported for ours
        return [failing("experiment", error)]
    try:
        return [*found, *databases(path)]
    except UserError as error:
        return [*found, failing("databases", error)]


def _word(state: State) -> Text:
    from rich.text import Text

    styles = {"ok": "green", "warning": "yellow", "failed": "bold red", "not there": "dim"}
    return Text(state.value, style=styles[state.value])


def _verdict(found: Sequence[Finding]) -> str:
    from evaluation.doctor.finding import State

    counts = {state: sum(one.state is state for one in found) for state in State}
    said = f"{counts[State.FAILED]:,} failed" if counts[State.FAILED] else "all right"
    warnings = counted(counts[State.WARNING], "warning")
    return f"{said}, {warnings}, {counts[State.ABSENT]:,} not there"

"""`sqlassay gate`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from evaluation.cli import output
from evaluation.cli.options import Json, Runs
from sqlassay.counted import counted
from sqlassay.errors import ExitCode

if TYPE_CHECKING:
    from evaluation.gate.baselines import Baselines
    from evaluation.gate.gate import Baseline, Compared
    from evaluation.gate.label_changes import LabelChanges
    from evaluation.gate.verdict import GateVerdict
    from evaluation.run_log import RunFolder

NONE = "none"
"""The name of no baseline."""


class Form(StrEnum):
    """How a verdict is told."""

    TEXT = "text"
    JSON = "json"
    MARKDOWN = "markdown"
    JUNIT = "junit"


def gate(
    name: Annotated[
        str, typer.Argument(metavar="[RUN]", help="A run id, a group of several runs, `latest`, or a run's folder.")
    ] = "latest",
    baseline: Annotated[
        str,
        typer.Option(
            "--baseline",
            metavar="RUN|PATH",
            help="What it is held against: as RUN, `latest-green` of the index of baselines, or `none`.",
        ),
    ] = "latest-green",
    rules: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--rules", metavar="FILE", help="A file with `gate:`; what the run has recorded unless given."),
    ] = None,
    baselines: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(
            "--baselines", metavar="FILE", help="The index of baselines; baselines.json in the folder of runs."
        ),
    ] = None,
    promote: Annotated[
        bool, typer.Option("--promote", help="Make a run that passes the latest green one of its experiment.")
    ] = False,
    label_changes: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(
            "--label-changes",
            metavar="FILE",
            help="Reviewed changes of questions; label_changes.yaml beside the experiment file, if it is there.",
        ),
    ] = None,
    write_label_changes: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(
            "--write-label-changes",
            metavar="FILE",
            help="Write the changes of questions that are not reviewed yet, for review, and judge nothing.",
        ),
    ] = None,
    outputs: Annotated[
        Optional[list[Path]],  # noqa: UP045
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="Write the verdict as well, in the form of the ending: .md, .xml (JUnit), .json, .txt; several times.",
            dir_okay=False,
        ),
    ] = None,
    form: Annotated[Form, typer.Option("--format", help="What is printed.")] = Form.TEXT,
    runs: Runs = Path("runs"),
    json: Json = False,
) -> int:
    """Decide whether a run may pass: by the rules of its experiment, against a baseline.

    Exits with 0 when it passes, with 3 when a rule is broken, with 1 when the run is unusable, and with 2 when the
    baseline is refused: then nothing can be said.

    Example: `sqlassay gate latest --promote --format markdown >> "$GITHUB_STEP_SUMMARY"`
    """
    from evaluation.gate.baselines import NAME, Baselines
    from evaluation.gate.cells import cells_of
    from evaluation.gate.forms import FORMS, form_of
    from evaluation.gate.gate import compare_with, judge, strategy_of
    from evaluation.gate.rules import rules_of
    from evaluation.runs import find_runs
    from sqlassay.whole_file import replace_file

    files = {path: form_of(path) for path in outputs or ()}
    found = find_runs(name, runs)
    held, basis = rules_of(found, rules)
    index = Baselines(baselines or runs / NAME)
    strategy = strategy_of(found, held)
    compared = compare_with(cells_of(found), held, strategy, _baseline(baseline, found, runs, index, strategy))
    labels = _labels(label_changes, found)
    if write_label_changes is not None:
        return _draft(write_label_changes, compared, labels, found)
    verdict = judge(compared, found, basis, labels, whole=_is_whole(name, found))
    if promote and verdict.exit_code is ExitCode.OK:
        _promote(index, compared, found)
    for path, kind in files.items():
        replace_file(path, FORMS[kind](verdict))
    _show(verdict, Form.JSON if json else form)
    return verdict.exit_code


def _is_whole(name: str, found: Sequence[RunFolder]) -> bool:
    """Whether a name stands for all runs of an experiment, and not for one of them."""
    from evaluation.run_log import MANIFEST

    return name != found[0].run_id and not (Path(name) / MANIFEST).is_file()


def _baseline(name: str, found: Sequence[RunFolder], runs: Path, index: Baselines, strategy: str) -> Baseline:
    from evaluation.gate.baselines import LATEST_GREEN
    from evaluation.gate.gate import Baseline, green_baseline, recorded_baseline
    from evaluation.runs import find_runs

    if name == NONE:
        return Baseline(NONE, missing="no baseline is wanted")
    if name == LATEST_GREEN:
        return green_baseline(index, found)
    return recorded_baseline(name, find_runs(name, runs), found, strategy)


def _labels(path: Path | None, found: Sequence[RunFolder]) -> LabelChanges | None:
    from evaluation.gate.label_changes import NAME, read_label_changes

    beside = Path(str(found[0].manifest["experiment"].get("path", ""))).with_name(NAME) if path is None else path
    return read_label_changes(beside) if path is not None or beside.is_file() else None


def _draft(path: Path, compared: Compared, labels: LabelChanges | None, found: Sequence[RunFolder]) -> int:
    from evaluation.gate.cells import cells_of
    from evaluation.gate.label_changes import write_draft

    named = labels.named if labels is not None else {}
    missing = [change for change in compared.changes if change not in named]
    if not missing:
        output.talk().print("no change is left to review; nothing is written")
        return ExitCode.OK
    write_draft(path, missing, [*compared.baseline.cells, *cells_of(found)])
    output.talk().print(
        f"wrote {path}: {counted(len(missing), 'change')} to review; fill in reviewed_by and reason of each,"
        " and give it as --label-changes"
    )
    return ExitCode.OK


def _promote(index: Baselines, compared: Compared, found: Sequence[RunFolder]) -> None:
    from evaluation.gate.gate import promote

    newer = promote(index, compared, found)
    for title in newer:
        output.talk().print(f"{title}: a newer run is the latest green one, and stays")
    if len(newer) < len(compared.cells):
        output.talk().print(f"the latest green run of {found[0].manifest['experiment']['name']} now: {index.path}")


def _show(verdict: GateVerdict, form: Form) -> None:
    from evaluation.gate.forms import FORMS

    told = FORMS[form.value](verdict)
    if form is Form.TEXT:
        output.data().print(told, end="", soft_wrap=True)
    else:
        sys.stdout.buffer.write(told.encode())
        sys.stdout.buffer.flush()

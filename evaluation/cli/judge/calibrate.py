"""`sqlassay judge calibrate`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from evaluation.cli import output
from evaluation.cli.options import Json, Runs
from sqlassay.errors import UserError

if TYPE_CHECKING:
    from evaluation.run_log import RunFolder


def calibrate(
    run: Annotated[
        str,
        typer.Argument(metavar="RUN", help="A run id, the group of several runs, `latest`, or a run's folder."),
    ] = "latest",
    judge: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--judge", metavar="LABEL", help="The judge as reports name it; the only one unless given."),
    ] = None,
    truth: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(
            "--truth",
            metavar="LABEL",
            help="The strategy whose verdicts are the truth; the run's first execution match unless given.",
        ),
    ] = None,
    labels: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(
            "--labels",
            metavar="FILE",
            help="Labels that are the truth instead: JSON Lines or CSV with `id` and `label`, correct or incorrect.",
        ),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace what is known of this judge from before.")
    ] = False,
    runs: Runs = Path("runs"),
    json: Json = False,
) -> None:
    """Find out how often a judge is wrong, from a finished run; no model is asked.

    The run must hold the judge's verdicts, and beside them those of a strategy that executes the statements, unless
    labels are given. A group with repeats that was run with --no-cache also says how often the judge changes its mind.

    What is found is kept in the folder `calibrations`, or the one that SQLASSAY_CALIBRATIONS names, and shown by
    every report with a judge of exactly this model, prompt and settings.

    Example: `sqlassay judge calibrate latest --judge llm_judge --labels labels.csv`
    """
    from evaluation.calibration.calibrating import calibrate as calibrate_judge
    from evaluation.calibration.calibrating import judge_in, truth_in
    from evaluation.calibration.kept import KeptCalibrations
    from evaluation.calibration.truth import LabelledTruth
    from evaluation.cli.judge.screen import calibration as shown
    from evaluation.runs import find_runs

    if labels is not None and truth is not None:
        raise UserError("--truth and --labels are both given", remedy="leave one out: there is one truth")
    found = find_runs(run, runs)
    entry = judge_in(found[0], judge)
    known = LabelledTruth(labels) if labels is not None else truth_in(found[0], truth, entry)
    kept = KeptCalibrations()
    if not overwrite:
        kept.refuse_another(entry)
    calibration = calibrate_judge(found, entry, known)
    path = kept.keep(calibration)
    if json:
        output.print_json({"file": str(path), **calibration.to_json()})
    else:
        for block in shown(calibration):
            output.data().print(block)
        output.data().print()
        for folder in found:
            output.data().print(f"{folder.run_id}: {_corrected(folder, calibration.label)}", markup=False)
    for caution in calibration.cautions:
        output.talk().print(caution, style="yellow")
    output.talk().print(f"kept in {path}")


def _corrected(folder: RunFolder, label: str) -> str:
    """What the calibration says of a run that it was made from."""
    from evaluation.runs import summarise

    summary = summarise(folder)
    note, counts = summary.standings[label].note, summary.strategies[label]
    return f"{counts.correct:,} of {counts.scored:,} as judged, {note.accuracy(counts)}"

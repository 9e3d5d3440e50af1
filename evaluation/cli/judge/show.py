"""`sqlassay judge show`."""

from __future__ import annotations

from typing import Annotated

import typer

from evaluation.cli import output
from evaluation.cli.options import Json


def show(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="As `sqlassay judge list` says it, or the judge's label.")
    ],
    json: Json = False,
) -> None:
    """Show what is known of one judge's errors."""
    from evaluation.calibration.kept import KeptCalibrations
    from evaluation.cli.judge.screen import calibration as shown

    calibration = KeptCalibrations().named(name)
    if json:
        output.print_json(calibration.to_json())
        return
    for block in shown(calibration):
        output.data().print(block)
    for caution in calibration.cautions:
        output.talk().print(caution, style="yellow")

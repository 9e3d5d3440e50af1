"""`sqlassay judge list`."""

from __future__ import annotations

from evaluation.cli import output
from evaluation.cli.options import Json
from sqlassay.errors import ExitCode


def list_calibrations(json: Json = False) -> int:
    """List the judges that are calibrated, and how often each is wrong."""
    from evaluation.calibration.calibration import decimal, percent
    from evaluation.calibration.judge import models_of, prompt_of
    from evaluation.calibration.kept import KeptCalibrations

    kept = KeptCalibrations()
    known, broken = kept.all()
    if json:
        output.print_json([{"name": name, **one.to_json()} for name, one in known.items()])
    elif known:
        headings = ("name", "models", "prompt", "against", "items", "lenient", "harsh", "kappa", "made")
        rows = [
            (
                name,
                models_of(one.judge),
                prompt_of(one.judge),
                f"{one.against.truth or 'no truth'} on {one.against.dataset_name}",
                f"{one.confusion.total:,}",
                percent(one.confusion.lenient_rate),
                percent(one.confusion.harsh_rate),
                decimal(one.confusion.kappa),
                one.made[:10],
            )
            for name, one in known.items()
        ]
        output.data().print(output.table(headings, rows))
    elif not broken:
        output.talk().print(f"no calibrations in {kept.folder}; start with `sqlassay judge calibrate RUN`")
    for error in broken.values():
        output.talk().print(str(error), style="red", markup=False)
    return ExitCode.USER_ERROR if broken else ExitCode.OK

"""Which rules hold."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

from evaluation.experiment import GateSection, read_gate
from evaluation.gate.judging import basis_of
from evaluation.run_log import MANIFEST, RunFolder
from sqlassay.errors import UserError


def rules_of(runs: Sequence[RunFolder], path: Path | None) -> tuple[GateSection, str]:
    """The rules, and in words where they are from.

    Args:
        runs: The gated runs, which have recorded those of their experiment.
        path: A file with others.

    Raises:
        UserError: The file, or what was recorded, is wrong.
    """
    if path is not None:
        given = read_gate(path)
        return given, basis_of(given, str(path))
    recorded = runs[0].manifest.get("gate")
    if recorded is None:
        return GateSection.model_validate({}), basis_of(None, "")
    try:
        given = GateSection.model_validate(recorded)
    except ValidationError as error:
        first = error.errors()[0]
        raise UserError(
            f"its rules of the gate are unreadable: {'.'.join(map(str, first['loc']))}: {first['msg']}",
            place=str(runs[0].path / MANIFEST),
            remedy="give --rules FILE",
        ) from None
    return given, basis_of(given, "the section `gate:` of the experiment, as the run has recorded it")

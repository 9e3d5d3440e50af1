"""Where calibrations are kept: a folder of small files that can stand under version control."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from evaluation.calibration.calibration import Calibration
from evaluation.calibration.judge import judge_digest
from sqlassay.errors import UnknownName, UserError
from sqlassay.whole_file import replace_file

_SHOWN = 12
"""Characters of a digest in the name of a file."""


def calibrations_folder() -> Path:
    """What `SQLASSAY_CALIBRATIONS` names, or `calibrations` where sqlassay is called."""
    return Path(os.environ.get("SQLASSAY_CALIBRATIONS") or "calibrations").expanduser()


class KeptCalibrations:
    """The calibrations in a folder, one per judge.

    Args:
        folder: Need not be there; `calibrations_folder()` unless given.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or calibrations_folder()

    def find(self, entry: Mapping[str, Any]) -> Calibration | None:
        """The calibration of exactly this judge; `None` where it has none.

        Args:
            entry: The judge, as a run describes its strategies.

        Raises:
            UserError: It cannot be read, or is another judge's.
        """
        path = self._path_of(entry)
        if path is None:
            return None
        found = _read(path)
        if judge_digest(found.judge) != judge_digest(entry):
            raise UserError("is the calibration of another judge", place=str(path), remedy="restore the file's name")
        return found

    def all(self) -> tuple[dict[str, Calibration], dict[str, UserError]]:
        """Every calibration by the name of its file, and why the others cannot be read."""
        known: dict[str, Calibration] = {}
        broken: dict[str, UserError] = {}
        for path in sorted(self.folder.glob("*.json")):
            try:
                known[path.stem] = _read(path)
            except UserError as error:
                broken[path.stem] = error
        return known, broken

    def named(self, name: str) -> Calibration:
        """The calibration of a file's name, or of a judge's label where only one judge has it.

        Raises:
            UnknownName: There is none.
            UserError: There are several, or it cannot be read.
        """
        known, broken = self.all()
        if name in broken:
            raise broken[name]
        found = {stem: one for stem, one in known.items() if name in (stem, one.label)}
        if not found:
            remedy = "" if known else "there are none yet: sqlassay judge calibrate RUN"
            if broken:
                remedy = f"what cannot be read is {', '.join(broken)}"
            raise UnknownName(
                "calibration",
                name,
                {*known, *(one.label for one in known.values())},
                place=str(self.folder),
                remedy=remedy,
            )
        if len(found) > 1:
            raise UserError(
                f"{len(found):,} calibrations have the label {name!r}",
                place=str(self.folder),
                remedy=f"name one of {', '.join(found)}",
            )
        return next(iter(found.values()))

    def refuse_another(self, entry: Mapping[str, Any]) -> None:
        """See to it that nothing would be replaced.

        Raises:
            UserError: This judge has a calibration.
        """
        path = self._path_of(entry)
        if path is not None:
            raise UserError(
                "this judge is calibrated already", place=str(path), remedy="add --overwrite to replace what is known"
            )

    def keep(self, calibration: Calibration) -> Path:
        """Write a calibration in the place of the judge's former one.

        Raises:
            UserError: It cannot be written.
        """
        stem = re.sub(r"[^A-Za-z0-9_.-]+", "-", calibration.label).strip("-.") or "judge"
        path = self._path_of(calibration.judge) or (
            self.folder / f"{stem}-{judge_digest(calibration.judge)[:_SHOWN]}.json"
        )
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UserError(f"cannot be written: {error.strerror}", place=str(path)) from error
        replace_file(path, json.dumps(calibration.to_json(), indent=2) + "\n")
        return path

    def _path_of(self, entry: Mapping[str, Any]) -> Path | None:
        shown = judge_digest(entry)[:_SHOWN]
        return next(iter(sorted(self.folder.glob(f"*-{shown}.json"))), None)


def _read(path: Path) -> Calibration:
    try:
        return Calibration.from_json(json.loads(path.read_text("utf-8")))
    except OSError as error:
        raise UserError(f"cannot be read: {error.strerror}", place=str(path)) from error
    except (ValueError, AttributeError) as error:
        raise UserError(
            "is not a calibration of sqlassay", place=str(path), remedy="restore the file, or delete it and calibrate"
        ) from error

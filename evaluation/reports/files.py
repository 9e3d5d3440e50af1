"""Reports as files."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from evaluation.endings import by_ending
from evaluation.reports.base import REPORTS, Report
from evaluation.run_log import RunFolder
from sqlassay.whole_file import whole_file


def format_of(path: Path) -> str:
    """The name of the format that a file is to have, by its ending.

    Raises:
        UserError: No format has this ending.
    """
    suffixes = {suffix: name for name in REPORTS.names() for suffix in REPORTS.get(name).suffixes}
    return by_ending(path, suffixes, "report format", ", or give --format")


def write_report(report: Report, runs: Sequence[RunFolder], path: Path) -> None:
    """Write a report at once or not at all.

    Args:
        report: The format.
        runs: What it is about.
        path: The file; its folder is there.

    Raises:
        UserError: A record cannot be read, or the file cannot be written.
    """
    with whole_file(path) as temporary:
        report.write(runs, temporary)


def print_report(report: Report, runs: Sequence[RunFolder], stream: BinaryIO) -> None:
    """Send a report to a stream, once it is whole.

    Raises:
        UserError: A record cannot be read.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "report"
        report.write(runs, path)
        stream.write(path.read_bytes())
        stream.flush()

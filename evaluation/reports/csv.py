"""CSV: one row for every run, item and strategy."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from evaluation.reports.base import Report
from evaluation.reports.rows import copy_rows
from evaluation.run_log import RunFolder


class CsvReport(Report):
    """Items as a table that every program opens, spreadsheets too.

    The columns are `rows.COLUMNS`. What is unknown is empty, an empty text is `""`. A text that a spreadsheet would
    take for a formula has an apostrophe before it, since anybody may have written questions and SQL; Parquet has every
    text as it is.
    """

    name = "csv"
    suffixes = (".csv",)

    def write(self, runs: Sequence[RunFolder], path: Path) -> None:
        """See `Report.write`."""
        copy_rows(runs, path, "FORMAT csv, HEADER", for_spreadsheets=True)

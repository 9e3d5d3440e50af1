"""Parquet: one row for every run, item and strategy."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from evaluation.reports.base import Report
from evaluation.reports.rows import copy_rows
from evaluation.run_log import RunFolder


class ParquetReport(Report):
    """Items as a table with types, for analysis; the columns are `rows.COLUMNS`."""

    name = "parquet"
    suffixes = (".parquet",)

    def write(self, runs: Sequence[RunFolder], path: Path) -> None:
        """See `Report.write`."""
        copy_rows(runs, path, "FORMAT parquet, COMPRESSION zstd")

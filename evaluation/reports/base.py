"""What every format of a report has in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from evaluation.run_log import RunFolder
from sqlassay.registry import Registry


class Report(ABC):
    """A file that people or machines read, made from the records of runs alone; so it can be made again.

    Attributes:
        name: Its registered name: `--format NAME`.
        suffixes: Endings of the files that are of this format, with the dot; `--output FILE` chooses by them.
    """

    name: ClassVar[str]
    suffixes: ClassVar[tuple[str, ...]]

    @abstractmethod
    def write(self, runs: Sequence[RunFolder], path: Path) -> None:
        """Make the report.

        Args:
            runs: What it is about; at least one. Where there are several, the first is what others are compared with.
            path: A new file, in a folder that is there; it takes the place of the wanted one once it is whole.

        Raises:
            UserError: A record cannot be read.
            OSError: The file cannot be written.
        """


REPORTS: Registry[Report] = Registry("report format", "sqlassay.reports", Report)

"""The bar of a terminal: two lines for each run, so that a narrow terminal cuts off nothing."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console, RenderableType
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Column
from rich.text import Text


class _TwoLines(Progress):
    def get_renderables(self) -> Iterable[RenderableType]:
        """For each task: what it is and how far, and below that its numbers."""
        for task in self.tasks:
            yield self.make_tasks_table([task])
            if task.fields["numbers"]:
                yield Text(f"    {task.fields['numbers']}")


def progress_bar(console: Console) -> Progress:
    """A bar whose tasks have a field `numbers`."""
    return _TwoLines(
        TextColumn("{task.description}", markup=False, table_column=Column(overflow="fold")),
        BarColumn(bar_width=24),
        TextColumn("{task.completed:,}/{task.total:,}"),
        TimeRemainingColumn(compact=True),
        console=console,
    )

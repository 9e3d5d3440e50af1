"""Data goes to stdout, talk to stderr. Much of it was written by others: brackets and control characters do nothing."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console, RenderableType


@cache
def data() -> Console:
    """Where tables go. Piped output is as wide as COLUMNS says, and is not wrapped to a narrow width without it."""
    from evaluation.cli.screen import Screen

    known = sys.stdout.isatty() or os.environ.get("COLUMNS", "").isdigit()
    return Screen(width=None if known else 160)


@cache
def talk() -> Console:
    """Where everything else goes. A reader that goes away ends nothing."""
    from evaluation.cli.screen import Talk

    return Talk()


def program() -> str:
    """What to type to run this program again: `sqlassay` where the shell finds it, else where it is."""
    called, found = Path(sys.argv[0]), shutil.which("sqlassay")
    if called.name != "sqlassay" or not called.exists() or (found is not None and called.samefile(found)):
        return "sqlassay"
    return str(called)


class Streamed(list[Any]):
    """A list for `print_json` that is made while it is written, and can be written once."""

    def __init__(self, values: Iterator[Any]) -> None:
        super().__init__(islice(values, 1))  # an encoder asks first whether there is anything
        self._more = values

    def __iter__(self) -> Iterator[Any]:
        """The values."""
        return chain(super().__iter__(), self._more)


def print_json(value: Any) -> None:
    """Data for programs."""
    parts = json.JSONEncoder(indent=2, ensure_ascii=True, default=str).iterencode(value)
    while text := "".join(islice(parts, 10_000)):
        sys.stdout.write(text)
    sys.stdout.write("\n")


def table(headings: Sequence[str], rows: Sequence[Sequence[object]]) -> RenderableType:
    """A plain table. A cell that is a `Text` of rich's keeps its style."""
    from rich.table import Table
    from rich.text import Text

    from sqlassay.printable import printable

    made = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    for heading in headings:
        made.add_column(heading, overflow="fold")
    for row in rows:
        made.add_row(*(cell if isinstance(cell, Text) else Text(printable(str(cell))) for cell in row))
    return made

"""Data goes to stdout, talk to stderr. Brackets mean nothing to either: much of what is shown was written by others."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console, RenderableType


@cache
def data() -> Console:
    """Where tables go. Piped output is not wrapped to a narrow width."""
    from rich.console import Console

    return Console(width=None if sys.stdout.isatty() else 160, highlight=False, emoji=False, markup=False)


@cache
def talk() -> Console:
    """Where everything else goes."""
    from rich.console import Console

    return Console(stderr=True, highlight=False, soft_wrap=True, emoji=False, markup=False)


def print_json(value: Any) -> None:
    """Data for programs."""
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=True, default=str) + "\n")


def table(headings: Sequence[str], rows: Sequence[Sequence[object]]) -> RenderableType:
    """A plain table."""
    from rich.table import Table
    from rich.text import Text

    made = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    for heading in headings:
        made.add_column(heading, overflow="fold")
    for row in rows:
        made.add_row(*(Text(str(cell)) for cell in row))
    return made

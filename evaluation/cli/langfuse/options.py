"""Options that several of the commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

Folder = Annotated[
    Optional[Path],  # noqa: UP045 - typer reads annotations at run time
    typer.Option(
        "--folder",
        metavar="DIR",
        help="Where your own is set up; what SQLASSAY_LANGFUSE names, or langfuse in your data folder, unless given.",
    ),
]
Host = Annotated[
    Optional[str],  # noqa: UP045
    typer.Option(
        "--host", metavar="URL", help="The server, whoever's it is, instead of the one that LANGFUSE_BASE_URL names."
    ),
]

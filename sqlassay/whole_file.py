"""Files that are replaced as a whole."""

from __future__ import annotations

import os
from pathlib import Path

from sqlassay.errors import UserError


def replace_file(path: Path, text: str) -> None:
    """Write a file at once or not at all, also where the machine stops. Only one process may do so at a time.

    Args:
        path: The file; its folder is there.
        text: All of it.

    Raises:
        UserError: It cannot be written.
    """
    temporary = path.with_name(f"{path.name}.tmp")
    try:
        with temporary.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        raise UserError(f"cannot be written: {error.strerror}", place=str(path)) from error

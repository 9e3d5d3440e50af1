"""What a file is to be, by its ending."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from sqlassay.errors import UserError


def by_ending(path: Path, endings: Mapping[str, str], what: str, otherwise: str = "") -> str:
    """What stands behind the ending of a file.

    Args:
        path: The file.
        endings: Names by endings, with the dot and in small letters.
        what: What the names are of.
        otherwise: How else it can be said.

    Raises:
        UserError: Nothing has this ending.
    """
    found = endings.get(path.suffix.lower())
    if found is None:
        known = ", ".join(f"{ending} ({name})" for ending, name in sorted(endings.items()))
        raise UserError(f"no {what} has this ending", place=str(path), remedy=f"end it in one of {known}{otherwise}")
    return found

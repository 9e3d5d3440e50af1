"""The versions of a prompt: the files `v<N>.yaml` of its folder."""

from __future__ import annotations

import re
from pathlib import Path

from sqlassay.errors import UserError

_FILE = re.compile(r"v0*([1-9][0-9]*)\.ya?ml")


def versions_in(folder: Path) -> dict[int, Path]:
    """The files of one prompt by their versions.

    Raises:
        UserError: Two files are of one version.
    """
    versions: dict[int, Path] = {}
    for path in sorted(folder.glob("*.y*ml")):
        version = version_of(path)
        if version is None:
            continue
        if version in versions:
            raise UserError(
                f"version {version} of prompt {folder.name!r} is there twice: {versions[version]} and {path}",
                remedy=f"keep one, as v{version}.yaml",
            )
        versions[version] = path
    return versions


def version_of(path: Path) -> int | None:
    """Which version a file's name says it is; `None` when it says none."""
    match = _FILE.fullmatch(path.name)
    return int(match[1]) if match else None

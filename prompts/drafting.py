"""A new version of a prompt, to be changed and released."""

from __future__ import annotations

import re
from pathlib import Path

from prompts.library import in_folder, installed, load, refuse_taken
from prompts.lock import next_version
from prompts.template import NAME, read, text_of
from prompts.writing import write_new
from sqlassay.errors import UserError

_START = "zero_shot@1"


def draft(name: str, folder: Path, source: str | None = None) -> Path:
    """Write the next free version of a prompt.

    Args:
        name: Its name.
        folder: Of the user's own prompts; made when it is not there.
        source: What it starts as; the newest version of the name, or `zero_shot@1`, unless given.

    Returns:
        The new file, which passes for a prompt as it is.

    Raises:
        UserError: The name is none or taken, or the file cannot be written.
        UnknownName: There is no such source.
    """
    if not NAME.fullmatch(name):
        raise UserError(f"{name!r} cannot be a name", remedy="lower-case letters, digits, '_' and '-', a letter first")
    refuse_taken(name, folder)
    versions = in_folder(folder).get(name, {}) if folder.exists() else {}
    known = [root.resolve() for root in installed()]
    folders = [folder] if folder.exists() and folder.resolve() not in known else []
    origin = load(source or (name if versions else _START), folders)
    version = next_version(name, folder)
    text = text_of(origin)
    for key, value in (("name", name), ("version", str(version))):
        text = re.sub(rf"^{key}:.*$", f"{key}: {value}", text, count=1, flags=re.MULTILINE)
    path = write_new(name, version, folder, text)
    made = read(path)
    if (made.name, made.version) != (name, version):
        path.unlink()
        raise UserError(
            "its keys `name` and `version` do not stand at the start of a line",
            place=str(origin.path),
            remedy="copy it by hand",
        )
    return path

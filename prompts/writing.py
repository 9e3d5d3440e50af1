"""Writes prompts that are from elsewhere into a folder of the user's own."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from prompts.library import refuse_taken
from prompts.lock import next_version
from prompts.template import PromptTemplate, checked, read
from prompts.versions import versions_in
from sqlassay.errors import UserError, located


class _Dumper(yaml.SafeDumper):
    """Writes texts of several lines as such, where YAML can."""


def _written(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    odd = any(letter in text for letter in _ODD)
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"' if odd else "|" if "\n" in text else None)


_ODD = "\r\x85\u2028\u2029\ufeff"
"""What YAML takes for a line break, or does not keep, unless it is quoted."""
_Dumper.add_representer(str, _written)


def write_version(name: str, folder: Path, fields: Mapping[str, Any], *, place: str) -> tuple[PromptTemplate, bool]:
    """Write a prompt as its next version, unless its newest one says the same.

    Args:
        name: Of the prompt.
        folder: Where it goes: `<folder>/<name>/v<N>.yaml`; made when it is not there.
        fields: The further keys of its file, messages among them.
        place: Where they are from, for messages.

    Returns:
        The version, and whether it is new.

    Raises:
        UserError: They are no prompt, the name is taken, or the file cannot be written.
    """
    with located(place):
        checked({**fields, "name": name, "version": 1}, Path(place), "")
    refuse_taken(name, folder)
    versions = versions_in(folder / name)
    newest = max(versions, default=0)
    if newest:
        before = read(versions[newest])
        if _text(name, newest, fields) == before.path.read_text("utf-8"):
            return before, False
    version = next_version(name, folder)
    return read(write_new(name, version, folder, _text(name, version, fields))), True


def write_new(name: str, version: int, folder: Path, text: str) -> Path:
    """Write a version that is not there: `<folder>/<name>/v<N>.yaml`.

    Raises:
        UserError: It cannot be written, or is there.
    """
    path = folder / name / f"v{version}.yaml"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except OSError as error:
        raise UserError(f"cannot be written: {error.strerror}", place=str(path)) from error
    return path


def _text(name: str, version: int, fields: Mapping[str, Any]) -> str:
    content = {"name": name, "version": version, **fields}
    written: str = yaml.dump(content, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=2**20)
    return written

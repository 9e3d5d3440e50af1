"""The folders that are written to."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from evaluation.doctor.finding import Finding, State

ENOUGH = 1_000_000_000
"""Bytes that should be free: a run of 10,000 questions takes some tens of millions, a cache more."""


def folder(thing: str, path: Path, enough: int = ENOUGH) -> Iterator[Finding]:
    """Whether a folder can be written to, and has room.

    Args:
        thing: What it is for.
        path: The folder; it may be missing where it can be made.
        enough: Bytes that should be free.
    """
    there = path.absolute()
    while not there.exists():
        there = there.parent
    remedy = "give yourself the right to write there, or choose another folder"
    if not there.is_dir():
        yield Finding(thing, State.FAILED, f"{there} is no folder", "choose another folder")
        return
    if refusal := _refusal(there, there == path.absolute()):
        yield Finding(thing, State.FAILED, f"{there} cannot be written: {refusal}", remedy)
        return
    free = shutil.disk_usage(there).free
    found = f"{path}, {free / 1e9:,.1f} GB free" + ("" if there == path.absolute() else ", is made when it is needed")
    if free < enough:
        yield Finding(thing, State.WARNING, found, "make room: a run that cannot be written stops")
    else:
        yield Finding(thing, State.OK, found)


def _refusal(path: Path, whole: bool) -> str:
    """Why nothing can be written there; empty where it can. In a folder that is not ours nothing is tried."""
    if not whole:
        return "" if os.access(path, os.W_OK | os.X_OK) else "permission denied"
    try:
        with tempfile.TemporaryFile(dir=path) as file:
            file.write(b"\0")
    except OSError as error:
        return error.strerror or str(error)
    return ""

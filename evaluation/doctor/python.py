"""Python, and the environment that it is in."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Iterator
from importlib.metadata import metadata
from pathlib import Path

from evaluation.doctor.finding import Finding, State

CONDA = "sql_fine_tuning"
"""The environment that `environment.yml` makes."""


def python() -> Iterator[Finding]:
    """Whether this Python is one that sqlassay is made for."""
    from packaging.specifiers import SpecifierSet

    needed = metadata("sqlassay")["Requires-Python"]
    version = platform.python_version()
    found = f"{platform.python_implementation()} {version} at {sys.executable}"
    if SpecifierSet(needed).contains(version, prereleases=True):
        yield Finding("Python", State.OK, found)
    else:
        said = f"{found}, and {needed} is needed"
        yield Finding("Python", State.FAILED, said, "make an environment with such a one")


def environment() -> Iterator[Finding]:
    """Whether Python is in an environment of its own, such as the one that `environment.yml` makes."""
    thing, remedy = "environment", "conda env create --file environment.yml && conda activate sql_fine_tuning"
    prefix = Path(sys.prefix)
    if (prefix / "conda-meta").is_dir():
        name = prefix.name
        if name == CONDA:
            yield Finding(thing, State.OK, f"conda: {name}")
        else:
            yield Finding(thing, State.WARNING, f"conda: {name}, and not {CONDA}", remedy)
    elif sys.prefix != sys.base_prefix:
        active = os.environ.get("CONDA_DEFAULT_ENV")
        beside = f"; conda's {active} is active, and not used" if active else ""
        yield Finding(thing, State.WARNING if beside else State.OK, f"virtual environment at {prefix}{beside}")
    else:
        yield Finding(thing, State.WARNING, f"none: the Python of the system at {prefix}", remedy)

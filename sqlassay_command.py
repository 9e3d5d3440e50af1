"""The program `sqlassay`, in a module of a name that nobody else has: any of our packages may be hidden by another."""

from __future__ import annotations

import sys
from pathlib import Path

ROOMS = ("sqlassay", "prompts", "adapters", "database_backends", "evaluation")
"""The names that we import by."""


def main() -> None:
    """Run the command line; the entry point. What hides one of our packages is told in one line, exit code 2."""
    try:
        from evaluation.cli import main as command

        command()
    except ImportError as error:
        name = (error.name or "").partition(".")[0]
        place = _foreign(name)
        if place is None:
            raise
        remedy = "take it off PYTHONPATH or out of the folder, or give sqlassay an environment of its own"
        print(f"error: {place}: hides the package {name!r} of sqlassay ({remedy})", file=sys.stderr)  # noqa: T201
        sys.exit(2)


def _foreign(name: str) -> Path | None:
    """Where a package of our name is that is not ours; ours is beside the others."""
    file = getattr(sys.modules.get(name), "__file__", None)
    if name not in ROOMS or file is None:
        return None
    path = Path(file)
    place = path.parent if path.stem == "__init__" else path
    return None if all((place.parent / room / "__init__.py").is_file() for room in ROOMS) else place

"""Our packages have names that others may have too: whether each name means ours, and nothing else."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from importlib.machinery import PathFinder
from importlib.metadata import packages_distributions
from pathlib import Path

from evaluation.doctor.finding import Finding, State
from sqlassay_command import ROOMS

_OURS = Path(__file__).resolve().parents[2]


def imports(path: Sequence[str] | None = None) -> Iterator[Finding]:
    """Whether each of our names means one package.

    Args:
        path: Where modules are looked for, in this order; `sys.path` unless given.
    """
    packages = packages_distributions()
    clear = True
    copies: dict[Path, None] = {}
    for name in ROOMS:
        places = list(dict.fromkeys(_places(name, sys.path if path is None else path)))
        copies |= dict.fromkeys(place.parent for place in places if _is_copy(place.parent))
        others = [place for place in places if place.parent != _OURS and place.parent not in copies]
        brought = sorted(set(packages.get(name, ())) - {"sqlassay"})
        if not others and not brought:
            continue
        clear = False
        by = f" ({', '.join(brought)})" if brought else ""
        if others and places[0] == others[0]:
            found = f"{others[0]}{by} hides ours at {_OURS / name}"
        elif others:
            found = f"ours hides {others[0]}{by}"
        else:
            found = f"{', '.join(brought)} has put files into the same place as ours"
        yield Finding(f"import {name}", State.FAILED, found, _remedy(brought))
    for copy in copies:
        found = f"another copy of sqlassay, at {copy}, is not used"
        yield Finding("imports", State.WARNING, found, "take one of the two off PYTHONPATH")
    if clear:
        yield Finding("imports", State.OK, f"{', '.join(ROOMS)} are ours, at {_OURS}")


def _is_copy(folder: Path) -> bool:
    """Of all our packages together, as a second checkout has them."""
    return folder != _OURS and all((folder / room / "__init__.py").is_file() for room in ROOMS)


def _places(name: str, path: Sequence[str]) -> Iterator[Path]:
    """The folder or file of every package of a name; a folder without `__init__.py` gives way to any of them."""
    for entry in path:
        spec = PathFinder.find_spec(name, [entry or "."])
        if spec is not None and spec.origin is not None:
            file = Path(spec.origin).resolve()
            yield file.parent if file.stem == "__init__" else file


def _remedy(brought: Sequence[str]) -> str:
    away = f"pip uninstall {' '.join(brought)}, or" if brought else "take it off PYTHONPATH or out of the folder, or"
    return f"{away} give sqlassay an environment of its own"

"""Prompts that other packages bring: the entry-point group `sqlassay.prompts`.

An entry point names a package whose folder is laid out as the shipped one: `<name>/v<N>.yaml`, and `lock.json` where
the package holds its releases to their digests. No code of the package is run.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from sqlassay.errors import UserError
from sqlassay.registry import DuplicateName, Registry

PACKAGES: Registry[object] = Registry("prompt package", "sqlassay.prompts", object)


def package_folders() -> tuple[tuple[Path, ...], tuple[UserError, ...]]:
    """The folders of all of them, sorted by the name of the entry point, and what is wrong with those that have none.

    One that is broken takes nothing from the others.
    """
    folders, broken = [], []
    try:
        for plugin in PACKAGES.plugins():
            try:
                folders.append(_folder(plugin.name, plugin.package, plugin.target))
            except UserError as error:
                broken.append(error)
    except DuplicateName as error:
        broken.append(error)
    return tuple(folders), tuple(broken)


def _folder(name: str, package: str, target: str) -> Path:
    try:
        found = find_spec(target)
    except (ImportError, ValueError, AttributeError):
        found = None
    places = list(found.submodule_search_locations or ()) if found is not None else []
    if not places:
        raise UserError(
            f"prompt package {name!r} from {package} is broken: there is no package {target!r}",
            remedy=f"install {package} again, or uninstall it",
        )
    return Path(places[0])

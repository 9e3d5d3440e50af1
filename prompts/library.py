"""Finds prompts by name: shipped, of a plug-in package, in a user's folders, at Langfuse, or one file."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from prompts import langfuse
from prompts.packages import package_folders
from prompts.template import PromptTemplate, read
from sqlassay.errors import UnknownName, UserError, located

SHIPPED = Path(__file__).parent / "templates"
"""Where the shipped prompts are: `<name>/v<N>.yaml`, and `lock.json` with the digest of each."""

_FILE = re.compile(r"v([1-9][0-9]*)\.yaml")
_REF = re.compile(r"([^@]+)(?:@v?([1-9][0-9]*))?")


def load(ref: str, folders: Sequence[Path] = ()) -> PromptTemplate:
    """Find and read one prompt.

    Args:
        ref: `name` for its newest version, `name@1` or `name@v1` for that version, `langfuse:name@3`, or the path of a
            YAML file.
        folders: The user's own folders, laid out as `<folder>/<name>/v<N>.yaml`.

    Raises:
        UnknownName: There is no such prompt; the message suggests the nearest.
        UserError: The file is wrong, a shipped prompt was edited, two folders hold one name, or the prompt that it is
            linked by is none that can be.
    """
    template = _load(ref, folders)
    return replace(template, linker=_linker(template, folders)) if template.linking else template


def _linker(template: PromptTemplate, folders: Sequence[Path]) -> PromptTemplate:
    """The prompt that another is linked by; it is asked by itself, so that no two can wait for each other."""
    with located(f"{template.path}: linking"):
        linker = _load(template.linking, folders)
        if linker.linking:
            raise UserError(f"prompt {linker.ref} is linked by another itself ({linker.linking})")
        if linker.output != "json":
            raise UserError(f"prompt {linker.ref} does not answer with JSON", remedy="its `output` must be json")
    return linker


def _load(ref: str, folders: Sequence[Path]) -> PromptTemplate:
    """One prompt without the one that it is linked by."""
    if langfuse.is_ref(ref):
        return langfuse.fetch(ref)
    if ref.endswith((".yaml", ".yml")):
        return _from_file(Path(ref))
    found = _find(folders)
    match = _REF.fullmatch(ref)
    versions = found.get(match[1], {}) if match else {}
    version = int(match[2]) if match and match[2] else max(versions, default=0)
    if version not in versions:
        raise UnknownName("prompt", ref, (*found, *_refs(found)))
    return _read(versions[version])


def refs(folders: Sequence[Path] = ()) -> tuple[str, ...]:
    """Every prompt and version that `load` would find, such as `zero_shot@1`. Reads no template.

    Raises:
        UserError: Two folders hold one name, or a folder does not exist.
    """
    return _refs(_find(folders))


def _refs(found: dict[str, dict[int, Path]]) -> tuple[str, ...]:
    return tuple(f"{name}@{version}" for name in sorted(found) for version in sorted(found[name]))


def _find(folders: Sequence[Path]) -> dict[str, dict[int, Path]]:
    found: dict[str, dict[int, Path]] = {}
    for root in (SHIPPED, *package_folders(), *folders):
        if not root.is_dir():
            raise UserError("there is no such folder of prompts", place=str(root))
        for folder in sorted(root.iterdir()):
            matches = ((path, _FILE.fullmatch(path.name)) for path in sorted(folder.glob("*.yaml")))
            versions = {int(match[1]): path for path, match in matches if match}
            if not versions:
                continue
            if folder.name in found:
                raise _claimed_twice(folder.name, next(iter(found[folder.name].values())).parent, folder)
            found[folder.name] = versions
    return found


def _claimed_twice(name: str, first: Path, second: Path) -> UserError:
    return UserError(f"two prompts are named {name!r}: {first} and {second}", remedy="give yours another name")


def _from_file(path: Path) -> PromptTemplate:
    if path.resolve().is_relative_to(SHIPPED):
        return _read(path.resolve())
    template = read(path)
    if (SHIPPED / template.name).is_dir():
        raise _claimed_twice(template.name, SHIPPED / template.name, path)
    return template


def _read(path: Path) -> PromptTemplate:
    template = read(path)
    expected = f"{template.name}/v{template.version}.yaml"
    if f"{path.parent.name}/{path.name}" != expected:
        raise UserError(f"it is {template.ref} and so belongs in {expected}", place=str(path))
    lock = path.parent.parent / "lock.json"
    if lock.is_file():
        _hold_lock(template, lock)
    return template


def _hold_lock(template: PromptTemplate, file: Path) -> None:
    lock = json.loads(file.read_text("utf-8"))
    if lock.get(template.ref) != template.sha256:
        raise UserError(
            f"prompt {template.ref} is not what was released under this name:"
            f" lock.json says {lock.get(template.ref)}, the file is {template.sha256}",
            place=str(template.path),
            remedy=f"released prompts are never edited; add v{template.version + 1}",
        )

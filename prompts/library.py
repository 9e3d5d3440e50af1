"""Finds prompts by name: shipped, of a plug-in package, in a user's folders, at Langfuse, or one file."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from prompts import langfuse
from prompts.lock import held, not_as_released
from prompts.packages import package_folders
from prompts.template import PromptTemplate, read
from prompts.versions import versions_in
from sqlassay.errors import UnknownName, UserError, located

SHIPPED = Path(__file__).parent / "templates"
"""Where the shipped prompts are: `<name>/v<N>.yaml`, all of them released."""

_REF = re.compile(r"([^@]+)(?:@v?([1-9][0-9]*))?")


def load(ref: str, folders: Sequence[Path] = ()) -> PromptTemplate:
    """Find and read one prompt.

    Args:
        ref: `name` for its newest version, `name@1` or `name@v1` for that version, `langfuse:name@3`, or the path of a
            YAML file.
        folders: The user's own folders, laid out as `<folder>/<name>/v<N>.yaml`.

    Raises:
        UnknownName: There is no such prompt; the message suggests the nearest.
        UserError: The file is wrong, a released prompt was edited, a name or version is there twice, or the prompt that
            it is linked by is none that can be.
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
    return read_in_place(locate(ref, folders))


def locate(ref: str, folders: Sequence[Path] = ()) -> Path:
    """The file of a prompt that is named by its name, unread.

    Args:
        ref: `name` for its newest version, `name@1` or `name@v1` for that version.
        folders: The user's own folders.

    Raises:
        UnknownName: There is no such prompt.
        UserError: A name or version is there twice, a folder does not exist, or a package that might have it is broken.
    """
    found, broken = _find(folders)
    try:
        return chosen(ref, found)
    except UnknownName:
        if broken:
            raise broken[0] from None
        raise


def chosen(ref: str, found: Mapping[str, Mapping[int, Path]]) -> Path:
    """The file that a ref names among those that were found.

    Raises:
        UnknownName: There is none.
    """
    match = _REF.fullmatch(ref)
    versions = found.get(match[1], {}) if match else {}
    version = int(match[2]) if match and match[2] else max(versions, default=0)
    if version not in versions:
        raise UnknownName("prompt", ref, (*found, *_refs(found)))
    return versions[version]


def refs(folders: Sequence[Path] = ()) -> tuple[str, ...]:
    """Every prompt and version that `load` would find, such as `zero_shot@1`. Reads no template.

    Raises:
        UserError: A name or version is there twice, a folder does not exist, or a package is broken.
    """
    found, broken = _find(folders)
    if broken:
        raise broken[0]
    return _refs(found)


def refuse_wrong(folders: Sequence[Path]) -> None:
    """Refuse folders that `load` could not look into.

    Raises:
        UserError: A name or version is there twice, or a folder does not exist.
    """
    _find(folders)


def _refs(found: Mapping[str, Mapping[int, Path]]) -> tuple[str, ...]:
    return tuple(f"{name}@{version}" for name in sorted(found) for version in sorted(found[name]))


def _find(folders: Sequence[Path]) -> tuple[dict[str, dict[int, Path]], list[UserError]]:
    """All files by name and version, and what is wrong with packages of which nothing is among them."""
    packages, errors = package_folders()
    broken = list(errors)
    found: dict[str, dict[int, Path]] = {}
    for root in (SHIPPED, *packages, *folders):
        try:
            prompts = in_folder(root)
        except UserError as error:
            if root not in packages:
                raise
            broken.append(error)
            continue
        for name, versions in prompts.items():
            if name in found:
                raise _claimed_twice(name, next(iter(found[name].values())).parent, root / name)
            found[name] = versions
    return found, broken


def installed() -> tuple[Path, ...]:
    """The folders of prompts that are not the user's own: what is shipped, and what packages bring."""
    return SHIPPED, *package_folders()[0]


def refuse_taken(name: str, folder: Path) -> None:
    """Refuse a name for a prompt of a folder that one which is installed has already.

    Raises:
        UserError: It is taken, by a prompt that is not of this folder.
    """
    for root in installed():
        if root.resolve() != folder.resolve() and versions_in(root / name):
            whose = "a shipped prompt" if root == SHIPPED else f"a prompt of a package: {root / name}"
            raise UserError(f"{name!r} is the name of {whose}", remedy="give yours another name")


def in_folder(root: Path) -> dict[str, dict[int, Path]]:
    """The files of every prompt of one folder, by name and version.

    Raises:
        UserError: The folder does not exist, or a version is there twice.
    """
    if not root.is_dir():
        raise UserError("there is no such folder of prompts", place=str(root))
    found = {folder.name: versions_in(folder) for folder in sorted(root.iterdir())}
    return {name: versions for name, versions in found.items() if versions}


def _claimed_twice(name: str, first: Path, second: Path) -> UserError:
    return UserError(f"two prompts are named {name!r}: {first} and {second}", remedy="give yours another name")


def _from_file(path: Path) -> PromptTemplate:
    if path.resolve().is_relative_to(SHIPPED):
        return read_in_place(path.resolve())
    template = read(path)
    for taken in (root / template.name for root in installed()):
        if not path.resolve().is_relative_to(taken.resolve()) and versions_in(taken):
            raise _claimed_twice(template.name, taken, path)
    # A file that is named by its path may be one of a folder with a lock all the same, whatever it is called there.
    return held(template, path.absolute().parent.parent) if path.absolute().parent.name == template.name else template


def read_in_place(path: Path) -> PromptTemplate:
    """Read a version of a prompt, `<folder>/<name>/v<N>.yaml`, and hold it against the lock of the folder.

    Raises:
        UserError: The file is wrong, belongs elsewhere, or is not what was released.
    """
    template = read(path)
    if not _is_in_place(template):
        raise UserError(f"it is {template.ref} and so belongs in {_place_of(template)}", place=str(path))
    found = held(template, path.parent.parent)
    if not found.released and path.is_relative_to(SHIPPED):
        raise not_as_released(template, None)
    return found


def _is_in_place(template: PromptTemplate) -> bool:
    path = template.path.absolute()
    return f"{path.parent.name}/{path.name}" == _place_of(template)


def _place_of(template: PromptTemplate) -> str:
    return f"{template.name}/v{template.version}.yaml"

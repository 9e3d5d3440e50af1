"""Which prompts of a folder are released: `lock.json` holds the digest of each one's file, never to change again."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from prompts.template import PromptTemplate
from prompts.versions import versions_in
from sqlassay.errors import UserError
from sqlassay.whole_file import replace_file

LOCK = "lock.json"


def read_lock(folder: Path) -> dict[str, str]:
    """The digests of a folder's released prompts by their refs; none where there is no lock.

    Raises:
        UserError: The file cannot be read, or is no lock.
    """
    path = folder / LOCK
    try:
        content = json.loads(path.read_text("utf-8"), object_pairs_hook=_once_each)
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise UserError(f"cannot be read: {error.strerror}", place=str(path)) from error
    except ValueError as error:
        raise UserError(f"not a lock of prompts: {error}", place=str(path), remedy="restore the file") from error
    if not (isinstance(content, dict) and all(isinstance(digest, str) for digest in content.values())):
        raise UserError(
            "not a lock of prompts: it must hold a digest for each ref", place=str(path), remedy="restore the file"
        )
    return content


def held(template: PromptTemplate, folder: Path) -> PromptTemplate:
    """A prompt of a folder, with whether it is released.

    Raises:
        UserError: It is not what was released.
    """
    released = read_lock(folder).get(template.ref)
    if released is None:
        return template
    if released != template.sha256:
        raise not_as_released(template, released)
    return replace(template, released=True)


def release(folder: Path, templates: Sequence[PromptTemplate]) -> list[PromptTemplate]:
    """Write the digests of prompts into the lock of their folder, at once or not at all.

    Returns:
        Those that were not in it.

    Raises:
        UserError: One was released before and has been edited since, or the lock cannot be read or written.
    """
    with _alone(folder):
        lock = read_lock(folder)
        for template in templates:
            if lock.get(template.ref, template.sha256) != template.sha256:
                raise not_as_released(template, lock[template.ref])
        new = [template for template in templates if template.ref not in lock]
        if new:
            lock |= {template.ref: template.sha256 for template in new}
            replace_file(folder / LOCK, json.dumps(dict(sorted(lock.items())), indent=2) + "\n")
    return new


def next_version(name: str, folder: Path) -> int:
    """The number of the next version of a prompt: after those that are there, and those that were ever released.

    Raises:
        UserError: Two files are of one version, or the lock cannot be read.
    """
    released = (ref.rpartition("@") for ref in read_lock(folder))
    taken = [int(version) for locked, _, version in released if locked == name and version.isdecimal()]
    return max([*versions_in(folder / name), *taken], default=0) + 1


def not_as_released(template: PromptTemplate, released: str | None) -> UserError:
    """The mistake of editing a released prompt."""
    following = next_version(template.name, template.path.absolute().parent.parent)
    return UserError(
        f"prompt {template.ref} is not what was released under this name:"
        f" lock.json says {released}, the file is {template.sha256}",
        place=str(template.path),
        remedy=f"released prompts are never edited: restore the file, or add v{following}",
    )


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Alone with the lock of a folder: of two that release at once, one would lose what it released."""
    from filelock import FileLock

    try:
        with FileLock(folder / f".{LOCK}.lock"):
            yield
    except OSError as error:
        raise UserError(f"cannot be written: {error.strerror}", place=str(folder / LOCK)) from error


def _once_each(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """As two branches that released the same version would be merged, a ref may stand there twice."""
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = sorted({key for key, _ in pairs if sum(key == other for other, _ in pairs) > 1})
        raise ValueError(f"{', '.join(twice)} is there twice")
    return found

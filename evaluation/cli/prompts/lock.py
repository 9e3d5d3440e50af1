"""`sqlassay prompts lock`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from evaluation.cli import output
from evaluation.cli.options import Json, PromptFolder
from sqlassay.counted import counted
from sqlassay.errors import UserError


def lock(
    prompts: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Argument(metavar="[PROMPT...]", help="NAME for its newest version, or NAME@VERSION; all unless given."),
    ] = None,
    folder: PromptFolder = Path("prompts"),
    json: Json = False,
) -> None:
    """Release prompts: a released version never changes, and is refused once it is edited.

    Their digests go into the `lock.json` of the folder, which belongs into version control beside them. What is there
    is never changed.

    Example: `sqlassay prompts lock terse@1 --folder prompts`
    """
    from prompts.library import chosen, in_folder, read_in_place
    from prompts.lint import lint_file
    from prompts.lock import release

    found = in_folder(folder)
    paths = (
        [chosen(ref, found) for ref in prompts]
        if prompts
        else [path for versions in found.values() for path in versions.values()]
    )
    templates = []
    for path in paths:
        for problem in lint_file(path):
            if problem.fatal:
                place = f"{problem.path}:{problem.line}" if problem.line else str(problem.path)
                raise UserError(f"cannot be released: {problem.text}", place=place)
        templates.append(read_in_place(path))
    released = release(folder, templates) if templates else []
    if json:
        output.print_json([{"ref": one.ref, "sha256": one.sha256, "path": str(one.path)} for one in released])
        return
    for one in released:
        typer.echo(f"{one.ref}  {one.sha256}")
    if not templates:
        output.talk().print(f"{folder} holds no prompts: each is <name>/v<N>.yaml")
        return
    known = len(templates) - len(released)
    output.talk().print(
        f"{counted(len(released), 'version')} released in {folder / 'lock.json'}"
        + (f"; {known:,} had been" if known else "")
    )

"""`sqlassay prompts lint`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from evaluation.cli import output
from evaluation.cli.options import Json, PromptFolders
from sqlassay.counted import counted
from sqlassay.errors import ExitCode

if TYPE_CHECKING:
    from prompts.lint import Problem


def lint(
    prompts: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Argument(
            metavar="[PROMPT...]",
            help="A YAML file, a folder, NAME, or NAME@VERSION; the folders, or what is shipped, unless given.",
        ),
    ] = None,
    folder: PromptFolders = None,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 1 also when there are only warnings.")] = False,
    json: Json = False,
) -> int:
    """Check prompt files, and list everything that is wrong with them, with lines.

    An error makes a prompt unusable; a warning is about something that is likely not meant. Exits with 1 when there is
    an error.

    Example: `sqlassay prompts lint prompts --strict`
    """
    from prompts.library import SHIPPED

    chosen = prompts or [str(one) for one in folder or (SHIPPED,)]
    found = list(dict.fromkeys(problem for target in chosen for problem in _lint(target, folder or ())))
    if json:
        output.print_json([{**vars(problem), "path": str(problem.path)} for problem in found])
    else:
        from evaluation.cli.prompts import text

        text.write("".join(f"{problem}\n" for problem in found))
        errors = sum(problem.fatal for problem in found)
        told = f"{counted(errors, 'error')}, {counted(len(found) - errors, 'warning')}"
        output.talk().print(told if found else "nothing is wrong")
    failed = any(problem.fatal or strict for problem in found)
    return ExitCode.UNUSABLE if failed else ExitCode.OK


def _lint(target: str, folders: list[Path] | tuple[Path, ...]) -> Iterator[Problem]:
    from prompts.library import locate
    from prompts.lint import lint_file, lint_folder

    path = Path(target)
    if path.is_dir():
        yield from lint_folder(path)
    elif target.endswith((".yaml", ".yml")):
        yield from lint_file(path)
    else:
        yield from lint_file(locate(target, folders))

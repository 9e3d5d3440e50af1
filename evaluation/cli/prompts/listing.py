"""`sqlassay prompts list`."""

from __future__ import annotations

from typing import Any

from evaluation.cli import output
from evaluation.cli.options import Json, PromptFolders


def list_prompts(folder: PromptFolders = None, json: Json = False) -> None:
    """List the prompts and their versions: those that are shipped, and those of folders.

    A released version never changes: its digest is in the `lock.json` of its folder. An unreleased one can be used all
    the same, and may be another tomorrow.

    Example: `sqlassay prompts list --folder prompts`
    """
    from prompts.library import load, refs
    from sqlassay.errors import UserError

    found: list[dict[str, Any]] = []
    for ref in refs(folder or ()):
        try:
            prompt = load(ref, folder or ())
        except UserError as error:
            found.append({"ref": ref, "state": "unusable", "problem": str(error)})
            continue
        found.append(
            {
                "ref": ref,
                "name": prompt.name,
                "version": prompt.version,
                "state": "released" if prompt.released else "unreleased",
                "description": prompt.description,
                "sha256": prompt.sha256,
                "path": str(prompt.path),
            }
        )
    if json:
        output.print_json(found)
        return
    rows = [
        (one["ref"], one["state"], one.get("sha256", "")[:12], one.get("description", ""), _place(one)) for one in found
    ]
    output.data().print(output.table(("prompt", "", "sha256", "what", "file"), rows))


def _place(one: dict[str, Any]) -> str:
    from prompts.library import SHIPPED

    path = one.get("path", one.get("problem"))
    return "(shipped)" if str(path).startswith(str(SHIPPED)) and "path" in one else str(path)

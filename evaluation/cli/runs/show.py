"""`sqlassay runs show`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from evaluation.cli import output
from evaluation.cli.options import Json, Runs


def show(
    run: Annotated[str, typer.Argument(metavar="RUN", help="A run id, a group of runs, `latest`, or a folder.")],
    runs: Runs = Path("runs"),
    json: Json = False,
) -> None:
    """Show exactly what was run: model, prompt, engine, dataset, strategies, limits and versions."""
    from evaluation.runs import find_runs

    found = find_runs(run, runs)
    if json:
        output.print_json([folder.manifest for folder in found])
        return
    for folder in found:
        manifest = folder.manifest
        heads = ("run_id", "group", "title", "status", "started", "ended", "stopped_by")
        rows: list[tuple[str, str]] = [(key, str(manifest[key])) for key in heads if key in manifest]
        rows += [(key, _flat(value)) for key, value in manifest["identity"].items() if value is not None]
        unreleased = [prompt["ref"] for prompt in manifest.get("prompts", ()) if not prompt["released"]]
        if unreleased:
            rows.append(("unreleased", f"{', '.join(unreleased)}: the file may have changed since"))
        rows.append(("versions", _flat(manifest["versions"])))
        rows.append(("experiment", f"{manifest['experiment']['path']} sha256 {manifest['experiment']['sha256'][:12]}"))
        output.data().print(output.table(("", ""), rows))


def _flat(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {_flat(item)}".lstrip() for key, item in value.items() if item not in (None, [], {}))
    if isinstance(value, list):
        return "; ".join(_flat(item) for item in value)
    return str(value)

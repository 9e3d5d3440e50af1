"""`sqlassay runs prune`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

from evaluation.cli import output
from evaluation.cli.options import Json, Runs
from sqlassay.counted import counted
from sqlassay.errors import UserError

if TYPE_CHECKING:
    from evaluation.pruning import Group


def prune(
    keep: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option("--keep", metavar="N", min=0, help="Keep the N newest groups of runs."),
    ] = None,
    older_than: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--older-than", metavar="AGE", help="Delete only what is older: than 12h, 30d, 8w."),
    ] = None,
    runs: Runs = Path("runs"),
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Delete nothing; say what would be.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    json: Json = False,
) -> None:
    """Delete old runs: whole groups, the oldest first.

    A group stays when one of its runs is being written, or when `baselines.json` in the folder of runs names it.

    Example: `sqlassay runs prune --keep 14 --older-than 30d`
    """
    from evaluation.pruning import delete, old_groups, parse_age
    from evaluation.run_log import clear_staging

    if keep is None and older_than is None:
        raise UserError("nothing says which runs are old", remedy="give --keep N, --older-than AGE, or both")
    age = None if older_than is None else parse_age(older_than)
    if not dry_run:
        clear_staging(runs)
    found = old_groups(runs, keep=keep or 0, older_than=age)
    going = [group for group in found if not group.kept]
    sizes = {group.name: group.bytes for group in found}
    if not json:
        _show(found, sizes)
    if going and not dry_run:
        total = f"{_groups(len(going))}, {sum(sizes[group.name] for group in going):,} bytes"
        if not yes:
            if not sys.stdin.isatty():
                raise UserError(f"{total} would be deleted", place=str(runs), remedy="add --yes, or --dry-run to look")
            if not typer.confirm(f"Delete {total}?", err=True):
                output.talk().print("nothing was deleted")
                return
        for group in going:
            delete(group, runs)
        if not json:
            output.talk().print(f"{total}: deleted")
    elif not json:
        output.talk().print("nothing was deleted" if found else f"no group in {runs} is old")
    if json:
        output.print_json({"deleted": not dry_run, "groups": [_entry(group, sizes[group.name]) for group in found]})


def _show(found: list[Group], sizes: dict[str, int]) -> None:
    rows = [
        (
            group.name,
            len(group.runs),
            group.made,
            f"{sizes[group.name]:,}",
            f"stays: {group.kept}" if group.kept else "",
        )
        for group in found
    ]
    if rows:
        output.data().print(output.table(("group", "runs", "from", "bytes", ""), rows))


def _entry(group: Group, size: int) -> dict[str, Any]:
    runs = [run.run_id for run in group.runs]
    return {"group": group.name, "runs": runs, "from": group.made, "bytes": size, "kept": group.kept or None}


def _groups(number: int) -> str:
    return counted(number, "group") + " of runs"
